using System.Globalization;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Actions.Quarantine;

/// <summary>
/// Keeps what a device sends at the gateway: the device stays authenticated, everything is recorded and judged, and the field's cloud sees nothing of it until somebody has
/// looked. When it ends the messages go on their way in order, or are dropped, as a person chooses or the settings say. It ends by itself at its time, also while the
/// gateway is down. Any thread.
/// </summary>
internal sealed class QuarantineAction(ITrafficQuarantine quarantines, IDeviceDirectory directory, QuarantineSettings settings, LeaseSettings leases, TimeProvider clock) : IResponseAction
{
    /// <summary>Lets go what waits.</summary>
    public const string Forward = "forward";

    /// <summary>Drops what waits.</summary>
    public const string Drop = "drop";

    public string Name => "quarantine";

    public bool CanUndo => true;

    public bool LocksOut => false;

    public bool Disturbs => true;

    public bool Destroys => false;

    public IReadOnlyList<string> UndoChoices { get; } = [Forward, Drop];

    public (string? Target, string? Refusal) TargetOf(Finding finding) => finding.DeviceId is { } device ? (device, null) : (null, LeaseCauses.NoDevice);

    public string? Before(Lease lease) => null;

    public async Task<IReadOnlyList<PreviewLine>> PreviewAsync(ActionOrder order, CancellationToken cancellation)
    {
        if (directory.Device(order.Lease.DeviceId!) is not { } device)
        {
            return [new("response.preview.device-gone")];
        }

        var lines = new List<PreviewLine> { new("response.preview.quarantine", ("device", device.Name)) };
        if (quarantines.Of(device.DeviceId) is { } present)
        {
            lines.Add(new("response.preview.quarantine-already", ("waiting", Text(present.Waiting))));
        }

        var (messages, more) = await quarantines.QueuedAsync(device.FieldId, device.DeviceId, cancellation);
        lines.Add(new(more ? "response.preview.quarantine-queued-more" : "response.preview.quarantine-queued", ("messages", Text(messages))));
        if (directory.DevicesOf(device.FieldId).Count(d => d.ParentId == device.DeviceId) is > 0 and var behind)
        {
            lines.Add(new("response.preview.quarantine-behind", ("devices", Text(behind))));
        }

        lines.Add(new(settings.AtEnd == Drop ? "response.preview.quarantine-drops" : "response.preview.quarantine-forwards"));
        return lines;
    }

    public async Task<ActionOutcome> RunAsync(ActionOrder order, CancellationToken cancellation)
    {
        if (directory.Device(order.Lease.DeviceId!) is not { State: not LifecycleStates.Retired } device)
        {
            return new ActionOutcome.Refused(LeaseCauses.DeviceGone);
        }

        await quarantines.HoldAsync(
            new QuarantineOrder(device.FieldId, device.DeviceId, order.Lease.Id, clock.GetUtcNow() + leases.RestrictionLasts, settings.AtEnd != Drop), cancellation);
        return new ActionOutcome.Done();
    }

    public async Task<string?> UndoAsync(ActionOrder order, CancellationToken cancellation)
    {
        var lease = order.Lease;
        var forward = (lease.Details.Choice ?? settings.AtEnd) != Drop;
        return await quarantines.EndAsync(lease.DeviceId!, lease.Id, forward, lease.Details.Actor, lease.CorrelationId, cancellation) ? null : LeaseCauses.QuarantineHeld;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
