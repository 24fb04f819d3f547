using System.Globalization;
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
            if (e.State is not null)
            {
                json.WriteString("outcome", OutcomeOf(e.State));
            }
        });
        json.Object("observer", () =>
        {
            json.WriteString("vendor", "Sekisho");
            json.WriteString("product", "Sekisho");
            json.WriteString("version", Product.Version);
            json.WriteString("name", e.Gateway);
            json.WriteString("type", "gateway");
        });
        if (e.DeviceId is not null || e.DeviceName is not null)
        {
            json.Object("device", () =>
            {
                json.Text("id", e.DeviceId);
                json.Text("type", e.DeviceKind);
            });
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
                json.Object("technique", () =>
                {
                    json.List("id", e.Techniques.Select(t => t.Id));
                    json.List("name", e.Techniques.Select(t => t.Name));
                    json.List("reference", e.Techniques.Select(t => t.Url));
                });
            });
        }

        if (e.Address is not null)
        {
            json.Object("source", () => json.WriteString(e.Address.Contains('/', StringComparison.Ordinal) ? "address" : "ip", e.Address));
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

    private static string OutcomeOf(string state) => state switch
    {
        "failed" or "refused" => "failure",
        "done" or "undone" or "active" => "success",
        _ => "unknown",
    };

    private static (string Kind, string[] Category, string[] Type) CategoriesOf(SocEvent e) => e.Kind switch
    {
        HistoryKinds.Detection => ("alert", ["intrusion_detection"], [e.What.StartsWith("finding-", StringComparison.Ordinal) ? "change" : "info"]),
        HistoryKinds.Response => ("event", ["intrusion_detection"], [e.State is "done" ? "denied" : "info"]),
        HistoryKinds.Operator => ("event", ["configuration"], [e.State is "refused" ? "denied" : "change"]),
        HistoryKinds.DeviceState => ("event", ["host"], ["change"]),
        HistoryKinds.Authentication => ("event", ["authentication"], ["info"]),
        HistoryKinds.Refusal => ("event", ["network"], ["denied"]),
        _ => ("event", ["host"], ["info"]),
    };
}
