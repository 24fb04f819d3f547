using System.Text.Json.Nodes;
using Sekisho.Domain.Detection;
using Sekisho.Response.Soc.Events;
using Sekisho.Response.Soc.Formats;

namespace Sekisho.Response.Tests.Soc;

/// <summary>
/// The names that leave for a SOC, each looked up in what their owners publish: OCSF 1.4.0 (and still there in 1.8.0), ECS 8.11.0 (and still there in 9.4.0), MITRE ATT&amp;CK 18.1. A name that is
/// not listed here was not looked up. "unmapped" and "sekisho" hold what is ours.
/// </summary>
public class SchemaNameTests
{
    private static readonly string[] OcsfBase =
    [
        "activity_id", "activity_name", "category_uid", "class_uid", "message", "metadata", "metadata.correlation_uid", "metadata.event_code", "metadata.log_name", "metadata.product", "metadata.product.name",
        "metadata.product.uid", "metadata.product.vendor_name", "metadata.product.version", "metadata.uid", "metadata.version", "severity_id", "time", "timezone_offset", "type_uid", "unmapped",
    ];

    private static readonly string[] OcsfHost = ["metadata.profiles", "device", "device.name", "device.type_id", "device.uid", "actor", "actor.user", "actor.user.name"];

    private static readonly Dictionary<int, string[]> OcsfNames = new()
    {
        [0] = OcsfBase,
        [2004] =
        [
            .. OcsfBase, .. OcsfHost, "status_id", "is_alert", "evidences", "evidences.src_endpoint", "evidences.src_endpoint.ip", "finding_info", "finding_info.analytic", "finding_info.analytic.name", "finding_info.analytic.type_id",
            "finding_info.analytic.uid", "finding_info.attacks", "finding_info.attacks.sub_technique", "finding_info.attacks.sub_technique.name", "finding_info.attacks.sub_technique.src_url",
            "finding_info.attacks.sub_technique.uid", "finding_info.attacks.tactic", "finding_info.attacks.tactic.name", "finding_info.attacks.tactic.src_url", "finding_info.attacks.tactic.uid",
            "finding_info.attacks.technique", "finding_info.attacks.technique.name", "finding_info.attacks.technique.src_url", "finding_info.attacks.technique.uid", "finding_info.attacks.version",
            "finding_info.created_time", "finding_info.title", "finding_info.uid",
        ],
        [3002] = [.. OcsfBase, .. OcsfHost, "status_id", "user", "user.uid", "dst_endpoint", "dst_endpoint.name", "src_endpoint", "src_endpoint.ip"],
        [3004] = [.. OcsfBase, .. OcsfHost, "status_id", "entity", "entity.device", "entity.device.name", "entity.device.type_id", "entity.device.uid", "entity.name", "entity.type", "entity.type_id", "entity.uid", "src_endpoint", "src_endpoint.ip"],
        [7001] = [.. OcsfBase, .. OcsfHost, "status_id", "command_uid"],
    };

    // Enumerations of the classes, as far as we write them.
    private static readonly Dictionary<int, int[]> OcsfActivities = new() { [0] = [99], [2004] = [1, 2, 3], [3002] = [1], [3004] = [3, 99], [7001] = [1, 3, 99] };
    private static readonly Dictionary<int, int[]> OcsfStates = new() { [2004] = [0, 1, 2, 3, 4], [3002] = [0, 1, 2], [3004] = [0, 1, 2], [7001] = [0, 1, 2] };

    private static readonly string[] EcsNames =
    [
        "@timestamp", "device.id", "ecs.version", "event.action", "event.category", "event.dataset", "event.id", "event.kind", "event.module", "event.outcome", "event.severity", "event.type", "host.name", "message",
        "observer.name", "observer.product", "observer.type", "observer.vendor", "observer.version", "rule.category", "rule.id", "rule.name", "source.address", "source.ip", "threat.framework", "threat.tactic.id",
        "threat.tactic.name", "threat.tactic.reference", "threat.technique.id", "threat.technique.name", "threat.technique.reference", "threat.technique.subtechnique.id", "threat.technique.subtechnique.name",
        "threat.technique.subtechnique.reference", "trace.id", "user.name",
    ];

    // Which types a category goes with, as far as we write them.
    private static readonly Dictionary<string, string[]> EcsTypes = new()
    {
        ["authentication"] = ["start", "info"],
        ["configuration"] = ["change", "info"],
        ["host"] = ["change", "info"],
        ["intrusion_detection"] = ["denied", "info"],
        ["network"] = ["denied"],
    };

    public static TheoryData<string, string, string?> Events => new(
        from kind in (string[])["detection", "response", "operator", "device-state", "authentication", "refusal", "data-in", "soc"]
        from what in (string[])["frequency", "finding-closed", "finding-retracted", "finding-acknowledged", "soc-false-alarm", "exception-set", "sensor-flood-ended", "suspend-sim", "bound", "suspended", "lifecycle"]
        from state in (string?[])[null, "done", "undone", "failed", "refused"]
        select new TheoryDataRow<string, string, string?>(kind, what, state));

    [Theory]
    [MemberData(nameof(Events))]
    public void OCSF_writes_names_and_numbers_of_the_schema_only(string kind, string what, string? state)
    {
        foreach (var e in Variants(kind, what, state))
        {
            var body = JsonNode.Parse(OcsfBody.Of(e))!.AsObject();
            var type = body["class_uid"]!.GetValue<int>();
            Assert.Empty(Paths(body, "unmapped").Except(OcsfNames[type]));
            Assert.Contains(body["activity_id"]!.GetValue<int>(), OcsfActivities[type]);
            Assert.Equal(body["activity_id"]!.GetValue<int>() == 99, body["activity_name"] is not null);
            Assert.Equal(type / 1000, body["category_uid"]!.GetValue<int>());
            Assert.InRange(body["severity_id"]!.GetValue<int>(), 1, 5);
            if (type == 0)
            {
                Assert.Null(body["status_id"]);
            }
            else
            {
                Assert.Contains(body["status_id"]!.GetValue<int>(), OcsfStates[type]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Events))]
    public void ECS_writes_names_of_the_schema_only_and_types_that_go_with_their_category(string kind, string what, string? state)
    {
        foreach (var e in Variants(kind, what, state))
        {
            var body = JsonNode.Parse(EcsBody.Of(e))!.AsObject();
            Assert.Empty(Leaves(body, "sekisho").Except(EcsNames));
            Assert.Contains(body["event"]!["kind"]!.GetValue<string>(), (string[])["alert", "event"]);
            Assert.Contains(body["event"]!["outcome"]?.GetValue<string>(), (string?[])["success", "failure", "unknown", null]);
            var types = body["event"]!["category"]!.AsArray().SelectMany(c => EcsTypes[c!.GetValue<string>()]).ToList();
            Assert.All(body["event"]!["type"]!.AsArray(), t => Assert.Contains(t!.GetValue<string>(), types));
        }
    }

    [Fact]
    public void Each_technique_has_a_tactic_of_its_matrix_and_a_part_stands_below_its_technique()
    {
        Assert.Equal("18.1", Attack.Version);
        var techniques = Attack.Conditions.Keys.SelectMany(c => Attack.Of(c, null)).Concat(Attack.Threats.Keys.SelectMany(t => Attack.Of("-", t))).ToList();
        Assert.All(techniques, t => Assert.NotEmpty(t.Tactics));
        Assert.All(techniques.SelectMany(t => t.Tactics.Select(a => (t.Matrix, a.Id))), t => Assert.Equal(t.Matrix == "ics", t.Id.StartsWith("TA01", StringComparison.Ordinal)));

        var attacks = JsonNode.Parse(OcsfBody.Of(Sample with { Techniques = Attack.Of("sim-volume", null) }))!["finding_info"]!["attacks"]!.AsArray();
        Assert.Equal(
            ["TA0040 T1496 Resource Hijacking T1496.002 Bandwidth Hijacking", "TA0010 T1041 Exfiltration Over C2 Channel"],
            attacks.Select(a => $"{a!["tactic"]!["uid"]} {a["technique"]!["uid"]} {a["technique"]!["name"]} {a["sub_technique"]?["uid"]} {a["sub_technique"]?["name"]}".TrimEnd()));
        var threat = JsonNode.Parse(EcsBody.Of(Sample with { Techniques = Attack.Of("sim-volume", null) }))!["threat"]!;
        Assert.Equal(("T1496", "T1041", "T1496.002"), (threat["technique"]!["id"]![0]!.ToString(), threat["technique"]!["id"]![1]!.ToString(), threat["technique"]!["subtechnique"]!["id"]![0]!.ToString()));
        Assert.Equal("https://attack.mitre.org/techniques/T1496/002", threat["technique"]!["subtechnique"]!["reference"]![0]!.ToString());
    }

    private static SocEvent Sample => Variants("detection", "frequency", null).First();

    private static IEnumerable<SocEvent> Variants(string kind, string what, string? state)
    {
        var full = new SocEvent
        {
            Id = "gate-1/42",
            At = new DateTimeOffset(2026, 4, 1, 9, 0, 0, 123, TimeSpan.FromHours(9)),
            Kind = kind,
            What = what,
            State = state,
            Title = "Too many messages",
            Message = "車両 1 sent 120 messages.",
            Level = Levels.Critical,
            Risk = Risks.Takeover,
            Threat = Threats.DenialOfService,
            Condition = "frequency",
            ConditionKey = "frequency-1",
            Effect = Effects.Act,
            Gateway = "gate-1",
            FieldId = "cars",
            FieldName = "Cars",
            Sector = "logistics",
            DeviceId = "d000000000000001",
            DeviceName = "車両 1",
            DeviceKind = "car",
            Address = "198.51.100.7",
            Actor = "hanako",
            CorrelationId = "0123456789abcdef0123456789abcdef",
            FindingId = "f0000000000000000000000000000001",
            LeaseId = "l000000000000001",
            Techniques = [.. Attack.Of("clone", null), .. Attack.Of("sim-volume", null)],
            Details = new SortedDictionary<string, string> { ["measured"] = "120" },
            LeftOut = ["deviceName"],
        };
        yield return full;
        yield return full with { Address = "*", Details = new SortedDictionary<string, string> { ["closedAs"] = "false-alarm" } };
        yield return full with { Address = "198.51.100.0/24", DeviceName = null, FindingId = null };
        yield return full with { DeviceId = null, Condition = null, ConditionKey = null, Techniques = [], Actor = null, Address = null, LeaseId = null };
    }

    private static IEnumerable<string> Paths(JsonObject of, string except, string before = "") => of.SelectMany(p =>
    {
        var path = before + p.Key;
        return path == except ? [path] : Inner(p.Value).SelectMany(o => Paths(o, except, path + ".")).Prepend(path);
    }).Distinct();

    private static IEnumerable<string> Leaves(JsonObject of, string except, string before = "") => of.Where(p => before + p.Key != except).SelectMany(p =>
        Inner(p.Value) is { Count: > 0 } inner ? inner.SelectMany(o => Leaves(o, except, before + p.Key + ".")) : [before + p.Key]).Distinct();

    private static List<JsonObject> Inner(JsonNode? value) => value switch { JsonObject one => [one], JsonArray many => [.. many.OfType<JsonObject>()], _ => [] };
}
