using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Sekisho.Api.Access;
using Sekisho.Domain.Devices;
using Sekisho.Response.Leases;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Queue;

public class LeaseRoutesTests
{
    private const string Base = "/api/v1/fields/cars/responses";

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Two_persons_have_to_agree_and_the_same_one_twice_is_refused(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        host.Bind(TestHost.Always("suspend-authentication", "two-persons"));
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        var id = (await host.OnlyLeaseAsync()).Id;
        using var sato = host.Client(Roles.Responder, "sato");
        using var suzuki = host.Client(Roles.Administrator, "suzuki");

        Assert.Equal("waiting-approval", await StateAsync(await DecideAsync(sato, id, "approve")));
        var twice = await DecideAsync(sato, id, "approve");
        Assert.Equal((HttpStatusCode.Conflict, "urn:sekisho:problem:response-same-person"), (twice.StatusCode, await TypeAsync(twice)));
        await host.Worker.DrainAsync();
        Assert.Equal(LifecycleStates.Active, host.World.StateOf("d000000000000001"));
        var second = await DecideAsync(suzuki, id, "approve");
        Assert.Equal("due", await StateAsync(second));
        await host.Worker.DrainAsync();
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf("d000000000000001"));
        Assert.Equal(["sato", "suzuki"], (await host.OnlyLeaseAsync()).Details.Approvals.Select(a => a.By));
    }

    [Fact]
    public async Task One_person_is_enough_where_one_is_asked_for_and_a_refused_response_is_never_done()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("suspend-authentication", "one-person"));
        host.Commit(host.Finding("f1"), host.Finding("f2", "d000000000000002"));
        var leases = (await host.LeasesAsync()).ToDictionary(l => l.FindingId!, l => l.Id);
        using var client = host.Client(Roles.Responder, "sato");
        Assert.Equal("due", await StateAsync(await DecideAsync(client, leases["f1"], "approve")));
        Assert.Equal("refused", await StateAsync(await DecideAsync(client, leases["f2"], "refuse")));
        await host.Worker.DrainAsync();
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf("d000000000000001"));
        Assert.Equal(LifecycleStates.Active, host.World.StateOf("d000000000000002"));
        foreach (var verb in new[] { "approve", "refuse", "undo" })
        {
            var late = await DecideAsync(client, leases["f2"], verb);
            Assert.Equal((HttpStatusCode.Conflict, "urn:sekisho:problem:response-state"), (late.StatusCode, await TypeAsync(late)));
            Assert.Contains("'not done'", await late.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_mail_cannot_be_undone_and_the_answer_says_so()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("mail"));
        host.Commit(host.Finding("f1"));
        using var client = host.Client(Roles.Responder);
        client.DefaultRequestHeaders.AcceptLanguage.ParseAdd("ja");
        var answer = await DecideAsync(client, (await host.OnlyLeaseAsync()).Id, "undo");
        Assert.Equal("urn:sekisho:problem:response-cannot-undo", await TypeAsync(answer));
        Assert.Contains("「関係者全員へのメール」", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_response_that_failed_is_tried_again_by_hand_and_its_lock_is_still_its_own(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect, TestHost.QuickRetries);
        host.Bind(TestHost.Always("suspend-authentication"));

        // Each try locks the device and fails before it can say so.
        host.World.AfterLock = (_, _) => throw new InvalidOperationException("no");
        host.Commit(host.Finding("f1"));
        var failed = await host.UseUpTriesAsync();
        Assert.Equal((LeaseStates.Failed, LeaseCauses.TriesUsedUp), (failed.State, failed.Details.Cause));
        using var client = host.Client(Roles.Responder, "sato");
        Assert.True((await client.GetFromJsonAsync<JsonElement>($"{Base}/{failed.Id}")).GetProperty("canRetry").GetBoolean());

        host.World.AfterLock = (_, _) => Task.CompletedTask;
        Assert.Equal("due", await StateAsync(await DecideAsync(client, failed.Id, "retry")));
        await host.Worker.DrainAsync();
        var done = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Done, true, null), (done.State, done.Held, done.Details.Cause));
        Assert.Contains(host.World.Audited, a => (a.Actor, a.Action, a.Outcome) == ("sato", "response.retry", "asked"));
        var again = await DecideAsync(client, failed.Id, "retry");
        Assert.Equal((HttpStatusCode.Conflict, "urn:sekisho:problem:response-state"), (again.StatusCode, await TypeAsync(again)));

        Assert.Equal("undone", await StateAsync(await DecideAsync(client, failed.Id, "undo")));
        Assert.Equal(LifecycleStates.Active, host.World.StateOf("d000000000000001"));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_response_that_failed_after_it_came_into_force_is_undone(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect, TestHost.QuickRetries);
        host.Bind(TestHost.Always("suspend-authentication"));
        host.World.AfterLock = (_, _) => throw new InvalidOperationException("no");
        host.Commit(host.Finding("f1"));
        var failed = await host.UseUpTriesAsync();
        Assert.Equal((LeaseStates.Failed, LifecycleStates.Abnormal), (failed.State, host.World.StateOf("d000000000000001")));
        using var client = host.Client(Roles.Responder, "sato");
        Assert.True((await client.GetFromJsonAsync<JsonElement>($"{Base}/{failed.Id}")).GetProperty("canUndo").GetBoolean());
        Assert.Equal("undone", await StateAsync(await DecideAsync(client, failed.Id, "undo")));
        Assert.Equal(LifecycleStates.Active, host.World.StateOf("d000000000000001"));
        Assert.False((await client.GetFromJsonAsync<JsonElement>($"{Base}/{failed.Id}")).GetProperty("canUndo").GetBoolean());
    }

    [Fact]
    public async Task What_was_refused_for_want_of_a_setting_is_tried_again_once_it_is_set_but_not_what_a_person_refused()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("webhook"));
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        var refused = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Refused, LeaseCauses.NoWebhook), (refused.State, refused.Details.Cause));
        await host.NotifyAsync([], receiver.Url);
        using var client = host.Client(Roles.Administrator);
        Assert.Equal("due", await StateAsync(await DecideAsync(client, refused.Id, "retry")));
        await host.Worker.DrainAsync();
        Assert.Equal(LeaseStates.Done, (await host.OnlyLeaseAsync()).State);
        Assert.Single(receiver.Deliveries);

        host.Bind(TestHost.Always("webhook", "one-person"));
        host.Commit(host.Finding("f2"));
        var asked = (await host.LeasesAsync()).Single(l => l.FindingId == "f2").Id;
        Assert.Equal("refused", await StateAsync(await DecideAsync(client, asked, "refuse")));
        Assert.Equal(HttpStatusCode.Conflict, (await DecideAsync(client, asked, "retry")).StatusCode);
    }

    [Theory]
    [InlineData(Roles.Auditor, "cars", false, "", HttpStatusCode.Forbidden)]
    [InlineData(Roles.Maintainer, "*", false, "", HttpStatusCode.Forbidden)]
    [InlineData(Roles.Administrator, "homes", false, "", HttpStatusCode.NotFound)]
    [InlineData(Roles.Administrator, "cars", true, "responses:read", HttpStatusCode.Forbidden)]
    public async Task Nobody_has_a_response_tried_again_who_may_not(string role, string field, bool key, string scopes, HttpStatusCode expected)
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("webhook"));
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        using var client = host.Client(role, field: field, key: key, scopes: scopes);
        Assert.Equal(expected, (await DecideAsync(client, (await host.OnlyLeaseAsync()).Id, "retry")).StatusCode);
        Assert.Equal(LeaseStates.Refused, (await host.OnlyLeaseAsync()).State);
    }

    [Theory]
    [InlineData(Roles.Auditor, "cars", false, "", HttpStatusCode.Forbidden)]
    [InlineData(Roles.Maintainer, "*", false, "", HttpStatusCode.Forbidden)]
    [InlineData(Roles.Administrator, "homes", false, "", HttpStatusCode.NotFound)]
    [InlineData(Roles.Administrator, "cars", true, "responses:write", HttpStatusCode.Forbidden)]
    public async Task Nobody_decides_who_may_not(string role, string field, bool key, string scopes, HttpStatusCode expected)
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("suspend-authentication", "one-person"));
        host.Commit(host.Finding("f1"));
        using var client = host.Client(role, field: field, key: key, scopes: scopes);
        foreach (var verb in new[] { "approve", "refuse" })
        {
            Assert.Equal(expected, (await DecideAsync(client, (await host.OnlyLeaseAsync()).Id, verb)).StatusCode);
        }

        Assert.Equal(LeaseStates.WaitingApproval, (await host.OnlyLeaseAsync()).State);
        Assert.All(host.World.Audited, a => Assert.Equal("refused", a.Outcome));
        using var nobody = new HttpClient { BaseAddress = client.BaseAddress };
        Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.GetAsync(Base)).StatusCode);
    }

    [Fact]
    public async Task A_lease_of_another_field_does_not_exist_there()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("suspend-authentication"));
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        var id = (await host.OnlyLeaseAsync()).Id;
        using var homes = host.Client(Roles.Administrator, field: "homes");
        Assert.Equal(HttpStatusCode.NotFound, (await homes.GetAsync($"/api/v1/fields/homes/responses/{id}")).StatusCode);
        var undo = await homes.PostAsJsonAsync($"/api/v1/fields/homes/responses/{id}/undo", new { reason = "mine" });
        Assert.Equal(HttpStatusCode.NotFound, undo.StatusCode);
        using var maintainer = host.Client(Roles.Maintainer);
        Assert.Equal(HttpStatusCode.NotFound, (await maintainer.GetAsync($"/ops/v1/responses/{id}")).StatusCode);
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf("d000000000000001"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("two\nlines")]
    [InlineData(null)]
    public async Task A_decision_needs_a_reason_in_one_line(string? reason)
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("suspend-authentication"));
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        using var client = host.Client(Roles.Responder);
        client.DefaultRequestHeaders.AcceptLanguage.ParseAdd("ja");
        var answer = await client.PostAsJsonAsync($"{Base}/{(await host.OnlyLeaseAsync()).Id}/undo", new { reason });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Contains("理由", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(LeaseStates.Done, (await host.OnlyLeaseAsync()).State);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task The_list_pages_through_everything_once_newest_first_and_filters(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        host.Bind(TestHost.Always("webhook"));
        for (var i = 0; i < 4; i++)
        {
            host.Commit([.. Enumerable.Range(0, 3).Select(n => host.Finding($"f{i}{n}", $"d00000000000000{n + 1}"))]);
            host.Clock.Advance(TimeSpan.FromHours(1));
        }

        using var client = host.Client(Roles.Auditor);
        var (seen, next) = (new List<JsonElement>(), "");
        while (next is not null)
        {
            var page = await client.GetFromJsonAsync<JsonElement>($"{Base}?limit=5{(next.Length > 0 ? "&after=" + next : "")}");
            seen.AddRange(page.GetProperty("items").EnumerateArray());
            next = page.GetProperty("next").GetString();
        }

        Assert.Equal(12, seen.Select(l => l.GetProperty("id").GetString()).Distinct().Count());
        Assert.Equal(12, seen.Count);
        var times = seen.Select(l => l.GetProperty("createdAt").GetDateTimeOffset()).ToList();
        Assert.Equal(times.OrderDescending(), times);
        Assert.Equal(4, await CountAsync(client, "?device=d000000000000002"));
        Assert.Equal(6, await CountAsync(client, "?from=2026-04-01T10:00:00%2B09:00&to=2026-04-01T03:00:00Z"));
        Assert.Equal(12, await CountAsync(client, "?state=due"));
        Assert.Equal(0, await CountAsync(client, "?state=done"));
    }

    [Theory]
    [InlineData("state=everything")]
    [InlineData("from=yesterday")]
    [InlineData("to=2026-04-01T00:00:00")]
    [InlineData("after=nowhere")]
    [InlineData("limit=many")]
    [InlineData("device=';DROP")]
    public async Task A_query_that_means_nothing_is_answered_with_the_fault(string query)
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var client = host.Client(Roles.Auditor);
        var answer = await client.GetAsync($"{Base}?{query}");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        var faults = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("faults");
        Assert.Equal(query.Split('=')[0], faults[0].GetProperty("place").GetString());
    }

    [Fact]
    public async Task Responses_of_the_gateway_itself_are_the_maintainers()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.World.Bindings[""] = [TestHost.Always("mail")];
        host.Commit(host.Finding("f1", device: null, field: null));
        await host.Worker.DrainAsync();
        using var maintainer = host.Client(Roles.Maintainer);
        maintainer.DefaultRequestHeaders.AcceptLanguage.ParseAdd("ja");
        var page = await maintainer.GetFromJsonAsync<JsonElement>("/ops/v1/responses");
        var lease = page.GetProperty("items")[0];
        Assert.Equal("refused", lease.GetProperty("state").GetString());
        Assert.Contains("メールサーバー", lease.GetProperty("causeText").GetString(), StringComparison.Ordinal);
        using var administrator = host.Client(Roles.Administrator);
        Assert.Equal(HttpStatusCode.Forbidden, (await administrator.GetAsync("/ops/v1/responses")).StatusCode);
    }

    private static Task<HttpResponseMessage> DecideAsync(HttpClient client, string id, string verb) => client.PostAsJsonAsync($"{Base}/{id}/{verb}", new { reason = "checked" });

    private static async Task<int> CountAsync(HttpClient client, string query) =>
        (await client.GetFromJsonAsync<JsonElement>(Base + query)).GetProperty("items").GetArrayLength();

    private static async Task<string?> StateAsync(HttpResponseMessage answer) => (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("state").GetString();

    private static async Task<string?> TypeAsync(HttpResponseMessage answer) => (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("type").GetString();
}
