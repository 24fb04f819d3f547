using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using Sekisho.Traffic.Capture;
using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Intervals;

namespace Sekisho.Benchmarks.Sensor;

/// <summary>The process that observes an interface as the sensor does, until a line comes in.</summary>
internal static class LiveReading
{
    private const int Wait = 100;

    public static int Run(string interfaceName, int ring)
    {
        using var capture = LiveCapture.Open(new CaptureSettings { Interfaces = [interfaceName], RingMebibytes = ring });
        using var observation = new Observation(new ObservationSettings { Seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) });

        // Encoded on another thread, or the ring would have to hold what comes meanwhile. Two intervals wait at most; then reading does.
        using var waiting = new BlockingCollection<Action>(boundedCapacity: 2);
        var encoder = new Thread(() =>
        {
            foreach (var encode in waiting.GetConsumingEnumerable())
            {
                encode();
            }
        });
        encoder.Start();
        var intervals = new EncodedIntervals(observation, waiting.Add);
        var batch = new PacketHeader[32];
        var ended = false;
        Console.Out.WriteLine("ready");
        var end = new Thread(() =>
        {
            _ = Console.In.ReadLine();
            Volatile.Write(ref ended, true);
        });
        end.Start();
        var cpu = Environment.CpuUsage;
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var clock = Stopwatch.StartNew();
        TimeSpan longestWait = default, longestWork = default;
        while (true)
        {
            var before = clock.Elapsed;
            var count = capture.Read(batch, Wait);
            var after = clock.Elapsed;
            longestWait = Max(longestWait, after - before);
            if (count > 0)
            {
                intervals.Add(batch.AsSpan(0, count));
            }
            else if (Volatile.Read(ref ended))
            {
                break;
            }
            else if (observation.IsOver(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() * 1_000_000))
            {
                intervals.Flush();
            }

            longestWork = Max(longestWork, clock.Elapsed - after);
        }

        intervals.End();
        waiting.CompleteAdding();
        encoder.Join();
        var used = Environment.CpuUsage;
        var counted = capture.Interfaces[0].Statistics;
        SensorProcess.Tell(
            ("received", intervals.Packets), ("kernel_drops", counted.Drops), ("kernel_frames", counted.Frames), ("observed_seconds", clock.Elapsed.TotalSeconds),
            ("cpu_user", (used.UserTime - cpu.UserTime).TotalSeconds), ("cpu_system", (used.PrivilegedTime - cpu.PrivilegedTime).TotalSeconds),
            ("longest_wait_seconds", longestWait.TotalSeconds), ("longest_work_seconds", longestWork.TotalSeconds), ("peak_mebibytes", ProcessMeter.PeakMebibytes(Environment.ProcessId)), ("intervals", intervals.Count), ("flows_held", intervals.FlowsHeld),
            ("uplink_bytes", intervals.Bytes), ("allocated_bytes", GC.GetTotalAllocatedBytes(precise: true) - allocated), ("allocated_in_flushes", intervals.Allocated));
        end.Join();
        return 0;
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
