using System.Text.Json;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Leases;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Queue;

public class RetractionTests
{
    private const string Device = "d000000000000001";

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_restriction_that_rests_on_the_finding_alone_ends_with_it_and_the_history_says_so(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        host.Bind(TestHost.Always("suspend-authentication"));
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf(Device));

        host.Retract("f1");
        await host.Worker.DrainAsync();
        Assert.Equal(LifecycleStates.Active, host.World.StateOf(Device));
        var lease = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Undone, LeaseCauses.FindingRetracted, "gateway"), (lease.State, lease.Details.Cause, lease.Details.Actor));
        Assert.Equal(LeaseCauses.FindingRetracted, Assert.Single(host.World.Releases).Reason);
        Assert.Equal([$"{lease.Id} due", $"{lease.Id} running", $"{lease.Id} done", $"{lease.Id} done", $"{lease.Id} undone"], await host.HistoryAsync());

        // The same batch again, as after a commit whose answer was lost: nothing more happens.
        host.Retract("f1");
        await host.Worker.DrainAsync();
        Assert.Equal(5, (await host.HistoryAsync()).Count);
    }

    [Fact]
    public async Task What_another_finding_holds_stays_locked_out_until_that_one_is_taken_back_too()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("suspend-authentication"));
        host.Commit(host.Finding("f1"), host.Finding("f2"));
        await host.Worker.DrainAsync();
        host.Retract("f1");
        await host.Worker.DrainAsync();
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf(Device));
        host.Retract("f2");
        await host.Worker.DrainAsync();
        Assert.Equal(LifecycleStates.Active, host.World.StateOf(Device));
    }

    [Theory]
    [InlineData(Risks.Theft)]
    [InlineData(Risks.Takeover)]
    public async Task A_lock_out_that_needs_a_person_stays_and_says_why_and_a_person_releases_it(string risk)
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("suspend-authentication"));
        host.Commit(host.Finding("f1", risk: risk));
        await host.Worker.DrainAsync();
        host.Retract("f1");
        await host.Worker.DrainAsync();
        host.Clock.Leap(TimeSpan.FromDays(30));
        await host.Worker.DrainAsync();
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf(Device));
        var lease = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Done, LeaseCauses.KeptForPerson, true), (lease.State, lease.Details.Cause, lease.Holds));

        await host.Leases.ChangeAsync(lease.Id, l => LeaseMachine.AskUndo(l, canUndo: true, "anna", "found it", host.Clock.GetUtcNow()).Next, default);
        await host.Worker.DrainAsync();
        Assert.Equal(LifecycleStates.Active, host.World.StateOf(Device));
    }

    [Fact]
    public async Task What_a_person_agreed_to_is_ended_by_a_person_and_what_waits_for_one_is_not_done_any_more()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("suspend-authentication", "one-person"));
        host.Commit(host.Finding("f1"), host.Finding("f2", "d000000000000002"));
        var agreed = (await host.LeasesAsync()).Single(l => l.FindingId == "f1");
        await host.Leases.ChangeAsync(agreed.Id, l => LeaseMachine.Approve(l, "anna", "do it", host.Clock.GetUtcNow()).Next, default);
        await host.Worker.DrainAsync();
        host.Retract("f1", "f2");
        await host.Worker.DrainAsync();
        var leases = (await host.LeasesAsync()).ToDictionary(l => l.FindingId!);
        Assert.Equal((LeaseStates.Done, LeaseCauses.KeptForPerson), (leases["f1"].State, leases["f1"].Details.Cause));
        Assert.Equal((LeaseStates.Refused, LeaseCauses.FindingRetracted), (leases["f2"].State, leases["f2"].Details.Cause));
        Assert.Equal((LifecycleStates.Abnormal, LifecycleStates.Active), (host.World.StateOf(Device), host.World.StateOf("d000000000000002")));
        Assert.Equal(LeaseRefusal.WrongState, LeaseMachine.Approve(leases["f2"], "anna", "late", host.Clock.GetUtcNow()).Refusal);
    }

    [Fact]
    public async Task What_is_being_done_when_the_finding_is_taken_back_is_undone_right_after()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("suspend-authentication"));
        host.World.AfterLock = (_, _) =>
        {
            host.Retract("f1");
            return Task.CompletedTask;
        };
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        await host.Worker.DrainAsync();
        Assert.Equal(LifecycleStates.Active, host.World.StateOf(Device));
        Assert.Equal((LeaseStates.Undone, LeaseCauses.FindingRetracted), ((await host.OnlyLeaseAsync()).State, (await host.OnlyLeaseAsync()).Details.Cause));
    }

    [Fact]
    public async Task Whoever_was_notified_is_told_in_both_languages_and_nobody_else_is()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var host = await TestHost.StartAsync(
            Dialect.Sqlite,
            [("Response:Mail:Host", "127.0.0.1"), ("Response:Mail:Port", smtp.Port.ToString(System.Globalization.CultureInfo.InvariantCulture)), ("Response:Mail:UseStartTls", "false"), ("Response:Mail:From", "gate@sekisho.example")]);
        host.Bind(TestHost.Always("mail"), TestHost.Always("webhook"));
        await host.NotifyAsync(["admin@example.jp"], receiver.Url);
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        Assert.StartsWith("【Sekisho】重要", (await smtp.NextAsync()).Subject, StringComparison.Ordinal);

        // The second one never reached anybody: its notifications are dropped without a word.
        host.Commit(host.Finding("f2", "d000000000000002"));
        host.Retract("f1", "f2");
        await host.Worker.DrainAsync();
        var mail = await smtp.NextAsync();
        Assert.Equal("【Sekisho】検知の取り消し – 車両 1 (d000000000000001)", mail.Subject);
        Assert.Contains("後の事象により説明がつきました。", mail.Text, StringComparison.Ordinal);
        Assert.Contains("A later event explained it.", mail.Text, StringComparison.Ordinal);
        Assert.Contains("fedcba9876543210fedcba9876543210", mail.Text, StringComparison.Ordinal);

        Assert.Equal(["finding", "retraction"], receiver.Deliveries.Select(d => JsonDocument.Parse(d.Body).RootElement.GetProperty("type").GetString()!));
        var retracted = JsonDocument.Parse(receiver.Deliveries.Last().Body).RootElement;
        Assert.Equal(("explained", "f1"), (retracted.GetProperty("retracted").GetProperty("reason").GetString(), retracted.GetProperty("finding").GetProperty("id").GetString()));
        Assert.Equal("A later event explained it.", retracted.GetProperty("retracted").GetProperty("text").GetProperty("en").GetString());
        var leases = await host.LeasesAsync();
        Assert.Equal(6, leases.Count);
        Assert.Equal(2, leases.Count(l => l is { FindingId: "f2", State: LeaseStates.Refused, Details.Cause: LeaseCauses.FindingRetracted }));
        Assert.Equal(2, leases.Count(l => l is { FindingId: "f1", State: LeaseStates.Done, Details.TellsRetraction: true }));
    }

    [Fact]
    public async Task A_notification_that_failed_before_the_retraction_is_not_tried_again()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = context =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, TestHost.QuickRetries);
        host.Bind(TestHost.Always("webhook"));
        await host.NotifyAsync([], receiver.Url);
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        host.Retract("f1");
        host.Clock.Advance(TimeSpan.FromHours(1));
        await host.Worker.DrainAsync();
        Assert.Single(receiver.Deliveries);
        Assert.Equal(LeaseStates.Refused, (await host.OnlyLeaseAsync()).State);
    }
}
