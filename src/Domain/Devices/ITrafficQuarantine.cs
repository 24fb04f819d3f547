namespace Sekisho.Domain.Devices;

/// <summary>
/// Keeps back what a device sends: it stays authenticated, everything is accepted, recorded and judged, and nothing of it reaches the field's cloud
/// until the quarantine ends. Implemented by Distribution, called by Response and Devices. Any thread.
/// </summary>
public interface ITrafficQuarantine
{
    /// <summary>Puts a device into quarantine in the name of a holder, from the next request to the field's cloud on. Idempotent. It ends by itself, whatever becomes of the holder.</summary>
    Task HoldAsync(QuarantineOrder order, CancellationToken cancellation);

    /// <summary>Ends what the holder ordered; with the last holder what waits goes on its way, or is dropped. Idempotent.</summary>
    /// <param name="deviceId">The device.</param>
    /// <param name="holder">Who held it.</param>
    /// <param name="forward">True to let go what waits, in the order of first arrival; false to drop it.</param>
    /// <param name="actor">Who ended it, for the history.</param>
    /// <param name="correlationId">What caused it.</param>
    /// <param name="cancellation">Cancels before the change.</param>
    /// <returns>False while others still hold the device.</returns>
    Task<bool> EndAsync(string deviceId, string holder, bool forward, string actor, string correlationId, CancellationToken cancellation);

    /// <summary>The quarantine of a device; null when it is in none. Memory only.</summary>
    Quarantine? Of(string deviceId);

    /// <summary>How many messages of a device wait for the field's cloud among the first ones of its queue, and whether there are more behind those.</summary>
    Task<(int Messages, bool More)> QueuedAsync(string fieldId, string deviceId, CancellationToken cancellation);
}

/// <summary>An order to put a device into quarantine.</summary>
/// <param name="FieldId">Its field.</param>
/// <param name="DeviceId">The device.</param>
/// <param name="Holder">Who holds it: a lease.</param>
/// <param name="Until">When it ends by itself.</param>
/// <param name="ForwardAtEnd">What becomes of what waits when it ends by itself: true lets it go, false drops it.</param>
public sealed record QuarantineOrder(string FieldId, string DeviceId, string Holder, DateTimeOffset Until, bool ForwardAtEnd);

/// <summary>A device in quarantine.</summary>
/// <param name="Until">When the last of its holders ends by itself.</param>
/// <param name="Waiting">Messages that wait; those whose turn has not come yet are in the queue still and not among them.</param>
public sealed record Quarantine(DateTimeOffset Until, long Waiting);
