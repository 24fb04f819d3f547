using System.Net;

namespace Sekisho.Traffic.Intervals;

/// <summary>How flow records become intervals.</summary>
public sealed record RecordIntervalsSettings
{
    /// <summary>Length of an interval in milliseconds; intervals begin at its multiples since 1970.</summary>
    public int IntervalLength { get; init; } = 10_000;

    /// <summary>
    /// How long an interval stays open after its end, in seconds, at most 3,600. An exporter tells of a flow when it ends or after its active timeout: what it then tells of intervals that are still open goes there,
    /// the rest into them too. So this should be the exporter's active timeout and a little more; for logs of Zeek, which waits up to five minutes until it gives a silent connection up, 330.
    /// </summary>
    public int OpenSeconds { get; init; } = 65;

    /// <summary>
    /// Flows that an interval tells at most; all open intervals together hold ten times as many, of about 400 bytes each. Parts of records that find no place are counted in
    /// <see cref="Wire.Features.SensorState.FlowsOmitted"/> and in what devices sent and received.
    /// </summary>
    public int FlowsPerInterval { get; init; } = 10_000;

    /// <summary>
    /// Devices that an interval counts at most, and as many addresses that were only written to; all open intervals together hold ten times as many, of about 1 KiB each. Parts of records that find no place are counted in
    /// <see cref="Wire.Features.SensorState.DevicesEvicted"/> and in the sums of the interval.
    /// </summary>
    public int DevicesPerInterval { get; init; } = 4_096;

    /// <summary>Memory in MiB for the devices that are known from before; about 1,200 in each.</summary>
    public int DeviceMemory { get; init; } = 8;

    /// <summary>Networks that belong to the site besides private and link-local ones.</summary>
    public IReadOnlyList<IPNetwork> LocalNetworks { get; init; } = [];

    /// <summary>Seconds of silence after which a device is forgotten.</summary>
    public int DeviceSeconds { get; init; } = 90_000;

    /// <summary>Seconds that the clock may go back; more is taken for a clock that was set, and ends all open intervals.</summary>
    public int LateSeconds { get; init; } = 60;

    /// <summary>Number of the first interval.</summary>
    public long FirstSequence { get; init; }

    /// <summary>Seed of the tables' hashes; a random one keeps strangers from choosing addresses that collide.</summary>
    public ulong Seed { get; init; }
}
