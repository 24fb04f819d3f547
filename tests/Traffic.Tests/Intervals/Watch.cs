using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Intervals;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Tests.Intervals;

/// <summary>An observation as a source drives it, and what it told.</summary>
internal sealed class Watch(ObservationSettings? settings = null) : IDisposable
{
    public const long Millisecond = 1_000_000;
    public const long Second = 1_000_000_000;

    /// <summary>Begin of an interval of 10 s, in nanoseconds.</summary>
    public const long Start = 1_795_752_000 * Second;

    public Observation Observation { get; } = new(settings ?? new ObservationSettings());

    public List<IntervalFeatures> Intervals { get; } = [];

    public IEnumerable<FlowFeatures> Flows => Intervals.SelectMany(i => i.Flows);

    public IEnumerable<DeviceFeatures> Devices => Intervals.SelectMany(i => i.Devices);

    public Watch See(params ReadOnlySpan<PacketHeader> packets)
    {
        for (var taken = Observation.Add(packets); taken < packets.Length; taken = Observation.Add(packets))
        {
            Intervals.Add(Observation.Flush());
            packets = packets[taken..];
        }

        return this;
    }

    /// <summary>Ends the open interval.</summary>
    public IntervalFeatures End()
    {
        Intervals.Add(Observation.Flush());
        return Intervals[^1];
    }

    /// <summary>What one interval tells of these packets.</summary>
    public static IntervalFeatures Of(params ReadOnlySpan<PacketHeader> packets)
    {
        using var watch = new Watch();
        return watch.See(packets).End();
    }

    /// <summary>The only flow of these packets, which lie in one interval.</summary>
    public static FlowFeatures FlowOf(params ReadOnlySpan<PacketHeader> packets) => Assert.Single(Of(packets).Flows);

    public void Dispose() => Observation.Dispose();
}
