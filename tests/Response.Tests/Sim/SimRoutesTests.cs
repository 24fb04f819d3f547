using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Sekisho.Api.Access;
using Sekisho.Domain.Localization;
using Sekisho.Response.Sim;
using Sekisho.Response.Sim.Carriers;
using Sekisho.Storage;
using Sekisho.Verification.Carrier;

namespace Sekisho.Response.Tests.Sim;

public class SimRoutesTests
{
    [Fact]
    public async Task Secrets_are_never_shown_and_are_kept_while_kind_and_address_stay()
    {
        await using var site = await SimSite.StartAsync(settings: [("Response:Sim:Carriers:1", "http://127.0.0.1:1/v1")]);
        var shown = await site.GetAsync("/sim-provider");
        Assert.Equal(["authKey", "authKeyId"], shown["secrets"]!.AsArray().Select(s => s!.GetValue<string>()));
        Assert.DoesNotContain(site.Carrier.AuthKey, shown.ToJsonString(), StringComparison.Ordinal);

        (await site.SetAsync(poll: 30, secrets: new { })).EnsureSuccessStatusCode();
        Assert.True((await TryAsync(site))["works"]!.GetValue<bool>());

        // With another address the key that is held would be sent to whoever is there.
        var elsewhere = await site.SetAsync(secrets: new { }, baseUrl: "http://127.0.0.1:1/v1");
        Assert.Equal(422, (int)elsewhere.StatusCode);
        Assert.Equal(["/secrets/authKeyId", "/secrets/authKey"], await PlacesAsync(elsewhere));
    }

    [Theory]
    [InlineData("https://api.carrier.example")]
    [InlineData("http://169.254.169.254/v1")]
    [InlineData("file:///etc")]
    [InlineData("http://user@127.0.0.1/v1")]
    [InlineData("//127.0.0.1")]
    public async Task A_field_reaches_only_carriers_that_the_maintainer_named(string address)
    {
        await using var site = await SimSite.StartAsync();
        var response = await site.SetAsync(baseUrl: address);
        Assert.Equal(422, (int)response.StatusCode);
        Assert.Equal(["/baseUrl"], await PlacesAsync(response));
    }

    [Fact]
    public async Task Every_fault_of_what_is_set_is_named_at_once_in_the_readers_language()
    {
        await using var site = await SimSite.StartAsync();
        using var admin = site.Admin();
        admin.DefaultRequestHeaders.AcceptLanguage.ParseAdd("ja");
        var response = await admin.PutAsJsonAsync("/api/v1/fields/cars/sim-provider", new
        {
            kind = "soracom",
            coverage = "mars",
            secrets = new { authKeyId = "a b", other = "x" },
            template = new { },
            forbidden = new[] { "8981 1" },
            pollMinutes = 1,
            requestsPerMinute = 0,
        });
        var places = await PlacesAsync(response);
        Assert.Equal(["/coverage", "/secrets/authKeyId", "/secrets/authKey", "/secrets/other", "/template", "/forbidden", "/pollMinutes", "/requestsPerMinute"], places);
        Assert.Contains("japan か global", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("[\"/kind\"]", System.Text.Json.JsonSerializer.Serialize(await PlacesAsync(await admin.PutAsJsonAsync("/api/v1/fields/cars/sim-provider", new { }))));
    }

    [Theory]
    [InlineData("japan", Soracom.Japan)]
    [InlineData("global", Soracom.Global)]
    public async Task Coverage_chooses_the_published_address(string coverage, string address)
    {
        await using var site = await SimSite.StartAsync();
        using var admin = site.Admin();
        var response = await admin.PutAsJsonAsync("/api/v1/fields/cars/sim-provider", new { kind = "soracom", coverage, secrets = new { authKeyId = "a", authKey = "b" } });
        Assert.Equal(address, (await response.Content.ReadFromJsonAsync<JsonNode>())!["baseUrl"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_trial_says_in_plain_words_what_is_wrong()
    {
        await using var site = await SimSite.StartAsync();
        Assert.Equal("active", (await TryAsync(site, new { sim = new { kind = "imsi", value = "440101234567811" } }))["state"]!.GetValue<string>());
        Assert.Equal("unknown", (await TryAsync(site, new { sim = new { kind = "imsi", value = "440101234567000" } }))["fault"]!.GetValue<string>());
        Assert.Empty(site.Carrier.Orders);

        (await site.SetAsync(secrets: new { authKeyId = site.Carrier.AuthKeyId, authKey = "wrong-secret" })).EnsureSuccessStatusCode();
        var denied = await TryAsync(site);
        Assert.Equal((false, "denied"), (denied["works"]!.GetValue<bool>(), denied["fault"]!.GetValue<string>()));
        Assert.Contains("認証情報", denied["faultText"]!.GetValue<string>(), StringComparison.Ordinal);

        await site.Carrier.GoDownAsync();
        Assert.Equal("down", (await TryAsync(site))["fault"]!.GetValue<string>());
        using var homes = site.Admin("homes");
        Assert.Equal(409, (int)(await homes.PostAsJsonAsync("/api/v1/fields/homes/sim-provider/test", new { })).StatusCode);
    }

    [Fact]
    public async Task A_SIM_belongs_to_one_field_whoever_else_has_the_same_account()
    {
        await using var site = await SimSite.StartAsync();
        site.Host.World.AddDevice("d000000000000009", "homes", "door");
        (await site.SetAsync("homes")).EnsureSuccessStatusCode();
        var taken = await site.LinkAsync("d000000000000009", "iccid", "8981100000000000011", "homes");
        Assert.Equal("urn:sekisho:problem:sim-taken", (await taken.Content.ReadFromJsonAsync<JsonNode>())!["type"]!.GetValue<string>());
        Assert.Equal(404, (int)(await site.LinkAsync(SimSite.Device, "iccid", "8981100000000000011", "homes")).StatusCode);

        // When nobody has it any more it is free.
        using var admin = site.Admin();
        (await admin.DeleteAsync($"/api/v1/fields/cars/sims/{SimSite.Device}")).EnsureSuccessStatusCode();
        Assert.Equal(200, (int)(await site.LinkAsync("d000000000000009", "iccid", "8981100000000000011", "homes")).StatusCode);
    }

    [Fact]
    public async Task A_carrier_cannot_be_removed_or_exchanged_while_a_SIM_is_off_because_of_a_response()
    {
        await using var site = await SimSite.StartAsync();
        var lease = (await site.RespondAsync("f1"))["suspend-sim"];
        using var admin = site.Admin();
        Assert.Equal(409, (int)(await admin.DeleteAsync("/api/v1/fields/cars/sim-provider")).StatusCode);
        Assert.Equal(409, (int)(await admin.PutAsJsonAsync("/api/v1/fields/cars/sim-provider", new { kind = "soracom", coverage = "japan", secrets = new { authKeyId = "a", authKey = "b" } })).StatusCode);

        // Nor is another account of the same carrier taken that does not have the SIM.
        site.Carrier.Fault = r => r.Path.Contains(SimSite.Sim, StringComparison.Ordinal) ? new CarrierFault(404) : null;
        Assert.Equal(409, (int)(await site.SetAsync()).StatusCode);
        Assert.Equal(502, (int)(await site.SetAsync(secrets: new { authKeyId = "other", authKey = "account" })).StatusCode);
        site.Carrier.Fault = _ => null;
        Assert.Equal(200, (int)(await site.SetAsync()).StatusCode);

        // Also a SIM that no device has any more is given back.
        (await admin.DeleteAsync($"/api/v1/fields/cars/sims/{SimSite.Device}")).EnsureSuccessStatusCode();
        Assert.Null((await site.UndoAsync(lease.Id)).Details.Cause);
        Assert.Equal("active", site.Carrier.StateOf(SimSite.Sim));
        Assert.Equal(204, (int)(await admin.DeleteAsync("/api/v1/fields/cars/sim-provider")).StatusCode);
        Assert.Equal(404, (int)(await admin.GetAsync("/api/v1/fields/cars/sim-provider")).StatusCode);
    }

    [Fact]
    public async Task Auditors_see_that_there_is_a_SIM_but_not_its_number_and_change_nothing()
    {
        await using var site = await SimSite.StartAsync(forbidden: ["8981100000000000099"]);
        Assert.Equal("***0011", (await site.GetAsync($"/sims/{SimSite.Device}", Roles.Auditor))["value"]!.GetValue<string>());
        Assert.Equal("***0099", (await site.GetAsync("/sim-provider", Roles.Auditor))["forbidden"]![0]!.GetValue<string>());
        Assert.DoesNotContain("8981100000000000011", (await site.GetAsync("/sims", Roles.Auditor)).ToJsonString(), StringComparison.Ordinal);
        using var auditor = site.Host.Client(Roles.Auditor);
        using var responder = site.Host.Client(Roles.Responder);
        foreach (var client in new[] { auditor, responder })
        {
            Assert.Equal(403, (int)(await client.DeleteAsync("/api/v1/fields/cars/sim-provider")).StatusCode);
            Assert.Equal(403, (int)(await client.PostAsJsonAsync("/api/v1/fields/cars/sim-provider/test", new { })).StatusCode);
            Assert.Equal(403, (int)(await client.PutAsJsonAsync($"/api/v1/fields/cars/sims/{SimSite.Device}", new { kind = "imsi", value = "440101234567811" })).StatusCode);
        }
    }

    [Fact]
    public async Task A_list_of_SIMs_comes_in_pages_and_a_single_one_with_the_carriers_word()
    {
        await using var site = await SimSite.StartAsync();
        var first = await site.GetAsync("/sims?limit=2");
        Assert.Equal([SimSite.Device, "d000000000000002"], first["items"]!.AsArray().Select(i => i!["deviceId"]!.GetValue<string>()));
        var rest = await site.GetAsync("/sims?limit=2&after=" + first["next"]!.GetValue<string>());
        Assert.Equal(["d000000000000002", "d000000000000003"], rest["items"]![0]!["devices"]!.AsArray().Select(d => d!.GetValue<string>()));
        Assert.Null(rest["next"]);

        var one = await site.GetAsync($"/sims/{SimSite.Device}");
        Assert.Equal(("active", true, "203.0.113.7"), (one["carrier"]!["state"]!.GetValue<string>(), one["carrier"]!["online"]!.GetValue<bool>(), one["carrier"]!["address"]!.GetValue<string>()));
        site.Carrier.Fault = _ => new CarrierFault(503);
        Assert.Equal("down", (await site.GetAsync($"/sims/{SimSite.Device}"))["carrier"]!["fault"]!.GetValue<string>());
        Assert.Equal(502, (int)(await site.LinkAsync(SimSite.Device, "imsi", "440101234567811")).StatusCode);
    }

    [Theory]
    [InlineData("iccid", "898110000000000001x")]
    [InlineData("iccid", "8981")]
    [InlineData("imsi", "4401012345678901")]
    [InlineData("sim-id", "../auth")]
    [InlineData("msisdn", "08012345678")]
    [InlineData(null, null)]
    public async Task What_is_no_name_of_a_SIM_is_refused_before_the_carrier_is_asked(string? kind, string? value)
    {
        await using var site = await SimSite.StartAsync();
        var asked = site.Carrier.Requests.Count;
        Assert.Equal(422, (int)(await site.LinkAsync(SimSite.Device, kind!, value!)).StatusCode);
        Assert.Equal(asked, site.Carrier.Requests.Count);
    }

    [Fact]
    public async Task No_secret_and_no_name_of_a_SIM_stands_in_clear_in_a_file_a_log_a_record_or_an_answer()
    {
        await using var site = await SimSite.StartAsync(Dialect.Sqlite, poll: 15);
        var answers = new StringBuilder();
        site.Carrier.Fault = r => r.Path.Contains("/sims/", StringComparison.Ordinal) && r.Method == "POST" ? new CarrierFault(400, "{\"message\":\"" + site.Carrier.AuthKey + "\"}") : null;
        await site.RespondAsync("f1");
        site.Carrier.Fault = _ => null;
        await site.LaterAsync(TimeSpan.FromMinutes(1));
        await site.Host.Get<SimPoller>().RoundAsync(default);
        using var auditor = site.Host.Client(Roles.Auditor);
        foreach (var path in (string[])["/sim-provider", "/sims", $"/sims/{SimSite.Device}", "/responses"])
        {
            answers.Append(await auditor.GetStringAsync("/api/v1/fields/cars" + path));
        }

        var said = answers.ToString() + string.Concat(site.Host.Log.Lines) + string.Concat(site.Host.World.Audited) + string.Concat(await site.Host.HistoryAsync());
        foreach (var secret in new[] { site.Carrier.AuthKey, site.Carrier.AuthKeyId, "8981100000000000011", "440101234567811", SimSite.Sim })
        {
            Assert.DoesNotContain(secret, said, StringComparison.Ordinal);
            foreach (var file in Directory.GetFiles(site.Host.Store.Folder))
            {
                await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                var bytes = new byte[stream.Length];
                await stream.ReadExactlyAsync(bytes);
                Assert.True(bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret)) < 0, $"{Path.GetFileName(file)} holds {secret} in clear");
            }
        }
    }

    [Fact]
    public void Every_problem_fault_and_state_has_its_text()
    {
        var texts = new Texts([typeof(ResponseFeature).Assembly]);
        var needed = SimProblems.All.SelectMany(p => new[] { $"problem.{p.Slug}.title", $"problem.{p.Slug}.detail" }).Concat(CarrierFaults.All.Select(f => "sim.fault." + f));
        Assert.Empty(needed.Except(texts.Keys("ja")));
    }

    private static async Task<JsonNode> TryAsync(SimSite site, object? body = null)
    {
        using var admin = site.Admin();
        admin.DefaultRequestHeaders.AcceptLanguage.ParseAdd("ja");
        var response = await admin.PostAsJsonAsync("/api/v1/fields/cars/sim-provider/test", body ?? new { });
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<JsonNode>())!;
    }

    private static async Task<string[]> PlacesAsync(HttpResponseMessage response) =>
        [.. (await response.Content.ReadFromJsonAsync<JsonNode>())!["faults"]!.AsArray().Select(f => f!["place"]!.GetValue<string>())];
}
