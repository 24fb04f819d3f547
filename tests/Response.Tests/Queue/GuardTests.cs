using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Leases;
using Sekisho.Response.Policies;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Queue;

/// <summary>How far responses go by themselves, and what needs a person.</summary>
public class GuardTests
{
    [Fact]
    public async Task What_is_still_under_way_counts_however_long_ago_it_was_ordered()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, [("Response:Guard:AtLeast", "1"), ("Response:Guard:Share", "0.01")]);
        host.Bind(TestHost.Always("order-stop"));
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        host.Clock.Leap(TimeSpan.FromMinutes(61));
        host.Commit(host.Finding("f2", "d000000000000002"));
        await host.Worker.DrainAsync();
        var leases = (await host.LeasesAsync()).ToDictionary(l => l.FindingId!);
        Assert.Equal((LeaseStates.Running, LeaseStates.WaitingApproval, LeaseCauses.BlastRadius), (leases["f1"].State, leases["f2"].State, leases["f2"].Details.Cause));

        // It comes into force after an hour: from then on it is the last hour's.
        host.Commands.Fetch();
        host.Commands.Settle(host.Commands.Open().Id, CommandStates.Done);
        host.Clock.Leap(TimeSpan.FromMinutes(2));
        await host.Worker.DrainAsync();
        host.Commit(host.Finding("f3", "d000000000000003"));
        await host.Worker.DrainAsync();
        Assert.Equal(LeaseCauses.BlastRadius, (await host.LeasesAsync()).Single(l => l.FindingId == "f3").Details.Cause);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_field_is_disturbed_up_to_its_share_and_the_rest_waits_for_a_person(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        host.Bind(TestHost.Always("suspend-authentication"));
        await host.NotifyAsync(["admin@example.jp"]);
        AddDevices(host, 50);

        // 53 devices, 10 %: five; in two batches, so that what was ordered before counts.
        host.Commit([.. Enumerable.Range(0, 4).Select(i => host.Finding($"f{i}", Device(i)))]);
        await host.Worker.DrainAsync();
        host.Commit([.. Enumerable.Range(4, 6).Select(i => host.Finding($"f{i}", Device(i)))]);
        await host.Worker.DrainAsync();

        var leases = (await host.LeasesAsync()).OrderBy(l => l.FindingId, StringComparer.Ordinal).ToList();
        Assert.Equal(5, leases.Count(l => l.State == LeaseStates.Done));
        var held = leases.Where(l => l.State == LeaseStates.WaitingApproval).ToList();
        Assert.Equal(5, held.Count);
        Assert.All(held, l => Assert.Equal((LeaseCauses.BlastRadius, Approvals.OnePerson), (l.Details.Cause, l.Approval)));
        Assert.All(held, l => Assert.Equal(LifecycleStates.Active, host.World.StateOf(l.DeviceId!)));

        var notice = Assert.Single(await host.NoticesAsync());
        Assert.Equal("guard", notice.Details.Notice!.Name);
        Assert.Equal("5", notice.Details.Notice.Values["allowed"]);

        // Another finding about a device that is disturbed already does not count, and an agreed one goes on.
        host.Commit(host.Finding("again", Device(0), condition: "size"));
        using var client = host.Client(Roles.Responder, "hanako");
        var agreed = await client.PostAsJsonAsync($"/api/v1/fields/cars/responses/{held[0].Id}/approve", new { reason = "seen" });
        Assert.Equal(HttpStatusCode.OK, agreed.StatusCode);
        await host.Worker.DrainAsync();
        Assert.Equal(LeaseStates.Done, (await host.LeasesAsync()).Single(l => l.FindingId == "again").State);
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf(held[0].DeviceId!));

        // An hour later there is room again.
        host.Clock.Advance(TimeSpan.FromMinutes(61));
        host.Commit(host.Finding("later", Device(20)));
        await host.Worker.DrainAsync();
        Assert.Equal(LeaseStates.Done, (await host.LeasesAsync()).Single(l => l.FindingId == "later").State);
    }

    [Fact]
    public async Task Ten_thousand_findings_in_a_minute_disturb_a_share_and_send_a_handful_of_mails()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await TestHost.StartAsync(
            Dialect.Sqlite, [("Response:Mail:Host", "127.0.0.1"), ("Response:Mail:Port", FormattableString.Invariant($"{smtp.Port}")), ("Response:Mail:From", "sekisho@example.jp"), ("Response:Mail:UseStartTls", "false")]);
        host.Bind(TestHost.Always("suspend-authentication"), TestHost.Always("mail"));
        await host.NotifyAsync(["admin@example.jp"]);
        AddDevices(host, 1000);
        var begun = TimeProvider.System.GetTimestamp();
        for (var batch = 0; batch < 20; batch++)
        {
            host.Commit([.. Enumerable.Range(0, 500).Select(i => host.Finding($"f{batch}-{i}", Device(((batch * 500) + i) % 1000)))]);
            host.Clock.Advance(TimeSpan.FromSeconds(3));
        }

        var ordered = TimeProvider.System.GetElapsedTime(begun);
        await host.Worker.DrainAsync();
        var done = TimeProvider.System.GetElapsedTime(begun);
        host.Clock.Advance(TimeSpan.FromHours(1));
        await host.Worker.DrainAsync();

        // A mail server on a busy machine may break a connection off: then the summary is tried again, as any mail, and why is said.
        for (var again = 0; again < 3 && (await host.LeasesAsync()).FirstOrDefault(l => l.Action == "mail" && l.State == LeaseStates.Due) is { } waits; again++)
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"tried again: {waits.Details.LastError}");
            host.Clock.Advance(TimeSpan.FromHours(1));
            await host.Worker.DrainAsync();
        }

        var told = TimeProvider.System.GetElapsedTime(begun);

        var leases = await host.LeasesAsync();
        var mails = smtp.Taken(2).Count;
        TestContext.Current.TestOutputHelper?.WriteLine(FormattableString.Invariant($"10,000 findings of 1,000 devices: {host.World.Devices.Values.Count(d => d.State == LifecycleStates.Abnormal)} devices locked out, {mails} mails; ordered after {ordered.TotalSeconds:0.0} s, done after {done.TotalSeconds:0.0} s, told after {told.TotalSeconds:0.0} s"));
        Assert.Equal(20_000, leases.Count);
        Assert.Equal(100, host.World.Devices.Values.Count(d => d.State == LifecycleStates.Abnormal));
        var mailed = leases.Where(l => l.Action == "mail").ToList();
        Assert.True(mailed.Count == 10_000 && mailed.All(l => l.State == LeaseStates.Done), string.Join("; ", mailed.Take(20_000).GroupBy(l => (l.State, l.Attempts, l.Details.Cause, l.Details.LastError, l.GroupKey, l.NextTryAt)).Select(g => $"{g.Count()} {g.Key}").Take(5)));
        Assert.InRange(mails, 1, 30);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_later_step_comes_only_when_nobody_has_the_detection_in_hand(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        host.Bind(TestHost.Always("suspend-authentication") with { After = TimeSpan.FromMinutes(10) });
        host.Commit(host.Finding("handled", "d000000000000001"), host.Finding("left", "d000000000000002"));
        await host.Worker.DrainAsync();
        Assert.All(await host.LeasesAsync(), l => Assert.Equal(LeaseStates.Planned, l.State));

        host.World.Handled["handled"] = true;
        host.Clock.Advance(TimeSpan.FromMinutes(10));
        await host.Worker.DrainAsync();

        var leases = (await host.LeasesAsync()).ToDictionary(l => l.FindingId!);
        Assert.Equal((LeaseStates.Refused, LeaseCauses.HandledInTime), (leases["handled"].State, leases["handled"].Details.Cause));
        Assert.Equal(LeaseStates.Done, leases["left"].State);
        Assert.Equal(LifecycleStates.Active, host.World.StateOf("d000000000000001"));
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf("d000000000000002"));
    }

    [Fact]
    public async Task The_guard_holds_later_steps_as_well()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("suspend-authentication") with { After = TimeSpan.FromMinutes(10) });
        AddDevices(host, 20);
        host.Commit([.. Enumerable.Range(0, 10).Select(i => host.Finding($"f{i}", Device(i)))]);
        host.Clock.Advance(TimeSpan.FromMinutes(10));
        await host.Worker.DrainAsync();

        var leases = await host.LeasesAsync();
        Assert.Equal(3, leases.Count(l => l.State == LeaseStates.Done));
        Assert.Equal(7, leases.Count(l => l.State == LeaseStates.WaitingApproval && l.Details.Cause == LeaseCauses.BlastRadius));
        Assert.Single(await host.NoticesAsync());
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task What_nobody_agrees_to_in_time_is_not_done_and_people_are_told(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        host.Bind(TestHost.Always("suspend-authentication", Approvals.OnePerson));
        host.Commit(host.Finding("f1"));
        host.Clock.Leap(TimeSpan.FromDays(1));
        await host.Worker.DrainAsync();

        var lease = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Expired, LeaseCauses.ApprovalRanOut), (lease.State, lease.Details.Cause));
        Assert.Equal(LifecycleStates.Active, host.World.StateOf("d000000000000001"));
        Assert.Equal(["approval-ran-out", "approval-waits"], (await host.NoticesAsync()).Select(n => n.Details.Notice!.Name).Order());

        using var client = host.Client(Roles.Responder);
        var late = await client.PostAsJsonAsync($"/api/v1/fields/cars/responses/{lease.Id}/approve", new { reason = "too late" });
        Assert.Equal(HttpStatusCode.Conflict, late.StatusCode);
    }

    [Theory]
    [InlineData(Risks.Theft, false)]
    [InlineData(Risks.Takeover, false)]
    [InlineData(Risks.Spoofing, true)]
    public async Task The_time_of_a_lock_out_only_reminds_people_and_the_time_of_a_restriction_ends_it(string risk, bool ends)
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("suspend-authentication"));
        host.Commit(host.Finding("f1", risk: risk));
        await host.Worker.DrainAsync();
        for (var day = 0; day < 3; day++)
        {
            host.Clock.Leap(TimeSpan.FromDays(1));
            await host.Worker.DrainAsync();
        }

        var lease = await host.OnlyLeaseAsync();
        Assert.Equal(ends ? LeaseStates.Expired : LeaseStates.Done, lease.State);
        Assert.Equal(ends ? LifecycleStates.Active : LifecycleStates.Abnormal, host.World.StateOf("d000000000000001"));
        Assert.Equal(ends ? 0 : 3, (await host.NoticesAsync()).Count(n => n.Details.Notice!.Name == "still-locked"));

        // A clock that leaps by a year neither releases a lock-out.
        host.Clock.Leap(TimeSpan.FromDays(365));
        await host.Worker.DrainAsync();
        Assert.Equal(ends ? LifecycleStates.Active : LifecycleStates.Abnormal, host.World.StateOf("d000000000000001"));
    }

    [Fact]
    public async Task A_preview_says_what_would_happen_who_has_to_agree_and_when_it_ends_and_does_nothing()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Commit(host.Finding("f1", risk: Risks.Spoofing), host.Finding("f2", device: null), host.Finding("f3", risk: Risks.Theft));
        using var client = host.Client(Roles.Responder);
        client.DefaultRequestHeaders.Add("Accept-Language", "en");

        var spoofing = await PreviewAsync(client, "f1", "suspend-authentication");
        Assert.Contains("could not authenticate any more", spoofing.GetProperty("sentences")[0].GetString(), StringComparison.Ordinal);
        Assert.Equal(0, spoofing.GetProperty("persons").GetInt32());
        Assert.Equal(host.Time.GetUtcNow().AddDays(1), spoofing.GetProperty("endsAt").GetDateTimeOffset());
        Assert.Equal(JsonValueKind.Null, (await PreviewAsync(client, "f3", "suspend-authentication")).GetProperty("endsAt").ValueKind);
        Assert.False((await PreviewAsync(client, "f2", "suspend-authentication")).GetProperty("possible").GetBoolean());

        Assert.Empty(await host.LeasesAsync());
        Assert.Equal(LifecycleStates.Active, host.World.StateOf("d000000000000001"));
    }

    private static async Task<JsonElement> PreviewAsync(HttpClient client, string finding, string action)
    {
        var answer = await client.PostAsJsonAsync("/api/v1/fields/cars/responses/preview", new { findingId = finding, action });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private static string Device(int number) => FormattableString.Invariant($"d9{number:d14}");

    private static void AddDevices(TestHost host, int count)
    {
        for (var i = 0; i < count; i++)
        {
            host.World.AddDevice(Device(i), "cars", $"車両 {i}");
        }
    }
}
