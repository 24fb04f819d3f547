namespace Sekisho.Domain.Devices;

/// <summary>Judges the proof that a device sends with its data. Implemented by Devices, called by Distribution for each request. Any thread; memory only.</summary>
public interface ITokenCheck
{
    /// <summary>
    /// Checks that the token is alive and belongs to the device, and notes its use (time and source) for the rule on two senders.
    /// </summary>
    /// <param name="token">The bearer token as sent; may be anything.</param>
    /// <param name="deviceId">The device identifier as sent; may be anything.</param>
    /// <param name="source">Address of the sender (no port).</param>
    TokenVerdict Check(ReadOnlySpan<char> token, ReadOnlySpan<char> deviceId, string source);
}

/// <summary>Outcome of a token check.</summary>
/// <param name="Refusal">Null when the token is good, else one of <see cref="Events.RefusalReasons"/>.</param>
/// <param name="DeviceId">The device; for a refusal only when the token proves who it is.</param>
/// <param name="FieldId">Its field, as above.</param>
/// <param name="Epoch">Binding epoch of a good token.</param>
public readonly record struct TokenVerdict(string? Refusal, string? DeviceId, string? FieldId, int Epoch)
{
    /// <summary>A token that is refused because its device is locked out has run out as well.</summary>
    public bool HasRunOut { get; init; }
}

/// <summary>Locks devices out and lets them in again. Implemented by Devices, called by Response.</summary>
public interface IDeviceAccess
{
    /// <summary>
    /// Moves the device to a state that refuses it; tokens are refused from the next request on. A device that is locked out already stays as
    /// it is, in the name of whoever locked it.
    /// </summary>
    /// <param name="deviceId">The device.</param>
    /// <param name="state"><see cref="LifecycleStates.Suspended"/> or <see cref="LifecycleStates.Abnormal"/>.</param>
    /// <param name="actor">Who: account name, or "response:LEASE".</param>
    /// <param name="reason">Why, for people.</param>
    /// <param name="correlationId">Correlation id of the cause.</param>
    /// <param name="cancellation">Cancels before the change; never half of it.</param>
    /// <returns>The state before, for the undo; null when there is no such device or it is retired.</returns>
    Task<string?> LockOutAsync(string deviceId, string state, string actor, string reason, string correlationId, CancellationToken cancellation);

    /// <summary>
    /// Undoes a lock-out of the responses: the device may authenticate and send again, with its old token when that has not run out. What a
    /// person locked, or kept locked, stays. Idempotent.
    /// </summary>
    /// <returns>False when there is no such device, or it is not locked out by a response.</returns>
    Task<bool> ReleaseAsync(string deviceId, string actor, string reason, string correlationId, CancellationToken cancellation);
}
