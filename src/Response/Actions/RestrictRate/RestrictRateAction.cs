using System.Globalization;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Actions.RestrictRate;

/// <summary>
/// Lets the device send a few messages a minute only: what it sends beyond is refused with a time to come back, so that nothing is lost, and nothing floods. The mild step
/// between a notice and a lock-out. It ends by itself at its time, also while the gateway is down. Any thread.
/// </summary>
internal sealed class RestrictRateAction(ITrafficRestrictions restrictions, IDeviceDirectory directory, RestrictSettings settings, LeaseSettings leases, TimeProvider clock) : IResponseAction
{
    public string Name => "restrict-rate";

    public bool CanUndo => true;

    public bool LocksOut => false;

    public bool Disturbs => true;

    public bool Destroys => false;

    public (string? Target, string? Refusal) TargetOf(Finding finding) => finding.DeviceId is { } device ? (device, null) : (null, LeaseCauses.NoDevice);

    public string? Before(Lease lease) => null;

    public Task<IReadOnlyList<PreviewLine>> PreviewAsync(ActionOrder order, CancellationToken cancellation)
    {
        var device = directory.Device(order.Lease.DeviceId!);
        return Task.FromResult<IReadOnlyList<PreviewLine>>(device is null
            ? [new("response.preview.device-gone")]
            : [new("response.preview.restricts", ("device", device.Name), ("rate", settings.MessagesPerMinute.ToString(CultureInfo.InvariantCulture)))]);
    }

    public async Task<ActionOutcome> RunAsync(ActionOrder order, CancellationToken cancellation)
    {
        var device = order.Lease.DeviceId!;
        if (directory.Device(device) is not { State: not LifecycleStates.Retired })
        {
            return new ActionOutcome.Refused(LeaseCauses.DeviceGone);
        }

        await restrictions.RestrictAsync(device, order.Lease.Id, settings.MessagesPerMinute, clock.GetUtcNow() + leases.RestrictionLasts, cancellation);
        return new ActionOutcome.Done();
    }

    public async Task<string?> UndoAsync(ActionOrder order, CancellationToken cancellation)
    {
        await restrictions.LiftAsync(order.Lease.DeviceId!, order.Lease.Id, cancellation);
        return null;
    }
}
