using System.Text.Json.Nodes;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Domain.History;
using Sekisho.Storage;

namespace Sekisho.History.Tests.Queries;

public class HistoryRoutesTests
{
    private const string Correlation = "0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task One_correlation_id_leads_from_the_received_data_over_every_record_to_its_delivery(Dialect dialect)
    {
        await using var host = await HistoryHost.StartAsync(dialect);
        var noise = Enumerable.Range(100, 20).Select(i => Samples.Message(i)).ToArray();
        var own = Samples.Message(120, "d7", correlation: Correlation);
        host.Commit(Samples.Batch([new MessageChunk("car", false, [.. noise, own]), new MessageChunk("car", false, [Samples.Message(130)])]));
        host.Record(
            Record(HistoryKinds.Detection, "frequency", 121, Correlation, "f1"),
            Record(HistoryKinds.Response, "mail", 122, Correlation, "lease1"),
            Record(HistoryKinds.DataOut, "forwarded", 123, "", "100"),
            Record(HistoryKinds.Detection, "frequency", 124, "ffffffffffffffffffffffffffffffff", "f2"));

        var (_, page) = await host.GetAsync($"/api/v1/fields/car/history?correlation={Correlation}");
        var lines = page["items"]!.AsArray();
        Assert.Equal(["response", "detection", "data-in"], lines.Select(l => (string)l!["kind"]!));
        var data = lines[2]!;
        Assert.Equal("d7", (string)data["deviceId"]!);
        Assert.Equal(Correlation, (string)data["correlationId"]!);
        Assert.Equal(1, (int)data["details"]!["messages"]!);
        Assert.Equal("100", (string)data["subject"]!);
        Assert.Equal("forwarded", (string)Assert.Single(data["delivery"]!.AsArray())!["what"]!);
        Assert.Null(page["next"]);

        var (_, other) = await host.GetAsync($"/api/v1/fields/car/history?correlation={Correlation}&device=d9");
        Assert.Empty(other["items"]!.AsArray());
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_search_by_correlation_id_goes_on_where_its_bound_stopped_it(Dialect dialect)
    {
        await using var host = await HistoryHost.StartAsync(dialect, ("History:Search:CorrelationChunks", "1000"));
        var old = Samples.Message(1, "d7", correlation: Correlation);
        host.Commit(Samples.Batch([.. Enumerable.Range(1, 1500).Select(p => new MessageChunk("car", false, [p == 1 ? old : Samples.Message(p)]))]));

        var (_, page) = await host.GetAsync($"/api/v1/fields/car/history?correlation={Correlation}");
        Assert.Empty(page["items"]!.AsArray());
        var (_, rest) = await host.GetAsync($"/api/v1/fields/car/history?correlation={Correlation}&after={page["next"]}");
        Assert.Single(rest["items"]!.AsArray());
        Assert.Null(rest["next"]);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Times_carry_the_offset_of_the_fields_zone(Dialect dialect)
    {
        await using var host = await HistoryHost.StartAsync(dialect);
        host.Commit(Samples.Batch([new MessageChunk("car", false, [Samples.Message(1)]), new MessageChunk("home", false, [Samples.Message(2, field: "home")])]));
        host.Record(Record(HistoryKinds.Operator, "x", 3, "", null) with { FieldId = null });

        var (_, car) = await host.GetAsync("/api/v1/fields/car/messages");
        Assert.Equal("2026-04-01T09:00:01+09:00", (string)car["items"]![0]!["arrivalTime"]!);
        Assert.Equal("2026-04-01T09:00:00.75+09:00", (string)car["items"]![0]!["deviceTime"]!);
        var (_, home) = await host.GetAsync("/api/v1/fields/home/history", field: "home");
        Assert.Equal("2026-03-31T20:00:02-04:00", (string)home["items"]![0]!["at"]!);
        var (_, gateway) = await host.GetAsync("/ops/v1/history", Roles.Maintainer);
        Assert.Equal("2026-04-01T00:00:03+00:00", (string)gateway["items"]![0]!["at"]!);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Sensitive_properties_are_clear_for_administrators_only(Dialect dialect)
    {
        await using var host = await HistoryHost.StartAsync(dialect);
        host.Others.SensitivePointers.AddRange(["/position", "/people/*/name"]);
        const string Payload = """{"position":{"lat":35.1},"people":[{"name":"山田","age":4}],"t":1}""";
        host.Commit(Samples.Batch([new MessageChunk("car", true, [Samples.Message(1, payload: Payload)])]));

        var (_, clear) = await host.GetAsync("/api/v1/fields/car/messages", Roles.Administrator);
        Assert.Equal(JsonNode.Parse(Payload)!.ToJsonString(), clear["items"]![0]!["payload"]!.ToJsonString());
        Assert.True((bool)clear["items"]![0]!["backlog"]!);
        foreach (var role in (string[])[Roles.Responder, Roles.Auditor])
        {
            var (_, masked) = await host.GetAsync("/api/v1/fields/car/messages", role);
            Assert.Equal("""{"position":"***","people":[{"name":"***","age":4}],"t":1}""", masked["items"]![0]!["payload"]!.ToJsonString());
        }
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Only_the_own_field_is_seen_and_the_gateways_records_are_the_maintainers(Dialect dialect)
    {
        await using var host = await HistoryHost.StartAsync(dialect);
        host.Commit(Samples.Batch([new MessageChunk("home", false, [Samples.Message(1, "shared", "home")]), new MessageChunk("car", false, [Samples.Message(2, "shared")])]));
        host.Record(Record(HistoryKinds.Operator, "field.add", 5, "", null) with { FieldId = null }, Record(HistoryKinds.Operator, "device.add", 6, "", null) with { FieldId = "home" });
        foreach (var path in (string[])["history", "messages", "ledger"])
        {
            Assert.Equal(404, (await host.GetAsync($"/api/v1/fields/home/{path}")).Status);
            Assert.Equal(403, (await host.GetAsync($"/api/v1/fields/car/{path}", Roles.Maintainer)).Status);
            Assert.Equal(401, (int)(await host.Client.GetAsync($"/api/v1/fields/car/{path}")).StatusCode);
        }

        foreach (var path in (string[])["history", "ledger"])
        {
            Assert.Equal(403, (await host.GetAsync($"/ops/v1/{path}")).Status);
            Assert.Equal(401, (int)(await host.Client.GetAsync($"/ops/v1/{path}")).StatusCode);
        }

        // A device identifier of two fields shows each only its own part.
        Assert.Equal("2", (string)Assert.Single((await host.GetAsync("/api/v1/fields/car/history?device=shared")).Body["items"]!.AsArray())!["subject"]!);
        Assert.Equal(2, (int)Assert.Single((await host.GetAsync("/api/v1/fields/car/messages?device=shared")).Body["items"]!.AsArray())!["position"]!);
        Assert.Equal("field.add", (string)Assert.Single((await host.GetAsync("/ops/v1/history", Roles.Maintainer)).Body["items"]!.AsArray())!["what"]!);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Sql_shell_and_script_in_any_parameter_find_nothing_and_break_nothing(Dialect dialect)
    {
        await using var host = await HistoryHost.StartAsync(dialect);
        host.Commit(Samples.Batch([new MessageChunk("car", false, [Samples.Message(1)])]));
        string[] texts = ["' OR 1=1 --", "'; DROP TABLE message_chunk; --", "\"; rm -rf /", "$(reboot)", "<script>alert(1)</script>", "%", "_", "\0", "../../etc/passwd", "d000000000000001' --", "🦊", new string('x', 5000), "\ud800x", ""];
        foreach (var text in texts)
        {
            var value = Uri.EscapeDataString(text);
            foreach (var path in (string[])["history?device=", "history?kind=", "history?from=", "history?to=", "history?correlation=", "history?after=", "history?limit=", "messages?device=", "messages?from=", "messages?to=", "messages?after=", "messages?limit="])
            {
                var (status, body) = await host.GetAsync("/api/v1/fields/car/" + path + value);
                Assert.True(status is 200 or 422, $"{path}{text}: {status}");
                Assert.True(status == 422 ? body["faults"]!.AsArray().Count > 0 : body["items"]!.AsArray().Count == 0, $"{path}{text}: {body}");
            }
        }

        Assert.Single((await host.GetAsync("/api/v1/fields/car/messages")).Body["items"]!.AsArray());
    }

    [Fact]
    public async Task Every_fault_is_named_at_once_in_the_language_of_the_request()
    {
        await using var host = await HistoryHost.StartAsync(Dialect.Sqlite);
        var (status, problem) = await host.GetAsync("/api/v1/fields/car/history?kind=nothing&from=yesterday&to=2026-04-01T00:00:00&limit=0&after=x&correlation=XYZ&device=%00", language: "ja");
        Assert.Equal(422, status);
        Assert.Equal(["after", "correlation", "device", "from", "kind", "limit", "to"], problem["faults"]!.AsArray().Select(f => (string)f!["place"]!).Order());
        Assert.Contains("data-in, data-out", (string)problem["faults"]!.AsArray().Single(f => (string)f!["place"]! == "kind")!["message"]!, StringComparison.Ordinal);
        Assert.Contains("指定してください", problem["faults"]![0]!["message"]!.ToString(), StringComparison.Ordinal);
        var (_, range) = await host.GetAsync("/api/v1/fields/car/history?from=2026-04-02T00:00:00Z&to=2026-04-01T00:00:00Z");
        Assert.Equal("from", (string)Assert.Single(range["faults"]!.AsArray())!["place"]!);
    }

    [Theory]
    [InlineData("2026-04-01T09:00:02%2B09:00")]
    [InlineData("2026-04-01T09:00:02+09:00")]
    [InlineData("2026-04-01T00:00:02Z")]
    [InlineData("2026-04-01T00:00:02.000Z")]
    public async Task A_time_is_understood_in_each_usual_spelling(string time)
    {
        await using var host = await HistoryHost.StartAsync(Dialect.Sqlite);
        host.Commit(Samples.Batch([new MessageChunk("car", false, [Samples.Message(1), Samples.Message(2), Samples.Message(3)])]));
        var (_, from) = await host.GetAsync("/api/v1/fields/car/messages?from=" + time);
        Assert.Equal([3, 2], from["items"]!.AsArray().Select(m => (int)m!["position"]!));
        var (_, to) = await host.GetAsync("/api/v1/fields/car/messages?to=" + time);
        Assert.Equal([1], to["items"]!.AsArray().Select(m => (int)m!["position"]!));
    }

    private static HistoryRecord Record(string kind, string what, double second, string correlation, string? subject) => new()
    {
        At = Samples.Start.AddSeconds(second),
        Kind = kind,
        What = what,
        FieldId = "car",
        DeviceId = "d7",
        Actor = "gateway",
        CorrelationId = correlation,
        Subject = subject,
        Details = """{"x":1}""",
    };
}
