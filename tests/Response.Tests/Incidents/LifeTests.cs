using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Dapper;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Incidents;
using Sekisho.Response.Leases;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Incidents;

/// <summary>What people do with incidents, through the routes, until the device is in its normal state again.</summary>
public class LifeTests
{
    private const string One = "d000000000000001";
    private const string Two = "d000000000000002";
    private const string Path = "/api/v1/fields/cars/incidents";

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_whole_life_ends_in_the_normal_state_of_the_device_and_the_label_reaches_every_finding(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        host.Bind(TestHost.Always("suspend-authentication"));
        host.Commit(host.Finding("f1", risk: Risks.Takeover, level: Levels.Critical), host.Finding("f2", condition: "file-type", risk: Risks.Takeover));
        await host.Worker.DrainAsync();
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf(One));

        using var hanako = host.Client(Roles.Responder, "hanako");
        var listed = await GetAsync(hanako, Path + "?state=open&overdue=true");
        Assert.Empty(listed.GetProperty("items").EnumerateArray());
        host.Clock.Advance(TimeSpan.FromHours(2));
        var found = Assert.Single((await GetAsync(hanako, Path + "?state=open&overdue=true&level=critical&device=" + One)).GetProperty("items").EnumerateArray());
        var id = found.GetProperty("id").GetString()!;
        Assert.True(found.GetProperty("isOverdue").GetBoolean());
        Assert.Equal("車両 1 (d000000000000001): frequency, and 1 more", found.GetProperty("title").GetString());

        var assigned = await PostAsync(hanako, id, "assign", new { assignee = "hanako", note = "mine" });
        Assert.Equal("in-hand", State(assigned));
        await host.Get<IncidentWorker>().DrainAsync(default);
        Assert.Equal(["acknowledged", "acknowledged"], host.World.Labels.Values.Select(l => l.Label));
        Assert.Single((await GetAsync(hanako, Path + "?assignee=Hanako")).GetProperty("items").EnumerateArray());
        Assert.Empty((await GetAsync(hanako, Path + "?assignee=taro")).GetProperty("items").EnumerateArray());

        var due = host.Time.GetUtcNow().AddDays(1);
        var later = await PostAsync(hanako, id, "due", new { due = due.ToString("yyyy-MM-ddTHH:mm:sszzz", CultureInfo.InvariantCulture), note = "parts come tomorrow" });
        Assert.Equal(due, later.GetProperty("incident").GetProperty("dueAt").GetDateTimeOffset(), TimeSpan.FromSeconds(1));
        Assert.Equal("warning", (await PostAsync(hanako, id, "level", new { level = "warning", note = "a spare one drives" })).GetProperty("incident").GetProperty("level").GetString());
        await PostAsync(hanako, id, "comment", new { note = "Called the owner.\nNo answer." });
        await PostAsync(hanako, id, "hand-over", new { to = "taro", note = "Owner calls back at ten." });

        // Nobody decided on the lock yet.
        var refused = await PostAsync(hanako, id, "close", new { @as = "incident", note = "x" }, HttpStatusCode.Conflict);
        Assert.Contains("incident-held", refused.GetProperty("type").GetString(), StringComparison.Ordinal);
        Assert.Equal(One, refused.GetProperty("faults")[0].GetProperty("place").GetString());

        using var taro = host.Client(Roles.Administrator, "taro");
        await PostAsync(taro, id, "recovery", new { step = "clean", note = "x" }, HttpStatusCode.Conflict);
        Assert.Equal("recovering", State(await PostAsync(taro, id, "recovery", new { step = "check", note = "a foreign account" })));
        await PostAsync(taro, id, "recovery", new { step = "clean", note = "removed it" });
        await PostAsync(taro, id, "recovery", new { step = "restore", skip = true, note = "settings were untouched" });
        var released = await PostAsync(taro, id, "recovery", new { step = "release", note = "checked on the bench" });
        Assert.Equal(LifecycleStates.Active, host.World.StateOf(One));
        Assert.NotEqual(JsonValueKind.Null, released.GetProperty("incident").GetProperty("recoveredAt").ValueKind);
        Assert.Equal(["done", "done", "skipped", "done"], released.GetProperty("incident").GetProperty("recovery").EnumerateArray().Select(s => s.GetProperty("state").GetString()));
        Assert.All(await host.LeasesAsync(), l => Assert.Equal((LeaseStates.Undone, "taro", "checked on the bench"), (l.State, l.Details.Actor, l.Details.Reason)));

        var closed = await PostAsync(taro, id, "close", new { @as = "incident", note = "a stolen password" });
        Assert.Equal("closed", State(closed));
        await host.Get<IncidentWorker>().DrainAsync(default);
        Assert.All(host.World.Labels.Values, l => Assert.Equal(("incident", "a stolen password", "taro"), l));
        Assert.False((await GetAsync(taro, $"{Path}/{id}")).GetProperty("incident").GetProperty("isLabelling").GetBoolean());
        await PostAsync(taro, id, "close", new { @as = "incident", note = "again" }, HttpStatusCode.Conflict);

        var kinds = (await GetAsync(taro, $"{Path}/{id}")).GetProperty("timeline").EnumerateArray().Select(l => l.GetProperty("kind").GetString()).ToList();
        string[] wanted = ["opened", "finding", "response-ordered", "assigned", "due", "level", "comment", "hand-over", "step", "skipped", "response-undo-asked", "response-undone", "recovered", "closed"];
        Assert.Empty(wanted.Except(kinds!));
        Assert.Equal(["incident.assign", "incident.due", "incident.level"], host.World.Audited.Select(a => a.Action).Distinct().Take(3));
        var history = await host.Store.Databases.State.ReadAsync(c => c.QueryAsync<string>("SELECT subject FROM test_history WHERE what = 'incident' AND kind = 'response' ORDER BY seq"));
        Assert.Equal($"{id} closed", history.Last());
        Assert.Equal(12, history.Count());
    }

    [Fact]
    public async Task A_release_says_what_still_holds_a_device_and_ends_by_itself_when_nothing_does()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("suspend-authentication"));
        host.Commit(host.Finding("f1", risk: Risks.Takeover), host.Finding("f2", Two, risk: Risks.Takeover));
        await host.Worker.DrainAsync();
        using var client = host.Client(Roles.Administrator, "hanako");
        var locked = await client.PostAsJsonAsync("/api/v1/fields/cars/emergencies", new { kind = "recorder", reason = "all of them" });
        Assert.Equal(HttpStatusCode.Created, locked.StatusCode);
        var emergency = (await locked.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString();
        await host.Worker.DrainAsync();
        var id = await OnlyAsync(host);
        await SkipToReleaseAsync(client, id);

        // A lock-down is not released from here: those who may do that, do it there.
        var release = await PostAsync(client, id, "recovery", new { step = "release", note = "both are well" }, HttpStatusCode.Accepted);
        Assert.Equal("going-on", release.GetProperty("incident").GetProperty("recovery")[3].GetProperty("state").GetString());
        Assert.All(release.GetProperty("devices").EnumerateArray(), d => Assert.False(d.GetProperty("isNormal").GetBoolean()));
        Assert.Contains("suspension of authentication", release.GetProperty("devices")[0].GetProperty("holds").GetString(), StringComparison.Ordinal);
        Assert.Equal(2, (await host.LeasesAsync()).Count(l => l.State == LeaseStates.Undone));
        await PostAsync(client, id, "close", new { @as = "incident", note = "x" }, HttpStatusCode.Conflict);
        await host.Get<IncidentWorker>().DrainAsync(default);
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf(One));

        Assert.True((await client.PostAsJsonAsync($"/api/v1/fields/cars/emergencies/{emergency}/release", new { reason = "over" })).IsSuccessStatusCode);
        await host.Worker.DrainAsync();
        await host.Get<IncidentWorker>().DrainAsync(default);
        var over = await GetAsync(client, $"{Path}/{id}");
        Assert.NotEqual(JsonValueKind.Null, over.GetProperty("incident").GetProperty("recoveredAt").ValueKind);
        Assert.Equal("closed", State(await PostAsync(client, id, "close", new { @as = "incident", note = "done" })));
    }

    [Fact]
    public async Task A_device_that_a_person_locked_is_not_normal_and_the_answer_says_so()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Commit(host.Finding("f1"));
        host.World.SetState(One, LifecycleStates.Stray);
        using var client = host.Client(Roles.Responder);
        var id = await OnlyAsync(host);
        await SkipToReleaseAsync(client, id);
        var release = await PostAsync(client, id, "recovery", new { step = "release", note = "x" }, HttpStatusCode.Accepted);
        Assert.Contains("No response of the gateway holds it", release.GetProperty("devices")[0].GetProperty("holds").GetString(), StringComparison.Ordinal);
        host.World.SetState(One, LifecycleStates.Active);
        await host.Get<IncidentWorker>().DrainAsync(default);
        Assert.NotNull((await FindAsync(host, id)).RecoveredAt);

        // What comes after that is recovered from anew.
        host.Commit(host.Finding("f2"));
        var again = await FindAsync(host, id);
        Assert.Equal((IncidentStates.Open, null, 0), (again.State, again.RecoveredAt, again.Details.Recovery.Count));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_gateway_that_was_killed_while_it_handed_labels_on_or_released_goes_on_where_it_was(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        host.Bind(TestHost.Always("suspend-authentication"));
        host.Commit([.. Enumerable.Range(0, 450).Select(i => host.Finding($"f{i}", risk: Risks.Takeover))]);
        await host.Worker.DrainAsync();
        var id = await OnlyAsync(host);
        host.World.OnRelease = _ => throw new IOException("killed");
        using (var client = host.Client(Roles.Responder, "hanako"))
        {
            await SkipToReleaseAsync(client, id);
            await PostAsync(client, id, "recovery", new { step = "release", note = "well again" }, HttpStatusCode.Accepted);
        }

        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf(One));
        host.World.OnRelease = _ => Task.CompletedTask;
        await host.RestartAfterKillAsync();
        host.Clock.Advance(TimeSpan.FromHours(1));
        await host.Worker.DrainAsync();
        await host.Get<IncidentWorker>().DrainAsync(default);
        Assert.NotNull((await FindAsync(host, id)).RecoveredAt);

        // The label reached some of the findings when it ended.
        var calls = 0;
        host.World.OnLabel = _ =>
        {
            if (++calls > 1)
            {
                throw new IOException("killed");
            }
        };
        using (var client = host.Client(Roles.Responder, "hanako"))
        {
            await PostAsync(client, id, "close", new { @as = "false-alarm", note = "a test drive" });
        }

        await Assert.ThrowsAsync<IOException>(() => host.Get<IncidentWorker>().DrainAsync(default));
        Assert.InRange(host.World.Labels.Count, 1, 449);
        host.World.OnLabel = _ => { };
        await host.RestartAfterKillAsync();
        await host.Get<IncidentWorker>().DrainAsync(default);
        Assert.Equal(450, host.World.Labels.Count);
        Assert.All(host.World.Labels.Values, l => Assert.Equal(("false-alarm", "a test drive", "hanako"), l));
        Assert.Equal("", (await FindAsync(host, id)).Label);
    }

    [Fact]
    public async Task What_comes_over_a_device_while_its_release_goes_on_is_released_by_the_same_step()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("suspend-authentication"));
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        host.World.OnRelease = _ => throw new IOException("not now");
        using var client = host.Client(Roles.Responder);
        var id = await OnlyAsync(host);
        await SkipToReleaseAsync(client, id);
        await PostAsync(client, id, "recovery", new { step = "release", note = "clean" }, HttpStatusCode.Accepted);
        host.Clock.Advance(TimeSpan.FromMinutes(1));
        host.Commit(host.Finding("f2"));
        host.World.OnRelease = _ => Task.CompletedTask;
        host.Clock.Advance(TimeSpan.FromHours(1));
        await host.Worker.DrainAsync();
        await host.Get<IncidentWorker>().DrainAsync(default);
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf(One));
        await PostAsync(client, id, "recovery", new { step = "restore", note = "x" }, HttpStatusCode.Conflict);

        await PostAsync(client, id, "recovery", new { step = "release", note = "clean again" });
        Assert.Equal(LifecycleStates.Active, host.World.StateOf(One));
        var incident = await FindAsync(host, id);
        Assert.NotNull(incident.RecoveredAt);
        Assert.Equal(["check", "clean", "restore", "release"], incident.Details.Recovery.Select(s => s.Step));
        await PostAsync(client, id, "recovery", new { step = "release", note = "once more" }, HttpStatusCode.Conflict);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_release_undoes_also_what_came_into_force_and_counts_as_failed(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect, TestHost.QuickRetries);
        host.Bind(TestHost.Always("suspend-authentication"));
        host.World.AfterLock = (_, _) => throw new IOException("no answer");
        host.Commit(host.Finding("f1"));
        Assert.Equal((LeaseStates.Failed, LifecycleStates.Abnormal), ((await host.UseUpTriesAsync()).State, host.World.StateOf(One)));
        using var client = host.Client(Roles.Responder);
        var id = await OnlyAsync(host);
        await SkipToReleaseAsync(client, id);
        await PostAsync(client, id, "recovery", new { step = "release", note = "clean" });
        Assert.Equal((LeaseStates.Undone, LifecycleStates.Active), ((await host.OnlyLeaseAsync()).State, host.World.StateOf(One)));
    }

    [Fact]
    public async Task A_device_that_never_authenticated_is_normal_when_nothing_is_in_force_on_it()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Commit(host.Finding("f1"));
        host.World.SetState(One, LifecycleStates.Registered);
        using var client = host.Client(Roles.Responder);
        var id = await OnlyAsync(host);
        await SkipToReleaseAsync(client, id);
        await PostAsync(client, id, "recovery", new { step = "release", note = "clean" });
        Assert.NotNull((await FindAsync(host, id)).RecoveredAt);
    }

    [Fact]
    public async Task A_false_alarm_says_where_to_keep_the_like_quiet_and_needs_a_reason()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Commit(host.Finding("f1"), host.Finding("f2", condition: "file-type"));
        using var client = host.Client(Roles.Responder);
        var id = await OnlyAsync(host);
        await PostAsync(client, id, "close", new { @as = "false-alarm" }, HttpStatusCode.UnprocessableEntity);
        var closed = await PostAsync(client, id, "close", new { @as = "false-alarm", note = "a trial run" });
        Assert.Equal(["/api/v1/fields/cars/detections/f1/offers", "/api/v1/fields/cars/detections/f2/offers"], closed.GetProperty("offers").EnumerateArray().Select(o => o.GetProperty("href").GetString()));
        Assert.Equal("open", State(await PostAsync(client, id, "reopen", new { note = "it was none" })));
    }

    [Fact]
    public async Task A_finding_above_what_a_person_judged_raises_the_level_again()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Commit(host.Finding("f1", level: Levels.Warning));
        using var client = host.Client(Roles.Responder);
        var id = await OnlyAsync(host);
        await PostAsync(client, id, "level", new { level = "information", note = "known" });
        host.Commit(host.Finding("f2", level: Levels.Warning));
        Assert.Equal(Levels.Information, (await FindAsync(host, id)).Level);
        host.Commit(host.Finding("f3", level: Levels.Important));
        Assert.Equal(Levels.Important, (await FindAsync(host, id)).Level);
    }

    [Theory]
    [InlineData("assign", """{"assignee":""}""", "/assignee")]
    [InlineData("due", """{"due":"2020-01-01T00:00:00Z","note":"x"}""", "/due")]
    [InlineData("due", """{"due":"tomorrow","note":"x"}""", "/due")]
    [InlineData("level", """{"level":"huge","note":"x"}""", "/level")]
    [InlineData("comment", """{"note":" "}""", "/note")]
    [InlineData("close", """{"as":"retracted","note":"x"}""", "/as")]
    [InlineData("recovery", """{"step":"pray","note":"x"}""", "/step")]
    public async Task A_fault_is_named_and_changes_nothing(string verb, string body, string place)
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Commit(host.Finding("f1"));
        using var client = host.Client(Roles.Responder);
        var id = await OnlyAsync(host);
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        var answer = await client.PostAsync($"{Path}/{id}/{verb}", content);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Contains($"\"{place}\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(0, (await FindAsync(host, id)).Version);
    }

    [Fact]
    public async Task Another_fields_incident_does_not_exist_here_and_an_auditor_only_reads()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Commit(host.Finding("f1"), host.Finding("g1", null, field: null, condition: "attempts"));
        var id = await OnlyAsync(host);
        using var foreign = host.Client(Roles.Administrator, field: "homes");
        Assert.Equal(HttpStatusCode.NotFound, (await foreign.GetAsync($"/api/v1/fields/homes/incidents/{id}")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await foreign.GetAsync($"/api/v1/fields/homes/incidents/{id}/report.html")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await foreign.PostAsJsonAsync($"/api/v1/fields/homes/incidents/{id}/comment", new { note = "x" })).StatusCode);
        using var auditor = host.Client(Roles.Auditor);
        Assert.Equal(HttpStatusCode.OK, (await auditor.GetAsync($"{Path}/{id}/report")).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await auditor.PostAsJsonAsync($"{Path}/{id}/comment", new { note = "x" })).StatusCode);
        using var maintainer = host.Client(Roles.Maintainer);
        Assert.Single((await GetAsync(maintainer, "/ops/v1/incidents")).GetProperty("items").EnumerateArray());
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await auditor.GetAsync(Path + "?state=lost&limit=x&after=y")).StatusCode);
    }

    [Fact]
    public async Task Pages_of_the_list_hold_every_incident_once()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Commit([.. Enumerable.Range(0, 25).Select(i => host.Finding($"f{i}", $"d{i:d15}", condition: $"c{i}"))]);
        using var client = host.Client(Roles.Auditor);
        var seen = new List<string>();
        string? after = null;
        do
        {
            var page = await GetAsync(client, $"{Path}?limit=10{(after is null ? "" : "&after=" + after)}");
            seen.AddRange(page.GetProperty("items").EnumerateArray().Select(i => i.GetProperty("id").GetString()!));
            after = page.GetProperty("next").GetString();
        }
        while (after is not null);
        Assert.Equal((25, 25), (seen.Count, seen.Distinct().Count()));
    }

    [Fact]
    public async Task Nothing_that_names_people_can_be_read_in_the_store()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Commit(host.Finding("f1", null, condition: "attempts") with { ScopeKey = "subject-in-clear" }, host.Finding("f2"));
        using var client = host.Client(Roles.Responder, "hanako-in-clear");
        var id = (await host.Get<IncidentStore>().ListAsync(new IncidentFilter("cars", 10) { DeviceId = One }, default))[0].Id;
        await PostAsync(client, id, "assign", new { assignee = "hanako-in-clear", note = "note-in-clear" });
        await PostAsync(client, id, "hand-over", new { note = "note-in-clear" });
        await PostAsync(client, id, "recovery", new { step = "check", note = "note-in-clear" });
        await PostAsync(client, id, "close", new { @as = "change", note = "note-in-clear" });
        await host.Get<IncidentWorker>().DrainAsync(default);
        await host.StopAppAsync();
        await host.Store.ReopenAsync();
        foreach (var file in Directory.GetFiles(host.Store.Folder))
        {
            Assert.DoesNotContain("in-clear", Encoding.UTF8.GetString(await File.ReadAllBytesAsync(file)), StringComparison.Ordinal);
        }

        await host.RestartAfterKillAsync();
    }

    private static async Task SkipToReleaseAsync(HttpClient client, string id)
    {
        foreach (var step in RecoverySteps.All.SkipLast(1))
        {
            await PostAsync(client, id, "recovery", new { step, skip = true, note = "not needed" });
        }
    }

    private static async Task<string> OnlyAsync(TestHost host) => Assert.Single(await host.Get<IncidentStore>().ListAsync(new IncidentFilter("cars", 10), default)).Id;

    private static async Task<Incident> FindAsync(TestHost host, string id) => (await host.Get<IncidentStore>().FindAsync("cars", id, default))!;

    private static string State(JsonElement full) => full.GetProperty("incident").GetProperty("state").GetString()!;

    private static async Task<JsonElement> GetAsync(HttpClient client, string path)
    {
        var answer = await client.GetAsync(path);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private static async Task<JsonElement> PostAsync(HttpClient client, string id, string verb, object body, HttpStatusCode expected = HttpStatusCode.OK)
    {
        var answer = await client.PostAsJsonAsync($"{Path}/{id}/{verb}", body);
        Assert.True(answer.StatusCode == expected, $"{verb}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }
}
