using System.Reflection;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Actions;
using Sekisho.Response.Leases;
using Sekisho.Response.Tests.Actions;
using Sekisho.Response.Tests.Sim;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Queue;

/// <summary>Every kind of lease that runs out leaves the world as it was, and a lock-out does not run out.</summary>
public class ExpiryTests
{
    private const string Device = "d000000000000001";

    /// <summary>Played here together: what each takes from the device while it is in force.</summary>
    private static readonly Dictionary<string, Func<TestHost, bool>> s_here = new(StringComparer.Ordinal)
    {
        ["restrict-rate"] = host => !host.World.Restricted.IsEmpty,
        ["quarantine"] = host => host.Quarantine.Of(Device) is not null,
        ["suspend-authentication"] = host => host.World.StateOf(Device) == LifecycleStates.Abnormal,
        ["block-network"] = host => host.Network.InForce.Values.Any(m => m.Reachable is null),
        ["quarantine-network"] = host => host.Network.InForce.Values.Any(m => m.Reachable is not null),
        ["read-only"] = host => !host.Commands.Holds.IsEmpty,
        ["rotate-credentials"] = host => !host.Renewal.Orders.IsEmpty,
    };

    /// <summary>Those that need a carrier, a device that answers or a desk are left to run out beside them.</summary>
    private static readonly Dictionary<string, (Type Tests, string Name)> s_elsewhere = new(StringComparer.Ordinal)
    {
        ["deactivate-sim"] = (typeof(SimActionTests), nameof(SimActionTests.A_deactivation_is_a_restriction_and_ends_by_itself_also_for_theft)),
        ["suspend-sim"] = (typeof(SimActionTests), nameof(SimActionTests.A_suspension_that_is_not_for_theft_or_takeover_ends_by_itself)),
        ["order-radio-off"] = (typeof(OrderDeviceTests), nameof(OrderDeviceTests.A_radio_that_was_switched_off_comes_back_by_itself_or_by_the_undo)),
        ["order-stop"] = (typeof(OrderDeviceTests), nameof(OrderDeviceTests.An_emergency_stop_ends_with_the_order_to_resume_which_is_given_until_the_device_does)),
        ["hold-command"] = (typeof(HoldCommandTests), nameof(HoldCommandTests.A_held_command_is_let_go_by_the_undo_withdrawn_by_a_refusal_and_lapses_with_its_validity)),
    };

    [Fact]
    public async Task No_action_that_can_be_undone_is_missing_from_these_tests()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        var undone = host.Get<IEnumerable<IResponseAction>>().Where(a => a is { CanUndo: true, Stays: false }).Select(a => a.Name).Order(StringComparer.Ordinal);
        Assert.Equal(s_here.Keys.Concat(s_elsewhere.Keys).Order(StringComparer.Ordinal), undone);
        Assert.All(s_elsewhere.Values, e => Assert.NotNull(e.Tests.GetMethod(e.Name)!.GetCustomAttribute<FactAttribute>()));
    }

    [Theory]
    [InlineData(Dialect.Sqlite, Risks.Spoofing)]
    [InlineData(Dialect.PostgreSql, Risks.Spoofing)]
    [InlineData(Dialect.Sqlite, Risks.Theft)]
    [InlineData(Dialect.PostgreSql, Risks.Takeover)]
    public async Task Each_lease_that_expires_leaves_the_world_as_before_also_after_a_kill_and_a_lock_out_does_not(Dialect dialect, string risk)
    {
        await using var host = await TestHost.StartAsync(dialect, [("Response:Network:Reachable:0", "tcp 198.51.100.10 443")]);
        host.Bind([.. s_here.Keys.Select(a => TestHost.Always(a))]);
        Assert.All(s_here, a => Assert.False(a.Value(host), a.Key));
        host.Commit(host.Finding("f1", risk: risk));
        await host.Worker.DrainAsync();
        Assert.All(s_here, a => Assert.True(a.Value(host), a.Key));

        await host.RestartAfterKillAsync();
        host.Clock.Leap(TimeSpan.FromDays(4));
        await host.Worker.DrainAsync();
        var lockOut = risk is Risks.Theft or Risks.Takeover;
        Assert.All(s_here, a => Assert.Equal(lockOut && a.Key == "suspend-authentication", a.Value(host)));
        Assert.All(await host.LeasesAsync(), l => Assert.Equal(
            l.Action == "rotate-credentials" ? LeaseStates.Failed : lockOut && l.Action == "suspend-authentication" ? LeaseStates.Done : LeaseStates.Expired, l.State));

        host.Clock.Leap(TimeSpan.FromDays(365));
        await host.Worker.DrainAsync();
        Assert.Equal(lockOut ? LifecycleStates.Abnormal : LifecycleStates.Active, host.World.StateOf(Device));
    }
}
