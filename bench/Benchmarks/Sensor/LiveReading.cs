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
        var intervals = new EncodedIntervals(observation);
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
        while (true)
        {
            var count = capture.Read(batch, Wait);
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
        }

        intervals.End();
        var used = Environment.CpuUsage;
        var counted = capture.Interfaces[0].Statistics;
        SensorProcess.Tell(
            ("received", intervals.Packets), ("kernel_drops", counted.Drops), ("kernel_frames", counted.Frames), ("observed_seconds", clock.Elapsed.TotalSeconds),
            ("cpu_user", (used.UserTime - cpu.UserTime).TotalSeconds), ("cpu_system", (used.PrivilegedTime - cpu.PrivilegedTime).TotalSeconds),
            ("peak_mebibytes", ProcessMeter.PeakMebibytes(Environment.ProcessId)), ("intervals", intervals.Count), ("flows_held", intervals.FlowsHeld),
            ("uplink_bytes", intervals.Bytes), ("allocated_bytes", GC.GetTotalAllocatedBytes(precise: true) - allocated), ("allocated_in_flushes", intervals.Allocated));
        end.Join();
        return 0;
    }
}
