using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Sekisho.Api.Access;
using Sekisho.Domain.Events;
using Sekisho.Domain.Localization;
using Sekisho.Response.Leases;
using Sekisho.Response.Sim;
using Sekisho.Response.Sim.Template;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Response.Tests.Sim;

public class TemplateTests
{
    private const string Device = "d000000000000001";
    private const string Odd = "{}\"\\/?&#.%=\n\r\0 aZ9日";
    private const string Broken = "{}[]\":,$.'0anull/\\";

    [Fact]
    public async Task Another_carrier_is_used_by_its_description_alone()
    {
        await using var carrier = await OtherCarrier.StartAsync();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, [("Response:Sim:Carriers:0", carrier.Address)]);
        await SetAsync(host, carrier, OtherCarrier.Template);
        using var admin = host.Client(Roles.Administrator);
        (await admin.PutAsJsonAsync($"/api/v1/fields/cars/sims/{Device}", new { kind = "iccid", value = "8981200000000000001" })).EnsureSuccessStatusCode();
        Assert.Equal(409, (int)(await admin.PutAsJsonAsync($"/api/v1/fields/cars/sims/{Device}", new { kind = "iccid", value = "8981200000000000002" })).StatusCode);

        // What it tells.
        await host.Get<SimPoller>().RoundAsync(default);
        var facts = host.World.SimFacts.ToList();
        Assert.Contains(facts, f => f is { Address: "198.51.100.4", Session: SimSessions.Attached, Cell: "tower-7", Provider: "http" });
        var traffic = facts.Single(f => f.UplinkBytes is not null);
        Assert.Equal((4321, 99, 15), (traffic.UplinkBytes, traffic.DownlinkBytes, (int)(traffic.To - traffic.From).TotalMinutes));
        Assert.Contains("GET /lines/L-77/usage?since=2026-03-31T23%3A35%3A00Z&until=2026-03-31T23%3A50%3A00Z", carrier.Requests);

        // Suspended and given back; there is no order to deactivate.
        host.Bind(TestHost.Always("suspend-sim"), TestHost.Always("deactivate-sim"));
        carrier.TakeTokenBack();
        host.Commit(host.Finding("f1", risk: "theft"));
        await host.Worker.DrainAsync();
        var leases = (await host.LeasesAsync()).ToDictionary(l => l.Action);
        Assert.Equal((LeaseStates.Done, "STOPPED"), (leases["suspend-sim"].State, carrier.State));
        Assert.Equal((LeaseStates.Refused, LeaseCauses.SimNotOffered), (leases["deactivate-sim"].State, leases["deactivate-sim"].Details.Cause));
        Assert.Equal(2, carrier.SignIns);
        (await admin.PostAsJsonAsync($"/api/v1/fields/cars/responses/{leases["suspend-sim"].Id}/undo", new { reason = "found" })).EnsureSuccessStatusCode();
        Assert.Equal("IN_SERVICE", carrier.State);

        // What its description cannot bring back is said, not tried for ever.
        carrier.State = "PAUSED";
        host.Commit(host.Finding("f3", risk: "theft"));
        await host.Worker.DrainAsync();
        var paused = (await host.LeasesAsync()).Single(l => l is { FindingId: "f3", Action: "suspend-sim" });
        (await admin.PostAsJsonAsync($"/api/v1/fields/cars/responses/{paused.Id}/undo", new { reason = "found" })).EnsureSuccessStatusCode();
        paused = (await host.Leases.FindAsync(paused.Id, default))!;
        Assert.Equal((LeaseStates.Undone, LeaseCauses.SimStaysOff, "STOPPED"), (paused.State, paused.Details.Cause, carrier.State));

        // A word for a state that the description does not have decides nothing.
        carrier.State = "DORMANT";
        host.Commit(host.Finding("f2", risk: "theft"));
        await host.Worker.DrainAsync();
        var unsure = (await host.LeasesAsync()).Single(l => l is { FindingId: "f2", Action: "suspend-sim" });
        Assert.Equal((LeaseStates.Due, "The carrier tells a state that the template does not know."), (unsure.State, unsure.Details.LastError));
        Assert.Equal("DORMANT", carrier.State);
        Assert.DoesNotContain(host.Log.Lines, l => l.Contains(carrier.Secret, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("$.suspend", null, "/suspend", "call-missing")]
    [InlineData("$.suspend.path", "\"/lines/{sim}/terminate\"", "/suspend", "ends-contract")]
    [InlineData("$.suspend.body.status", "\"TERMINATED\"", "/suspend", "ends-contract")]
    [InlineData("$.suspend.method", "\"DELETE\"", "/suspend/method", "method")]
    [InlineData("$.suspend.path", "\"//elsewhere.example/x\"", "/suspend/path", "path")]
    [InlineData("$.suspend.path", "\"https://elsewhere.example/x\"", "/suspend/path", "path")]
    [InlineData("$.suspend.path", "\"/../admin\"", "/suspend/path", "path")]
    [InlineData("$.suspend.path", "\"/a@elsewhere.example\"", "/suspend/path", "path")]
    [InlineData("$.suspend.path", "\"/lines/{secret.clientSecret}\"", "/suspend/path", "secret-in-path")]
    [InlineData("$.suspend.path", "\"/lines/{line}\"", "/suspend/path", "place")]
    [InlineData("$.suspend.path", "\"/lines/{sim\"", "/suspend/path", "text")]
    [InlineData("$.suspend.headers", "{\"Host\":\"elsewhere.example\"}", "/suspend/headers/Host", "header")]
    [InlineData("$.suspend.headers", "{\"X-A\":\"a\\r\\nX-B: b\"}", "/suspend/headers/X-A", "header")]
    [InlineData("$.suspend.headers", "{\"X-A\":null}", "/suspend/headers/X-A", "header")]
    [InlineData("$.status.body", "{}", "/status/body", "body")]
    [InlineData("$.status.read", "{}", "/status/read", "read-missing")]
    [InlineData("$.status.read.state", "\"status\"", "/status/read/state", "json-path")]
    [InlineData("$.status.read.state", "null", "/status/read/state", "json-path")]
    [InlineData("$.status.read.colour", "\"$.c\"", "/status/read/colour", "read-name")]
    [InlineData("$.traffic.read.items", "\"$.all\"", "/traffic/read", "read-missing")]
    [InlineData("$.find.phone", "{\"method\":\"GET\",\"path\":\"/x\",\"read\":{\"sim\":\"$.a\"}}", "/find/phone", "find-kind")]
    [InlineData("$.find.imsi", "null", "/find/imsi", "call-missing")]
    [InlineData("$.states.PAUSED", "\"asleep\"", "/states/PAUSED", "state")]
    [InlineData("$.states.STOPPED", "\"inactive\"", "/states", "state-missing")]
    [InlineData("$.times", "\"jiffies\"", "/times", "times")]
    [InlineData("$.headers.Authorization", "\"{secret.other}\"", "/headers/Authorization", "place")]
    public void Each_fault_of_a_description_is_found_when_it_is_set(string where, string? value, string place, string key)
    {
        var template = OtherCarrier.Template;
        var steps = where[2..].Split('.');
        var parent = steps[..^1].Aggregate(template, (node, step) => node[step]!).AsObject();
        parent.Remove(steps[^1]);
        if (value is not null)
        {
            parent[steps[^1]] = JsonNode.Parse(value);
        }

        var faults = TemplateCheck.Check(template.Deserialize<SimTemplate>(JsonSerializerOptions.Web), ["clientSecret"]);
        Assert.Contains(faults, f => f.Place == place && f.Key == key);
        Assert.Contains("sim.template." + key, new Texts([typeof(ResponseFeature).Assembly]).Keys("ja"));
    }

    [Fact]
    public void The_description_of_the_guides_is_without_fault()
    {
        Assert.Empty(TemplateCheck.Check(OtherCarrier.Template.Deserialize<SimTemplate>(JsonSerializerOptions.Web), ["clientSecret"]));
        foreach (var guide in new[] { "sim-provider.md", "sim-provider.ja.md" })
        {
            var text = File.ReadAllText(Path.Combine(Root(), "docs", "guides", guide));
            var shown = text[(text.IndexOf("```json template", StringComparison.Ordinal) + "```json template".Length)..];
            Assert.True(JsonNode.DeepEquals(OtherCarrier.Template, JsonNode.Parse(shown[..shown.IndexOf("```", StringComparison.Ordinal)])), guide);
        }
    }

    [Theory]
    [InlineData("$", "{\"a\":1}")]
    [InlineData("$.a", "1")]
    [InlineData("$['a']", "1")]
    [InlineData("$.b[1].c", "\"x\"")]
    [InlineData("$.b[2]", null)]
    [InlineData("$.b.c", null)]
    [InlineData("$.n", null)]
    public void A_path_names_one_place(string path, string? found)
    {
        using var document = JsonDocument.Parse(path == "$" ? "{\"a\":1}" : "{\"a\":1,\"b\":[0,{\"c\":\"x\"}],\"n\":null}");
        Assert.Equal(found, JsonPath.Parse(path)!.Find(document.RootElement)?.GetRawText());
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("$a")]
    [InlineData("$.")]
    [InlineData("$..a")]
    [InlineData("$[")]
    [InlineData("$[-1]")]
    [InlineData("$[*]")]
    [InlineData("$['']")]
    [InlineData("$['a\\u0000']")]
    [InlineData("$.a b")]
    public void What_names_no_single_place_is_no_path(string text) => Assert.Null(JsonPath.Parse(text));

    [Fact]
    public void Whatever_is_put_into_a_place_stays_there()
    {
        var random = Fuzz.Source(20);
        for (var round = 0; round < Fuzz.Rounds(5_000); round++)
        {
            var value = new string([.. Enumerable.Range(0, random.Next(0, 12)).Select(_ => Odd[random.Next(Odd.Length)])]);
            var values = new Dictionary<string, string> { ["sim"] = value };
            using var body = JsonDocument.Parse("{\"a\":[\"x{sim}y\",1],\"b\":{\"c\":\"{sim}{sim}\"}}");
            var written = JsonNode.Parse(TemplateText.Fill(body.RootElement, values))!;
            Assert.Equal("x" + value + "y", written["a"]![0]!.GetValue<string>());
            Assert.Equal(value + value, written["b"]!["c"]!.GetValue<string>());
            var url = new Uri("https://carrier.example" + TemplateText.Fill("/lines/{sim}/x?q={sim}", values, Uri.EscapeDataString));
            Assert.Equal("carrier.example", url.Host);
            Assert.Equal("?q=".Length, url.Query.LastIndexOfAny(['?', '=', '&']) + 1);
            Assert.Equal("", url.Fragment);
        }
    }

    [Fact]
    public void Nothing_that_is_sent_as_a_description_breaks_its_check()
    {
        var random = Fuzz.Source(21);
        var text = OtherCarrier.Template.ToJsonString();
        for (var round = 0; round < Fuzz.Rounds(5_000); round++)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            for (var i = random.Next(1, 6); i > 0; i--)
            {
                bytes[random.Next(bytes.Length)] = (byte)Broken[random.Next(Broken.Length)];
            }

            SimTemplate? template;
            try
            {
                template = JsonSerializer.Deserialize<SimTemplate>(bytes, JsonSerializerOptions.Web);
            }
            catch (JsonException)
            {
                continue;
            }

            // Without a fault it can be used: every text has its places and every path is one.
            if (TemplateCheck.Check(template, ["clientSecret"]).Count == 0)
            {
                Assert.All(template!.Calls(), c => Assert.NotNull(TemplateText.Places(c.Call.Path!)));
                Assert.All(template.Calls().SelectMany(c => c.Call.Read?.Values ?? []), p => Assert.NotNull(JsonPath.Parse(p)));
            }
        }
    }

    private static async Task SetAsync(TestHost host, OtherCarrier carrier, JsonNode template)
    {
        using var admin = host.Client(Roles.Administrator);
        var response = await admin.PutAsJsonAsync("/api/v1/fields/cars/sim-provider", new { kind = "http", baseUrl = carrier.Address, secrets = new { clientSecret = carrier.Secret }, template, pollMinutes = 15 });
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Sekisho.slnx")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tree's root is not above the tests.");
        }

        return folder;
    }
}
