using Microsoft.Extensions.DependencyInjection;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;
using Sekisho.Storage;

namespace Sekisho.Detection.Tests.Findings;

public class DetectionRouteTests
{
    private const string List = "/api/v1/fields/field/detections";

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_detection_is_listed_explained_in_both_languages_acknowledged_and_closed(Dialect dialect)
    {
        await using var gateway = await TestGateway.StartAsync(dialect);
        gateway.Directory.SetDevice("d1", name: "車載機 1");
        await SetAsync(gateway);
        gateway.Feed.Append([Lab.Message(Lab.Start, mode: "on"), Lab.Message(Lab.Start.AddSeconds(30), mode: "on"), Lab.Message(Lab.Start.AddSeconds(40), "d2", size: 70_000)]);
        await gateway.DoneAsync();

        var (status, page) = await gateway.GetAsync(List);
        Assert.Equal(200, status);
        Assert.Equal(["size", "frequency"], page!["items"]!.AsArray().Select(i => (string)i!["condition"]!));
        Assert.Single((await gateway.GetAsync(List + "?condition=frequency&risk=takeover&level=important&status=open&device=d1&from=2026-04-01T09:00:00%2B09:00&to=2026-04-02T00:00:00Z")).Body!["items"]!.AsArray());
        Assert.Empty((await gateway.GetAsync(List + "?device=nobody")).Body!["items"]!.AsArray());

        var id = (string)page["items"]![1]!["id"]!;
        Assert.Matches("^f[0-9a-f]{31}$", id);
        var english = (await gateway.GetAsync($"{List}/{id}")).Body!;
        Assert.Equal("車載機 1 (d1): 2 messages within 00:00:30, where at most 1 within 00:05:00 are expected (2026-04-01 09:00:30 +09:00).", (string)english["sentence"]!);
        Assert.Equal("It would not have been reported if “Within” were 00:00:30 or less.", (string)english["counterfactual"]!);
        Assert.Equal(30, (double)english["evidence"]!["measured"]!);
        var japanese = (await gateway.GetAsync($"{List}/{id}", language: "ja")).Body!;
        Assert.Equal("車載機 1 (d1)が00:00:30の間に2件のメッセージを送信しました。想定は00:05:00に1件までです（2026-04-01 09:00:30 +09:00）。", (string)japanese["sentence"]!);

        Assert.Equal(204, (await gateway.SendAsync(HttpMethod.Post, $"{List}/{id}/acknowledge", new { note = "on it" }, Roles.Responder)).Status);
        Assert.Equal(422, (await gateway.SendAsync(HttpMethod.Post, $"{List}/{id}/close", new { @as = "boredom" })).Status);
        Assert.Equal(422, (await gateway.SendAsync(HttpMethod.Post, $"{List}/{id}/close", new { note = "no word of what it was" })).Status);
        var (closing, offers) = await gateway.SendAsync(HttpMethod.Post, $"{List}/{id}/close", new { @as = "false-alarm" });
        Assert.Equal(200, closing);
        Assert.NotEmpty(offers!["exceptions"]!.AsArray());
        var (again, problem) = await gateway.SendAsync(HttpMethod.Post, $"{List}/{id}/acknowledge", new { });
        Assert.Equal((409, "urn:sekisho:problem:detection-closed"), (again, (string)problem!["type"]!));
        var closed = (await gateway.GetAsync($"{List}/{id}")).Body!;
        Assert.Equal(("closed", "false-alarm", "on it", "anna"), ((string)closed["status"]!, (string)closed["closedAs"]!, (string)closed["note"]!, (string)closed["handledBy"]!));
        Assert.Contains(gateway.Audit.Actions, a => a.Action == "detection.close");
        Assert.Equal("frequency", (await gateway.Services.GetRequiredService<IFindings>().FindAsync(id, CancellationToken.None))!.Condition);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Pages_hold_every_detection_once_and_what_is_over_says_when(Dialect dialect)
    {
        await using var gateway = await TestGateway.StartAsync(dialect);
        await SetAsync(gateway);
        gateway.Feed.Append(Enumerable.Range(0, 25).Select(i => Lab.Message(Lab.Start, $"d{i}", size: 70_000)));
        gateway.Feed.Append([Lab.Message(Lab.Start.AddMinutes(1), "d3", size: 10)]);
        await gateway.DoneAsync();
        var seen = new List<string>();
        for (string? after = null; ;)
        {
            var page = (await gateway.GetAsync($"{List}?limit=7{(after is null ? "" : "&after=" + after)}")).Body!;
            seen.AddRange(page["items"]!.AsArray().Select(i => (string)i!["deviceId"]!));
            if ((after = (string?)page["next"]) is null)
            {
                break;
            }
        }

        Assert.Equal(Enumerable.Range(0, 25).Select(i => $"d{24 - i}"), seen);
        var over = (await gateway.GetAsync(List + "?device=d3")).Body!["items"]![0]!;
        Assert.Equal(Lab.Start.AddMinutes(1), (DateTimeOffset)over["clearedAt"]!);
        Assert.Null((await gateway.GetAsync(List + "?device=d4")).Body!["items"]![0]!["clearedAt"]);
    }

    [Fact]
    public async Task Wrong_questions_are_answered_with_all_their_faults()
    {
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite);
        var (status, body) = await gateway.GetAsync(List + "?risk=x&level=y&status=z&from=noon&to=later&after=no&limit=many");
        Assert.Equal(422, status);
        Assert.Equal(["risk", "level", "status", "from", "to", "after", "limit"], body!["faults"]!.AsArray().Select(f => (string)f!["place"]!));
        Assert.Equal(404, (await gateway.GetAsync(List + "/f0")).Status);
        Assert.Equal(404, (await gateway.GetAsync(List + "/'%3B DROP TABLE finding%3B--")).Status);
        Assert.Equal(400, (await gateway.SendAsync(HttpMethod.Post, List + "/f0/close", "{ not json")).Status);
    }

    [Fact]
    public async Task Every_holder_sees_what_the_holder_may()
    {
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite);
        gateway.Directory.SetField("other", "Asia/Tokyo");
        gateway.Feed.Append(Enumerable.Range(0, 10).Select(_ => Lab.Refusal(Lab.Start, RefusalReasons.Unregistered, null, "203.0.113.5")));
        await gateway.DoneAsync();
        Assert.Empty((await gateway.GetAsync(List)).Body!["items"]!.AsArray());
        var whole = Assert.Single((await gateway.GetAsync("/ops/v1/detections", Roles.Maintainer)).Body!["items"]!.AsArray());
        Assert.Equal("203.0.113.5", (string)whole!["scopeKey"]!);
        var id = (string)whole["id"]!;
        Assert.Equal(404, (await gateway.GetAsync($"{List}/{id}")).Status);
        Assert.Equal(204, (await gateway.SendAsync(HttpMethod.Post, $"/ops/v1/detections/{id}/close", new { @as = "incident" }, Roles.Maintainer)).Status);
        Assert.Equal("closed", (string)(await gateway.GetAsync($"/ops/v1/detections/{id}", Roles.Maintainer)).Body!["status"]!);
        foreach (var (path, roles, expected) in new (string, string?, int)[]
        {
            (List, null, 401), (List, Roles.Maintainer, 403), (List, Roles.Auditor, 200), ("/api/v1/fields/other/detections", Roles.Administrator, 404),
            ("/ops/v1/detections", Roles.Administrator, 403), ("/ops/v1/detections", null, 401), ("/api/v1/templates", null, 401), ("/api/v1/fields/other/template", Roles.Administrator, 404),
        })
        {
            Assert.Equal(expected, (await gateway.GetAsync(path, roles)).Status);
        }

        Assert.Equal(403, (await gateway.SendAsync(HttpMethod.Post, $"{List}/{id}/close", new { @as = "change" }, Roles.Auditor)).Status);
        Assert.Equal(403, (await gateway.SendAsync(HttpMethod.Put, "/api/v1/fields/field/template", new { templateId = "education" }, Roles.Responder)).Status);
    }

    [Fact]
    public async Task The_limits_that_a_device_has_learnt_are_shown_with_what_they_rest_on()
    {
        await using var gateway = await TestGateway.StartAsync(Dialect.Sqlite);
        gateway.Directory.SetDevice("d1", name: "meter");
        await SetAsync(gateway);
        gateway.Feed.Append([Lab.Message(Lab.Start, mode: "on")]);
        await gateway.DoneAsync();
        using var moments = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        async Task<(int Status, System.Text.Json.Nodes.JsonNode? Body)> Ask(string device)
        {
            // The lanes answer with the next event after the question. One event at a time: with more of them the answer waits behind all.
            var answer = gateway.GetAsync($"/api/v1/fields/field/devices/{device}/thresholds");
            while (!answer.IsCompleted)
            {
                gateway.Feed.Append([Lab.Tick(Lab.Start.AddMinutes(1))]);
                await gateway.DoneAsync();
                await moments.WaitForNextTickAsync();
            }

            return await answer;
        }

        Assert.Equal(404, (await gateway.GetAsync("/api/v1/fields/field/devices/nobody/thresholds")).Status);
        var (status, body) = await Ask("d1");
        Assert.Equal((200, 0), (status, body!.AsArray().Count));

        // Without an event the lanes do not answer; nobody waits for ever.
        var late = gateway.GetAsync("/api/v1/fields/field/devices/d1/thresholds");
        while (!late.IsCompleted)
        {
            gateway.Clock.Advance(TimeSpan.FromSeconds(1));
            await moments.WaitForNextTickAsync();
        }

        Assert.Equal(503, (await late).Status);
    }

    private static async Task SetAsync(TestGateway gateway) =>
        Assert.Equal(200, (await gateway.SendAsync(HttpMethod.Put, "/api/v1/fields/field/template", new { templateId = "car-mobility" })).Status);
}
