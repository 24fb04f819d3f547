using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Intervals;
using Sekisho.Wire.Features;

namespace Sekisho.Benchmarks.Sensor;

/// <summary>Takes packets in and makes of each interval what goes to the gateway, without sending it.</summary>
/// <param name="observation">Where packets go.</param>
/// <param name="encode">What is done with an interval's encoding: run it, at once or on another thread, one at a time and in order.</param>
internal sealed class EncodedIntervals(Observation observation, Action<Action> encode)
{
    private long _last;
    private long _bytes;

    public int Count { get; private set; }

    public long Packets { get; private set; }

    public long Flows { get; private set; }

    public long Devices { get; private set; }

    /// <summary>Bytes for the gateway.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Bytes that the making of intervals allocated.</summary>
    public long Allocated { get; private set; }

    public double FlushCpu { get; private set; }

    /// <summary>The most flows that were in the table at an end of an interval.</summary>
    public int FlowsHeld { get; private set; }

    public int FlowsLimit { get; private set; }

    public long FlowsEvicted { get; private set; }

    public long FlowsOmitted { get; private set; }

    public void Add(ReadOnlySpan<PacketHeader> batch)
    {
        while (observation.Add(batch) is var taken && taken < batch.Length)
        {
            Flush();
            batch = batch[taken..];
        }

        _last += batch.Length;
    }

    /// <summary>Ends the interval that is open, where one is.</summary>
    public void End()
    {
        if (_last > 0)
        {
            Flush();
        }
    }

    public void Flush()
    {
        var cpu = Environment.CpuUsage.TotalTime;
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var interval = observation.Flush();
        encode(() => Interlocked.Add(ref _bytes, IntervalBatch.Encode([IntervalCodec.Encode(interval)]).Length));
        Allocated += GC.GetAllocatedBytesForCurrentThread() - allocated;
        FlushCpu += (Environment.CpuUsage.TotalTime - cpu).TotalSeconds;
        Count++;
        Packets += interval.State.Packets;
        Flows += interval.Flows.Count;
        Devices += interval.Devices.Count;
        FlowsHeld = Math.Max(FlowsHeld, interval.State.FlowsHeld);
        FlowsLimit = interval.State.FlowsLimit;
        FlowsEvicted += interval.State.FlowsEvicted;
        FlowsOmitted += interval.State.FlowsOmitted;
        _last = 0;
    }
}
