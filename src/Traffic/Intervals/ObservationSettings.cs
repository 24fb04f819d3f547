using System.Net;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Intervals;

/// <summary>How traffic is observed.</summary>
public sealed record ObservationSettings
{
    /// <summary>Length of an interval in milliseconds; intervals begin at its multiples since 1970.</summary>
    public int IntervalLength { get; init; } = 10_000;

    /// <summary>Memory for flows in MiB; about 4,700 flows in each. Taken as it is needed, never more.</summary>
    public int FlowMemory { get; init; } = 32;

    /// <summary>Memory for devices in MiB; about 1,200 devices in each, 65,534 at most.</summary>
    public int DeviceMemory { get; init; } = 8;

    /// <summary>Flows that an interval tells at most; the ones that are longest in the table come first, the others are counted in <see cref="SensorState.FlowsOmitted"/> and in what devices sent and received.</summary>
    public int FlowsPerInterval { get; init; } = WireLimits.Default.Flows;

    /// <summary>Networks that belong to the site besides private and link-local ones.</summary>
    public IReadOnlyList<IPNetwork> LocalNetworks { get; init; } = [];

    /// <summary>Seconds of silence after which a flow of TCP that was closed is dropped.</summary>
    public int ClosedSeconds { get; init; } = 30;

    /// <summary>Seconds of silence after which a flow of TCP is dropped.</summary>
    public int TcpSeconds { get; init; } = 300;

    /// <summary>Seconds of silence after which any other flow is dropped.</summary>
    public int OtherSeconds { get; init; } = 120;

    /// <summary>Seconds of silence after which a device is dropped; a day and an hour, so that what reports daily stays.</summary>
    public int DeviceSeconds { get; init; } = 90_000;

    /// <summary>Seconds after which a SYN counts as unanswered.</summary>
    public int UnansweredSeconds { get; init; } = 10;

    /// <summary>Seconds that a packet may be late: a later one is taken for a clock that was set back.</summary>
    public int LateSeconds { get; init; } = 60;

    /// <summary>Number of the first interval.</summary>
    public long FirstSequence { get; init; }

    /// <summary>Seed of the tables' hashes; a random one keeps strangers from choosing addresses that collide.</summary>
    public ulong Seed { get; init; }
}
