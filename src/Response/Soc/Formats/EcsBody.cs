using System.Globalization;
using System.Text.Json;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.Response.Soc.Events;

namespace Sekisho.Response.Soc.Formats;

/// <summary>An event with the field names of the Elastic Common Schema 8.11; what it has no name for stands under "sekisho". Pure.</summary>
internal static class EcsBody
{
    public const string Schema = "8.11.0";

    public static byte[] Of(SocEvent e) => JsonBody.Write(json =>
    {
        json.WriteString("@timestamp", e.At.ToString("O", CultureInfo.InvariantCulture));
        json.Object("ecs", () => json.WriteString("version", Schema));
        json.WriteString("message", e.Message);
        json.Object("event", () =>
        {
            var (kind, category, type) = CategoriesOf(e);
            json.WriteString("id", e.Id);
            json.WriteString("kind", kind);
            json.List("category", category);
            json.List("type", type);
            json.WriteString("action", e.What);
            json.WriteNumber("severity", CefBody.SeverityOf(e));
            json.WriteString("module", "sekisho");
            json.WriteString("dataset", "sekisho." + e.Kind);
            json.Text("outcome", e.Outcome);
        });
        json.Object("observer", () =>
        {
            json.WriteString("vendor", "Sekisho");
            json.WriteString("product", "Sekisho");
            json.WriteString("version", Product.Version);
            json.WriteString("name", e.Gateway);
            json.WriteString("type", "gateway");
        });
        if (e.DeviceId is not null)
        {
            json.Object("device", () => json.WriteString("id", e.DeviceId));
        }

        if (e.DeviceName is not null)
        {
            json.Object("host", () => json.WriteString("name", e.DeviceName));
        }

        if (e.Condition is not null)
        {
            json.Object("rule", () =>
            {
                json.WriteString("id", e.ConditionKey ?? e.Condition);
                json.WriteString("name", e.Kind == HistoryKinds.Detection ? e.Title : e.Condition);
                json.WriteString("category", e.Condition);
            });
        }

        if (e.Techniques.Count > 0)
        {
            json.Object("threat", () =>
            {
                json.WriteString("framework", "MITRE ATT&CK");
                Named(json, "tactic", [.. e.Techniques.SelectMany(t => t.Tactics).Distinct().Select(t => (t.Id, t.Name, t.Url))]);
                json.Object("technique", () =>
                {
                    Lists(json, [.. e.Techniques.Select(t => (t.ParentId, t.ParentName, t.ParentUrl)).Distinct()]);
                    if (e.Techniques.Any(t => t.PartName is not null))
                    {
                        Named(json, "subtechnique", [.. e.Techniques.Where(t => t.PartName is not null).Select(t => (t.Id, t.PartName!, t.Url))]);
                    }
                });
            });
        }

        if (e.Address is not null)
        {
            json.Object("source", () => json.WriteString(e.Ip is null ? "address" : "ip", e.Address));
        }

        if (e.Actor is not null)
        {
            json.Object("user", () => json.WriteString("name", e.Actor));
        }

        if (e.CorrelationId.Length > 0)
        {
            json.Object("trace", () => json.WriteString("id", e.CorrelationId));
        }

        json.Object("sekisho", () =>
        {
            json.Own(e);
        });
    });

    private static void Named(Utf8JsonWriter json, string what, (string Id, string Name, string Url)[] all) => json.Object(what, () => Lists(json, all));

    private static void Lists(Utf8JsonWriter json, (string Id, string Name, string Url)[] all)
    {
        json.List("id", all.Select(t => t.Id));
        json.List("name", all.Select(t => t.Name));
        json.List("reference", all.Select(t => t.Url));
    }

    // A category goes with certain types only (ECS, "expected event types").
    private static (string Kind, string[] Category, string[] Type) CategoriesOf(SocEvent e) => e.Kind switch
    {
        HistoryKinds.Detection => (e.IsAboutFinding ? "event" : "alert", ["intrusion_detection"], ["info"]),
        HistoryKinds.Response => ("event", ["intrusion_detection"], [e.Isolates && e.State is "done" ? "denied" : "info"]),
        HistoryKinds.Operator => ("event", ["configuration"], [e.State is "refused" ? "info" : "change"]),
        HistoryKinds.DeviceState => ("event", ["host"], ["change"]),
        HistoryKinds.Authentication => ("event", ["authentication"], [e.What == AuthenticationOutcomes.Bound ? "start" : "info"]),
        HistoryKinds.Refusal => ("event", ["network"], ["denied"]),
        _ => ("event", ["host"], ["info"]),
    };
}
