using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Sekisho.Api.Access;
using Sekisho.Detection.Scripts;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Signatures;
using Sekisho.Storage;

namespace Sekisho.Detection.Tests.Scripts;

public class ScriptRouteTests
{
    private const string Scripts = "/api/v1/fields/field/scripts";

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_script_is_uploaded_tried_put_in_force_rolled_back_and_withdrawn(Dialect dialect)
    {
        await using var gateway = await TestGateway.StartAsync(dialect);
        Task<(int Status, System.Text.Json.Nodes.JsonNode? Body)> Post(string path, object body) => gateway.SendAsync(HttpMethod.Post, $"{Scripts}/hot{path}", body);
        static string Above(int limit) => FlowScriptTests.Script($"return nil, {{ found = event.payload.t > {limit} and {{ measured = event.payload.t }} }}");
        Assert.Equal(201, (await Post("/versions", new { source = Above(40), why = "try it" })).Status);
        Assert.Equal(201, (await Post("/versions", new { source = Above(60), why = "too many" })).Status);

        var (status, trial) = await Post("/trial", new { version = 1, sample = new[] { new { payload = new { t = 10 } }, new { payload = new { t = 50 } } } });
        Assert.Equal(200, status);
        Assert.Equal((2, 2, 1, 0), ((int)trial!["messages"]!, (int)trial["calls"]!, (int)trial["found"]!, (int)trial["faults"]!));
        Assert.Equal("Device sample: Found (2026", ((string)trial["findings"]![0]!["sentence"]!)[..26]);
        Assert.InRange((long)trial["mostInstructions"]!, 0, (long)trial["budget"]!);

        var turn = await Post("/activate", new { version = 1, why = "go" });
        Assert.Equal((200, 1), (turn.Status, (int)turn.Body!["position"]!));
        await gateway.DoneAsync();
        Assert.Equal(409, (await Post("/roll-back", new { reason = "nothing" })).Status);
        gateway.Feed.Append([FlowScriptTests.Message(1, 50)]);
        await Post("/activate", new { effect = "shadow" });
        gateway.Feed.Append([FlowScriptTests.Message(2, 10), FlowScriptTests.Message(3, 50), FlowScriptTests.Message(4, 70)]);
        await gateway.DoneAsync();
        Assert.Equal(200, (await Post("/roll-back", new { reason = "back" })).Status);
        await gateway.DoneAsync();
        var shown = (await gateway.GetAsync($"{Scripts}/hot")).Body!;
        Assert.Equal((1, "act", "anna", "back"), ((int)shown["script"]!["inForce"]!["version"]!, (string)shown["script"]!["inForce"]!["effect"]!, (string)shown["script"]!["inForce"]!["by"]!, (string)shown["script"]!["inForce"]!["why"]!));
        Assert.Equal(["1", "2", "1"], shown["turns"]!.AsArray().Select(t => t!["version"]!.ToString()));
        Assert.Equal(200, (await Post("/withdraw", new { reason = "enough" })).Status);
        await gateway.DoneAsync();
        Assert.Equal(409, (await Post("/withdraw", new { })).Status);
        Assert.Null((await gateway.GetAsync(Scripts)).Body![0]!["inForce"]);

        var found = (await gateway.GetAsync("/api/v1/fields/field/detections", language: "ja")).Body!["items"]!.AsArray();
        Assert.Equal(["70 shadow", "50 act"], found.Select(f => $"{f!["evidence"]!["measured"]} {f["effect"]}"));
        Assert.Contains("：あり（", (string)found[0]!["sentence"]!, StringComparison.Ordinal);

        var lines = (await gateway.GetAsync($"{Scripts}/hot/difference?from=1&to=2")).Body!.AsArray().Where(l => (string)l!["change"]! != "same").Select(l => (string)l!["text"]!).ToList();
        Assert.Contains(lines, l => l.Contains("> 40", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.Contains("> 60", StringComparison.Ordinal));
        var history = await gateway.Services.GetRequiredService<Databases>().State.ReadAsync(c => c.QueryAsync<string>("SELECT what FROM test_history WHERE subject = 'hot'"));
        Assert.Equal(["script-uploaded", "script-uploaded", "script-activated", "script-activated", "script-activated", "script-withdrawn"], history);
        Assert.Contains(gateway.Audit.Actions, a => a.Action == "script.activate");
    }

    [Fact]
    public async Task Faults_are_told_with_line_and_column_in_both_languages_and_nothing_is_kept()
    {
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite);
        foreach (var (language, expected) in new[] { ("en", "Line 2, column 15: "), ("ja", "2行15桁：") })
        {
            var (status, problem) = await gateway.SendAsync(HttpMethod.Post, Scripts + "/bad/versions", new { source = "return {\n  manifest = {,\n}" }, language: language);
            Assert.Equal(422, status);
            Assert.StartsWith(expected, (string)problem!["faults"]![0]!["message"]!, StringComparison.Ordinal);
        }

        Assert.Equal(422, (await gateway.SendAsync(HttpMethod.Post, Scripts + "/Not%20a%20name/versions", new { source = FlowScriptTests.Script("return nil") })).Status);
        Assert.Equal(404, (await gateway.SendAsync(HttpMethod.Post, Scripts + "/bad/activate", new { })).Status);
        Assert.Empty((await gateway.GetAsync(Scripts)).Body!.AsArray());
    }

    [Fact]
    public async Task Only_an_administrator_changes_or_tries_scripts()
    {
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite);
        foreach (var role in (string[])[Roles.Responder, Roles.Auditor, Roles.Maintainer])
        {
            foreach (var path in (string[])["versions", "trial", "activate", "roll-back", "withdraw"])
            {
                Assert.Equal(403, (await gateway.SendAsync(HttpMethod.Post, $"{Scripts}/hot/{path}", new { source = FlowScriptTests.Script("return nil") }, role)).Status);
            }
        }

        Assert.Equal(200, (await gateway.GetAsync(Scripts, Roles.Auditor)).Status);
        Assert.Equal(403, (await gateway.GetAsync(Scripts, Roles.Maintainer)).Status);
    }

    [Fact]
    public async Task A_script_that_was_changed_after_it_was_signed_or_whose_signer_nobody_knows_is_refused()
    {
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite);
        var signer = gateway.Services.GetRequiredService<TemplateSigner>();
        var signed = signer.Sign(FlowScriptTests.Script("return nil, { found = true }"));
        Assert.Equal(201, (await gateway.SendAsync(HttpMethod.Post, Scripts + "/s/versions", new { source = signed })).Status);
        var tampered = await gateway.SendAsync(HttpMethod.Post, Scripts + "/s/versions", new { source = signed.Replace("true", "nil", StringComparison.Ordinal) });
        Assert.Equal((422, "urn:sekisho:problem:script-tampered"), (tampered.Status, (string)tampered.Body!["type"]!));
        using var stranger = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        var foreign = await gateway.SendAsync(HttpMethod.Post, Scripts + "/s/versions", new { source = SignedFile.Sign(signed, stranger) });
        Assert.Equal((422, "urn:sekisho:problem:script-unknown-signer"), (foreign.Status, (string)foreign.Body!["type"]!));

        // What came unsigned is signed by the gateway; where signatures are asked for, it is refused.
        gateway.Services.GetRequiredService<ScriptSettings>().RequireSignature = true;
        Assert.Equal(422, (await gateway.SendAsync(HttpMethod.Post, Scripts + "/s/versions", new { source = FlowScriptTests.Script("return nil") })).Status);
        Assert.Equal(200, (await gateway.SendAsync(HttpMethod.Post, Scripts + "/s/activate", new { })).Status);
    }

    [Fact]
    public async Task A_script_is_tried_on_what_is_kept()
    {
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite);
        gateway.Feed.Append(Enumerable.Range(0, 300).Select(i => FlowScriptTests.Message(i, i % 100)));
        var source = FlowScriptTests.Script("if event.payload.t == 7 then error('seven') end return nil, { found = event.payload.t > 97 }");
        var (status, trial) = await gateway.SendAsync(HttpMethod.Post, Scripts + "/hot/trial", new { source, from = Lab.Start, to = Lab.Start.AddDays(1) });
        Assert.Equal(200, status);
        Assert.Equal((300, 3, 3), ((int)trial!["messages"]!, (int)trial["found"]!, (int)trial["faults"]!));
        Assert.Contains("seven", (string)trial["lastFault"]!, StringComparison.Ordinal);
        Assert.Empty((await gateway.GetAsync("/api/v1/fields/field/detections")).Body!["items"]!.AsArray());
        Assert.Equal(422, (await gateway.SendAsync(HttpMethod.Post, Scripts + "/hot/trial", new { source })).Status);
    }

    [Fact]
    public async Task A_worker_in_force_runs_by_itself()
    {
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite);
        gateway.Directory.SetDevice("d1");
        var source = """
            return { manifest = { kind = "worker", every = 10, title = { ja = "試", en = "t" }, findings = { seen = { ja = "あり", en = "Seen", risk = "theft", level = "warning" } } },
              run = function(state) local c = {} for _, d in ipairs(history.devices()) do c[d.device] = { seen = true } end return { n = (state.n or 0) + 1 }, c end }
            """;
        Assert.Equal(201, (await gateway.SendAsync(HttpMethod.Post, Scripts + "/w/versions", new { source })).Status);
        Assert.Equal(200, (await gateway.SendAsync(HttpMethod.Post, Scripts + "/w/activate", new { })).Status);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var clock = (Sekisho.Tests.Support.ManualClock)gateway.Services.GetRequiredService<TimeProvider>();
        System.Text.Json.Nodes.JsonArray found = [];
        while (found.Count == 0 && !limit.IsCancellationRequested)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            found = (await gateway.GetAsync("/api/v1/fields/field/detections")).Body!["items"]!.AsArray();
        }

        Assert.Equal("w.seen", (string)Assert.Single(found)!["conditionKey"]!);
    }
}
