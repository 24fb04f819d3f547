using Sekisho.Wire.Features;

namespace Sekisho.Wire.Orders;

/// <summary>
/// What an enforcer on the network is told to do with one device. Orders about one measure have the same <see cref="Measure"/>: a later one replaces
/// an earlier one, a lift ends it.
/// </summary>
public sealed record NetworkOrder
{
    /// <summary>The sensor it is for, 16 characters; no other may follow it.</summary>
    public required string SensorId { get; init; }

    /// <summary>The measure it is about, 16 characters.</summary>
    public required string Measure { get; init; }

    /// <summary>Rises with each order for this sensor; at least 1.</summary>
    public required long Sequence { get; init; }

    /// <summary>What to do.</summary>
    public required NetworkOrderKind Kind { get; init; }

    /// <summary>Milliseconds since 1970, by the gateway's clock.</summary>
    public required long IssuedAt { get; init; }

    /// <summary>Milliseconds since 1970: from then on it is not followed, and what it did has ended by itself. At most <see cref="NetworkOrderCodec.LongestLife"/> after <see cref="IssuedAt"/>.</summary>
    public required long ExpiresAt { get; init; }

    /// <summary>MACs of the device, the low 48 bits. Empty for a lift.</summary>
    public IReadOnlyList<ulong> Macs { get; init; } = [];

    /// <summary>Addresses of the device. Empty for a lift.</summary>
    public IReadOnlyList<NetAddress> Addresses { get; init; } = [];

    /// <summary>What a quarantined device may still reach. Empty for others.</summary>
    public IReadOnlyList<NetworkService> Reachable { get; init; } = [];

    /// <summary>Whether its time is over.</summary>
    public bool HasEnded(DateTimeOffset now) => ExpiresAt <= now.ToUnixTimeMilliseconds();
}

/// <summary>What an order is for. Numbers are on the wire.</summary>
public enum NetworkOrderKind
{
    /// <summary>Nothing of the device passes.</summary>
    Block = 1,

    /// <summary>The device reaches the named services only.</summary>
    Quarantine = 2,

    /// <summary>The measure ends now.</summary>
    Lift = 3,
}

/// <summary>A service that stays reachable.</summary>
/// <param name="Address">Its address.</param>
/// <param name="Protocol">6 for TCP, 17 for UDP.</param>
/// <param name="Port">1 to 65535.</param>
public readonly record struct NetworkService(NetAddress Address, byte Protocol, ushort Port);

/// <summary>Why an order is not followed.</summary>
public enum OrderFault
{
    /// <summary>It is followed.</summary>
    None,

    /// <summary>The bytes are no order of a version that is known here; a member that is not known is refused as well.</summary>
    Damaged,

    /// <summary>It is not signed by the gateway's order key.</summary>
    WrongSignature,

    /// <summary>It is for another sensor.</summary>
    OtherSensor,

    /// <summary>It was seen before, or one issued later was.</summary>
    Repeated,

    /// <summary>Its time is over.</summary>
    Expired,

    /// <summary>It was issued in the future, or is good for too long.</summary>
    FarFuture,
}
