using System.Text.Json.Nodes;
using Sekisho.Api.Access;
using Sekisho.Domain.Events;
using Sekisho.Storage;

namespace Sekisho.Detection.Tests.Findings;

public class ExceptionRouteTests
{
    private const string Field = "/api/v1/fields/field";
    private const string Exceptions = Field + "/exceptions";

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task An_exception_is_previewed_saved_revised_ended_and_undone_with_every_revision_kept(Dialect dialect)
    {
        await using var gateway = await StartAsync(dialect);
        gateway.Feed.Append([Big("d1", 0), Big("d2", 1)]);
        await gateway.DoneAsync();
        var (previewed, preview) = await gateway.SendAsync(HttpMethod.Post, Exceptions + "/preview", new { kind = "accept", condition = "size", subject = "d1" });
        Assert.Equal(200, previewed);
        Assert.Equal((2, 1, 1, 0, 1), ((int)preview!["looked"]!, (int)preview["removed"]!, (int)preview["removedActing"]!, (int)preview["removedIncidents"]!, (int)preview["devicesInScope"]!));
        Assert.StartsWith("In the last 30 days it would have kept 1 of 2 detections quiet", (string)preview["sentence"]!, StringComparison.Ordinal);
        Assert.Empty((await gateway.GetAsync(Exceptions)).Body!["items"]!.AsArray());

        var until = Lab.Start.AddDays(100);
        var (created, made) = await gateway.SendAsync(HttpMethod.Post, Exceptions, new { kind = "accept", condition = "size", subject = "d1", until, reason = "firmware 3 sends more" });
        Assert.Equal(201, created);
        var id = (string)made!["id"]!;
        Assert.Matches("^x[0-9a-f]{31}$", id);
        Assert.Equal(("in-force", 1, "anna", 3L), ((string)made["state"]!, (int)made["revision"]!, (string)made["owner"]!, (long)made["position"]!));
        Assert.Equal("Accepted risk: condition “size”, only 車載機 1 (d1), until 2026-07-10 09:00:00 +09:00.", (string)made["sentence"]!);

        gateway.Feed.Append([Big("d1", 7 * 60), Big("d2", 7 * 60)]);
        await gateway.DoneAsync();
        Assert.Equal(["d2", "d2", "d1"], await DevicesAsync(gateway));
        Assert.Equal((1L, Lab.Start.AddHours(7)), await AllowedAsync(gateway, id));

        Assert.Equal(409, (await gateway.SendAsync(HttpMethod.Put, $"{Exceptions}/{id}", new { kind = "accept", condition = "size", until, reason = "all of them", revision = 7 })).Status);
        var (revisedStatus, revised) = await gateway.SendAsync(HttpMethod.Put, $"{Exceptions}/{id}", new { kind = "accept", condition = "size", until, reason = "all of them", revision = 1 });
        Assert.Equal((200, 2), (revisedStatus, (int)revised!["revision"]!));
        gateway.Feed.Append([Big("d2", 14 * 60)]);
        await gateway.DoneAsync();
        Assert.Equal(3, (await DevicesAsync(gateway)).Count);

        Assert.Equal(422, (await gateway.SendAsync(HttpMethod.Post, $"{Exceptions}/{id}/end", new { })).Status);
        var (ended, over) = await gateway.SendAsync(HttpMethod.Post, $"{Exceptions}/{id}/end", new { reason = "repaired" });
        Assert.Equal((200, "ended", 2L), (ended, (string)over!["state"]!, (long)over["allowed"]!));
        Assert.Equal(409, (await gateway.SendAsync(HttpMethod.Post, $"{Exceptions}/{id}/end", new { reason = "repaired" })).Status);
        gateway.Feed.Append([Big("d2", 21 * 60)]);
        await gateway.DoneAsync();
        Assert.Equal(4, (await DevicesAsync(gateway)).Count);

        var (undone, back) = await gateway.SendAsync(HttpMethod.Post, $"{Exceptions}/{id}/undo", new { reason = "not repaired after all" });
        Assert.Equal((200, "in-force", 4, 2L), (undone, (string)back!["state"]!, (int)back["revision"]!, (long)back["allowed"]!));
        Assert.Null(back["subject"]);
        gateway.Feed.Append([Big("d2", 28 * 60)]);
        await gateway.DoneAsync();
        Assert.Equal(4, (await DevicesAsync(gateway)).Count);

        var all = (await gateway.GetAsync($"{Exceptions}/{id}", language: "ja")).Body!;
        Assert.Equal(["not repaired after all", "repaired", "all of them", "firmware 3 sends more"], all["revisions"]!.AsArray().Select(r => (string)r!["reason"]!));
        Assert.Equal("リスク受容: 検知条件「size」、2026-07-10 09:00:00 +09:00 まで。", (string)all["present"]!["sentence"]!);
        Assert.Contains("識別子の順", (string)all["precedence"]!, StringComparison.Ordinal);
        Assert.Equal(["exception.set", "exception.end", "exception.undo"], gateway.Audit.Actions.Where(a => a.Action.StartsWith("exception", StringComparison.Ordinal) && a.Outcome == "asked").Select(a => a.Action).Distinct());
    }

    [Fact]
    public async Task Undoing_what_is_new_ends_it_and_undoing_a_revision_brings_back_the_one_before()
    {
        await using var gateway = await StartAsync();
        var first = await AddAsync(gateway, new { kind = "learn", condition = "size", subject = "d1", reason = "a" });
        Assert.Equal("ended", (string)(await gateway.SendAsync(HttpMethod.Post, $"{Exceptions}/{first}/undo", new { reason = "b" })).Body!["state"]!);
        var second = await AddAsync(gateway, new { kind = "learn", condition = "size", subject = "d1", reason = "a" });
        await gateway.SendAsync(HttpMethod.Put, $"{Exceptions}/{second}", new { kind = "learn", condition = "size", subject = "d2", reason = "c" });
        var back = (await gateway.SendAsync(HttpMethod.Post, $"{Exceptions}/{second}/undo", new { reason = "d" })).Body!;
        Assert.Equal(("in-force", "d1", 3), ((string)back["state"]!, (string)back["subject"]!, (int)back["revision"]!));
        Assert.Single((await gateway.GetAsync(Exceptions)).Body!["items"]!.AsArray());
        Assert.Equal(2, (await gateway.GetAsync(Exceptions + "?ended=true")).Body!["items"]!.AsArray().Count);
    }

    [Fact]
    public async Task What_has_run_out_is_shown_as_expired_and_a_finding_says_so()
    {
        await using var gateway = await StartAsync();
        var id = await AddAsync(gateway, new { kind = "mute", condition = "size", subject = "d1", until = Lab.Start.AddHours(1), reason = "works on the line" });
        gateway.Feed.Append([Big("d1", 59), Big("d1", 61)]);
        await gateway.DoneAsync();
        var listed = Assert.Single((await gateway.GetAsync(Field + "/detections", language: "ja")).Body!["items"]!.AsArray())!;
        Assert.Equal($"通知停止 {id}: 期限が切れています。", (string)Assert.Single(listed["explanation"]!["exceptions"]!.AsArray())!);
    }

    [Fact]
    public async Task A_draft_that_says_too_little_or_too_much_is_refused_with_all_its_faults_in_both_languages()
    {
        await using var gateway = await StartAsync();
        var wrong = new { kind = "forget", scope = "town", condition = "nothing", group = "colour:red", value = "a\nb", reason = "" };
        foreach (var language in new[] { "ja", "en" })
        {
            var (status, body) = await gateway.SendAsync(HttpMethod.Post, Exceptions, wrong, language: language);
            Assert.Equal(422, status);
            Assert.Equal(["/kind", "/scope", "/condition", "/value", "/group", "/reason"], body!["faults"]!.AsArray().Select(f => (string)f!["place"]!));
            Assert.All(body["faults"]!.AsArray(), f => Assert.DoesNotContain("detection.fault", (string)f!["message"]!, StringComparison.Ordinal));
        }

        async Task<string[]> FaultsAsync(object draft, string path = "") =>
            [.. (await gateway.SendAsync(HttpMethod.Post, Exceptions + path, draft)).Body!["faults"]!.AsArray().Select(f => (string)f!["place"]!)];
        Assert.Equal(["/condition"], await FaultsAsync(new { kind = "learn", reason = "everything" }));
        Assert.Equal(["/until"], await FaultsAsync(new { kind = "mute", condition = "size", reason = "for ever" }));
        Assert.Equal(["/until"], await FaultsAsync(new { kind = "mute", condition = "size", reason = "long", until = Lab.Start.AddDays(91) }));
        Assert.Equal(["/until"], await FaultsAsync(new { kind = "accept", condition = "size", reason = "long", until = Lab.Start.AddDays(367) }));
        Assert.Equal(["/until"], await FaultsAsync(new { kind = "learn", condition = "size", reason = "over", until = Lab.Start }));
        Assert.Equal(["/days"], await FaultsAsync(new { kind = "learn", condition = "size", days = 0 }, "/preview"));
        Assert.Equal(400, (await gateway.SendAsync(HttpMethod.Post, Exceptions, "{ not json")).Status);
        Assert.Equal(404, (await gateway.SendAsync(HttpMethod.Post, Exceptions + "/x0/end", new { reason = "a" })).Status);
    }

    [Fact]
    public async Task Administrators_change_exceptions_the_others_of_the_field_read_them_and_nobody_else_does()
    {
        await using var gateway = await StartAsync();
        gateway.Directory.SetField("other", "Asia/Tokyo");
        var id = await AddAsync(gateway, new { kind = "learn", condition = "size", reason = "a" });
        var draft = new { kind = "learn", condition = "size", reason = "a" };
        foreach (var (roles, reads, changes) in new (string?, int, int)[] { (null, 401, 401), (Roles.Maintainer, 403, 403), (Roles.Auditor, 200, 403), (Roles.Responder, 200, 403) })
        {
            Assert.Equal(reads, (await gateway.GetAsync(Exceptions, roles)).Status);
            Assert.Equal(reads, (await gateway.GetAsync($"{Exceptions}/{id}", roles)).Status);
            Assert.Equal(reads, (await gateway.SendAsync(HttpMethod.Post, Exceptions + "/preview", draft, roles)).Status);
            Assert.Equal(changes, (await gateway.SendAsync(HttpMethod.Post, Exceptions, draft, roles)).Status);
            Assert.Equal(changes, (await gateway.SendAsync(HttpMethod.Put, $"{Exceptions}/{id}", draft, roles)).Status);
            Assert.Equal(changes, (await gateway.SendAsync(HttpMethod.Post, $"{Exceptions}/{id}/end", draft, roles)).Status);
            Assert.Equal(changes, (await gateway.SendAsync(HttpMethod.Post, $"{Exceptions}/{id}/undo", draft, roles)).Status);
        }

        Assert.Equal(404, (await gateway.GetAsync("/api/v1/fields/other/exceptions")).Status);
        Assert.Equal(404, (await gateway.GetAsync($"/ops/v1/exceptions/{id}", Roles.Maintainer)).Status);
        Assert.Equal(404, (await gateway.SendAsync(HttpMethod.Post, $"/ops/v1/exceptions/{id}/end?fieldId=field", new { reason = "a" }, Roles.Maintainer)).Status);
        Assert.Equal("in-force", (string)(await gateway.GetAsync($"{Exceptions}/{id}")).Body!["present"]!["state"]!);
        Assert.Equal(403, (await gateway.GetAsync("/ops/v1/exceptions", Roles.Administrator)).Status);
    }

    [Fact]
    public async Task A_maintainer_allows_what_concerns_the_gateway_as_a_whole_by_the_address_of_a_sender()
    {
        await using var gateway = await StartAsync();
        static IEnumerable<GatewayEvent> Attempts(int minute, string source) => Enumerable.Range(0, 10).Select(_ => Lab.Refusal(Lab.Start.AddMinutes(minute), RefusalReasons.Unregistered, null, source));
        gateway.Feed.Append(Attempts(0, "203.0.113.5"));
        await gateway.DoneAsync();
        var finding = Assert.Single((await gateway.GetAsync("/ops/v1/detections", Roles.Maintainer)).Body!["items"]!.AsArray())!;
        var draft = new { kind = "learn", condition = (string)finding["conditionKey"]!, scope = "source", subject = "203.0.113.5", reason = "our own scanner" };
        Assert.Equal(1, (int)(await gateway.SendAsync(HttpMethod.Post, "/ops/v1/exceptions/preview", draft, Roles.Maintainer)).Body!["removed"]!);
        Assert.Equal(201, (await gateway.SendAsync(HttpMethod.Post, "/ops/v1/exceptions", draft, Roles.Maintainer)).Status);
        gateway.Feed.Append([.. Attempts(600, "203.0.113.5"), .. Attempts(601, "203.0.113.6")]);
        await gateway.DoneAsync();
        Assert.Equal(["203.0.113.6", "203.0.113.5"], (await gateway.GetAsync("/ops/v1/detections", Roles.Maintainer)).Body!["items"]!.AsArray().Select(i => (string)i!["scopeKey"]!));
        Assert.Empty((await gateway.GetAsync(Exceptions)).Body!["items"]!.AsArray());
    }

    [Fact]
    public async Task After_an_allowed_claim_what_is_not_allowed_is_told_although_it_would_have_been_a_repetition()
    {
        await using var gateway = await StartAsync();
        await AddAsync(gateway, new { kind = "learn", condition = "size", group = "place:hall", reason = "a" });
        gateway.Feed.Append([Big("d1", 0) with { Place = "hall" }, Big("d1", 1) with { Place = "attic" }, Big("d1", 2) with { Place = "attic" }]);
        await gateway.DoneAsync();
        var told = Assert.Single((await gateway.GetAsync(Field + "/detections")).Body!["items"]!.AsArray())!;
        Assert.Equal(Lab.Start.AddMinutes(1), (DateTimeOffset)told["raisedAt"]!);
    }

    [Theory]
    [InlineData("""{"kind":"learn","subject":"d1"}""")]
    [InlineData("""{"kind":"learn","condition":"size"}""")]
    [InlineData("""{"kind":"learn","condition":"frequency","subject":"d2"}""")]
    [InlineData("""{"kind":"learn","group":"kind:lamp"}""")]
    [InlineData("""{"kind":"learn","condition":"malformed","group":"parent:hub"}""")]
    [InlineData("""{"kind":"learn","group":"place:hall"}""")]
    [InlineData("""{"kind":"learn","condition":"wrong-credentials","scope":"source"}""")]
    public async Task An_exception_removes_exactly_what_its_preview_said_and_ended_brings_all_of_it_back(string draft)
    {
        var events = Traffic(new Random(draft.Length)).ToList();
        var json = JsonNode.Parse(draft)!.AsObject();
        json["reason"] = "because";

        // Every run begins with two events, so that the same event has the same position, and so the same finding the same identifier.
        await using var without = await StartAsync();
        without.Feed.Append([Lab.Tick(Lab.Start), Lab.Tick(Lab.Start), .. events]);
        await without.DoneAsync();
        var told = await IdsAsync(without);
        var removed = (await without.SendAsync(HttpMethod.Post, Exceptions + "/preview", draft)).Body!["removedIds"]!.AsArray().Select(i => (string)i!).ToHashSet();
        Assert.NotEmpty(removed);

        await using var with = await StartAsync();
        Assert.Equal(201, (await with.SendAsync(HttpMethod.Post, Exceptions, json.ToJsonString())).Status);
        with.Feed.Append([Lab.Tick(Lab.Start), .. events]);
        await with.DoneAsync();
        Assert.Equal(told.Where(i => !removed.Contains(i)), await IdsAsync(with));

        await using var ended = await StartAsync();
        var id = (string)(await ended.SendAsync(HttpMethod.Post, Exceptions, json.ToJsonString())).Body!["id"]!;
        Assert.Equal(200, (await ended.SendAsync(HttpMethod.Post, $"{Exceptions}/{id}/end", new { reason = "back" })).Status);
        ended.Feed.Append(events);
        await ended.DoneAsync();
        Assert.Equal(told, await IdsAsync(ended));
    }

    private static async Task<TestGateway> StartAsync(Dialect dialect = Dialect.Sqlite)
    {
        var gateway = await TestGateway.StartAsync(dialect);
        gateway.Directory.SetDevice("d1", name: "車載機 1", kind: "camera", parent: "hub");
        gateway.Directory.SetDevice("d2", kind: "lamp", parent: "hub");
        gateway.Directory.SetDevice("d3", kind: "lamp");
        Assert.Equal(200, (await gateway.SendAsync(HttpMethod.Put, Field + "/template", new { templateId = "smart-home" })).Status);
        return gateway;
    }

    private static MessageEvent Big(string device, int minute) => Lab.Message(Lab.Start.AddMinutes(minute), device, size: 300_000);

    private static IEnumerable<GatewayEvent> Traffic(Random random)
    {
        var at = Lab.Start;
        for (var i = 0; i < 600; i++)
        {
            at = at.AddSeconds(random.Next(1, 1200));
            var device = $"d{random.Next(1, 4)}";
            var place = device == "d1" ? "hall" : "attic";
            switch (random.Next(10))
            {
                case 0:
                    yield return Lab.Message(at, device, size: 300_000) with { Place = place };
                    break;
                case 1:
                    yield return Lab.Refusal(at, RefusalReasons.Malformed, device);
                    break;
                case 2:
                    foreach (var burst in Enumerable.Range(0, 40))
                    {
                        yield return Lab.Message(at.AddMilliseconds(burst * 100), device) with { Place = place };
                    }

                    at = at.AddSeconds(5);
                    break;
                case 3:
                    yield return Lab.Refusal(at, RefusalReasons.Unregistered, device, "192.0.2." + device[1..], count: 8);
                    break;
                default:
                    yield return Lab.Message(at, device) with { Place = place };
                    break;
            }
        }
    }

    private static async Task<string> AddAsync(TestGateway gateway, object draft)
    {
        var (status, body) = await gateway.SendAsync(HttpMethod.Post, Exceptions, draft);
        Assert.Equal(201, status);
        return (string)body!["id"]!;
    }

    private static async Task<List<string>> DevicesAsync(TestGateway gateway) => [.. (await gateway.GetAsync(Field + "/detections")).Body!["items"]!.AsArray().Select(i => (string)i!["deviceId"]!)];

    private static async Task<List<string>> IdsAsync(TestGateway gateway)
    {
        var page = (await gateway.GetAsync(Field + "/detections?limit=500")).Body!;
        Assert.Null(page["next"]);
        return [.. page["items"]!.AsArray().Select(i => (string)i!["id"]!)];
    }

    private static async Task<(long, DateTimeOffset)> AllowedAsync(TestGateway gateway, string id)
    {
        var present = (await gateway.GetAsync($"{Exceptions}/{id}")).Body!["present"]!;
        return ((long)present["allowed"]!, (DateTimeOffset)present["lastAllowedAt"]!);
    }
}
