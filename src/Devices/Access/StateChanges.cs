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
    // What a lock of the responses is told by: "response:LEASE".
    private const string Response = "response:";

    /// <summary>
    /// Moves a device to a state that a person chose. Staying where it is is no fault; a lock of the responses becomes the person's own by it,
    /// so that it no longer ends with them.
    /// </summary>
    public async Task<Moved> MoveAsync(string deviceId, string state, Caller caller, string reason, CancellationToken cancellation)
    {
        using var turn = await turns.DeviceAsync(deviceId, cancellation);
        return index.Find(deviceId) is not { } device ? new Moved(null, null, CommonProblems.NotFound)
            : device.State == state && !LockedByResponse(device) ? new Moved(device, state, null)
            : await CommitAsync(device, state, caller, reason, cancellation);
    }

    /// <summary>Lets a locked-out device in again.</summary>
    public async Task<Moved> ReleaseAsync(string deviceId, Caller caller, string reason, CancellationToken cancellation)
    {
        using var turn = await turns.DeviceAsync(deviceId, cancellation);
        return index.Find(deviceId) is not { } device ? new Moved(null, null, CommonProblems.NotFound)
            : !LifecycleStates.IsLockedOut(device.State) ? new Moved(device, device.State, DeviceChanges.LifecycleRefused)
            : await CommitAsync(device, Released(device), caller, reason, cancellation);
    }

    async Task<string?> IDeviceAccess.LockOutAsync(string deviceId, string state, string actor, string reason, string correlationId, CancellationToken cancellation)
    {
        if (state is not (LifecycleStates.Suspended or LifecycleStates.Abnormal))
        {
            throw new ArgumentException($"'{state}' locks no device out; use '{LifecycleStates.Suspended}' or '{LifecycleStates.Abnormal}'.", nameof(state));
        }

        using var turn = await turns.DeviceAsync(deviceId, cancellation);
        return index.Find(deviceId) is not { State: not LifecycleStates.Retired } device ? null
            : LifecycleStates.IsLockedOut(device.State) ? device.State
            : (await CommitAsync(device, state, new Caller(actor, correlationId), reason, cancellation)).Before;
    }

    async Task<bool> IDeviceAccess.ReleaseAsync(string deviceId, string actor, string reason, string correlationId, CancellationToken cancellation)
    {
        using var turn = await turns.DeviceAsync(deviceId, cancellation);
        return index.Find(deviceId) is { } device && LockedByResponse(device)
            && (await CommitAsync(device, Released(device), new Caller(actor, correlationId), reason, cancellation)).Problem is null;
    }

    private static bool LockedByResponse(DeviceEntry device) => LifecycleStates.IsLockedOut(device.State) && device.StateActor.StartsWith(Response, StringComparison.Ordinal);

    private string Released(DeviceEntry device) => LifecycleRules.AfterRelease(device.Bound, pending.Of(device.Id)?.Stage == ConflictStage.Confirmed);

    private async Task<Moved> CommitAsync(DeviceEntry device, string state, Caller caller, string reason, CancellationToken cancellation)
    {
        if (device.State != state && !LifecycleRules.Allows(device.State, state))
        {
            return new Moved(device, device.State, DeviceChanges.LifecycleRefused);
        }

        var after = commits.Moved(device, state, reason, caller);

        // Nobody is left to decide for. The tokens stay known, so that a retired device that still sends is refused by its name.
        var ends = state == LifecycleStates.Retired;
        await commits.CommitAsync(
            after, [commits.Transition(device, after, reason, caller)], t => ends ? PendingBindings.DeleteAsync(device.Id, t) : Task.CompletedTask, cancellation);
        if (ends)
        {
            pending.Remove(device.Id);
            device.Holder.Watch(null);
        }

        await reports.ReportAsync(commits.Event(after, state, reason, caller));
        return new Moved(after, device.State, null);
    }
}
