using System.Net;
using Dapper;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Response.Actions.RunScript;
using Sekisho.Response.Leases;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Response.Tests.Scripts;

/// <summary>Whatever a script does, it stops nothing else and people are told.</summary>
public class ScriptFaultTests
{
    [Theory]
    [InlineData("while true do end", "instructions")]
    [InlineData("pcall(function() while true do end end) return {}", "instructions")]
    [InlineData("local s = 'x' while true do s = s .. s end", "bytes")]
    [InlineData("local t = {} for i = 1, 1e9 do t[i] = { i } end", "")]
    [InlineData("error({ code = 7 })", "an error without a text")]
    [InlineData("error('no night shift today')", "no night shift today")]
    [InlineData("local t = {} t.t = t return { t }", "")]
    [InlineData("return { { action = string.rep('a', 100000) } }", "")]
    [InlineData("local t = {} for i = 1, 17 do t[i] = { action = 'a' .. i } end return t", "more than 16 orders")]
    [InlineData("return 'mail'", "a list of orders")]
    [InlineData("return { 'mail' }", "order 1")]
    [InlineData("return { { after = 5 } }", "no name of an action")]
    [InlineData("return { { action = 'mail', after = -1 } }", "order 1")]
    [InlineData("return { { action = 'mail', after = 604801 } }", "order 1")]
    [InlineData("return { { action = 'mail', after = 0 / 0 } }", "")]
    [InlineData("return { { action = 'mail', approval = 'nobody' } }", "order 1")]
    [InlineData("return { { action = 'mail', target = 'd000000000000002' } }", "order 1")]
    [InlineData("return { { action = 'mail' }, { action = 'mail', after = 60 } }", "ordered twice")]
    [InlineData("return { { action = 'run-script' } }", "cannot order another script")]
    [InlineData("return respond(d)", "")]
    [InlineData("return os.time()", "os")]
    [InlineData("return io.open('/etc/passwd')", "io")]
    [InlineData("return { { action = 'mail', reason = string.rep('x', 501) } }", "order 1")]
    public async Task A_script_that_fails_orders_nothing_is_shown_with_its_fault_and_others_go_on(string body, string fault)
    {
        await using var host = await ScriptSite.StartAsync(body);
        await host.PutInForceAsync("sound", ScriptSite.Script("return { { action = 'restrict-rate' } }"));
        host.Bind(ScriptSite.Runs(), ScriptSite.Runs("sound"), TestHost.Always("webhook"));
        host.Commit(host.Finding("f1"), host.Finding("f2", "d000000000000002"));
        await host.DrainAllAsync();

        var failed = (await host.LeasesAsync()).Where(l => l is { Action: "run-script", Target: "night" }).ToList();
        Assert.Equal(2, failed.Count);
        Assert.All(failed, l => Assert.Equal((LeaseStates.Refused, LeaseCauses.ScriptFault), (l.State, l.Details.Cause)));
        Assert.Contains(fault, failed[0].Details.LastError!, StringComparison.Ordinal);
        Assert.Equal(2, host.World.Restricted.Count);
        Assert.Equal(["restrict-rate", "webhook"], (await host.OrdersOfAsync("f1")).Keys.Order());
        var notice = Assert.Single(await host.NoticesAsync(), n => n.Details.Notice!.Name == "script-fault");
        Assert.Equal("night", notice.Details.Notice!.Values["script"]);
    }

    [Fact]
    public async Task An_action_that_does_not_exist_is_told_to_people_and_the_other_orders_are_done()
    {
        await using var host = await ScriptSite.StartAsync("return { { action = 'suspend-authentification' }, { action = 'restrict-rate' } }");
        host.Commit(host.Finding("f1"));
        await host.DrainAllAsync();
        var orders = await host.OrdersOfAsync("f1");
        Assert.Equal((LeaseStates.Refused, LeaseCauses.UnknownAction), (orders["suspend-authentification"].State, orders["suspend-authentification"].Details.Cause));
        Assert.Equal(LeaseStates.Done, orders["restrict-rate"].State);
        var notice = Assert.Single(await host.NoticesAsync(), n => n.Details.Notice!.Name == "script-fault");
        Assert.Contains("suspend-authentification", notice.Details.Notice!.Values["fault"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_corrected_script_can_be_run_again_for_a_detection_that_it_failed_on()
    {
        await using var host = await ScriptSite.StartAsync("error('not yet')");
        host.Commit(host.Finding("f1"));
        await host.DrainAllAsync();
        await host.PutInForceAsync("night", ScriptSite.Script("return { { action = 'restrict-rate' } }"));
        using var client = host.Client(Roles.Responder);
        var run = await host.RunOfAsync("f1");
        Assert.Equal(HttpStatusCode.OK, (await System.Net.Http.Json.HttpClientJsonExtensions.PostAsJsonAsync(client, $"/api/v1/fields/cars/responses/{run.Id}/retry", new { reason = "corrected" })).StatusCode);
        await host.DrainAllAsync();
        Assert.Equal((LeaseStates.Done, "script night v2"), ((await host.OrdersOfAsync("f1"))["restrict-rate"].State, (await host.OrdersOfAsync("f1"))["restrict-rate"].Details.Owner));
    }

    [Theory]
    [InlineData("never", LeaseCauses.NoScript)]
    [InlineData("draft", LeaseCauses.ScriptNotActive)]
    [InlineData("stopped", LeaseCauses.ScriptNotActive)]
    [InlineData("damaged", LeaseCauses.ScriptUnreadable)]
    [InlineData("distrusted", LeaseCauses.ScriptUnreadable)]
    public async Task A_script_that_cannot_run_is_a_fault_of_its_run_alone(string how, string cause)
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var other = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        host.Signatures.Trusted.Add(other);
        var source = Sekisho.Domain.Signatures.SignedFile.Sign(ScriptSite.Script("return { { action = 'restrict-rate' } }"), other);
        using var client = host.Client(Roles.Administrator);
        if (how != "never")
        {
            await client.AskAsync("night/versions", new { source }, HttpStatusCode.Created);
        }

        if (how is not ("never" or "draft"))
        {
            await client.AskAsync("night/activate", new { why = "go", withoutTrial = "first" });
        }

        if (how == "stopped")
        {
            await client.AskAsync("night/stop", new { reason = "enough" });
        }

        if (how == "damaged")
        {
            await host.Store.Databases.State.WriteAsync(t => t.Connection!.ExecuteAsync("UPDATE response_script_version SET body = @b", new { b = new byte[80] }, t));
        }

        if (how == "distrusted")
        {
            host.Signatures.Trusted.Clear();
        }

        host.Bind(ScriptSite.Runs(), TestHost.Always("webhook"));
        host.Commit(host.Finding("f1"));
        await host.DrainAllAsync();
        var run = await host.RunOfAsync("f1");
        Assert.Equal((LeaseStates.Refused, cause), (run.State, run.Details.Cause));
        Assert.Equal(["webhook"], (await host.OrdersOfAsync("f1")).Keys);
        Assert.Single(await host.NoticesAsync(), n => n.Details.Notice!.Name == "script-fault");
    }

    [Fact]
    public void The_same_detection_gives_the_same_orders_and_costs_the_same_instructions()
    {
        using var script = ResponseScript.Open(ScriptSite.Script("local n = 0 for i = 1, 1000 do n = n + i end return { { action = 'mail', reason = tostring(n) } }"), out _)!;
        var first = script.Run("{}"u8.ToArray());
        for (var i = 0; i < 20; i++)
        {
            var next = script.Run("{}"u8.ToArray());
            Assert.Equal((first.Instructions, first.Orders[0]), (next.Instructions, next.Orders[0]));
        }
    }

    [Fact]
    public void A_script_that_talks_too_much_is_cut_short_and_its_orders_stand()
    {
        using var script = ResponseScript.Open(ScriptSite.Script("for i = 1, 1000 do log.write(string.rep('x', 1000) .. '\\n') end log.write() return { { action = 'mail' } }"), out _)!;
        var answer = script.Run("{}"u8.ToArray());
        Assert.Equal((1, 32, null), (answer.Orders.Count, answer.Log.Count, answer.Fault));
        Assert.All(answer.Log, l => Assert.Equal(200, l.Length));
    }

    [Fact]
    public void Names_and_facts_from_outside_are_values_and_never_code()
    {
        using var script = ResponseScript.Open(ScriptSite.Script("return { { action = 'mail', reason = d.evidence.facts.name } }"), out _)!;
        foreach (var hostile in (string[])["']] os.exit() --", "\u202Eevil\r\nSubject: x", "\0", new string('あ', 500)])
        {
            var answer = script.Run(ScriptInput.Of(Hostile(hostile), new ScriptSituation(DateTimeOffset.UnixEpoch, null, null, null, [], [])));
            Assert.Null(answer.Fault);
            Assert.DoesNotContain(answer.Orders[0].Reason!, c => char.IsControl(c) || c == '\u202E');
        }

        // A lone surrogate cannot be written as UTF-8: the writer replaces it, and nothing breaks.
        Assert.Null(script.Run(ScriptInput.Of(Hostile("\uD800"), new ScriptSituation(DateTimeOffset.UnixEpoch, null, null, null, [], []))).Fault);
    }

    [Fact]
    public void Whatever_a_script_returns_is_read_or_refused_in_words()
    {
        var random = Fuzz.Source(51);
        string[] parts = ["{", "}", "[", "]", ",", ":", "\"action\"", "\"mail\"", "\"after\"", "1e308", "-5", "0.5", "null", "true", "\"approval\"", "\"automatic\"", "\"reason\"", "\"あ\"", "{}", "[]", "604800"];
        var good = 0;
        for (var i = Fuzz.Rounds(20_000); i > 0; i--)
        {
            var text = "[" + string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => parts[random.Next(parts.Length)])) + "]";
            var json = System.Text.Encoding.UTF8.GetBytes(text);
            try
            {
                using var parsed = System.Text.Json.JsonDocument.Parse(json);
            }
            catch (System.Text.Json.JsonException)
            {
                continue;
            }

            good++;
            var orders = new List<Sekisho.Response.Policies.DueAction>();
            if (ScriptOrders.Read(json, orders) is null)
            {
                Assert.All(orders, o => Assert.InRange(o.After.TotalSeconds, 0, ScriptOrders.LongestAfter));
            }
        }

        Assert.True(good > 50, $"only {good} texts were JSON");
    }

    private static Finding Hostile(string value) => new()
    {
        Id = "f1",
        FieldId = "cars",
        DeviceId = null,
        Scope = Scopes.Source,
        ScopeKey = value,
        Condition = "frequency",
        ConditionKey = "frequency",
        TemplateId = "t",
        TemplateVersion = 1,
        Risk = Risks.Spoofing,
        Level = Levels.Warning,
        RaisedAt = DateTimeOffset.UnixEpoch,
        Position = 1,
        CorrelationId = "c",
        Evidence = new Evidence
        {
            Metric = "count",
            Unit = "",
            Measured = double.NaN,
            ExpectedHigh = double.PositiveInfinity,
            Origin = "template",
            Events = [1],
            Counterfactual = new Counterfactual("most", "at-least", 1, ""),
            Facts = new Dictionary<string, string> { ["name"] = value },
        },
    };
}
