using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Actions.SuspendAuthentication;

/// <summary>
/// Locks the device of the finding out: that identity, never an address, so whoever shares the address keeps working. Several leases may
/// hold one device; the undo of the last of them lets it in. A device that somebody else had locked before stays locked: the lease is done
/// but holds nothing, and its undo releases nothing. Any thread.
/// </summary>
internal sealed class SuspendAuthenticationAction(IDeviceAccess access, IDeviceDirectory directory, LeaseStore leases, TimeProvider clock) : IResponseAction
{
    public const string ActionName = "suspend-authentication";

    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    private readonly Turns _turns = new();

    public string Name => ActionName;

    public bool CanUndo => true;

    public bool LocksOut => true;

    public bool Disturbs => true;

    public bool Destroys => false;

    public (string? Target, string? Refusal) TargetOf(Finding finding) =>
        finding.DeviceId is { } device ? (device, null) : (null, LeaseCauses.NoDevice);

    public string? Before(Lease lease) => directory.Device(lease.DeviceId!)?.State;

    public async Task<IReadOnlyList<PreviewLine>> PreviewAsync(ActionOrder order, CancellationToken cancellation)
    {
        var device = order.Lease.DeviceId!;
        if (directory.Device(device) is not { } found)
        {
            return [new("response.preview.device-gone")];
        }

        if (LifecycleStates.IsLockedOut(found.State))
        {
            return await leases.HoldersAsync(device, order.Lease.Id, leaving: true, cancellation) > 0
                ? [new("response.preview.held-already")]
                : [new("response.preview.locked-already")];
        }

        return [new("response.preview.locks-out", ("device", found.Name))];
    }

    public async Task<ActionOutcome> RunAsync(ActionOrder order, CancellationToken cancellation)
    {
        var lease = order.Lease;
        var device = lease.DeviceId!;
        using var turn = await _turns.TakeAsync(device, cancellation);
        var now = await access.LockOutAsync(device, LifecycleStates.Abnormal, Actor(lease), Reason(lease), lease.CorrelationId, cancellation);
        if (now is null)
        {
            return new ActionOutcome.Refused(LeaseCauses.DeviceGone);
        }

        // After a crash between lock and record the lock found now is this lease's own; what was recorded before the first try tells.
        var before = lease.Attempts > 1 || lease.Details.Retries > 0 ? lease.Details.Before ?? now : now;
        if (!LifecycleStates.IsLockedOut(before))
        {
            // Whoever let it in ended the older locks; a lock that came between the tries of this one is in force.
            await leases.EndHoldsAsync(device, LifecycleStates.IsLockedOut(now) ? lease.StartedAt!.Value.AddMilliseconds(-1) : clock.GetUtcNow(), lease.Id, cancellation);
            return new ActionOutcome.Done(Holds: true);
        }

        return await leases.HoldersAsync(device, lease.Id, leaving: true, cancellation) > 0
            ? new ActionOutcome.Done(Holds: true)
            : new ActionOutcome.Done(Cause: LeaseCauses.AlreadyLocked);
    }

    /// <summary>While another response is locking the device nobody lets it in: that one would hold a device that is free. It waits for the moment that takes.</summary>
    public async Task<UndoOutcome> BeginUndoAsync(ActionOrder order, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        using var turn = _turns.TryTake(order.Lease.DeviceId!);
        return turn is null || await leases.IsBeingDoneAsync(order.Lease, now, cancellation)
            ? new UndoOutcome(null, now + LookAgain)
            : new UndoOutcome(await UndoAsync(order, cancellation), null);
    }

    public async Task<string?> UndoAsync(ActionOrder order, CancellationToken cancellation)
    {
        var lease = order.Lease;
        var device = lease.DeviceId!;
        if (!lease.Held)
        {
            return LeaseCauses.LockedByOthers;
        }

        if (await leases.HoldersAsync(device, lease.Id, leaving: false, cancellation) > 0)
        {
            return LeaseCauses.StillHeld;
        }

        // A lock that a person set, or took over, is not released here.
        return await access.ReleaseAsync(device, Actor(lease), lease.Details.Reason ?? lease.Details.Cause ?? "", lease.CorrelationId, cancellation)
            || directory.Device(device) is not { } left || !LifecycleStates.IsLockedOut(left.State)
                ? null
                : LeaseCauses.LockedByOthers;
    }

    private static string Actor(Lease lease) => "response:" + lease.Id;

    private static string Reason(Lease lease) => $"{lease.Condition} ({lease.Risk}, {lease.Level}), finding {lease.FindingId}";
}
