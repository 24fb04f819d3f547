using System.Security.Cryptography;
using Sekisho.Traffic.Files;
using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Intervals;

namespace Sekisho.Benchmarks.Sensor;

/// <summary>The process that reads a capture as the sensor does: file, headers, tables, and each interval encoded for the gateway; or a part of that.</summary>
internal static class FileReading
{
    public static int Run(string path, int flowMemory, Stage stage)
    {
        using var file = CaptureFile.Open(path);
        using var observation = new Observation(new ObservationSettings { FlowMemory = flowMemory, Seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) });
        var intervals = new EncodedIntervals(observation, encode =>
        {
            if (stage == Stage.Whole)
            {
                encode();
            }
        });
        var batch = new PacketHeader[32];
        var resident = Resident();
        var begun = GC.GetTotalAllocatedBytes(precise: true);
        if (stage == Stage.Read)
        {
            ReadOnly(path);
        }

        if (stage < Stage.Parse)
        {
            return 0;
        }

        for (var count = file.Read(batch); count > 0; count = file.Read(batch))
        {
            if (stage > Stage.Parse)
            {
                intervals.Add(batch.AsSpan(0, count));
            }
        }

        intervals.End();
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - begun;
        var managed = GC.GetGCMemoryInfo().TotalCommittedBytes;
        SensorProcess.Tell(
            ("packets", file.Packets), ("bytes", file.Bytes), ("intervals", intervals.Count), ("flow_records", intervals.Flows), ("device_records", intervals.Devices),
            ("uplink_bytes", intervals.Bytes), ("flush_cpu_seconds", intervals.FlushCpu), ("flows_held", intervals.FlowsHeld), ("flows_limit", intervals.FlowsLimit),
            ("flows_evicted", intervals.FlowsEvicted), ("flows_omitted", intervals.FlowsOmitted), ("flow_memory_bytes", (double)flowMemory * (1 << 20)),
            ("allocated_bytes", allocated), ("allocated_in_flushes", intervals.Allocated), ("allocated_by_packets", allocated - intervals.Allocated),
            ("collections_0", GC.CollectionCount(0)), ("collections_1", GC.CollectionCount(1)), ("collections_2", GC.CollectionCount(2)),
            ("managed_bytes", managed), ("native_growth_bytes", Math.Max(0, Resident() - resident - managed)));
        return 0;
    }

    // In the pieces in which the sensor reads.
    private static void ReadOnly(string path)
    {
        using var file = new FileStream(path, new FileStreamOptions { BufferSize = 0, Options = FileOptions.SequentialScan });
        var bytes = new byte[1 << 18];
        while (file.Read(bytes) > 0)
        {
        }
    }

    /// <summary>Bytes that are resident of this process.</summary>
    public static long Resident() => long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture) * Environment.SystemPageSize;
}
