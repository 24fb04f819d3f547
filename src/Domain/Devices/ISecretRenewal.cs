namespace Sekisho.Domain.Devices;

/// <summary>
/// Has devices renew the secret that they authenticate with, without shutting out one that cannot: old and new are both good until the new one is used. Implemented by
/// Devices, called by Response. Any thread.
/// </summary>
public interface ISecretRenewal
{
    /// <summary>Orders a device to renew its secret, in the name of a holder. The device learns of it with its next token. Idempotent.</summary>
    /// <param name="deviceId">The device.</param>
    /// <param name="holder">Who orders it: a lease.</param>
    /// <param name="before">By when it is to be done; nothing happens to the device when it is not.</param>
    /// <param name="correlationId">What caused it.</param>
    /// <param name="cancellation">Cancels before the change.</param>
    Task<SecretRenewalOutcome> OrderAsync(string deviceId, string holder, DateTimeOffset before, string correlationId, CancellationToken cancellation);

    /// <summary>Ends the holder's order. A new secret that the device has fetched already stays good, so that nobody is shut out. Idempotent.</summary>
    /// <returns>True when the device had renewed its secret by then.</returns>
    Task<bool> WithdrawAsync(string deviceId, string holder, string correlationId, CancellationToken cancellation);
}

/// <summary>What came of an order to renew a secret.</summary>
public enum SecretRenewalOutcome
{
    /// <summary>The device is told with its next token.</summary>
    Ordered,

    /// <summary>It shares its secret with its product line: it cannot renew it for all of them.</summary>
    Shared,

    /// <summary>There is no such device, or it is retired.</summary>
    NoDevice,
}
