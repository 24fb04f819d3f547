using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Sekisho.Api.Access;
using Sekisho.Detection.Lanes;
using Sekisho.Detection.Thresholds;
using Sekisho.Domain.Events;
using Sekisho.Storage;

namespace Sekisho.Detection.Tests.Lanes;

public class BookStoreTests
{
    private const string Field = "/api/v1/fields/field";

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Exceptions_and_priors_stand_at_the_lanes_position_and_count_what_they_allowed(Dialect dialect)
    {
        await using var gateway = await TestGateway.StartAsync(dialect);
        await gateway.SendAsync(HttpMethod.Put, Field + "/template", new { templateId = "smart-home" });
        gateway.Feed.Append(
            [
                Lab.Allow(Lab.Start, "x1", "size", "d1") with { Reason = "自宅" },
                Lab.Allow(Lab.Start, "x2", "size", "d2"),
                new PriorEvent { ArrivedAt = Lab.Start, CorrelationId = "", FieldId = "field", Metric = "size/tag", Version = 2, Numbers = [1.5, 2] },
                new PriorEvent { ArrivedAt = Lab.Start, CorrelationId = "", FieldId = "field", Metric = "size/tag", Version = 1, Numbers = [9] },
                Lab.Message(Lab.Start, "d1", size: 300_000),
                Lab.Message(Lab.Start.AddSeconds(1), "d1", size: 300_000),
                Lab.Message(Lab.Start.AddSeconds(2), "d3", size: 300_000),
                Lab.Allow(Lab.Start.AddSeconds(3), "x2", inForce: false),
            ]);
        await gateway.DoneAsync();
        var store = gateway.Services.GetRequiredService<BookStore>();
        var books = await store.LoadAsync(CancellationToken.None);
        var exception = Assert.Single(books.Exceptions.All);
        Assert.Equal(("x1", "d1", "自宅"), (exception.ExceptionId, exception.Subject, exception.Reason));
        var prior = books.Priors.All[new PriorKey("field", "size", "tag")];
        Assert.Equal(2, prior.Version);
        Assert.Equal([1.5, 2.0], prior.Numbers.ToArray());
        Assert.Equal((2L, Lab.Start.AddSeconds(1)), (await store.AllowedAsync("field", CancellationToken.None))["x1"] is var allowed ? (allowed.Times, allowed.Last!.Value) : default);
        var listed = (await gateway.GetAsync(Field + "/detections")).Body!["items"]!.AsArray();
        Assert.Equal("d3", (string)Assert.Single(listed)!["deviceId"]!);
        Assert.Equal(["x1 other-subject", "x2 other-subject"], listed[0]!["evidence"]!["exceptionsTried"]!.AsArray().Select(t => $"{t!["id"]} {t["why"]}"));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task What_is_tried_out_is_listed_and_counted_apart(Dialect dialect)
    {
        await using var gateway = await TestGateway.StartAsync(dialect);
        await gateway.SendAsync(HttpMethod.Put, Field + "/template", new { templateId = "smart-home", parameters = new Dictionary<string, string> { ["size.effect"] = "shadow" } });
        gateway.Feed.Append([Lab.Message(Lab.Start, "d1", size: 300_000), Lab.Message(Lab.Start, "d2", size: 300_000), Lab.Refusal(Lab.Start, RefusalReasons.Malformed)]);
        await gateway.DoneAsync();
        var counts = (await gateway.GetAsync(Field + "/detection-counts?since=2026-01-01T00:00:00Z")).Body!.AsArray().Select(c => $"{c!["conditionKey"]} {c["effect"]} {c["findings"]} {c["subjects"]} {c["retracted"]}");
        Assert.Equal(["malformed act 1 1 0", "size shadow 2 2 0"], counts);
        Assert.Equal(2, (await gateway.GetAsync(Field + "/detections?effect=shadow&threat=fake-message")).Body!["items"]!.AsArray().Count);
        Assert.Equal(422, (await gateway.GetAsync(Field + "/detections?effect=maybe")).Status);
        Assert.Equal(422, (await gateway.GetAsync(Field + "/detection-counts?since=yesterday")).Status);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task The_calendar_of_a_field_is_Japans_until_somebody_sets_another(Dialect dialect)
    {
        await using var gateway = await TestGateway.StartAsync(dialect);
        static string Text(JsonNode? node) => node!.ToJsonString();
        Assert.Equal("""{"revision":0,"country":"jp","holidays":[],"workdays":[]}""", Text((await gateway.GetAsync(Field + "/calendar")).Body));
        var (status, set) = await gateway.SendAsync(HttpMethod.Put, Field + "/calendar", """{"country":null,"holidays":["2026-12-29"]}""");
        Assert.Equal((200, """{"revision":1,"country":null,"holidays":["2026-12-29"],"workdays":[]}"""), (status, Text(set)));
        Assert.Equal(422, (await gateway.SendAsync(HttpMethod.Put, Field + "/calendar", """{"country":"xx"}""")).Status);
        Assert.Equal(403, (await gateway.SendAsync(HttpMethod.Put, Field + "/calendar", "{}", Roles.Auditor)).Status);
    }
}
