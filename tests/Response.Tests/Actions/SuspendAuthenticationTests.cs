using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Response.Leases;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Actions;

public class SuspendAuthenticationTests
{
    private const string Device = "d000000000000001";

    [Fact]
    public async Task Complaint_17_only_the_identity_of_the_finding_is_locked_out_never_its_neighbours_or_an_address()
    {
        await using var host = await StartAsync();
        host.Commit(host.Finding("f1"), host.Finding("f2", device: null));
        await host.Worker.DrainAsync();

        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf(Device));
        Assert.Equal(LifecycleStates.Active, host.World.StateOf("d000000000000002"));
        var refused = (await host.LeasesAsync()).Single(l => l.DeviceId is null);
        Assert.Equal((LeaseStates.Refused, LeaseCauses.NoDevice), (refused.State, refused.Details.Cause));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_device_that_two_leases_hold_is_let_in_when_the_last_one_is_undone(Dialect dialect)
    {
        await using var host = await StartAsync(dialect);
        host.Commit(host.Finding("f1"), host.Finding("f2"));
        await host.Worker.DrainAsync();
        var leases = await host.LeasesAsync();
        Assert.All(leases, l => Assert.True(l is { State: LeaseStates.Done, Holds: true }));

        var first = await UndoAsync(host, leases[0].Id);
        Assert.Equal((LeaseStates.Undone, LeaseCauses.StillHeld), (first.State, first.Details.Cause));
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf(Device));
        var last = await UndoAsync(host, leases[1].Id);
        Assert.Equal((LeaseStates.Undone, null), (last.State, last.Details.Cause));
        Assert.Equal(LifecycleStates.Active, host.World.StateOf(Device));
        Assert.Equal("because", Assert.Single(host.World.Releases).Reason);
    }

    [Theory]
    [InlineData(LifecycleStates.Suspended)]
    [InlineData(LifecycleStates.Stray)]
    [InlineData(LifecycleStates.Abnormal)]
    public async Task What_a_person_locked_before_is_done_without_owning_it_and_stays_locked_after_the_undo(string state)
    {
        await using var host = await StartAsync();
        host.World.SetState(Device, state);
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        var lease = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Done, LeaseCauses.AlreadyLocked, false), (lease.State, lease.Details.Cause, lease.Holds));
        Assert.Equal(state, host.World.StateOf(Device));
        Assert.Equal(LeaseCauses.LockedByOthers, (await UndoAsync(host, lease.Id)).Details.Cause);
        Assert.Equal(state, host.World.StateOf(Device));
    }

    [Fact]
    public async Task What_a_person_suspends_while_a_lease_holds_it_is_not_released_by_the_undo()
    {
        await using var host = await StartAsync();
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        host.World.SetState(Device, LifecycleStates.Suspended);
        Assert.Equal(LeaseCauses.LockedByOthers, (await UndoAsync(host, (await host.OnlyLeaseAsync()).Id)).Details.Cause);
        Assert.Equal(LifecycleStates.Suspended, host.World.StateOf(Device));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_restriction_ends_by_the_clock_and_a_lock_out_for_theft_or_takeover_does_not(Dialect dialect)
    {
        await using var host = await StartAsync(dialect);
        host.Commit(
            host.Finding("f1", risk: Risks.Spoofing), host.Finding("f2", "d000000000000002", risk: Risks.Theft), host.Finding("f3", "d000000000000003", risk: Risks.Takeover));
        await host.Worker.DrainAsync();
        host.Clock.Leap(TimeSpan.FromDays(1) - TimeSpan.FromSeconds(1));
        await host.Worker.DrainAsync();
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf(Device));

        host.Clock.Leap(TimeSpan.FromDays(400));
        await host.Worker.DrainAsync();
        var leases = (await host.LeasesAsync()).ToDictionary(l => l.FindingId!);
        Assert.Equal((LeaseStates.Expired, LeaseCauses.RanOut), (leases["f1"].State, leases["f1"].Details.Cause));
        Assert.Equal(LifecycleStates.Active, host.World.StateOf(Device));
        foreach (var (finding, device) in new[] { ("f2", "d000000000000002"), ("f3", "d000000000000003") })
        {
            Assert.Equal((LeaseStates.Done, null), (leases[finding].State, leases[finding].ExpiresAt));
            Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf(device));
            await UndoAsync(host, leases[finding].Id);
            Assert.Equal(LifecycleStates.Active, host.World.StateOf(device));
        }
    }

    [Fact]
    public async Task A_restriction_that_runs_out_leaves_a_device_locked_that_a_theft_holds_too()
    {
        await using var host = await StartAsync();
        host.Commit(host.Finding("f1", risk: Risks.Spoofing), host.Finding("f2", risk: Risks.Theft));
        await host.Worker.DrainAsync();
        host.Clock.Leap(TimeSpan.FromDays(2));
        await host.Worker.DrainAsync();
        Assert.Equal([LeaseStates.Done, LeaseStates.Expired], (await host.LeasesAsync()).Select(l => l.State).Order());
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf(Device));
    }

    [Fact]
    public async Task Killed_after_the_lock_but_before_its_record_the_repeat_knows_the_lock_for_its_own()
    {
        await using var host = await StartAsync();
        var locked = new TaskCompletionSource();
        host.World.AfterLock = (_, _) =>
        {
            locked.SetResult();
            return new TaskCompletionSource().Task;
        };
        host.Commit(host.Finding("f1"));
        _ = host.Worker.DrainAsync();
        await locked.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(LeaseStates.Running, (await host.OnlyLeaseAsync()).State);

        host.World.AfterLock = (_, _) => Task.CompletedTask;
        await host.RestartAfterKillAsync();
        await host.Worker.DrainAsync();
        var lease = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Done, 2, true), (lease.State, lease.Attempts, lease.Holds));
        await UndoAsync(host, lease.Id);
        Assert.Equal(LifecycleStates.Active, host.World.StateOf(Device));
    }

    [Fact]
    public async Task A_lock_that_came_between_two_tries_of_another_stays_in_force()
    {
        await using var host = await StartAsync();
        var tries = 0;
        host.World.OnLock = (_, _) => Interlocked.Increment(ref tries) == 1 ? throw new InvalidOperationException("not now") : Task.CompletedTask;
        host.Commit(host.Finding("f1", risk: Risks.Spoofing));
        await host.Worker.DrainAsync();
        host.Commit(host.Finding("f2", risk: Risks.Theft));
        await host.Worker.DrainAsync();
        host.Clock.Advance(TimeSpan.FromSeconds(10));
        await host.Worker.DrainAsync();
        Assert.All(await host.LeasesAsync(), l => Assert.Equal((LeaseStates.Done, true), (l.State, l.Holds)));

        host.Clock.Leap(TimeSpan.FromDays(1));
        await host.Worker.DrainAsync();
        Assert.Equal([("f1", LeaseStates.Expired), ("f2", LeaseStates.Done)], (await host.LeasesAsync()).Select(l => (l.FindingId!, l.State)).Order());
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf(Device));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Whoever_lets_a_device_in_while_it_is_being_locked_waits_for_that_lock(Dialect dialect)
    {
        await using var host = await StartAsync(dialect);
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        var first = await host.OnlyLeaseAsync();
        host.World.AfterLock = (_, _) => UndoAsync(host, first.Id, System.Net.HttpStatusCode.Accepted);
        host.Commit(host.Finding("f2", risk: Risks.Theft));
        await host.Worker.DrainAsync();
        host.Clock.Advance(TimeSpan.FromSeconds(1));
        await host.Worker.DrainAsync();
        var leases = (await host.LeasesAsync()).ToDictionary(l => l.FindingId!);
        Assert.Equal((LeaseStates.Undone, LeaseCauses.StillHeld), (leases["f1"].State, leases["f1"].Details.Cause));
        Assert.Equal((LeaseStates.Done, true), (leases["f2"].State, leases["f2"].Holds));
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf(Device));
        await UndoAsync(host, leases["f2"].Id);
        Assert.Equal(LifecycleStates.Active, host.World.StateOf(Device));
    }

    [Fact]
    public async Task A_device_that_a_person_let_in_ends_its_leases_and_a_later_lock_is_a_new_one()
    {
        await using var host = await StartAsync();
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        host.Clock.Advance(TimeSpan.FromMinutes(1));
        host.World.SetState(Device, LifecycleStates.Active);
        host.Commit([Changed(host, LifecycleStates.Active)]);
        var ended = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Undone, LeaseCauses.ReleasedElsewhere), (ended.State, ended.Details.Cause));

        host.Commit(host.Finding("f2"));
        await host.Worker.DrainAsync();
        Assert.Equal(LifecycleStates.Abnormal, host.World.StateOf(Device));
        await UndoAsync(host, (await host.LeasesAsync()).Single(l => l.FindingId == "f2").Id);
        Assert.Equal(LifecycleStates.Active, host.World.StateOf(Device));
    }

    [Theory]
    [InlineData(LifecycleStates.Retired)]
    [InlineData(DeviceChangedEvent.Deleted)]
    public async Task A_lease_whose_device_was_taken_away_ends_and_says_so(string state)
    {
        await using var host = await StartAsync();
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        host.Clock.Advance(TimeSpan.FromMinutes(1));
        host.Commit([Changed(host, state)]);
        var ended = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Undone, LeaseCauses.DeviceGone), (ended.State, ended.Details.Cause));
    }

    [Fact]
    public async Task A_release_that_is_heard_of_late_does_not_end_a_lease_that_came_after_it()
    {
        await using var host = await StartAsync();
        var old = Changed(host, LifecycleStates.Active);
        host.Clock.Advance(TimeSpan.FromMinutes(1));
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        host.Commit([old]);
        Assert.Equal(LeaseStates.Done, (await host.OnlyLeaseAsync()).State);
    }

    [Fact]
    public async Task A_retired_device_is_refused_visibly()
    {
        await using var host = await StartAsync();
        host.World.SetState(Device, LifecycleStates.Retired);
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        Assert.Equal((LeaseStates.Refused, LeaseCauses.DeviceGone), ((await host.OnlyLeaseAsync()).State, (await host.OnlyLeaseAsync()).Details.Cause));
    }

    [Fact]
    public async Task A_failing_release_stays_asked_for_until_it_works()
    {
        await using var host = await StartAsync();
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        host.World.OnRelease = _ => throw new InvalidOperationException("no");
        var asked = await UndoAsync(host, (await host.OnlyLeaseAsync()).Id, System.Net.HttpStatusCode.Accepted);
        Assert.Equal(LeaseStates.Done, asked.State);
        host.World.OnRelease = _ => Task.CompletedTask;
        host.Clock.Advance(TimeSpan.FromMinutes(1));
        await host.Worker.DrainAsync();
        Assert.Equal(LeaseStates.Undone, (await host.OnlyLeaseAsync()).State);
        Assert.Equal(LifecycleStates.Active, host.World.StateOf(Device));
    }

    private static async Task<TestHost> StartAsync(Dialect dialect = Dialect.Sqlite)
    {
        var host = await TestHost.StartAsync(dialect);
        host.Bind(TestHost.Always("suspend-authentication"));
        return host;
    }

    private static DeviceChangedEvent Changed(TestHost host, string state) => new()
    {
        ArrivedAt = host.Clock.GetUtcNow(),
        CorrelationId = "",
        FieldId = "cars",
        DeviceId = Device,
        State = state,
        Reason = "let in",
    };

    private static async Task<Lease> UndoAsync(TestHost host, string id, System.Net.HttpStatusCode expected = System.Net.HttpStatusCode.OK)
    {
        using var client = host.Client(Roles.Responder);
        var response = await client.PostAsync($"/api/v1/fields/cars/responses/{id}/undo", System.Net.Http.Json.JsonContent.Create(new { reason = "because" }));
        Assert.Equal(expected, response.StatusCode);
        return (await host.Leases.FindAsync(id, default))!;
    }
}
