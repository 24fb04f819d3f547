using Microsoft.Extensions.DependencyInjection;
using Sekisho.Api.Access;
using Sekisho.Detection.Findings;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;
using Sekisho.Storage;

namespace Sekisho.Detection.Tests.Findings;

public class LabelRouteTests
{
    private const string Field = "/api/v1/fields/field";
    private const string Detections = Field + "/detections";

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Detections_of_one_cause_stand_together_and_are_handled_together(Dialect dialect)
    {
        await using var gateway = await StartAsync(dialect);
        gateway.Feed.Append([.. Enumerable.Range(0, 3).Select(i => Big("d1", i * 7 * 60)), Big("d2", 30 * 60)]);
        await gateway.DoneAsync();
        var causes = (await gateway.GetAsync(Detections + "/causes")).Body!.AsArray();
        Assert.Equal(["d2 1 1 1", "d1 3 1 3"], causes.Select(c => $"{c!["newest"]!["deviceId"]} {c["findings"]} {c["subjects"]} {c["unfinished"]}"));
        var cause = (string)causes[1]!["cause"]!;
        Assert.Equal(3, (await gateway.GetAsync($"{Detections}?cause={cause}")).Body!["items"]!.AsArray().Count);
        var one = (string)(await gateway.GetAsync($"{Detections}?cause={cause}")).Body!["items"]![0]!["id"]!;

        Assert.Equal(422, (await gateway.SendAsync(HttpMethod.Post, Detections + "/handle", new { cause, @as = "false-alarm" })).Status);
        Assert.Equal(422, (await gateway.SendAsync(HttpMethod.Post, Detections + "/handle", new { @as = "change" })).Status);
        Assert.Equal(204, (await gateway.SendAsync(HttpMethod.Post, $"{Detections}/{one}/acknowledge", new { note = "looking" }, Roles.Responder)).Status);
        var (status, result) = await gateway.SendAsync(HttpMethod.Post, Detections + "/handle", new { cause, ids = new[] { one, "f0" }, @as = "false-alarm", note = "new firmware" }, Roles.Responder);
        Assert.Equal((200, 3, 1, false), (status, result!["handled"]!.AsArray().Count, (int)result["unchanged"]!, (bool)result["more"]!));
        Assert.Equal(3, (await gateway.GetAsync(Detections + "?closedAs=false-alarm")).Body!["items"]!.AsArray().Count);
        Assert.Equal(["d2"], (await gateway.GetAsync(Detections + "/causes?status=open")).Body!.AsArray().Select(c => (string)c!["newest"]!["deviceId"]!));
        Assert.Equal(403, (await gateway.SendAsync(HttpMethod.Post, Detections + "/handle", new { cause, @as = "change" }, Roles.Auditor)).Status);
        Assert.Contains(gateway.Audit.Actions, a => a.Action == "detection.handle");

        Assert.Equal(204, (await gateway.SendAsync(HttpMethod.Post, $"{Detections}/{one}/reopen", new { note = "it was not" })).Status);
        Assert.Equal(409, (await gateway.SendAsync(HttpMethod.Post, $"{Detections}/{one}/reopen", new { })).Status);
        var open = (await gateway.GetAsync($"{Detections}/{one}")).Body!;
        Assert.Equal(("open", null, "it was not"), ((string)open["status"]!, (string?)open["closedAs"], (string)open["note"]!));
        Assert.Equal(403, (await gateway.SendAsync(HttpMethod.Post, $"{Detections}/{one}/reopen", new { }, Roles.Auditor)).Status);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task What_is_said_of_detections_is_told_to_other_stages_in_the_same_transaction_and_they_can_say_it_themselves(Dialect dialect)
    {
        await using var gateway = await StartAsync(dialect);
        gateway.Feed.Append([.. Enumerable.Range(0, 3).Select(i => Big($"d{i}", i))]);
        await gateway.DoneAsync();
        var ids = (await gateway.GetAsync(Detections)).Body!["items"]!.AsArray().Select(i => (string)i!["id"]!).ToList();
        Assert.Equal(204, (await gateway.SendAsync(HttpMethod.Post, $"{Detections}/{ids[0]}/acknowledge", new { })).Status);
        Assert.Equal(200, (await gateway.SendAsync(HttpMethod.Post, Detections + "/handle", new { ids = ids[..2], @as = "change", note = "planned" })).Status);
        Assert.Equal(204, (await gateway.SendAsync(HttpMethod.Post, $"{Detections}/{ids[1]}/reopen", new { note = "not planned" })).Status);

        // An incident hands its label on: to what is not closed yet, and not to what is not there.
        var labels = gateway.Services.GetRequiredService<IFindingLabels>();
        await labels.LabelAsync([.. ids, "f0"], "incident", "a break-in", "hanako", gateway.Clock.GetUtcNow(), "c", CancellationToken.None);
        await labels.LabelAsync(ids, "incident", "a break-in", "hanako", gateway.Clock.GetUtcNow(), "c", CancellationToken.None);
        Assert.Equal(["acknowledged 1", "change 2", "reopened 1", "incident 2"], gateway.Labels.Told.Select(l => $"{l.Label} {l.FindingIds.Count}"));
        Assert.Equal(["change", "incident", "incident"], (await gateway.GetAsync(Detections)).Body!["items"]!.AsArray().Select(i => (string)i!["closedAs"]!));

        // What a stage cannot note did not happen.
        Assert.Equal(204, (await gateway.SendAsync(HttpMethod.Post, $"{Detections}/{ids[2]}/reopen", new { note = "again" })).Status);
        gateway.Labels.Fails = true;
        await Assert.ThrowsAsync<InvalidOperationException>(() => labels.LabelAsync([ids[2]], "change", null, "hanako", gateway.Clock.GetUtcNow(), "c", CancellationToken.None));
        Assert.Equal("open", (string)(await gateway.GetAsync($"{Detections}/{ids[2]}")).Body!["status"]!);
    }

    [Fact]
    public async Task A_false_alarm_needs_a_reason_and_is_answered_with_exceptions_and_limits_that_would_have_kept_it_quiet()
    {
        await using var gateway = await StartAsync();
        gateway.Feed.Append([Big("d1", 0, 300_000), Big("d2", 1, 400_000), Big("d3", 2, 500_000), Big("d3", 7 * 60, 900_000)]);
        await gateway.DoneAsync();
        var ids = (await gateway.GetAsync(Detections)).Body!["items"]!.AsArray().Select(i => (string)i!["id"]!).Reverse().ToList();
        Assert.Equal(422, (await gateway.SendAsync(HttpMethod.Post, $"{Detections}/{ids[0]}/close", new { @as = "false-alarm" })).Status);
        Assert.Equal(204, (await gateway.SendAsync(HttpMethod.Post, $"{Detections}/{ids[2]}/close", new { @as = "incident" })).Status);
        Assert.Equal(200, (await gateway.SendAsync(HttpMethod.Post, $"{Detections}/{ids[0]}/close", new { @as = "false-alarm", note = "a picture" })).Status);
        var (status, offers) = await gateway.SendAsync(HttpMethod.Post, $"{Detections}/{ids[1]}/close", new { @as = "false-alarm", note = "a picture" });
        Assert.Equal(200, status);
        Assert.Equal(["mute size d2", "accept size d2"], offers!["exceptions"]!.AsArray().Select(e => $"{e!["draft"]!["kind"]} {e["draft"]!["condition"]} {e["draft"]!["subject"]}"));
        Assert.All(offers["exceptions"]!.AsArray(), e => Assert.Equal(1, (int)e!["preview"]!["removed"]!));
        var limits = offers["limits"]!.AsArray();
        Assert.Equal(
            ["size.bytes 262144 400001 this 4 2 0 2", "size.bytes 262144 400001 false-alarms 4 2 0 2"],
            limits.Select(l => $"{l!["parameter"]} {l["present"]} {l["suggested"]} {l["for"]} {l["findings"]} {l["removed"]} {l["removedIncidents"]} {l["removedFalseAlarms"]}"));

        // What is offered for the last one would hide the incident, and says so in both languages.
        var careful = (await gateway.GetAsync($"{Detections}/{ids[3]}/offers")).Body!["limits"]![0]!;
        Assert.Equal(1, (int)careful["removedIncidents"]!);
        Assert.Contains("1 of them were incidents", (string)careful["sentence"]!, StringComparison.Ordinal);
        Assert.Contains("見逃す", (string)(await gateway.GetAsync($"{Detections}/{ids[3]}/offers", language: "ja")).Body!["limits"]![0]!["sentence"]!, StringComparison.Ordinal);

        // The offer does what it says: with that limit the same message is quiet, a larger one is not.
        var (changed, after) = await gateway.SendAsync(HttpMethod.Put, Field + "/conditions/size", new { parameters = new { bytes = (string)limits[0]!["suggested"]! }, reason = "pictures" });
        Assert.Equal(200, changed);
        Assert.Equal(2, (int)after!["revision"]!);
        gateway.Feed.Append([Big("d4", 20 * 60, 400_000), Big("d5", 20 * 60, 400_001)]);
        await gateway.DoneAsync();
        var last = (await gateway.GetAsync(Detections)).Body!["items"]![0]!;
        Assert.Equal("d5", (string)last["deviceId"]!);
        Assert.Equal(5, (await gateway.GetAsync(Detections)).Body!["items"]!.AsArray().Count);
        Assert.Equal("person", (string)last["evidence"]!["origin"]!);
        Assert.Equal("Expected: 400000 bytes or less. A person set this: “Too large from (bytes)” (template smart-home, version 1, revision 2 of the field's settings).", (string)last["explanation"]!["expected"]!);
    }

    [Fact]
    public async Task Every_detection_explains_itself_in_both_languages()
    {
        await using var gateway = await StartAsync();
        gateway.Feed.Append([Big("d1", 0)]);
        await gateway.DoneAsync();
        var english = Assert.Single((await gateway.GetAsync(Detections)).Body!["items"]!.AsArray())!["explanation"]!;
        Assert.Equal("Measured (Too large): 300000 bytes.", (string)english["measured"]!);
        Assert.Equal("Expected: 262143 bytes or less. This comes from the template smart-home, version 1.", (string)english["expected"]!);
        Assert.Contains("journal position", (string)english["events"]!, StringComparison.Ordinal);
        Assert.Equal("Responses follow as the template says.", (string)english["effect"]!);
        var japanese = (await gateway.GetAsync(Detections, language: "ja")).Body!["items"]![0]!["explanation"]!;
        Assert.Equal("測定値（サイズ超過）: 300000バイト。", (string)japanese["measured"]!);
        Assert.Equal("想定: 262143バイト以下。この範囲はテンプレート smart-home 第1版によるものです。", (string)japanese["expected"]!);
    }

    [Fact]
    public async Task Counts_show_which_condition_annoys_by_what_people_made_of_it()
    {
        await using var gateway = await StartAsync();
        gateway.Feed.Append([Big("d1", 0), Big("d2", 1), Big("d3", 2), Big("d1", 7 * 60), Lab.Refusal(Lab.Start, RefusalReasons.Malformed)]);
        await gateway.DoneAsync();
        var ids = (await gateway.GetAsync(Detections + "?condition=size")).Body!["items"]!.AsArray().Select(i => (string)i!["id"]!).ToList();
        await gateway.SendAsync(HttpMethod.Post, Detections + "/handle", new { ids = ids.Take(2), @as = "false-alarm", note = "pictures" });
        await gateway.SendAsync(HttpMethod.Post, Detections + "/handle", new { ids = ids.Skip(2).Take(1), @as = "incident" });
        var rates = (await gateway.GetAsync(Field + "/detection-counts", language: "ja")).Body!.AsArray();
        Assert.Equal(["malformed", "size"], rates.Select(r => (string)r!["conditionKey"]!));
        var size = rates[1]!;
        Assert.Equal("データフォーマット異常（サイズ）", (string)size["label"]!);
        Assert.Equal((4L, 1L, 2L, 1L), ((long)size["findings"]!, (long)size["incidents"]!, (long)size["falseAlarms"]!, (long)size["unlabelled"]!));
        Assert.Equal((0.3333, 3, 3.0), ((double)size["precision"]!, (int)size["devices"]!, (double)size["deviceMonths"]!));
        Assert.Equal((0.6667, 1.3333), ((double)size["falseAlarmsPerDeviceMonth"]!, (double)size["findingsPerDeviceMonth"]!));
        Assert.Equal(2.0986, (double)size["falseAlarmsUpper95"]!);
        Assert.Null(rates[0]!["precision"]);
    }

    [Theory]
    [InlineData(0, 2.9957)]
    [InlineData(1, 4.7439)]
    [InlineData(10, 16.9622)]
    [InlineData(1000, 1053.59)]
    public void The_upper_end_of_a_count_is_that_of_the_tables(long count, double expected) => Assert.Equal(expected, Poisson.Upper95(count), count < 100 ? 0.0001 : 0.5);

    [Fact]
    public async Task A_condition_goes_from_suggest_to_shadow_to_act_with_what_it_would_have_done()
    {
        await using var gateway = await StartAsync();
        Assert.Equal(200, (await gateway.SendAsync(HttpMethod.Put, Field + "/conditions/size", new { parameters = new { effect = "suggest" }, reason = "new here" })).Status);
        gateway.Feed.Append([Big("d1", 0), Big("d2", 1)]);
        await gateway.DoneAsync();
        Assert.Equal("It only proposes a setting: no response follows.", (string)(await gateway.GetAsync(Detections)).Body!["items"]![0]!["explanation"]!["effect"]!);
        var (shadow, shadowed) = await gateway.SendAsync(HttpMethod.Put, Field + "/conditions/size", new { parameters = new { effect = "shadow" }, reason = "looks right", revision = 2 });
        Assert.Equal((200, "shadow"), (shadow, (string)shadowed!["condition"]!["effect"]!));
        gateway.Feed.Append([Big("d3", 2)]);
        await gateway.DoneAsync();

        var trial = (await gateway.GetAsync(Field + "/conditions/size/trial?days=7")).Body!;
        Assert.Equal((3, 3, "shadow"), ((int)trial["findings"]!, (int)trial["subjects"]!, (string)trial["effect"]!));
        Assert.Equal(["mail automatic 3 3", "suspend-authentication one-person 3 3"], trial["responses"]!.AsArray().Select(r => $"{r!["action"]} {r["approvals"]![0]} {r["findings"]} {r["devices"]}"));
        Assert.Contains("Acting, it would have called for: mail 3 times for 3 devices", (string)trial["sentence"]!, StringComparison.Ordinal);

        Assert.Equal(409, (await gateway.SendAsync(HttpMethod.Put, Field + "/conditions/size", new { parameters = new { effect = "act" }, reason = "go", revision = 2 })).Status);
        var (act, acting) = await gateway.SendAsync(HttpMethod.Put, Field + "/conditions/size", new { parameters = new { effect = "act" }, reason = "go", revision = 3 }, language: "ja");
        Assert.Equal((200, "act", 3), (act, (string)acting!["condition"]!["effect"]!, (int)acting["trial"]!["findings"]!));
        gateway.Feed.Append([Big("d4", 3)]);
        await gateway.DoneAsync();
        Assert.Equal("act", (string)(await gateway.GetAsync(Detections)).Body!["items"]![0]!["effect"]!);

        var (wrong, faults) = await gateway.SendAsync(HttpMethod.Put, Field + "/conditions/size", new { parameters = new { effect = "maybe", weight = 3, bytes = 1 } });
        Assert.Equal(422, wrong);
        Assert.Equal(["/reason", "/parameters/bytes", "/parameters/effect", "/parameters/weight"], faults!["faults"]!.AsArray().Select(f => (string)f!["place"]!));
        Assert.Equal(404, (await gateway.SendAsync(HttpMethod.Put, Field + "/conditions/nothing", new { parameters = new { effect = "act" }, reason = "a" })).Status);
        Assert.Equal(404, (await gateway.GetAsync(Field + "/conditions/nothing/trial")).Status);
        Assert.Equal(422, (await gateway.GetAsync(Field + "/conditions/size/trial?days=x")).Status);
        foreach (var (roles, reads, changes) in new (string?, int, int)[] { (null, 401, 401), (Roles.Maintainer, 403, 403), (Roles.Auditor, 200, 403), (Roles.Responder, 200, 403) })
        {
            Assert.Equal(reads, (await gateway.GetAsync(Field + "/conditions/size/trial", roles)).Status);
            Assert.Equal(reads, (await gateway.GetAsync(Detections + "/causes", roles)).Status);
            Assert.Equal(changes, (await gateway.SendAsync(HttpMethod.Put, Field + "/conditions/size", new { parameters = new { effect = "act" }, reason = "a" }, roles)).Status);
        }
    }

    private static async Task<TestGateway> StartAsync(Dialect dialect = Dialect.Sqlite)
    {
        var gateway = await TestGateway.StartAsync(dialect);
        foreach (var device in new[] { "d1", "d2", "d3" })
        {
            gateway.Directory.SetDevice(device);
        }

        Assert.Equal(200, (await gateway.SendAsync(HttpMethod.Put, Field + "/template", new { templateId = "smart-home" })).Status);
        return gateway;
    }

    private static MessageEvent Big(string device, int minute, int size = 300_000) => Lab.Message(Lab.Start.AddMinutes(minute), device, size: size);
}
