namespace Sekisho.Domain.Devices;

/// <summary>Lets a device send less than its field allows, for a while. Implemented by Distribution, called by Response. Any thread.</summary>
public interface ITrafficRestrictions
{
    /// <summary>Restricts a device in the name of a holder; of several holders the lowest rate counts. Idempotent. It ends by itself, whatever becomes of the holder.</summary>
    /// <param name="deviceId">The device.</param>
    /// <param name="holder">Who holds it: a lease.</param>
    /// <param name="messagesPerMinute">Messages that it may still send, live and stored ones each.</param>
    /// <param name="until">When it ends.</param>
    /// <param name="cancellation">Cancels before the change.</param>
    Task RestrictAsync(string deviceId, string holder, double messagesPerMinute, DateTimeOffset until, CancellationToken cancellation);

    /// <summary>Ends what the holder ordered. Idempotent.</summary>
    Task LiftAsync(string deviceId, string holder, CancellationToken cancellation);

    /// <summary>Messages a minute that the device may send now; null when it is not restricted.</summary>
    double? Of(string deviceId);
}
