using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Response.Soc.Events;
using Sekisho.Response.Soc.Stix;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Soc;

public partial class StixTests
{
    private const string Id = "f0000000000000000000000000000001";

    [Fact]
    public async Task A_finding_becomes_the_same_bundle_every_time_and_every_reference_leads_somewhere()
    {
        await using var host = await SocHost.StartAsync(Dialect.Sqlite);
        await host.RaiseAsync(Id);
        using var reader = host.Client(Roles.Auditor);
        var path = $"/api/v1/fields/cars/detections/{Id}/stix?allow=addresses,names";
        var text = await reader.GetStringAsync(path);
        var bundle = JsonNode.Parse(text)!;
        var objects = StixRules.Check(bundle);
        Assert.Equal(Said(objects), Said(StixRules.Check(JsonNode.Parse(await reader.GetStringAsync(path))!)));
        Assert.Equal(
            ["attack-pattern", "attack-pattern", "extension-definition", "grouping", "identity", "identity", "identity", "identity", "incident", "indicator", "ipv4-addr", "marking-definition", "observed-data",
                "relationship", "relationship", "relationship", "sighting", "sighting", "sighting"],
            objects.Select(o => o["type"]!.GetValue<string>()).Order(StringComparer.Ordinal));
        var ids = objects.Select(o => o["id"]!.GetValue<string>()).ToHashSet();

        // The extension's properties stand under the identifier of its definition (STIX 2.1, 7.3).
        var incident = objects.Single(o => o["type"]!.GetValue<string>() == "incident");
        Assert.Contains(incident["extensions"]!.AsObject().Single().Key, ids);
        Assert.Equal("important", incident["extensions"]!.AsObject().Single().Value!["level"]!.GetValue<string>());
        Assert.Equal("[ipv4-addr:value = '198.51.100.7']", objects.Single(o => o["type"]!.GetValue<string>() == "indicator")["pattern"]!.GetValue<string>());
    }

    [Fact]
    public async Task Without_leave_a_bundle_holds_neither_names_nor_addresses()
    {
        await using var host = await SocHost.StartAsync(Dialect.Sqlite);
        await host.RaiseAsync(Id);
        using var reader = host.Client(Roles.Auditor);
        var text = await reader.GetStringAsync($"/api/v1/fields/cars/detections/{Id}/stix");
        Assert.DoesNotContain("198.51.100.7", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\\u8ECA", text, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("sighting", text, StringComparison.Ordinal);
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await host.Client(Roles.Auditor, field: "homes").GetAsync($"/api/v1/fields/homes/detections/{Id}/stix")).StatusCode);
        Assert.Equal(System.Net.HttpStatusCode.UnprocessableEntity, (await reader.GetAsync($"/api/v1/fields/cars/detections/{Id}/stix?allow=all")).StatusCode);
        Assert.Equal(System.Net.HttpStatusCode.UnprocessableEntity, (await reader.GetAsync($"/api/v1/fields/cars/detections/{Id}/stix?tlp=blue")).StatusCode);
    }

    [Fact]
    public async Task Findings_of_one_incident_share_their_devices_and_techniques()
    {
        await using var host = await SocHost.StartAsync(Dialect.Sqlite);
        Finding[] findings = [await host.RaiseAsync(Id), await host.RaiseAsync(Id[..^1] + "2"), await host.RaiseAsync(Id[..^1] + "3", condition: "size", threat: null)];
        var bundle = StixBundle.Of(new StixSubject("i1", "Incident", "gate-1", null, "gas", [], "en", DateTimeOffset.UnixEpoch), findings, host.World.Device, f => f.Condition);
        var types = bundle["objects"]!.AsArray().GroupBy(o => o!["type"]!.GetValue<string>()).ToDictionary(g => g.Key, g => g.Count());
        StixRules.Check(bundle);
        Assert.Equal((3, 2, 4, 1, 1), (types["identity"], types["attack-pattern"], types["sighting"], types["incident"], types["grouping"]));
    }

    [Fact]
    public void Identifiers_follow_RFC_9562() =>
        Assert.Equal(new Guid("2ed6657d-e927-568b-95e1-2665a8aea6a2"), StixId.Uuid5(new Guid("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), "www.example.com"));

    [Fact]
    public void Every_kind_of_detection_has_its_techniques_or_is_listed_as_having_none()
    {
        var kinds = Directory.GetFiles(Path.Combine(Root(), "src", "Detection", "Texts"), "*.en.json").SelectMany(f => KindPattern().Matches(File.ReadAllText(f))).Select(m => m.Groups[1].Value).Distinct().ToList();
        Assert.True(kinds.Count >= 30);
        Assert.Empty(kinds.Except(Attack.Conditions.Keys).Except(Attack.NoneFits));
        Assert.Empty(Attack.Conditions.Keys.Intersect(Attack.NoneFits));
        Assert.Empty(Attack.Conditions.Keys.Union(Attack.NoneFits).Except(kinds));
        Assert.Equal(Threats.All.Order(), Attack.Threats.Keys.Order());
        Assert.All(Attack.Conditions.Keys, c => Assert.NotEmpty(Attack.Of(c, null)));
        Assert.All(Attack.Conditions.Keys.SelectMany(c => Attack.Of(c, null)), t => Assert.Equal(t.Id.StartsWith("T0", StringComparison.Ordinal) ? "ics" : "enterprise", t.Matrix));
    }

    // Identities say what is known when they are asked for; everything else is as old as the finding.
    private static IEnumerable<string> Said(IEnumerable<JsonObject> objects) => objects.Select(o =>
    {
        var copy = o.DeepClone().AsObject();
        if (StixRules.Type(o) == "identity")
        {
            copy.Remove("modified");
        }

        return copy.ToJsonString();
    });

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Sekisho.slnx")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        return folder;
    }

    [GeneratedRegex("\"condition\\.([a-z0-9-]+)\":")]
    private static partial Regex KindPattern();
}
