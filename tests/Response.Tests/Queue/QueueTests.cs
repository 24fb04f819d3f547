using System.Text;
using Dapper;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Operations;
using Sekisho.Response.Leases;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Queue;

public class QueueTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_batch_that_is_rolled_back_leaves_no_lease_and_one_that_comes_twice_leaves_one(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        host.Bind(TestHost.Always("mail"), TestHost.Always("suspend-authentication"), TestHost.Always("no-such-action"));
        var finding = host.Finding("f1");
        var part = host.Get<ILaneCommitPart>();
        var batch = new LaneBatch { FirstPosition = 1, LastPosition = 1, Chunks = [], Duplicates = [], Findings = [finding], Facts = [] };
        Assert.Throws<InvalidOperationException>(() => host.Store.Databases.State.Write(t =>
        {
            part.Write(batch, t);
            throw new InvalidOperationException("the lanes failed");
        }));
        Assert.Empty(await host.LeasesAsync());
        Assert.Empty(await host.HistoryAsync());

        host.Commit(finding);
        host.Commit(finding);
        var leases = await host.LeasesAsync();
        Assert.Equal(["mail", "no-such-action", "suspend-authentication"], leases.Select(l => l.Action).Order());
        var unknown = leases.Single(l => l.Action == "no-such-action");
        Assert.Equal((LeaseStates.Refused, LeaseCauses.UnknownAction), (unknown.State, unknown.Details.Cause));
        Assert.Equal(3, (await host.HistoryAsync()).Count);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Every_step_of_a_lease_is_in_the_history_under_the_finding_s_correlation(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        host.Bind(TestHost.Always("suspend-authentication"));
        host.Commit(host.Finding("f1", risk: Risks.Spoofing));
        await host.Worker.DrainAsync();
        host.Clock.Leap(TimeSpan.FromDays(1));
        await host.Worker.DrainAsync();
        var id = (await host.OnlyLeaseAsync()).Id;
        Assert.Equal([$"{id} due", $"{id} running", $"{id} done", $"{id} done", $"{id} expired"], await host.HistoryAsync());
        var correlations = await host.Store.Databases.State.ReadAsync(c => c.QueryAsync<string>("SELECT DISTINCT correlation FROM test_history"));
        Assert.Equal(["0123456789abcdef0123456789abcdef"], correlations);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Killed_between_record_and_action_the_response_is_done_after_the_restart(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        host.Bind(TestHost.Always("suspend-authentication"));
        var reached = new TaskCompletionSource();
        host.World.OnLock = (_, _) =>
        {
            reached.SetResult();
            return new TaskCompletionSource().Task;
        };
        host.Commit(host.Finding("f1"));
        _ = host.Worker.DrainAsync();
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(LifecycleStates.Active, host.World.StateOf("d000000000000001"));

        host.World.OnLock = (_, _) => Task.CompletedTask;
        await host.RestartAfterKillAsync();
        await host.Worker.DrainAsync();
        Assert.Equal((LeaseStates.Done, 2), ((await host.OnlyLeaseAsync()).State, (await host.OnlyLeaseAsync()).Attempts));
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf("d000000000000001"));
    }

    [Fact]
    public async Task A_response_that_fails_is_tried_with_growing_pauses_and_then_shown_as_failed_while_others_go_on()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, TestHost.QuickRetries);
        host.Bind(TestHost.Always("suspend-authentication"));
        host.World.OnLock = (device, _) => device == "d000000000000001" ? throw new InvalidOperationException("secret detail") : Task.CompletedTask;
        host.Commit(host.Finding("f1"), host.Finding("f2", "d000000000000002"), host.Finding("f3", "d000000000000003"));
        await host.Worker.DrainAsync();
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf("d000000000000002"));
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf("d000000000000003"));

        foreach (var (pause, attempts, state) in new[] { (9, 1, LeaseStates.Due), (1, 2, LeaseStates.Due), (19, 2, LeaseStates.Due), (1, 3, LeaseStates.Failed) })
        {
            host.Clock.Advance(TimeSpan.FromSeconds(pause));
            await host.Worker.DrainAsync();
            var lease = (await host.LeasesAsync()).Single(l => l.FindingId == "f1");
            Assert.Equal((attempts, state), (lease.Attempts, lease.State));
            Assert.DoesNotContain("secret detail", lease.Details.LastError, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task What_comes_while_the_stage_is_held_waits_and_is_done_afterwards_also_over_a_restart(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect, workerRuns: true, clock: TimeProvider.System);
        host.Bind(TestHost.Always("suspend-authentication"));
        var stage = host.Get<IStage>();
        var done = new TaskCompletionSource();
        host.World.AfterLock = (_, _) =>
        {
            done.TrySetResult();
            return Task.CompletedTask;
        };
        stage.Pause();
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        Assert.Equal(LeaseStates.Due, (await host.OnlyLeaseAsync()).State);
        Assert.True(stage.Status is { Paused: true, Healthy: true, Waiting: 1 });
        Assert.False(done.Task.IsCompleted);

        await host.StopAppAsync();
        await host.RestartAfterKillAsync();
        await done.Task.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal("response", host.Get<IStage>().Name);
    }

    [Fact]
    public async Task A_commit_wakes_the_queue_at_once_and_resuming_goes_on()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, workerRuns: true, clock: TimeProvider.System);
        host.Bind(TestHost.Always("suspend-authentication"));
        var locked = new TaskCompletionSource();
        host.World.AfterLock = (_, _) =>
        {
            locked.TrySetResult();
            return Task.CompletedTask;
        };
        host.Commit(host.Finding("f1"));
        await locked.Task.WaitAsync(TimeSpan.FromSeconds(60));

        locked = new TaskCompletionSource();
        var stage = host.Get<IStage>();
        stage.Pause();
        host.Commit(host.Finding("f2", "d000000000000002"));
        stage.Resume();
        await locked.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_clock_that_was_a_year_ahead_holds_up_no_undo_keeps_no_lock_and_uses_up_no_share(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect, [("Response:Guard:AtLeast", "1"), ("Response:Guard:Share", "0.01")]);
        host.Bind(TestHost.Always("suspend-authentication"));
        var year = TimeSpan.FromDays(365);
        host.Commit(host.Finding("f0"));
        await host.Worker.DrainAsync();
        host.Clock.Leap(year);
        host.World.OnRelease = _ => throw new InvalidOperationException("not now");
        await host.Worker.DrainAsync();
        Assert.NotNull((await host.OnlyLeaseAsync()).UndoAskedAt);
        host.Commit(host.Finding("f1", "d000000000000002"));
        await host.Worker.DrainAsync();

        host.Clock.Leap(-year + TimeSpan.FromHours(2));
        host.World.OnRelease = _ => Task.CompletedTask;
        await host.Leases.ClockSetBackAsync(host.Get<LeaseSettings>(), default);
        await host.Worker.DrainAsync();
        Assert.Equal(LifecycleStates.Active, host.World.StateOf("d000000000000001"));
        Assert.Equal(host.Time.GetUtcNow().AddDays(1), (await host.LeasesAsync()).Single(l => l.FindingId == "f1").ExpiresAt);

        host.Clock.Leap(TimeSpan.FromHours(2));
        host.Commit(host.Finding("f2", "d000000000000003"));
        await host.Worker.DrainAsync();
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf("d000000000000003"));
        host.Clock.Leap(TimeSpan.FromDays(1));
        await host.Worker.DrainAsync();
        Assert.All(host.World.Devices.Values, d => Assert.Equal(LifecycleStates.Active, d.State));
    }

    [Fact]
    public async Task Targets_that_hang_and_fail_leave_the_places_to_others()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, [("Response:Leases:Parallel", "2"), ("Response:Guard:AtLeast", "100")], workerRuns: true, clock: TimeProvider.System);
        host.Bind(TestHost.Always("suspend-authentication"));
        var (let, hanging, tries, served) = (new TaskCompletionSource(), new TaskCompletionSource(), 0, new TaskCompletionSource());
        host.World.OnLock = async (device, cancellation) =>
        {
            if (device == "d000000000000003")
            {
                served.TrySetResult();
                return;
            }

            var mine = Interlocked.Increment(ref tries);
            if (mine == 2)
            {
                hanging.TrySetResult();
            }

            await (mine <= 2 ? let.Task : Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellation));
            throw new InvalidOperationException("no answer");
        };

        // Each of the two has more to do than it gets done, all of it older than what the third has.
        host.Commit([.. Enumerable.Range(0, 10).Select(i => host.Finding($"a{i}")), .. Enumerable.Range(0, 10).Select(i => host.Finding($"b{i}", "d000000000000002"))]);
        await hanging.Task.WaitAsync(TimeSpan.FromSeconds(60));
        host.Commit(host.Finding("c", "d000000000000003"));
        let.SetResult();
        await served.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task Stopping_breaks_off_what_hangs_and_the_next_start_does_it_again()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, workerRuns: true, clock: TimeProvider.System);
        host.Bind(TestHost.Always("suspend-authentication"));
        var reached = new TaskCompletionSource();
        host.World.OnLock = async (_, cancellation) =>
        {
            reached.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellation);
        };
        host.Commit(host.Finding("f1"));
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(60));
        using var patience = new CancellationTokenSource();
        await patience.CancelAsync();
        await host.Worker.StopAsync(patience.Token);
        Assert.Equal(LeaseStates.Running, (await host.OnlyLeaseAsync()).State);

        var locked = new TaskCompletionSource();
        host.World.OnLock = (_, _) => Task.CompletedTask;
        host.World.AfterLock = (_, _) =>
        {
            locked.TrySetResult();
            return Task.CompletedTask;
        };
        await host.RestartAfterKillAsync();
        await locked.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task Addresses_secrets_reasons_and_people_are_not_readable_in_the_store()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        host.Bind(TestHost.Always("suspend-authentication"), TestHost.Always("mail", "one-person"));
        await host.NotifyAsync(["marker-address@example.jp"], "https://hooks.example.jp/marker-path");
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        using var client = host.Client("responder", "marker-person");
        foreach (var (lease, verb) in (await host.LeasesAsync()).Select(l => (l, l.Action == "mail" ? "approve" : "undo")))
        {
            var answer = await client.PostAsync($"/api/v1/fields/cars/responses/{lease.Id}/{verb}", System.Net.Http.Json.JsonContent.Create(new { reason = "marker-reason" }));
            Assert.True(answer.IsSuccessStatusCode);
        }

        await host.Store.Databases.State.ReadAsync(c => c.ExecuteAsync("PRAGMA wal_checkpoint(TRUNCATE)"));
        foreach (var file in Directory.GetFiles(host.Store.Folder))
        {
            var bytes = await ReadSharedAsync(file);
            foreach (var marker in new[] { "marker-", "whsec_", "example.jp" })
            {
                Assert.True(bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(marker)) < 0, $"{marker} in {Path.GetFileName(file)}");
            }
        }
    }

    private static async Task<byte[]> ReadSharedAsync(string file)
    {
        await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var copy = new MemoryStream();
        await stream.CopyToAsync(copy);
        return copy.ToArray();
    }
}
