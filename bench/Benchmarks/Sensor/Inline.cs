using System.Globalization;

namespace Sekisho.Benchmarks.Sensor;

/// <summary>The sensor on the machine that forwards: what it costs the forwarding, and whether it misses anything of a hundred cameras.</summary>
/// <param name="program">The sensor.</param>
internal sealed class Inline(string program)
{
    private const int Connections = 4;
    private const double TransferSeconds = 3;
    private const double CameraSeconds = 20;
    private const double CameraSecondsWithout = 10;
    private const double Reached = 0.95;
    private const double LeastScale = 1.0 / 16;

    public InlineResult Run(int runs)
    {
        var transfers = new List<TransferRow>();
        var cameras = new List<CameraRow>();
        foreach (var router in (bool[])[true, false])
        {
            using var path = new ForwardingPath(router);
            cameras.Add(WatchCameras(path));
            transfers.Add(Compare(path, singleFrames: false, runs));
            path.SingleFrames();
            transfers.Add(Compare(path, singleFrames: true, runs));
        }

        return new InlineResult(transfers, cameras);
    }

    /// <summary>Only what does not depend on the machine's speed. Rows of segments are one for the interface's counters and many for the sensor, so there is nothing to compare.</summary>
    public static IEnumerable<Goal> Goals(InlineResult result)
    {
        foreach (var row in result.Cameras)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"{Cameras.Count} cameras, {Kind(row.Router)}");
            yield return new Goal($"{name}: frames dropped for want of room in the ring", 0, row.KernelDrops, AtMost: true);
            yield return new Goal($"{name}: packets told less those of the interface's counters", 0, Math.Abs(row.Packets - row.InterfacePackets), AtMost: true);
            yield return new Goal($"{name}: bytes told less those of the interface's counters", 0, Math.Abs(row.Bytes - row.InterfaceBytes), AtMost: true);

            // Cameras that were not sent for decide nothing.
            var sent = row.SentRate >= row.Rate * Reached;
            yield return new Goal($"{name}: intervals missing in the sequence", 0, row.Holes, AtMost: true);
            yield return new Goal($"{name}: whole intervals", 1, row.WholeIntervals);
            yield return new Goal($"{name}: cameras missing in whole intervals", 0, row.Missing == 0 || sent ? row.Missing : null, AtMost: true);
        }

        foreach (var row in result.Transfers.Where(r => r.SingleFrames))
        {
            // What the ring had no room for is counted by the kernel and not told as packets.
            var name = $"TCP in single frames, {Kind(row.Router)}";
            yield return new Goal($"{name}: packets told and dropped less those of the interface's counters", 0, Math.Abs(row.Packets + row.KernelDrops - row.InterfacePackets), AtMost: true);
        }
    }

    public static string Kind(bool router) => router ? "router" : "bridge";

    private TransferRow Compare(ForwardingPath path, bool singleFrames, int runs)
    {
        var (off, on) = (new List<TransferRun>(), new List<TransferRun>());
        for (var run = 0; run < runs; run++)
        {
            // In turns, and each first as often as the other.
            foreach (var watched in run % 2 == 0 ? (bool[])[false, true] : [true, false])
            {
                Say($"TCP {(singleFrames ? "in single frames" : "in rows of segments")} through the {Kind(path.Router)}, sensor {(watched ? "on" : "off")}");
                (watched ? on : off).Add(Transfer(path, watched));
            }
        }

        double Of(List<TransferRun> from, Func<TransferRun, double> what) => Median(from.Select(what));
        return new TransferRow(
            path.Router, singleFrames, Of(off, r => r.BitsPerSecond), Of(on, r => r.BitsPerSecond), Of(on, r => r.BitsPerSecond) / Of(off, r => r.BitsPerSecond), Of(off, r => r.IdleCores), Of(on, r => r.IdleCores),
            Of(on, r => r.SensorCores), Of(on, r => r.PacketsPerSecond), on.Sum(r => r.Packets), on.Sum(r => r.InterfacePackets), on.Sum(r => r.KernelDrops), on.Max(r => r.PeakMebibytes), off, on);
    }

    private TransferRun Transfer(ForwardingPath path, bool watched)
    {
        string[] arguments = [ForwardingPath.ServerAddress, Connections.ToString(CultureInfo.InvariantCulture), TransferSeconds.ToString(CultureInfo.InvariantCulture)];
        using var server = path.ServerSpace.Start(core: null, ["sensor-serve", .. arguments]);
        using var client = path.ClientSpace.Start(core: null, ["sensor-connect", .. arguments]);
        try
        {
            SensorProcess.Expect(server);
            SensorProcess.Expect(client);
            using var sensor = watched ? Watch(path) : null;
            var before = path.Middle.Count(ForwardingPath.DevicesEnd);
            if (watched)
            {
                WarmUp(path);
            }

            var (begin, cpu, idle) = (path.Middle.Count(ForwardingPath.DevicesEnd), sensor?.Cpu ?? 0, new IdleMeter());
            client.StandardInput.WriteLine();
            var (up, down) = (SensorProcess.Read(server.StandardOutput.ReadToEnd()), SensorProcess.Read(client.StandardOutput.ReadToEnd()));
            var (free, used, peak) = (idle.Cores, (sensor?.Cpu ?? 0) - cpu, sensor?.PeakMebibytes ?? 0);
            var told = sensor?.End() ?? [];
            var seconds = Math.Max(up["seconds"], down["seconds"]);
            return new TransferRun(
                (up["received_bytes"] + down["received_bytes"]) * 8 / seconds, free, used / seconds, (told.Sum(i => i.Packets) - (begin - before).Packets) / seconds, told.Sum(i => i.Packets), (path.Middle.Count(ForwardingPath.DevicesEnd) - before).Packets, told.Sum(i => i.KernelDrops), peak);
        }
        finally
        {
            SensorProcess.End(client, server);
        }
    }

    // The sensor has been running for a while when much comes: its code is compiled. The cameras come to one that has only just begun.
    private static void WarmUp(ForwardingPath path)
    {
        using var sender = path.ServerSpace.Start(core: null, "sensor-send", Cameras.RecorderLoad + (path.Router ? Cameras.Routed : ""), ForwardingPath.ServerEnd, "2000", "0.5");
        SensorProcess.Expect(sender);
        sender.StandardInput.WriteLine();
        _ = SensorProcess.Read(sender.StandardOutput.ReadToEnd());
    }

    // At the cameras' own rate, or at the half, the quarter … of it where the machine cannot forward so much.
    private CameraRow WatchCameras(ForwardingPath path)
    {
        var scale = 1.0;
        while (true)
        {
            var without = Record(path, scale, CameraSecondsWithout, watched: false);
            if (without.SentRate >= without.Rate * Reached || scale <= LeastScale)
            {
                return Record(path, scale, CameraSeconds, watched: true) with { IdleWithout = without.IdleCores, UsedWithout = without.UsedCores };
            }

            scale /= 2;
        }
    }

    private CameraRow Record(ForwardingPath path, double scale, double seconds, bool watched)
    {
        var rate = Frames.Of(Cameras.Load).Rate * scale;
        Say($"{Cameras.Count} cameras of {Cameras.BitsEach * scale / 1e6:N2} Mbps through the {Kind(path.Router)}, {seconds:N0} s, sensor {(watched ? "on" : "off")}");
        var routed = path.Router ? Cameras.Routed : "";
        string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
        using var cameras = path.ClientSpace.Start(core: null, "sensor-send", Cameras.Load + routed, ForwardingPath.ClientEnd, Text(rate), Text(seconds));
        using var recorder = path.ServerSpace.Start(core: null, "sensor-send", Cameras.RecorderLoad + routed, ForwardingPath.ServerEnd, Text(Frames.Of(Cameras.RecorderLoad).Rate), Text(seconds));
        try
        {
            SensorProcess.Expect(cameras);
            SensorProcess.Expect(recorder);
            using var sensor = watched ? Watch(path, "--interval", "1") : null;
            var (before, arrivedBefore, cpu, idle) = (path.Middle.Count(ForwardingPath.DevicesEnd), path.Arrived, sensor?.Cpu ?? 0, new IdleMeter());
            recorder.StandardInput.WriteLine();
            cameras.StandardInput.WriteLine();
            var (up, down) = (SensorProcess.Read(cameras.StandardOutput.ReadToEnd()), SensorProcess.Read(recorder.StandardOutput.ReadToEnd()));
            var (free, used, peak) = (idle.Cores, (sensor?.Cpu ?? 0) - cpu, sensor?.PeakMebibytes ?? 0);
            var told = sensor?.End() ?? [];
            var counted = path.Middle.Count(ForwardingPath.DevicesEnd) - before;
            var whole = told.Where(i => i.Start >= up["begun"] && i.Start + i.Length <= up["ended"]).ToList();
            return new CameraRow(
                path.Router, Cameras.BitsEach * scale, rate, up["sent"] / up["seconds"], up["sent_bytes"] * 8 / up["seconds"], up["sent"] + down["sent"], path.Arrived - arrivedBefore, counted.Packets, told.Sum(i => i.Packets), counted.Bytes, told.Sum(i => i.Bytes),
                told.Sum(i => i.KernelDrops), told.Count, told.Zip(told.Skip(1)).Count(p => p.First.Start + p.First.Length != p.Second.Start), whole.Count, whole.Sum(Missing), free, used / up["seconds"], (up["cpu"] + down["cpu"] + used) / up["seconds"], peak);
        }
        finally
        {
            SensorProcess.End(cameras, recorder);
        }
    }

    private static int Missing(ToldInterval interval) => Enumerable.Range(Cameras.First, Cameras.Count).Count(c => !interval.Senders.Contains(Cameras.Mac(c)));

    private WatchingSensor Watch(ForwardingPath path, params string[] arguments) => new(path.Middle, core: null, program, ["--inline", "--interface", ForwardingPath.DevicesEnd, .. arguments]);

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }

    private static void Say(FormattableString text) => Console.Error.WriteLine($"inline: {text.ToString(CultureInfo.InvariantCulture)}");
}

/// <summary>All that was measured.</summary>
internal sealed record InlineResult(IReadOnlyList<TransferRow> Transfers, IReadOnlyList<CameraRow> Cameras);

/// <summary>One transfer.</summary>
/// <param name="BitsPerSecond">What the receivers got of the connections, both directions together.</param>
/// <param name="IdleCores">Processors of the machine that were free.</param>
/// <param name="SensorCores">Processors that the sensor used.</param>
/// <param name="PacketsPerSecond">That it told.</param>
/// <param name="Packets">That it told in all.</param>
/// <param name="InterfacePackets">By the interface's own counters.</param>
/// <param name="KernelDrops">Frames that its ring had no room for.</param>
/// <param name="PeakMebibytes">Resident at most.</param>
internal sealed record TransferRun(double BitsPerSecond, double IdleCores, double SensorCores, double PacketsPerSecond, long Packets, long InterfacePackets, long KernelDrops, double PeakMebibytes);

/// <summary>Transfers with and without the sensor in turns: medians, sums of packets, the peak of memory.</summary>
internal sealed record TransferRow(
    bool Router, bool SingleFrames, double BitsWithout, double BitsWith, double Ratio, double IdleWithout, double IdleWith, double SensorCores, double PacketsPerSecond, long Packets, long InterfacePackets, long KernelDrops, double PeakMebibytes,
    IReadOnlyList<TransferRun> Without, IReadOnlyList<TransferRun> With);

/// <summary>The cameras.</summary>
/// <param name="Router">Through a router; else through a bridge.</param>
/// <param name="BitsEach">A camera's rate; less than 4 Mbps where the machine cannot forward that.</param>
/// <param name="Rate">Frames a second that the cameras wanted to send.</param>
/// <param name="SentRate">That they sent.</param>
/// <param name="BitsPerSecond">On their cable.</param>
/// <param name="Sent">Frames of the cameras and of the recorder.</param>
/// <param name="Arrived">Of these, frames that reached the other side.</param>
/// <param name="InterfacePackets">By the counters of the interface towards the cameras.</param>
/// <param name="Packets">That the sensor told.</param>
/// <param name="InterfaceBytes">By the counters.</param>
/// <param name="Bytes">That the sensor told.</param>
/// <param name="KernelDrops">Frames that its ring had no room for.</param>
/// <param name="Intervals">Told in all, of a second each.</param>
/// <param name="Holes">Times that an interval did not begin where the one before it ended.</param>
/// <param name="WholeIntervals">Intervals during all of which the cameras sent.</param>
/// <param name="Missing">Cameras that one of these does not have, all together.</param>
/// <param name="IdleCores">Processors of the machine that were free.</param>
/// <param name="SensorCores">Processors that the sensor used.</param>
/// <param name="UsedCores">Processors that sending, forwarding, receiving and the sensor used: also where others want the rest, the machine has left what is not used.</param>
/// <param name="PeakMebibytes">Resident at most.</param>
internal sealed record CameraRow(
    bool Router, double BitsEach, double Rate, double SentRate, double BitsPerSecond, double Sent, long Arrived, long InterfacePackets, long Packets, long InterfaceBytes, long Bytes, long KernelDrops, int Intervals, int Holes, int WholeIntervals, int Missing,
    double IdleCores, double SensorCores, double UsedCores, double PeakMebibytes)
{
    /// <summary>Processors that were free without the sensor.</summary>
    public double IdleWithout { get; init; }

    /// <summary>Processors that were used without the sensor.</summary>
    public double UsedWithout { get; init; }
}
