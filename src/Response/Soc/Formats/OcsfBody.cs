using System.Text.Json;
using Sekisho.Domain.Detection;
using Sekisho.Domain.History;
using Sekisho.Response.Soc.Events;

namespace Sekisho.Response.Soc.Formats;

/// <summary>
/// An event of the Open Cybersecurity Schema Framework 1.4 (every name stands in 1.8 too): Detection Finding (2004) for detections, Remediation Activity (7001) for responses,
/// Entity Management (3004) for what operators do and for the states of devices, Authentication (3002), else Base Event (0). What the schema has no
/// attribute for stands under "unmapped". Pure.
/// </summary>
internal static class OcsfBody
{
    public const string Schema = "1.4.0";

    private const int DetectionFinding = 2004;
    private const int Authentication = 3002;
    private const int EntityManagement = 3004;
    private const int Remediation = 7001;
    private const int InternetOfThings = 7;
    private const int Other = 99;

    public static byte[] Of(SocEvent e) => JsonBody.Write(json =>
    {
        var (category, type, activity) = ClassOf(e);
        json.WriteNumber("category_uid", category);
        json.WriteNumber("class_uid", type);
        json.WriteNumber("activity_id", activity);
        if (activity == Other)
        {
            json.WriteString("activity_name", e.What);
        }

        json.WriteNumber("type_uid", (type * 100) + activity);
        json.WriteNumber("time", e.At.ToUnixTimeMilliseconds());
        json.WriteNumber("timezone_offset", (int)e.At.Offset.TotalMinutes);
        json.WriteNumber("severity_id", SeverityOf(e));
        json.WriteString("message", e.Message);
        if (type != 0)
        {
            json.WriteNumber("status_id", StatusOf(e, type));
        }

        json.Object("metadata", () =>
        {
            json.WriteString("version", Schema);
            json.WriteString("uid", e.Id);
            json.Text("correlation_uid", e.CorrelationId);
            json.WriteString("log_name", e.Kind);
            json.WriteString("event_code", e.What);
            if (type != 0 && (e.Actor is not null || e.DeviceId is not null))
            {
                json.List("profiles", ["host"]);
            }

            json.Object("product", () =>
            {
                json.WriteString("name", "Sekisho");
                json.WriteString("vendor_name", "Sekisho");
                json.WriteString("version", Product.Version);
                json.WriteString("uid", e.Gateway);
            });
        });
        if (type != 0 && e.DeviceId is not null)
        {
            Device(json, e);
        }

        switch (type)
        {
            case DetectionFinding:
                json.WriteBoolean("is_alert", !e.IsAboutFinding && e.Effect is null or Effects.Act);
                Finding(json, e);
                if (e.Ip is { } seen)
                {
                    json.WriteStartArray("evidences");
                    json.WriteStartObject();
                    json.Object("src_endpoint", () => json.WriteString("ip", seen.ToString()));
                    json.WriteEndObject();
                    json.WriteEndArray();
                }

                break;
            case Remediation:
                json.WriteString("command_uid", e.LeaseId ?? e.Id);
                break;
            case EntityManagement:
                json.Object("entity", () =>
                {
                    var isDevice = e.Kind == HistoryKinds.DeviceState;
                    json.WriteNumber("type_id", isDevice ? 1 : Other);
                    json.WriteString("type", isDevice ? "Device" : "configuration");
                    json.WriteString("uid", e.DeviceId ?? e.FieldId ?? e.Gateway);
                    json.Text("name", e.DeviceName);
                    if (isDevice && e.DeviceId is not null)
                    {
                        Device(json, e);
                    }
                });
                break;
            case Authentication:
                json.Object("user", () => json.WriteString("uid", e.DeviceId ?? "-"));
                json.Object("dst_endpoint", () => json.WriteString("name", e.Gateway));
                break;
        }

        if (type != 0 && e.Actor is not null)
        {
            json.Object("actor", () => json.Object("user", () => json.WriteString("name", e.Actor)));
        }

        if (type is EntityManagement or Authentication && e.Ip is { } sender)
        {
            json.Object("src_endpoint", () => json.WriteString("ip", sender.ToString()));
        }

        json.Object("unmapped", () =>
        {
            json.WriteString("gateway", e.Gateway);
            json.Text("what", e.What);
            if (type == 0)
            {
                json.Text("device", e.DeviceId);
                json.Text("actor", e.Actor);
            }

            if (type is 0 or Remediation || e.Ip is null)
            {
                json.Text("source", e.Address);
            }

            if (type != DetectionFinding && e.Techniques.Count > 0)
            {
                json.List("techniques", e.Techniques.Select(t => t.Id));
            }

            json.Own(e);
        });
    });

    /// <summary>1 informational, 2 low, 3 medium, 4 high, 5 critical.</summary>
    public static int SeverityOf(SocEvent e) => e.Effect is not (null or Effects.Act) ? 1 : e.Level switch
    {
        Levels.Critical => 5,
        Levels.Important => 4,
        Levels.Warning => 3,
        Levels.Information => 1,
        _ => e.State is "refused" or "failed" ? 2 : 1,
    };

    private static void Device(Utf8JsonWriter json, SocEvent e) => json.Object("device", () =>
    {
        json.WriteString("uid", e.DeviceId!);
        json.Text("name", e.DeviceName);
        json.WriteNumber("type_id", InternetOfThings);
    });

    private static void Finding(Utf8JsonWriter json, SocEvent e) => json.Object("finding_info", () =>
    {
        json.WriteString("uid", e.FindingId ?? e.Id);
        json.WriteString("title", e.Title);
        json.WriteNumber("created_time", e.At.ToUnixTimeMilliseconds());
        if (e.Condition is not null)
        {
            json.Object("analytic", () =>
            {
                json.WriteString("uid", e.ConditionKey ?? e.Condition);
                json.WriteString("name", e.Condition);
                json.WriteNumber("type_id", 1);
            });
        }

        if (e.Techniques.Count > 0)
        {
            Attacks(json, e.Techniques);
        }
    });

    // An attack has one tactic: one for each that the technique serves.
    private static void Attacks(Utf8JsonWriter json, IReadOnlyList<Technique> techniques)
    {
        json.WriteStartArray("attacks");
        foreach (var (technique, tactic) in techniques.SelectMany(t => t.Tactics.Select(a => (t, a))))
        {
            json.WriteStartObject();
            json.WriteString("version", Attack.Version);
            Named("tactic", tactic.Id, tactic.Name, tactic.Url);
            Named("technique", technique.ParentId, technique.ParentName, technique.ParentUrl);
            if (technique.PartName is { } part)
            {
                Named("sub_technique", technique.Id, part, technique.Url);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();

        void Named(string what, string id, string name, string url) => json.Object(what, () =>
        {
            json.WriteString("uid", id);
            json.WriteString("name", name);
            json.WriteString("src_url", url);
        });
    }

    private static (int Category, int Class, int Activity) ClassOf(SocEvent e) => e.Kind switch
    {
        HistoryKinds.Detection => (2, DetectionFinding, e.What switch
        {
            "finding-closed" or "finding-cleared" or "finding-retracted" => 3,
            _ when e.HasEnded => 3,
            _ when e.IsAboutFinding => 2,
            _ => 1,
        }),
        HistoryKinds.Response => (7, Remediation, e.State == "undone" ? 3 : e.Isolates ? 1 : Other),
        HistoryKinds.Operator => (3, EntityManagement, Other),
        HistoryKinds.DeviceState => (3, EntityManagement, 3),
        HistoryKinds.Authentication => (3, Authentication, 1),
        _ => (0, 0, Other),
    };

    // Detections are new, in progress, suppressed (benign), resolved, or none of these (an exception); everything else succeeded, failed or is under way.
    private static int StatusOf(SocEvent e, int type) => type == DetectionFinding
        ? e.What switch
        {
            "finding-retracted" or "soc-false-alarm" => 3,
            "finding-closed" when e.Details.GetValueOrDefault("closedAs") == Closings.FalseAlarm => 3,
            "finding-closed" or "finding-cleared" or "soc-closed" => 4,
            "finding-acknowledged" or "finding-reopened" or "soc-acknowledged" => 2,
            _ => e.HasEnded ? 4 : e.IsAboutFinding ? 0 : 1,
        }
        : e.Outcome switch
        {
            SocEvent.Success => 1,
            SocEvent.Failure => 2,
            _ => 0,
        };
}
