using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Response.Incidents;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Soc;

/// <summary>A whole incident as STIX.</summary>
public class StixIncidentTests
{
    private const string One = "d000000000000001";

    [Fact]
    public async Task An_incident_becomes_one_bundle_with_its_conditions_counted_its_responses_and_what_people_said()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        var id = await StoryAsync(host);
        using var reader = host.Client(Roles.Auditor);
        var path = $"/api/v1/fields/cars/incidents/{id}/stix?allow=addresses,names,operators,free-text&tlp=green";
        var answer = await reader.GetAsync(path);
        Assert.Equal("application/stix+json", answer.Content.Headers.ContentType!.MediaType);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.Equal(text, await reader.GetStringAsync(path));
        var objects = StixRules.Check(JsonNode.Parse(text)!);
        Assert.Equal("TLP:GREEN", objects.Single(o => StixRules.Type(o) == "marking-definition")["name"]!.GetValue<string>());

        // Three findings of one condition: one sighting of each technique that counts them, and the addresses of the first and the last.
        var sightings = objects.Where(o => StixRules.Type(o) == "sighting").ToList();
        Assert.Equal(2, sightings.Count(s => s["count"]!.GetValue<int>() == 3));
        Assert.Equal(["[ipv4-addr:value = '198.51.100.7']", "[ipv6-addr:value ISSUBSET '2001:db8::/32']"], objects.Where(o => StixRules.Type(o) == "indicator").Select(o => o["pattern"]!.GetValue<string>()).Order());

        // Each response is a course of action, also what was refused.
        var courses = objects.Where(o => StixRules.Type(o) == "course-of-action").ToList();
        Assert.Equal(["done", "refused", "refused"], courses.Select(c => c["extensions"]!.AsObject().Single().Value!["state"]!.GetValue<string>()).Order());
        var course = courses.Single(c => c["extensions"]!.AsObject().Single().Value!["state"]!.GetValue<string>() == "done");
        Assert.Equal("suspension of authentication", course["name"]!.GetValue<string>());
        var own = course["extensions"]!.AsObject().Single().Value!;
        Assert.Equal("suspend-authentication", own["response"]!.GetValue<string>());
        Assert.Equal(("done", 1, "looks real"), (own["state"]!.GetValue<string>(), own["approvals"]!.GetValue<int>(), own["reason"]!.GetValue<string>()));
        Assert.Equal(2, objects.Count(o => o["relationship_type"]?.GetValue<string>() == "mitigates" && o["source_ref"]!.GetValue<string>() == course["id"]!.GetValue<string>()));

        var incident = objects.Single(o => StixRules.Type(o) == "incident");
        var about = incident["extensions"]!.AsObject().Single().Value!;
        Assert.Equal((id, "cars", 3, "open"), (about["key"]!.GetValue<string>(), about["field"]!.GetValue<string>(), about["finding_count"]!.GetValue<int>(), about["state"]!.GetValue<string>()));
        Assert.Null(about["left_out"]);
        var note = objects.Single(o => StixRules.Type(o) == "note");
        Assert.Equal("ask the owner", note["content"]!.GetValue<string>());
        Assert.Equal("jiro", note["authors"]![0]!.GetValue<string>());
    }

    [Fact]
    public async Task Without_leave_it_names_what_was_left_out_and_holds_none_of_it()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        var id = await StoryAsync(host);
        using var reader = host.Client(Roles.Auditor);
        var text = await reader.GetStringAsync($"/api/v1/fields/cars/incidents/{id}/stix");
        foreach (var secret in (string[])["198.51.100", "2001:db8", "jiro", "looks real", "ask the owner", "\u8ECA\u4E21"])
        {
            Assert.DoesNotContain(secret, text, StringComparison.OrdinalIgnoreCase);
        }

        var objects = StixRules.Check(JsonNode.Parse(text)!);
        Assert.Equal("TLP:AMBER", objects.Single(o => StixRules.Type(o) == "marking-definition")["name"]!.GetValue<string>());
        Assert.DoesNotContain(objects, o => StixRules.Type(o) is "note" or "indicator" or "observed-data");
        var about = objects.Single(o => StixRules.Type(o) == "incident")["extensions"]!.AsObject().Single().Value!;
        Assert.Equal(["deviceName", "fieldName", "hand-over", "operator", "reason", "source"], about["left_out"]!.AsArray().Select(v => v!.GetValue<string>()));

        using var other = host.Client(Roles.Auditor, field: "homes");
        Assert.Equal(HttpStatusCode.NotFound, (await other.GetAsync($"/api/v1/fields/homes/incidents/{id}/stix")).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await reader.GetAsync($"/api/v1/fields/cars/incidents/{id}/stix?tlp=clear")).StatusCode);
    }

    [Fact]
    public async Task When_it_goes_on_the_same_objects_are_modified_and_a_false_alarm_ends_its_indicators_until_it_is_opened_again()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        var id = await StoryAsync(host);
        using var jiro = host.Client(Roles.Administrator, "jiro");
        var path = $"/api/v1/fields/cars/incidents/{id}/stix?allow=addresses";
        async Task<List<JsonObject>> ReadAsync() => StixRules.Check(JsonNode.Parse(await jiro.GetStringAsync(path))!);
        var before = await ReadAsync();
        host.Clock.Advance(TimeSpan.FromMinutes(10));
        var lease = (await host.LeasesAsync()).Single(l => l.State == "done");
        Assert.True((await jiro.PostAsJsonAsync($"/api/v1/fields/cars/responses/{lease.Id}/undo", new { reason = "known" })).IsSuccessStatusCode);
        await host.Worker.DrainAsync();
        var closed = await jiro.PostAsJsonAsync($"/api/v1/fields/cars/incidents/{id}/close", new { @as = "false-alarm", note = "a test drive" });
        Assert.True(closed.IsSuccessStatusCode, await closed.Content.ReadAsStringAsync());
        var after = await ReadAsync();

        Assert.Equal(before.Select(Id).Order(), after.Select(Id).Order());
        Assert.All(after.Where(o => StixRules.Type(o) == "indicator"), i => Assert.Equal(("benign", true), (i["indicator_types"]![0]!.GetValue<string>(), i["valid_until"] is not null)));
        foreach (var type in (string[])["incident", "grouping", "course-of-action", "indicator"])
        {
            // Of the courses of action, the one that was in force.
            var then = before.First(o => StixRules.Type(o) == type && o["description"]?.GetValue<string>() is null or "in force or done");
            var now = after.Single(o => Id(o) == Id(then));
            Assert.True(string.CompareOrdinal(then["modified"]!.GetValue<string>(), now["modified"]!.GetValue<string>()) < 0, type);
            Assert.Equal(then["created"]!.GetValue<string>(), now["created"]!.GetValue<string>());
        }

        // All in one moment: an assignee, a level, and opened again.
        List<List<JsonObject>> versions = [before, after];
        foreach (var (verb, body) in ((string, object)[])[("reopen", new { note = "it was real" }), ("assign", new { assignee = "jiro" }), ("level", new { level = "important", note = "less" })])
        {
            var answer = await jiro.PostAsJsonAsync($"/api/v1/fields/cars/incidents/{id}/{verb}", body);
            Assert.True(answer.IsSuccessStatusCode, verb + await answer.Content.ReadAsStringAsync());
            versions.Add(await ReadAsync());
            Assert.All(versions[^1].Where(o => StixRules.Type(o) == "indicator"), i => Assert.Null(i["valid_until"]));
        }

        // What says something else was modified, and later than before; nothing changes in silence.
        foreach (var (then, now) in versions.Zip(versions.Skip(1)).SelectMany(v => v.First.Join(v.Second, Id, Id, (b, a) => (b, a))))
        {
            Assert.True(string.CompareOrdinal(then["modified"]?.ToString(), now["modified"]?.ToString()) <= 0, now.ToJsonString());
            if (then["modified"]?.ToString() == now["modified"]?.ToString())
            {
                Assert.Equal(then.ToJsonString(), now.ToJsonString());
            }
        }

        static string Id(JsonObject o) => o["id"]!.GetValue<string>();
    }

    [Fact]
    public async Task One_version_of_an_object_says_the_same_however_it_is_asked_for()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        var id = await StoryAsync(host);
        using var reader = host.Client(Roles.Auditor);
        Dictionary<(string, string?), string> seen = [];
        async Task ReadAllAsync()
        {
            foreach (var (ask, language) in
                from allow in (string[])["", "addresses", "addresses,names,operators,free-text"] from tlp in (string[])["green", "amber"] from language in (string[])["ja", "en"] select ($"?allow={allow}&tlp={tlp}", language))
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/fields/cars/incidents/{id}/stix{ask}");
                request.Headers.AcceptLanguage.ParseAdd(language);
                foreach (var o in StixRules.Check(JsonNode.Parse(await (await reader.SendAsync(request)).Content.ReadAsStringAsync())!).Where(o => o["modified"] is not null))
                {
                    var (key, text) = ((o["id"]!.GetValue<string>(), o["modified"]?.GetValue<string>()), o.ToJsonString());
                    Assert.True(seen.TryAdd(key, text) || seen[key] == text, seen[key] + "\n" + text);
                }
            }
        }

        await ReadAllAsync();

        // Renamed, without a name, gone; and the field as well. Names live in identities only, which say what is known at the time.
        var ids = seen.Keys.Select(k => k.Item1).ToHashSet(StringComparer.Ordinal);
        foreach (var change in (Action[])
            [
                () => host.World.Devices[One] = host.World.Devices[One] with { Name = "another name" }, () => host.World.Devices[One] = host.World.Devices[One] with { Name = "" },
                () => host.World.Devices.TryRemove(One, out _),
            ])
        {
            change();
            host.Clock.Advance(TimeSpan.FromSeconds(1));
            await ReadAllAsync();
        }

        Assert.Equal(ids, seen.Keys.Select(k => k.Item1).ToHashSet(StringComparer.Ordinal));
        Assert.Contains(seen.Values, v => v.Contains("another name", StringComparison.Ordinal));
    }

    [Fact]
    public async Task When_it_reaches_further_devices_and_addresses_what_was_said_before_is_modified_and_nothing_is_said_twice()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var reader = host.Client(Roles.Auditor);
        List<List<JsonObject>> versions = [];
        string[] devices = [One, "d000000000000002", One, "d000000000000002"];
        string[] sources = ["198.51.100.7", "198.51.100.8", "198.51.100.8", "198.51.100.7"];
        for (var n = 0; n < devices.Length; n++)
        {
            var finding = host.Finding($"f{n}", devices[n], risk: Risks.Takeover, level: Levels.Critical) with { CorrelationId = "0123456789abcdef0123456789abcdef" };
            host.Commit(finding with { Evidence = finding.Evidence with { Facts = new Dictionary<string, string> { ["window"] = "60 s", ["source"] = sources[n] } } });
            await host.Worker.DrainAsync();
            host.Clock.Advance(TimeSpan.FromSeconds(30));
            if ((await host.Get<IncidentStore>().ListAsync(new IncidentFilter("cars", 10), default)) is [var only])
            {
                versions.Add(StixRules.Check(JsonNode.Parse(await reader.GetStringAsync($"/api/v1/fields/cars/incidents/{only.Id}/stix?allow=addresses"))!));
            }
        }

        Assert.Equal(devices.Length, versions.Count);
        foreach (var (then, now) in versions.Zip(versions.Skip(1)).SelectMany(v => v.First.Join(v.Second, o => o["id"]!.ToString(), o => o["id"]!.ToString(), (b, a) => (b, a))))
        {
            Assert.Equal(then["created"]?.ToString(), now["created"]?.ToString());
            Assert.True(string.CompareOrdinal(then["modified"]?.ToString(), now["modified"]?.ToString()) <= 0, now.ToJsonString());
            Assert.True(then["modified"]?.ToString() != now["modified"]?.ToString() || then.ToJsonString() == now.ToJsonString(), then.ToJsonString() + now.ToJsonString());
        }

        // One sighting of each technique however many devices, with both of its places, and one grouping.
        var ids = versions.SelectMany(v => v).Where(o => StixRules.Type(o) == "sighting" && o["sighting_of_ref"]!.ToString().StartsWith("attack-pattern", StringComparison.Ordinal)).Select(o => o["id"]!.ToString()).ToHashSet();
        Assert.Equal(versions[^1].Count(o => StixRules.Type(o) == "attack-pattern"), ids.Count);
        Assert.Contains(versions[^1], o => o["where_sighted_refs"]?.AsArray().Count == 2);
        Assert.Single(versions.SelectMany(v => v).Where(o => StixRules.Type(o) == "grouping").Select(o => o["id"]!.ToString()).Distinct());
    }

    private static async Task<string> StoryAsync(TestHost host)
    {
        host.Bind(TestHost.Always("suspend-authentication", "one-person"));
        host.World.Devices[One] = host.World.Devices[One] with { Name = "車両 1" };
        string[] sources = ["198.51.100.7", "198.51.100.8", "2001:db8::/32"];
        for (var n = 0; n < sources.Length; n++)
        {
            var finding = host.Finding($"f{n}", risk: Risks.Takeover, level: Levels.Critical);
            host.Commit(finding with { Evidence = finding.Evidence with { Facts = new Dictionary<string, string> { ["window"] = "60 s", ["source"] = sources[n] } } });
            host.Clock.Advance(TimeSpan.FromSeconds(30));
        }

        using var jiro = host.Client(Roles.Administrator, "jiro");
        var lease = (await host.LeasesAsync()).First(l => l.Action == "suspend-authentication");
        foreach (var other in (await host.LeasesAsync()).Where(l => l.Id != lease.Id && l.Action == lease.Action))
        {
            Assert.True((await jiro.PostAsJsonAsync($"/api/v1/fields/cars/responses/{other.Id}/refuse", new { reason = "one is enough" })).IsSuccessStatusCode);
        }

        Assert.True((await jiro.PostAsJsonAsync($"/api/v1/fields/cars/responses/{lease.Id}/approve", new { reason = "looks real" })).IsSuccessStatusCode);
        await host.Worker.DrainAsync();
        var id = Assert.Single(await host.Get<IncidentStore>().ListAsync(new IncidentFilter("cars", 10), default)).Id;
        Assert.True((await jiro.PostAsJsonAsync($"/api/v1/fields/cars/incidents/{id}/hand-over", new { note = "ask the owner", to = "jiro" })).IsSuccessStatusCode);
        return id;
    }
}
