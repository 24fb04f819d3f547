namespace Sekisho.Domain.Devices;

/// <summary>
/// Restricts devices on the network, through sensors in their path that enforce. Implemented by Behaviour, called by Response. The gateway itself
/// holds no privilege on any network: it signs orders, and enforcers fetch them. Any thread.
/// </summary>
public interface INetworkEnforcement
{
    /// <summary>How the network knows a device; null when nothing links the device to what passes there.</summary>
    Task<NetworkIdentity?> FindAsync(string deviceId, CancellationToken cancellation);

    /// <summary>How many enforcers of a field are online.</summary>
    Task<int> OnlineAsync(string fieldId, CancellationToken cancellation);

    /// <summary>
    /// Orders a measure and waits until an enforcer confirms it. Ordered twice, it is one measure. When nobody confirms in time, or all refuse, it is
    /// withdrawn, so that nothing comes into force that nobody knows of.
    /// </summary>
    /// <param name="measure">What.</param>
    /// <param name="wait">How long.</param>
    /// <param name="correlationId">What caused it.</param>
    /// <param name="cancellation">Ends the wait; the measure is withdrawn then too.</param>
    Task<NetworkOutcome> RestrictAsync(NetworkMeasure measure, TimeSpan wait, string correlationId, CancellationToken cancellation);

    /// <summary>Ends a measure and waits until each enforcer that has it confirms.</summary>
    /// <returns>False when an enforcer has not confirmed yet; it will when it is back, and its own clock ends the measure at the latest.</returns>
    Task<bool> LiftAsync(string measureId, TimeSpan wait, string correlationId, CancellationToken cancellation);
}

/// <summary>How the network knows a device.</summary>
/// <param name="Macs">Its MACs, as 02:00:00:00:00:01.</param>
/// <param name="Addresses">Its addresses that sensors saw, or that a person named.</param>
public sealed record NetworkIdentity(IReadOnlyList<string> Macs, IReadOnlyList<string> Addresses);

/// <summary>A restriction of a device on the network.</summary>
public sealed record NetworkMeasure
{
    /// <summary>16 characters of 0-9 and a-z; the lease that it belongs to.</summary>
    public required string Id { get; init; }

    /// <summary>The field whose enforcers are to follow.</summary>
    public required string FieldId { get; init; }

    /// <summary>The device.</summary>
    public required string DeviceId { get; init; }

    /// <summary>How the network knows it.</summary>
    public required NetworkIdentity Identity { get; init; }

    /// <summary>What it may still reach; null to block it altogether.</summary>
    public IReadOnlyList<ReachableService>? Reachable { get; init; }

    /// <summary>When the measure ends by itself.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
}

/// <summary>A service that a quarantined device may still reach.</summary>
/// <param name="Address">Its address.</param>
/// <param name="Protocol">"tcp" or "udp".</param>
/// <param name="Port">1 to 65535.</param>
public sealed record ReachableService(string Address, string Protocol, int Port);

/// <summary>What came of an order.</summary>
/// <param name="Kind">What.</param>
/// <param name="Cause">Why the enforcers refuse, a stable name; empty otherwise.</param>
public readonly record struct NetworkOutcome(NetworkOutcomeKind Kind, string Cause = "");

/// <summary>What may come of an order.</summary>
public enum NetworkOutcomeKind
{
    /// <summary>At least one enforcer confirmed that it is in force.</summary>
    InForce,

    /// <summary>No enforcer is online.</summary>
    NobodyOnline,

    /// <summary>Enforcers are online, and none has confirmed in time.</summary>
    Unanswered,

    /// <summary>Every enforcer that is online refuses.</summary>
    Refused,
}

/// <summary>Tells the MACs of registered devices. Implemented by Devices, called by Behaviour. Any thread; memory only.</summary>
public interface IDeviceMacs
{
    /// <summary>The MAC in the device's unique ID, as 02:00:00:00:00:01; null when its unique ID has none.</summary>
    string? MacOf(string deviceId);
}
