using System.Globalization;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Actions.ReadOnly;

/// <summary>
/// Keeps all commands to the device back while it lasts; the device itself may send. Its end lets go what is still valid. It ends by itself at its time, also while the gateway
/// is down. The gateway's own orders are not kept back. Any thread.
/// </summary>
internal sealed class ReadOnlyAction(IDeviceCommands commands, IDeviceDirectory directory, LeaseSettings leases, TimeProvider clock) : IResponseAction
{
    public string Name => "read-only";

    public bool CanUndo => true;

    public bool LocksOut => false;

    public bool Disturbs => true;

    public bool Destroys => false;

    public (string? Target, string? Refusal) TargetOf(Finding finding) => finding.DeviceId is { } device ? (device, null) : (null, LeaseCauses.NoDevice);

    public string? Before(Lease lease) => null;

    public async Task<IReadOnlyList<PreviewLine>> PreviewAsync(ActionOrder order, CancellationToken cancellation)
    {
        if (directory.Device(order.Lease.DeviceId!) is not { } device)
        {
            return [new("response.preview.device-gone")];
        }

        var (waiting, _) = await commands.OutlookAsync(device.DeviceId, cancellation);
        return [new("response.preview.read-only", ("device", device.Name), ("waiting", waiting.ToString(CultureInfo.InvariantCulture)))];
    }

    public async Task<ActionOutcome> RunAsync(ActionOrder order, CancellationToken cancellation)
    {
        var device = order.Lease.DeviceId!;
        if (directory.Device(device) is not { State: not LifecycleStates.Retired })
        {
            return new ActionOutcome.Refused(LeaseCauses.DeviceGone);
        }

        var until = clock.GetUtcNow() + leases.RestrictionLasts;
        await commands.HoldAsync(device, order.Lease.Id, until, cancellation);
        return new ActionOutcome.Done { Until = until };
    }

    public async Task<string?> UndoAsync(ActionOrder order, CancellationToken cancellation)
    {
        await commands.LiftAsync(order.Lease.DeviceId!, order.Lease.Id, cancellation);
        return null;
    }
}
