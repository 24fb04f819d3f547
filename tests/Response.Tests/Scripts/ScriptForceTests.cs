using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Dapper;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Response.Leases;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Scripts;

/// <summary>Versions of response scripts: taken in, tried, put in force, stopped.</summary>
public class ScriptForceTests
{
    private static readonly string Restricts = ScriptSite.Script("return { { action = 'restrict-rate' } }");

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_version_is_active_only_after_a_dry_run_of_this_very_version(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        host.Commit(host.Finding("f1"), host.Finding("f2", "d000000000000002", level: Levels.Information));
        using var client = host.Client(Roles.Administrator, "hanako");
        await client.AskAsync("night/versions", new { source = Restricts, why = "first" }, HttpStatusCode.Created);
        var untried = await client.AskAsync("night/activate", new { why = "go" }, HttpStatusCode.Conflict);
        Assert.Equal("urn:sekisho:problem:response-script-untried", untried.GetProperty("type").GetString());

        // A dry run of a text in hand, or of another version, says nothing of this one.
        await client.AskAsync("night/dry-run", new { source = Restricts, days = 1 });
        await client.AskAsync("night/activate", new { why = "go" }, HttpStatusCode.Conflict);
        var played = await client.AskAsync("night/dry-run", new { version = 1, days = 1, level = "warning" });
        var script = played.GetProperty("played").GetProperty("scripts")[0];
        Assert.Equal((1, 1, 1, 0), (played.GetProperty("version").GetInt32(), script.GetProperty("calls").GetInt32(), script.GetProperty("ordering").GetInt32(), script.GetProperty("faults").GetInt32()));
        var activated = await client.AskAsync("night/activate", new { why = "go" });
        Assert.Equal(("active", 1), (activated.GetProperty("script").GetProperty("state").GetString(), activated.GetProperty("script").GetProperty("active").GetInt32()));

        await client.AskAsync("night/versions", new { source = Restricts.Replace("restrict-rate", "mail", StringComparison.Ordinal) }, HttpStatusCode.Created);
        await client.AskAsync("night/activate", new { why = "go" }, HttpStatusCode.Conflict);
        Assert.Equal("in a hurry", (await client.AskAsync("night/activate", new { why = "go", withoutTrial = "in a hurry" })).GetProperty("turns")[0].GetProperty("withoutTrial").GetString());
        var shown = await client.GetFromJsonAsync<JsonElement>($"{ScriptSite.Scripts}/night");
        Assert.Equal(["2 active", "1 stopped"], shown.GetProperty("versions").EnumerateArray().Select(v => $"{v.GetProperty("version")} {v.GetProperty("state").GetString()}"));

        // What was active once can come back.
        await client.AskAsync("night/activate", new { version = 1, why = "back" });
        await client.AskAsync("night/stop", new { reason = "enough" });
        await client.AskAsync("night/stop", new { reason = "enough" }, HttpStatusCode.Conflict);
        Assert.Equal("stopped", (await client.GetFromJsonAsync<JsonElement>(ScriptSite.Scripts))[0].GetProperty("state").GetString());
        Assert.Equal(4, (await host.NoticesAsync()).Count(n => n is { Action: "mail-administrator", Details.Notice.Name: "script-changed" }));
        var history = await host.Store.Databases.State.ReadAsync(c => c.QueryAsync<string>("SELECT what FROM test_history WHERE subject LIKE 'night %' ORDER BY seq"));
        Assert.Equal(
            [
                "response-script-uploaded", "response-script-tried", "response-script-active", "response-script-uploaded", "response-script-stopped", "response-script-active", "response-script-stopped",
                "response-script-active", "response-script-stopped",
            ],
            history);
    }

    [Fact]
    public async Task A_dry_run_in_which_every_call_failed_or_that_had_nothing_to_look_at_is_no_trial()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var client = host.Client(Roles.Administrator);
        await client.AskAsync("night/versions", new { source = Restricts }, HttpStatusCode.Created);
        await client.AskAsync("night/dry-run", new { });
        await client.AskAsync("night/activate", new { why = "go" }, HttpStatusCode.Conflict);
        await client.AskAsync("night/versions", new { source = ScriptSite.Script("error('always')") }, HttpStatusCode.Created);
        host.Commit(host.Finding("f1"));
        var played = await client.AskAsync("night/dry-run", new { });
        Assert.Contains("always", played.GetProperty("played").GetProperty("scripts")[0].GetProperty("lastFault").GetString()!, StringComparison.Ordinal);
        await client.AskAsync("night/activate", new { why = "go" }, HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task A_version_on_trial_records_what_it_would_order_beside_the_active_one_and_may_then_become_active()
    {
        await using var host = await ScriptSite.StartAsync("return { { action = 'restrict-rate' } }");
        using var client = host.Client(Roles.Administrator);
        await client.AskAsync("night/versions", new { source = ScriptSite.Script("return { { action = 'suspend-authentication', reason = 'harder' } }") }, HttpStatusCode.Created);
        await client.AskAsync("night/activate", new { state = "trial", why = "see it first" });
        host.Commit(host.Finding("f1"));
        await host.DrainAllAsync();

        Assert.Equal(["restrict-rate"], (await host.OrdersOfAsync("f1")).Keys);
        var runs = (await client.RunsAsync()).OrderBy(r => r.GetProperty("version").GetInt32()).ToList();
        Assert.Equal([false, true], runs.Select(r => r.GetProperty("trial").GetBoolean()));
        Assert.Equal(("suspend-authentication", "harder"), (runs[1].GetProperty("orders")[0].GetProperty("action").GetString(), runs[1].GetProperty("orders")[0].GetProperty("reason").GetString()));

        Assert.Equal(2, (await client.AskAsync("night/activate", new { version = 2, why = "as good as it looked" })).GetProperty("script").GetProperty("active").GetInt32());
        host.Commit(host.Finding("f2", "d000000000000002"));
        await host.DrainAllAsync();
        Assert.Equal(["suspend-authentication"], (await host.OrdersOfAsync("f2")).Keys);
    }

    [Fact]
    public async Task Alone_on_trial_a_script_orders_nothing_whatever_it_does_and_nobody_is_alarmed_by_its_faults()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        await host.PutInForceAsync("night", ScriptSite.Script("if d.level == 'critical' then error('oh') end return { { action = 'suspend-authentication' } }"), "trial");
        host.Bind(ScriptSite.Runs());
        host.Commit(host.Finding("f1"), host.Finding("f2", level: Levels.Critical));
        await host.DrainAllAsync();
        Assert.All(await host.LeasesAsync(), l => Assert.Equal(("run-script", LeaseStates.Done, LeaseCauses.ScriptOnTrial), (l.Action, l.State, l.Details.Cause)));
        Assert.DoesNotContain(await host.NoticesAsync(), n => n.Details.Notice!.Name == "script-fault");
        using var client = host.Client(Roles.Auditor);
        Assert.Equal([1, 0], (await client.RunsAsync()).OrderBy(r => r.GetProperty("findingId").GetString()).Select(r => r.GetProperty("orders").GetArrayLength()));
    }

    [Fact]
    public async Task A_dry_run_says_what_the_guard_would_have_held_what_it_costs_and_sees_what_it_had_put_in_force()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        for (var i = 0; i < 10; i++)
        {
            host.World.AddDevice(FormattableString.Invariant($"d8{i:d14}"), "cars", "車両");
            host.Commit(host.Finding($"a{i}", FormattableString.Invariant($"d8{i:d14}")));
        }

        host.Clock.Leap(TimeSpan.FromHours(2));
        host.Commit(host.Finding("again", "d800000000000000", condition: "cadence"));
        using var client = host.Client(Roles.Administrator);
        var played = (await client.AskAsync(
            "night/dry-run",
            new
            {
                source = ScriptSite.Script(
                    "if #d.inForce > 0 then log.write(d.inForce[1].action .. ' ' .. #d.recent) return { { action = 'suspend-authentication', approval = 'one-person' } } end return { { action = 'restrict-rate' } }"),
            })).GetProperty("played");

        var actions = played.GetProperty("actions").EnumerateArray().ToDictionary(a => a.GetProperty("action").GetString()!);
        Assert.Equal((10, 3, 7), (actions["restrict-rate"].GetProperty("ordered").GetInt32(), actions["restrict-rate"].GetProperty("byItself").GetInt32(), actions["restrict-rate"].GetProperty("heldByGuard").GetInt32()));
        Assert.Equal((1, 1), (actions["suspend-authentication"].GetProperty("ordered").GetInt32(), actions["suspend-authentication"].GetProperty("waitsForPeople").GetInt32()));
        var script = played.GetProperty("scripts")[0];
        Assert.Equal("restrict-rate 1", script.GetProperty("examples").EnumerateArray().Last().GetProperty("log")[0].GetString());
        Assert.InRange(script.GetProperty("mostInstructions").GetInt64(), 0, script.GetProperty("budget").GetInt64());
        Assert.True(played.GetProperty("complete").GetBoolean());
        Assert.Empty(await host.LeasesAsync());
        Assert.Empty(await client.RunsAsync());
    }

    [Fact]
    public async Task A_dry_run_of_rules_plays_the_scripts_that_they_run()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Commit(host.Finding("f1"), host.Finding("f2", "d000000000000002"));
        await host.PutInForceAsync("night", ScriptSite.Script("return { { action = 'restrict-rate', after = 60 }, { action = 'mail' }, { action = 'no-such-action' } }"));
        using var client = host.Client(Roles.Responder);
        var answer = await client.PostAsJsonAsync("/api/v1/fields/cars/response-rules/dry-run", new
        {
            rules = new object[] { new { risk = "*", level = "warning", action = "run-script", script = "night", afterSeconds = 60 }, new { risk = "*", level = "warning", action = "mail" } },
        });
        var played = await answer.Content.ReadFromJsonAsync<JsonElement>();
        var actions = played.GetProperty("actions").EnumerateArray().ToDictionary(a => a.GetProperty("action").GetString()!);
        Assert.Equal((2, 2), (actions["restrict-rate"].GetProperty("ordered").GetInt32(), actions["restrict-rate"].GetProperty("laterSteps").GetInt32()));
        Assert.Equal((2, 2, 2), (actions["mail"].GetProperty("ordered").GetInt32(), actions["run-script"].GetProperty("ordered").GetInt32(), actions["no-such-action"].GetProperty("impossible").GetInt32()));
    }

    [Theory]
    [InlineData("return {", "/source line")]
    [InlineData("return { respond = function() end }", "/manifest")]
    [InlineData("return { manifest = { title = { ja = 'a', en = '' } }, respond = function() end }", "/manifest/title/en")]
    [InlineData("return { manifest = { title = { ja = 'a', en = 'b' } } }", "/respond")]
    [InlineData("return { manifest = { title = { ja = 'a', en = 'b' }, kind = 'flow' }, respond = function() end }", "/manifest/kind")]
    [InlineData("while true do end", "/source")]
    [InlineData("error({})", "/source")]
    [InlineData("", "/source")]
    public async Task A_text_that_is_no_response_script_is_refused_with_its_place_in_both_languages(string source, string place)
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        foreach (var language in (string[])["ja", "en"])
        {
            using var client = host.Client(Roles.Administrator);
            client.DefaultRequestHeaders.AcceptLanguage.ParseAdd(language);
            foreach (var path in (string[])["night/versions", "night/dry-run"])
            {
                var fault = (await client.AskAsync(path, new { source }, HttpStatusCode.UnprocessableEntity)).GetProperty("faults")[0];
                Assert.StartsWith(place, fault.GetProperty("place").GetString()!, StringComparison.Ordinal);
                Assert.DoesNotContain("response-script.fault", fault.GetProperty("message").GetString()!, StringComparison.Ordinal);
            }
        }

        using var reader = host.Client(Roles.Administrator);
        Assert.Equal("[]", await reader.GetStringAsync(ScriptSite.Scripts));
    }

    [Fact]
    public async Task Scripts_are_bounded_in_size_and_number_and_the_same_text_is_one_version()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var client = host.Client(Roles.Administrator);
        await client.AskAsync("big/versions", new { source = Restricts + new string(' ', 64 << 10) }, HttpStatusCode.UnprocessableEntity);
        await client.AskAsync("Not-a-name/versions", new { source = Restricts }, HttpStatusCode.UnprocessableEntity);
        for (var i = 0; i < 16; i++)
        {
            await client.AskAsync($"s{i}/versions", new { source = Restricts }, HttpStatusCode.Created);
        }

        Assert.Equal("urn:sekisho:problem:response-script-too-many", (await client.AskAsync("s16/versions", new { source = Restricts }, HttpStatusCode.Conflict)).GetProperty("type").GetString());
        var signed = host.Signatures.Sign(Restricts + " ");
        Assert.Equal(2, (await client.AskAsync("s0/versions", new { source = signed }, HttpStatusCode.Created)).GetProperty("version").GetInt32());
        Assert.Equal(2, (await client.AskAsync("s0/versions", new { source = signed }, HttpStatusCode.Created)).GetProperty("version").GetInt32());
    }

    [Fact]
    public async Task A_script_that_was_altered_or_whose_signer_nobody_knows_is_refused_and_unsigned_ones_where_signatures_are_required()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var client = host.Client(Roles.Administrator);
        using var stranger = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        var signed = host.Signatures.Sign(Restricts);
        async Task<string> TypeAsync(string source) => (await client.AskAsync("s/versions", new { source }, HttpStatusCode.UnprocessableEntity)).GetProperty("type").GetString()!;
        Assert.Equal("urn:sekisho:problem:response-tampered", await TypeAsync(signed.Replace("restrict", "suspend", StringComparison.Ordinal)));
        Assert.Equal("urn:sekisho:problem:response-unknown-signer", await TypeAsync(Sekisho.Domain.Signatures.SignedFile.Sign(Restricts, stranger)));
        host.Signatures.AreRequired = true;
        Assert.Equal("urn:sekisho:problem:response-unsigned", await TypeAsync(Restricts));
        await client.AskAsync("s/versions", new { source = signed }, HttpStatusCode.Created);
        var rules = await client.PutAsJsonAsync("/api/v1/fields/cars/response-rules", new { reason = "by hand", rules = new[] { new { risk = "*", level = "warning", action = "mail" } } });
        Assert.Contains("response-unsigned", await rules.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await client.PutAsJsonAsync("/api/v1/fields/cars/response-rules", new { reason = "template", rules = (object?)null })).StatusCode);
    }

    [Fact]
    public async Task Only_an_administrator_of_the_field_changes_or_tries_scripts_and_no_script_is_seen_from_another_field()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        await host.PutInForceAsync("night", Restricts);
        foreach (var role in (string[])[Roles.Responder, Roles.Auditor, Roles.Maintainer])
        {
            using var client = host.Client(role);
            foreach (var path in (string[])["versions", "dry-run", "activate", "stop"])
            {
                await client.AskAsync("night/" + path, new { source = Restricts }, HttpStatusCode.Forbidden);
            }

            using var import = await client.PostAsync("/api/v1/fields/cars/response-rules/import?reason=x", new StringContent("{}"));
            Assert.Equal(HttpStatusCode.Forbidden, import.StatusCode);
        }

        using var foreign = host.Client(Roles.Administrator, field: "homes");
        Assert.Equal("[]", await foreign.GetStringAsync("/api/v1/fields/homes/response-scripts"));
        foreach (var path in (string[])["/api/v1/fields/homes/response-scripts/night", "/api/v1/fields/homes/response-scripts/night/versions/1", "/api/v1/fields/cars/response-scripts/night"])
        {
            Assert.Equal(HttpStatusCode.NotFound, (await foreign.GetAsync(path)).StatusCode);
        }

        using var auditor = host.Client(Roles.Auditor);
        Assert.Contains("restrict-rate", await auditor.GetStringAsync($"{ScriptSite.Scripts}/night/versions/1"), StringComparison.Ordinal);
        Assert.Contains(host.World.Audited, a => a.Action == "response-script.activate");
    }

    [Fact]
    public async Task No_text_log_order_or_reason_of_a_script_stands_in_clear_in_the_database()
    {
        await using var host = await ScriptSite.StartAsync("log.write('Marker-Log') return { { action = 'mail', reason = 'Marker-Reason ' .. d.evidence.metric } } --[[ Marker-Text ]]");
        host.Commit(host.Finding("f1"));
        await host.DrainAllAsync();
        foreach (var table in (string[])["response_script_version", "response_script_turn", "response_script_run", "lease"])
        {
            var bodies = (await host.Store.Databases.State.ReadAsync(c => c.QueryAsync($"SELECT * FROM {table}"))).SelectMany(r => ((IDictionary<string, object?>)r).Values).ToList();
            Assert.NotEmpty(bodies);
            Assert.DoesNotContain(bodies, v => (v is byte[] bytes ? Encoding.Latin1.GetString(bytes) : v?.ToString() ?? "").Contains("Marker", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Of_runs_the_newest_stay()
    {
        await using var host = await ScriptSite.StartAsync("return {}");
        for (var i = 0; i < 520; i += 20)
        {
            host.Commit([.. Enumerable.Range(i, 20).Select(n => host.Finding($"f{n:d4}"))]);
            await host.Worker.DrainAsync();
            host.Clock.Leap(TimeSpan.FromSeconds(1));
        }

        var left = await host.Store.Databases.State.ReadAsync(c => c.QueryAsync<string>("SELECT finding_id FROM response_script_run ORDER BY finding_id"));
        Assert.InRange(left.Count(), 500, 519);
        Assert.DoesNotContain("f0000", left);
        Assert.Contains("f0519", left);
    }
}
