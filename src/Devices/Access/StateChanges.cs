using Sekisho.Api.Problems;
using Sekisho.Devices.Binding;
using Sekisho.Devices.Lifecycle;
using Sekisho.Devices.Registry;
using Sekisho.Domain.Devices;

namespace Sekisho.Devices.Access;

/// <summary>What became of a transition.</summary>
/// <param name="Entry">The device afterwards; null when there is none.</param>
/// <param name="Before">Its state before.</param>
/// <param name="Problem">Why it was not moved; null when it was, or stood there already.</param>
internal readonly record struct Moved(DeviceEntry? Entry, string? Before, ProblemType? Problem);

/// <summary>Moves devices through their lifecycle. Any thread; takes the device's turn. What it commits holds for the very next request.</summary>
internal sealed class StateChanges(DeviceIndex index, DeviceCommits commits, PendingBindings pending, Turns turns, ChangeReports reports) : IDeviceAccess
{
    /// <summary>Moves a device to a state that a person or a response may choose. Staying where it is is no fault.</summary>
    public async Task<Moved> MoveAsync(string deviceId, string state, Caller caller, string reason, CancellationToken cancellation)
    {
        using var turn = await turns.DeviceAsync(deviceId, cancellation);
        return index.Find(deviceId) is not { } device ? new Moved(null, null, CommonProblems.NotFound)
            : device.State == state ? new Moved(device, state, null)
            : await CommitAsync(device, state, caller, reason, cancellation);
    }

    /// <summary>Lets a locked-out device in again.</summary>
    public async Task<Moved> ReleaseAsync(string deviceId, Caller caller, string reason, CancellationToken cancellation)
    {
        using var turn = await turns.DeviceAsync(deviceId, cancellation);
        return index.Find(deviceId) is not { } device ? new Moved(null, null, CommonProblems.NotFound)
            : !LifecycleRules.LockedOut(device.State) ? new Moved(device, device.State, DeviceChanges.LifecycleRefused)
            : await CommitAsync(device, LifecycleRules.AfterRelease(device.Bound, pending.Of(deviceId)?.Stage == ConflictStage.Confirmed), caller, reason, cancellation);
    }

    async Task<string?> IDeviceAccess.LockOutAsync(string deviceId, string state, string actor, string reason, string correlationId, CancellationToken cancellation)
    {
        if (state is not (LifecycleStates.Suspended or LifecycleStates.Abnormal))
        {
            throw new ArgumentException($"'{state}' locks no device out; use '{LifecycleStates.Suspended}' or '{LifecycleStates.Abnormal}'.", nameof(state));
        }

        var moved = await MoveAsync(deviceId, state, new Caller(actor, correlationId), reason, cancellation);
        return moved.Problem is null ? moved.Before : null;
    }

    async Task<bool> IDeviceAccess.ReleaseAsync(string deviceId, string actor, string reason, string correlationId, CancellationToken cancellation) =>
        (await ReleaseAsync(deviceId, new Caller(actor, correlationId), reason, cancellation)).Problem is null;

    private async Task<Moved> CommitAsync(DeviceEntry device, string state, Caller caller, string reason, CancellationToken cancellation)
    {
        if (!LifecycleRules.Allows(device.State, state))
        {
            return new Moved(device, device.State, DeviceChanges.LifecycleRefused);
        }

        var after = commits.Moved(device, state, reason, caller);
        await commits.CommitAsync(after, commits.Transition(device, after, reason, caller), cancellation);
        await reports.ReportAsync(commits.Event(after, state, reason, caller));
        return new Moved(after, device.State, null);
    }
}
