using System.Globalization;

namespace Sekisho.Benchmarks.Sensor;

/// <summary>Sends loads over a cable and looks what the sensor sees of them, both on a core of their own.</summary>
internal static class Live
{
    private const int LargeRing = 64;
    private const int UsualRing = 8;
    private const double GoalRate = 400_000;
    private const double RealBits = 0.9e9;
    private const double Reached = 0.95;
    private static readonly double[] Rates = [200_000, 300_000, 400_000, 500_000, 600_000, 800_000, 1_000_000];

    public static IReadOnlyList<LiveRow> Run(string? pcap)
    {
        using var cable = new Cable();
        var rows = new List<LiveRow> { Measure(cable, Frames.Factory, Frames.Of(Frames.Factory).Rate, seconds: 20, UsualRing) };
        foreach (var rate in Rates)
        {
            var row = Measure(cable, Frames.Synthetic, rate, seconds: 4, LargeRing);
            rows.Add(row);
            if (row.Lost > 0 || row.SentRate < rate * Reached)
            {
                break;
            }
        }

        rows.Add(Measure(cable, Frames.Synthetic, GoalRate, seconds: 20, LargeRing) with { Goal = true });
        if (pcap is not null)
        {
            rows.Add(Measure(cable, pcap, RealBits / 8 / Frames.Of(pcap).Mean, seconds: 15, LargeRing));
        }

        return rows;
    }

    /// <summary>The goals that belong to the rows; a rate that the sender did not reach decides nothing, unless it was too much already.</summary>
    public static IEnumerable<Goal> Goals(IReadOnlyList<LiveRow> rows)
    {
        foreach (var row in rows.Where(r => r.Load != Frames.Synthetic || r.Goal))
        {
            double? Of(double value) => row.Lost > 0 || row.SentRate >= row.Rate * Reached ? value : null;
            yield return new Goal($"{row.Load}: frames lost at {row.Rate.ToString("N0", CultureInfo.InvariantCulture)}/s", 0, Of(row.Lost), AtMost: true);
            if (row.Load != Frames.Synthetic)
            {
                yield return new Goal($"{row.Load}: share of a core", row.Load == Frames.Factory ? 0.02 : 0.12, Of(row.CpuShare), AtMost: true);
            }

            if (row.Load == Frames.Factory)
            {
                yield return new Goal($"{row.Load}: MiB resident", 64, Of(row.PeakMebibytes), AtMost: true);
            }
        }
    }

    private static LiveRow Measure(Cable cable, string load, double rate, double seconds, int ring)
    {
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"live: {load} at {rate:N0}/s"));
        using var receiver = cable.Receive("sensor-capture", Cable.Right, ring.ToString(CultureInfo.InvariantCulture));
        using var sender = cable.Send("sensor-send", load, Cable.Left, rate.ToString(CultureInfo.InvariantCulture), seconds.ToString(CultureInfo.InvariantCulture));
        try
        {
            SensorProcess.Expect(receiver);
            SensorProcess.Expect(sender);
            sender.StandardInput.WriteLine();
            var sent = SensorProcess.Read(sender.StandardOutput.ReadToEnd());
            receiver.StandardInput.WriteLine();
            var seen = SensorProcess.Read(receiver.StandardOutput.ReadToEnd());
            var cpu = seen["cpu_user"] + seen["cpu_system"];
            return new LiveRow(load, rate, sent["sent"], sent["sent"] / sent["seconds"], sent["sent_bytes"] * 8 / sent["seconds"], seen["received"], sent["sent"] - seen["received"], seen["kernel_drops"], cpu / sent["seconds"], seen["peak_mebibytes"], ring, seen);
        }
        finally
        {
            SensorProcess.End(sender, receiver);
        }
    }
}

/// <summary>What was sent and what was seen of it.</summary>
/// <param name="Load">Its name or file.</param>
/// <param name="Rate">Frames a second that were wanted.</param>
/// <param name="Sent">Frames that the kernel took.</param>
/// <param name="SentRate">Of these a second.</param>
/// <param name="BitsPerSecond">On the cable.</param>
/// <param name="Received">Frames that were counted in intervals.</param>
/// <param name="Lost">Sent less received.</param>
/// <param name="KernelDrops">Of these, as the kernel tells, for want of room in the ring; the others it dropped before.</param>
/// <param name="CpuShare">User and system time of the sensor over the time of sending.</param>
/// <param name="PeakMebibytes">Resident at most, the ring included.</param>
/// <param name="RingMebibytes">Size of the ring.</param>
/// <param name="Sensor">All that the sensor counted.</param>
internal sealed record LiveRow(string Load, double Rate, double Sent, double SentRate, double BitsPerSecond, double Received, double Lost, double KernelDrops, double CpuShare, double PeakMebibytes, int RingMebibytes, IReadOnlyDictionary<string, double> Sensor)
{
    /// <summary>Whether a goal is decided by it.</summary>
    public bool Goal { get; init; }
}
