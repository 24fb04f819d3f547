using System.Net;
using System.Net.Http.Json;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Leases;
using Sekisho.Response.Policies;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Response.Tests.Actions;

/// <summary>Orders to devices: done when the device says so, whatever happens in between.</summary>
public class OrderDeviceTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_wipe_takes_two_persons_waits_for_the_device_and_keeps_its_proof(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        var lease = await OrderAsync(host, "order-wipe", "automatic");
        Assert.Equal((LeaseStates.WaitingApproval, Approvals.TwoPersons), (lease.State, lease.Approval));
        Assert.Empty(host.Commands.Commands);
        foreach (var person in (string[])["hanako", "taro"])
        {
            using var client = host.Client(Roles.Administrator, person);
            await HoldCommandTests.DecideAsync(client, lease, "approve", HttpStatusCode.OK);
        }

        await host.Worker.DrainAsync();
        Assert.Equal("wipe", host.Commands.Open().Name);
        var history = await host.HistoryAsync();
        for (var minute = 0; minute < 60; minute++)
        {
            host.Clock.Leap(TimeSpan.FromMinutes(1));
            await host.Worker.DrainAsync();
        }

        // Waiting is no try and fills no history.
        lease = await FindAsync(host, lease);
        Assert.Equal((LeaseStates.Running, LeaseCauses.WaitsForDevice, 0), (lease.State, lease.Details.Cause, lease.Attempts));
        Assert.Equal(history, await host.HistoryAsync());

        host.Commands.Fetch();
        host.Commands.Settle(host.Commands.Open().Id, CommandStates.Done, """{"erased":4096,"digest":"ab"}""");
        await WokenAsync(host, lease);
        lease = await FindAsync(host, lease);
        Assert.Equal((LeaseStates.Done, """{"erased":4096,"digest":"ab"}"""), (lease.State, lease.Details.Answer));
        Assert.Null(lease.ExpiresAt);
        using var reader = host.Client(Roles.Auditor, "kim");
        var view = await reader.GetFromJsonAsync<System.Text.Json.Nodes.JsonNode>($"/api/v1/fields/cars/responses/{lease.Id}");
        Assert.Equal(4096, (int)view!["deviceAnswer"]!["erased"]!);
        Assert.False((bool)view["canUndo"]!);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_gateway_that_is_killed_between_the_order_and_its_record_sends_one_command(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect);
        host.Commands.AfterOrder = _ => throw new IOException("killed here");
        var lease = await OrderAsync(host, "order-update", "automatic");
        Assert.Equal(LeaseStates.Due, lease.State);
        host.Commands.AfterOrder = _ => { };
        await host.RestartAfterKillAsync();
        host.Clock.Leap(TimeSpan.FromMinutes(2));
        await host.Worker.DrainAsync();
        var command = host.Commands.Open();
        Assert.Equal(("update", """{"artefact":"firmware","version":"latest"}"""), (command.Name, host.Commands.Arguments[command.Id]));

        // It answered while the gateway was down: nobody woke the lease, and it is found by itself.
        host.Commands.Commands[command.Id] = command with { State = CommandStates.Refused, Answer = "\"no such artefact\"", EndedAt = host.Time.GetUtcNow() };
        host.Clock.Leap(TimeSpan.FromMinutes(2));
        await host.Worker.DrainAsync();
        lease = await FindAsync(host, lease);
        Assert.Equal((LeaseStates.Refused, LeaseCauses.DeviceRefused, "\"no such artefact\""), (lease.State, lease.Details.Cause, lease.Details.Answer));
    }

    [Fact]
    public async Task An_order_whose_outcome_is_forgotten_is_not_given_again_by_itself()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        var lease = await OrderAsync(host, "order-update", "automatic");
        host.Commands.Commands.Clear();
        host.Clock.Leap(TimeSpan.FromDays(100));
        await host.Worker.DrainAsync();
        lease = await FindAsync(host, lease);
        Assert.Equal((LeaseStates.Refused, LeaseCauses.DeviceSilent), (lease.State, lease.Details.Cause));
        Assert.Empty(host.Commands.Commands);
    }

    [Fact]
    public async Task An_order_that_is_damaged_in_storage_is_not_waited_for_and_can_be_given_again()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var client = host.Client(Roles.Administrator, "hanako");
        var lease = await OrderAsync(host, "order-update", "automatic");
        var damaged = host.Commands.Open();
        host.Commands.Commands[damaged.Id] = damaged with { IsDamaged = true };
        host.Clock.Leap(TimeSpan.FromMinutes(2));
        await host.Worker.DrainAsync();
        lease = await FindAsync(host, lease);
        Assert.Equal((LeaseStates.Refused, LeaseCauses.OrderDamaged), (lease.State, lease.Details.Cause));

        await HoldCommandTests.DecideAsync(client, lease, "retry", HttpStatusCode.OK);
        await host.Worker.DrainAsync();
        Assert.Equal(2, host.Commands.Commands.Count);
    }

    [Fact]
    public async Task A_device_that_does_not_answer_leaves_the_order_not_done_and_it_can_be_ordered_again()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        var lease = await OrderAsync(host, "order-reset", "one-person");
        using var client = host.Client(Roles.Administrator, "hanako");
        await HoldCommandTests.DecideAsync(client, lease, "approve", HttpStatusCode.OK);
        await host.Worker.DrainAsync();
        host.Commands.Settle(host.Commands.Open().Id, CommandStates.Expired);
        await WokenAsync(host, lease);
        lease = await FindAsync(host, lease);
        Assert.Equal((LeaseStates.Refused, LeaseCauses.DeviceSilent), (lease.State, lease.Details.Cause));

        await HoldCommandTests.DecideAsync(client, lease, "retry", HttpStatusCode.OK);
        await host.Worker.DrainAsync();
        Assert.Equal(2, host.Commands.Commands.Count);
        host.Commands.Fetch();
        host.Commands.Settle(host.Commands.Open().Id, CommandStates.Done);
        await WokenAsync(host, lease);
        Assert.Equal(LeaseStates.Done, (await FindAsync(host, lease)).State);
        await HoldCommandTests.DecideAsync(client, lease, "undo", HttpStatusCode.Conflict);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_order_that_was_fetched_and_never_answered_counts_as_in_force_and_is_ended(bool isUndone)
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var client = host.Client(Roles.Administrator, "hanako");
        var lease = await OrderAsync(host, "order-stop", "automatic");
        host.Commands.Fetch();
        host.Commands.Settle(host.Commands.Open().Id, CommandStates.Expired);
        await WokenAsync(host, lease);
        lease = await FindAsync(host, lease);
        Assert.Equal((LeaseStates.Done, LeaseCauses.DeviceSilent, true), (lease.State, lease.Details.Cause, LeaseMachine.CanRetry(lease)));
        if (isUndone)
        {
            await HoldCommandTests.DecideAsync(client, lease, "undo", HttpStatusCode.Accepted);
        }
        else
        {
            host.Clock.Leap(TimeSpan.FromDays(1));
            await host.Worker.DrainAsync();
        }

        Assert.Equal("resume", host.Commands.Open().Name);
    }

    [Fact]
    public async Task An_order_is_called_off_until_the_device_has_it_and_done_all_the_same_when_that_came_too_late()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var client = host.Client(Roles.Administrator, "hanako");
        var early = await OrderAsync(host, "order-update", "automatic");
        await HoldCommandTests.DecideAsync(client, early, "undo", HttpStatusCode.OK);
        early = await FindAsync(host, early);
        Assert.Equal((LeaseStates.Refused, LeaseCauses.TakenBack), (early.State, early.Details.Cause));
        Assert.Equal(CommandStates.Withdrawn, Assert.Single(host.Commands.Commands.Values).State);

        var late = await OrderAsync(host, "order-update", "automatic", "f2");
        host.Commands.Fetch();
        await HoldCommandTests.DecideAsync(client, late, "undo", HttpStatusCode.OK);
        Assert.Equal(LeaseStates.Running, (await FindAsync(host, late)).State);
        host.Commands.Settle(host.Commands.Open().Id, CommandStates.Done);
        await WokenAsync(host, late);
        late = await FindAsync(host, late);
        Assert.Equal((LeaseStates.Done, LeaseCauses.TakenBackTooLate, (DateTimeOffset?)null), (late.State, late.Details.Cause, late.NextTryAt));

        // A finding that is taken back calls its orders off as well.
        var retracted = await OrderAsync(host, "order-update", "automatic", "f3");
        host.Retract("f3");
        await host.Worker.DrainAsync();
        Assert.Equal((LeaseStates.Refused, LeaseCauses.FindingRetracted), (await FindAsync(host, retracted)) is var l ? (l.State, l.Details.Cause) : default);
        Assert.Equal(CommandStates.Withdrawn, host.Commands.Commands.Values.Single(c => c.Holder == retracted.Id).State);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task An_emergency_stop_ends_with_the_order_to_resume_which_is_given_until_the_device_does(Dialect dialect)
    {
        await using var host = await TestHost.StartAsync(dialect, [("Response:Orders:AgainAfter", "00:05:00")]);
        var lease = await OrderAsync(host, "order-stop", "automatic");
        host.Commands.Fetch();
        host.Commands.Settle(host.Commands.Open().Id, CommandStates.Done);
        await WokenAsync(host, lease);
        Assert.Equal(host.Time.GetUtcNow().AddDays(1), (await FindAsync(host, lease)).ExpiresAt);

        host.Clock.Leap(TimeSpan.FromDays(1));
        await host.Worker.DrainAsync();
        var resume = host.Commands.Open();
        Assert.Equal("resume", resume.Name);
        host.Commands.Settle(resume.Id, CommandStates.Failed);
        await WokenAsync(host, lease);
        Assert.DoesNotContain(host.Commands.Commands.Values, c => c.EndedAt is null);
        host.Clock.Leap(TimeSpan.FromMinutes(5));
        await host.Worker.DrainAsync();
        host.Commands.Settle(host.Commands.Open().Id, CommandStates.Done);
        await WokenAsync(host, lease);
        lease = await FindAsync(host, lease);
        Assert.Equal(LeaseStates.Expired, lease.State);
        Assert.Equal(3, host.Commands.Commands.Count);
    }

    [Fact]
    public async Task A_radio_that_was_switched_off_comes_back_by_itself_or_by_the_undo()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var client = host.Client(Roles.Administrator, "hanako");
        var ends = await OrderAsync(host, "order-radio-off", "automatic");
        var command = host.Commands.Open();
        Assert.Equal(("radio-off", """{"seconds":86400}"""), (command.Name, host.Commands.Arguments[command.Id]));
        host.Commands.Settle(command.Id, CommandStates.Done);
        await WokenAsync(host, ends);
        var undone = await OrderAsync(host, "order-radio-off", "automatic", "f2");
        host.Commands.Settle(host.Commands.Open().Id, CommandStates.Done);
        await WokenAsync(host, undone);

        await HoldCommandTests.DecideAsync(client, undone, "undo", HttpStatusCode.Accepted);
        Assert.Equal("radio-on", host.Commands.Open().Name);
        host.Commands.Settle(host.Commands.Open().Id, CommandStates.Done);
        await WokenAsync(host, undone);
        Assert.Equal(LeaseStates.Undone, (await FindAsync(host, undone)).State);
        host.Clock.Leap(TimeSpan.FromDays(1));
        await host.Worker.DrainAsync();
        Assert.Equal(LeaseStates.Expired, (await FindAsync(host, ends)).State);
        Assert.Equal(3, host.Commands.Commands.Count);
    }

    [Fact]
    public async Task Orders_disturb_so_the_guard_counts_them()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, [("Response:Guard:AtLeast", "1")]);
        var first = await OrderAsync(host, "order-stop", "automatic");
        host.World.AddDevice("d000000000000009", "cars", "車両 9");
        var second = await OrderAsync(host, "order-stop", "automatic", "f2", "d000000000000009");
        Assert.Equal((LeaseStates.Running, LeaseStates.WaitingApproval, LeaseCauses.BlastRadius), (first.State, second.State, second.Details.Cause));
        host.World.SetState("d000000000000009", LifecycleStates.Retired);
        using var client = host.Client(Roles.Administrator, "hanako");
        await HoldCommandTests.DecideAsync(client, second, "approve", HttpStatusCode.OK);
        await host.Worker.DrainAsync();
        Assert.Equal(LeaseCauses.DeviceGone, (await FindAsync(host, second)).Details.Cause);
    }

    private static async Task<Lease> OrderAsync(TestHost host, string action, string approval, string finding = "f1", string device = "d000000000000001")
    {
        host.Bind(TestHost.Always(action, approval));
        host.Commit(host.Finding(finding, device, risk: Risks.Theft));
        await host.Worker.DrainAsync();
        return (await host.LeasesAsync()).Single(l => l.FindingId == finding);
    }

    private static async Task<Lease> FindAsync(TestHost host, Lease lease) => (await host.Leases.FindAsync(lease.Id, default))!;

    /// <summary>The answer wakes the lease on a thread of its own.</summary>
    private static async Task WokenAsync(TestHost host, Lease lease)
    {
        await Until.TrueAsync(async () => (await FindAsync(host, lease)).NextTryAt <= host.Time.GetUtcNow(), "the lease is not woken");
        await host.Worker.DrainAsync();
    }
}
