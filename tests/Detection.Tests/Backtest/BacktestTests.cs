using System.Text.Json.Nodes;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Sekisho.Detection.Backtest;
using Sekisho.Detection.Conditions;
using Sekisho.Detection.Conditions.Malformed;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Events;
using Sekisho.Storage;

namespace Sekisho.Detection.Tests.Backtest;

public class BacktestTests
{
    private const string Path = "/api/v1/fields/field/backtests";

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_back_test_of_what_is_in_force_gives_the_findings_of_the_live_run_byte_for_byte(Dialect dialect)
    {
        await using var gateway = await LivedAsync(dialect);
        var live = (await gateway.GetAsync("/api/v1/fields/field/detections?limit=200")).Body!["items"]!.AsArray();
        Assert.True(live.Count > 10);
        Assert.True(live.Select(f => (string)f!["conditionKey"]!).Distinct().Count() >= 3);

        var done = await RunAsync(gateway, """{"days":1}""");
        var found = (await gateway.GetAsync($"{Path}/{(string)done["id"]!}/detections")).Body!.AsArray();
        Assert.Equal(live.Select(Bytes).Order(StringComparer.Ordinal), found.Select(Bytes).Order(StringComparer.Ordinal));
        Assert.Equal(found.Select(f => (long)f!["position"]!), found.Select(f => (long)f!["position"]!).Order());
        var result = done["result"]!;
        Assert.Equal((live.Count, 0, 0), ((int)result["findings"]!, (int)result["onlyProposed"]!, (int)result["onlyCurrent"]!));
        Assert.All(result["conditions"]!.AsArray(), c => Assert.Equal(((int)c!["findings"]!, (int)c["findings"]!), ((int)c["current"]!, (int)c["raised"]!)));
        Assert.Empty(done["difference"]!["settings"]!.AsArray());
    }

    [Fact]
    public async Task Other_values_show_what_they_would_change_before_anybody_saves_them()
    {
        await using var gateway = await LivedAsync(Dialect.Sqlite);
        var before = await RowsAsync(gateway);
        var done = await RunAsync(gateway, """{"parameters":{"silence.duration":"00:30:00","size.bytes":1048576},"days":1}""");
        var result = done["result"]!;
        var conditions = result["conditions"]!.AsArray().ToDictionary(c => (string)c!["key"]!, c => c!);
        Assert.Equal((0, 1), ((int)conditions["size"]["findings"]!, Math.Sign((int)conditions["size"]["current"]!)));
        Assert.Equal(0, (int)result["onlyProposed"]!);
        Assert.True((int)result["onlyCurrent"]! > 0);
        Assert.Equal(["silence.duration", "size.bytes"], done["difference"]!["settings"]!.AsArray().Select(s => (string)s!["key"]!));
        Assert.Equal((int)result["findings"]!, result["days"]!.AsArray().Sum(d => (int)d!["findings"]!));
        Assert.Equal(4, (int)result["devices"]!);
        Assert.Contains(result["limits"]!.AsArray(), l => (string)l!["what"]! == "as-of-now");

        // Nothing follows from it: no finding, no state, no revision.
        Assert.Equal(before, await RowsAsync(gateway));
        Assert.Equal(65536, gateway.Services.GetRequiredService<FieldPlans>().Current().For("field").Template!.Template.Conditions.Single(c => c.Key == "size").Parameters[0].Default.Number);
        var listed = Assert.Single((await gateway.GetAsync(Path)).Body!.AsArray())!;
        Assert.Equal(("done", null), ((string)listed["state"]!, listed["result"]));
    }

    [Fact]
    public async Task Another_template_is_tried_whole_and_learning_days_do_not_count()
    {
        await using var gateway = await LivedAsync(Dialect.Sqlite);
        var done = await RunAsync(gateway, """{"templateId":"smart-home","parameters":{"size.bytes":64},"days":1,"compare":false}""");
        Assert.Null(done["result"]!["onlyProposed"]);
        var all = (int)done["result"]!["findings"]!;
        Assert.True(all > 0);

        // The same with all of it in the days of learning.
        var learnt = await RunAsync(gateway, $$"""{"templateId":"smart-home","parameters":{"size.bytes":64},"days":1,"learnDays":1,"to":"{{Lab.Start.AddDays(2):O}}"}""");
        Assert.Equal(0, (int)learnt["result"]!["findings"]!);
        Assert.Equal((long)done["result"]!["messages"]!, (long)learnt["result"]!["messages"]!);
    }

    [Fact]
    public async Task Properties_that_were_not_kept_are_named_instead_of_guessed()
    {
        await using var gateway = await LivedAsync(Dialect.Sqlite);
        var plans = gateway.Services.GetRequiredService<FieldPlans>();
        var proposed = new FieldTemplate(Lab.TemplateOf("[" + Lab.Condition("pointing", "where: /pin") + "]", "test", "", Pointing), 1, FieldTemplate.NoValues);
        var plan = new BacktestPlan("field", proposed, plans.Proposed("field", proposed), null, null, Lab.Start, Lab.Start, Lab.Start.AddDays(1));
        var job = gateway.Services.GetRequiredService<Backtests>().Start(plan, "anna")!;
        while (job.State == BacktestStates.Running)
        {
            await Task.Yield();
        }

        gateway.Marks.TransientPointers = ["/pin"];
        var limits = (await gateway.GetAsync($"{Path}/{job.Id}", language: "ja")).Body!["result"]!["limits"]!.AsArray();
        var limit = Assert.Single(limits, l => (string)l!["what"]! == "transient")!;
        Assert.Equal("c1", (string)limit["conditions"]![0]!);
        Assert.Contains("一時的", (string)limit["text"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_at_a_time_runs_and_can_be_cancelled()
    {
        await using var gateway = await LivedAsync(Dialect.Sqlite);
        var gate = new TaskCompletionSource();
        gateway.Events.Gate = gate.Task;
        var (status, started) = await gateway.SendAsync(HttpMethod.Post, Path, "{}");
        Assert.Equal((202, "running"), (status, (string)started!["state"]!));
        var (busy, problem) = await gateway.SendAsync(HttpMethod.Post, Path, "{}", language: "ja");
        Assert.Equal((409, "別のバックテストを実行中です"), (busy, (string)problem!["title"]!));
        var id = (string)started["id"]!;
        Assert.Equal(204, (await gateway.SendAsync(HttpMethod.Delete, $"{Path}/{id}")).Status);
        Assert.Equal("cancelled", (string)(await EndedAsync(gateway, id))["state"]!);
        Assert.Equal(404, (await gateway.SendAsync(HttpMethod.Delete, Path + "/b0")).Status);
        Assert.Equal(404, (await gateway.GetAsync(Path + "/b0/detections")).Status);
        gateway.Events.Gate = Task.CompletedTask;
        Assert.Equal("done", (string)(await RunAsync(gateway, "{}"))["state"]!);
        Assert.Equal(2, (await gateway.GetAsync(Path)).Body!.AsArray().Count);
    }

    [Fact]
    public async Task Wrong_requests_are_refused_with_all_their_faults()
    {
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite);
        Assert.Equal(422, (await gateway.SendAsync(HttpMethod.Post, Path, "{}")).Status);
        var (status, problem) = await gateway.SendAsync(HttpMethod.Post, Path, """{"templateId":"car-mobility","parameters":{"size.bytes":"x"},"days":0,"learnDays":1000}""");
        Assert.Equal((422, 3), (status, problem!["faults"]!.AsArray().Count));
    }

    [Fact]
    public async Task Without_a_kept_clock_silence_is_judged_minute_by_minute()
    {
        var template = Lab.TemplateOf("[" + Lab.Condition("silence", "duration: \"00:20:00\"") + "]");
        var plan = new FieldPlan(new FieldTemplate(template, 1, FieldTemplate.NoValues), TimeZoneInfo.Utc);
        var replay = new Replay("field", plan, new FakeDirectory(), Detection.Lanes.LaneBooks.Empty, 512, ticksFrom: null);
        var tally = new Tally(TimeZoneInfo.Utc, 0);
        tally.Add(replay.Step([Lab.Message(Lab.Start) with { Position = 1 }, Lab.Message(Lab.Start.AddHours(1), "d2") with { Position = 2 }]));
        var found = Assert.Single(tally.Samples);
        Assert.Equal(("d1", Lab.Start.AddMinutes(20)), (found.DeviceId, found.RaisedAt));
        await Task.CompletedTask;
    }

    private static readonly ConditionKind Pointing = new(
        "pointing", [Domain.Detection.Scopes.Device], TakesMode: false, [new ParameterSpec("where", ParameterType.Pointer, 0, 256)], _ => new MalformedCondition(new RefusalCountParameters(5, 1000)));

    private static string Bytes(JsonNode? finding)
    {
        // What people or the clock do to a kept finding, and which others it is told with, is not part of what the lanes say.
        var one = JsonNode.Parse(finding!.ToJsonString())!.AsObject();
        one.Remove("clearedAt");
        one.Remove("cause");
        return one.ToJsonString();
    }

    private static async Task<string> RowsAsync(TestGateway gateway) => string.Join(' ', await gateway.Services.GetRequiredService<Databases>().State.ReadAsync(async c => new[]
    {
        await c.QuerySingleAsync<long>("SELECT COUNT(*) FROM finding"),
        await c.QuerySingleAsync<long>("SELECT COUNT(*) FROM field_template"),
        await c.QuerySingleAsync<long>("SELECT COALESCE(SUM(LENGTH(state)), 0) FROM lane_subject"),
        await c.QuerySingleAsync<long>("SELECT COUNT(*) FROM test_history"),
    }));

    /// <summary>A day of four cars, judged live: bursts, silences, large messages.</summary>
    private static async Task<TestGateway> LivedAsync(Dialect dialect)
    {
        var gateway = await TestGateway.StartAsync(dialect);
        await gateway.SendAsync(HttpMethod.Put, "/api/v1/fields/field/template", """{"templateId":"car-mobility"}""");
        var random = new Random(3);
        var events = new List<GatewayEvent>();
        for (var car = 0; car < 4; car++)
        {
            var sequence = 0;
            for (var at = Lab.Start.AddMinutes(car); at < Lab.Start.AddHours(23); at = at.AddMinutes(5).AddSeconds(random.Next(20)))
            {
                if (random.Next(60) == 0)
                {
                    at = at.AddHours(7);
                    continue;
                }

                for (var burst = random.Next(40) == 0 ? 12 : 1; burst > 0; burst--)
                {
                    events.Add(Lab.Message(at.AddSeconds(burst), "d" + car, at.AddSeconds(burst), ++sequence, "on", random.Next(50) == 0 ? 70_000 : 200));
                }
            }
        }

        gateway.Feed.Append(Lab.WithTicks(events, Lab.Start.AddHours(23)));
        await gateway.DoneAsync();
        gateway.Clock.Advance(TimeSpan.FromDays(1));
        return gateway;
    }

    private static async Task<JsonNode> RunAsync(TestGateway gateway, string request)
    {
        var (status, started) = await gateway.SendAsync(HttpMethod.Post, Path, request);
        Assert.Equal(202, status);
        return await EndedAsync(gateway, (string)started!["id"]!);
    }

    private static async Task<JsonNode> EndedAsync(TestGateway gateway, string id)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var moments = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (true)
        {
            var view = (await gateway.GetAsync($"{Path}/{id}")).Body!;
            if ((string)view["state"]! != "running")
            {
                return view;
            }

            await moments.WaitForNextTickAsync(limit.Token);
        }
    }
}
