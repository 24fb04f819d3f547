using System.Globalization;

namespace Sekisho.Benchmarks.Sensor;

/// <summary>What the live measurements of the shipped sensor show on a terminal.</summary>
internal static class InlineTables
{
    public static void Show(InlineResult result)
    {
        Line($"| {"TCP",-26} | {"Gbit/s off",10} | {"on",6} | {"ratio",6} | {"packets/s",10} | {"idle off",8} | {"on",5} | {"sensor",6} | {"MiB",5} | {"dropped",8} |");
        Rule(28, 12, 8, 8, 12, 10, 7, 8, 7, 10);
        foreach (var row in result.Transfers)
        {
            Line($"| {$"{Inline.Kind(row.Router)}, {(row.SingleFrames ? "single frames" : "rows of segments")}",-26} | {row.BitsWithout / 1e9,10:F2} | {row.BitsWith / 1e9,6:F2} | {row.Ratio,6:F2} | {row.PacketsPerSecond,10:N0} | {row.IdleWithout,8:F2} | {row.IdleWith,5:F2} | {row.SensorCores,6:F2} | {row.PeakMebibytes,5:F1} | {row.KernelDrops,8:N0} |");
        }

        Line($"| {"cameras",-8} | {"Mbit/s each",11} | {"sent",9} | {"arrived",9} | {"interface",9} | {"sensor",9} | {"dropped",7} | {"intervals",9} | {"holes",5} | {"missing",7} | {"idle off",8} | {"on",5} | {"used off",8} | {"on",5} | {"sensor",6} | {"MiB",5} |");
        Rule(10, 13, 11, 11, 11, 11, 9, 11, 7, 9, 10, 7, 10, 7, 8, 7);
        foreach (var row in result.Cameras)
        {
            Line($"| {Inline.Kind(row.Router),-8} | {row.BitsEach / 1e6,11:F2} | {row.Sent,9:N0} | {row.Arrived,9:N0} | {row.InterfacePackets,9:N0} | {row.Packets,9:N0} | {row.KernelDrops,7:N0} | {row.Intervals,9:N0} | {row.Holes,5:N0} | {row.Missing,7:N0} | {row.IdleWithout,8:F2} | {row.IdleCores,5:F2} | {row.UsedWithout,8:F2} | {row.UsedCores,5:F2} | {row.SensorCores,6:F3} | {row.PeakMebibytes,5:F1} |");
        }
    }

    public static void Show(FactoryRow row)
    {
        Line($"{row.Program}: {row.SizeMebibytes:F1} MiB on disk, reads {row.StartSeconds:F2} s after its start ({row.StartCpu:F2} CPU s)");
        Line($"{row.Sent:N0} frames sent ({row.SentRate:N0}/s of {row.Rate:N0}/s), {row.Lost:N0} lost ({row.KernelDrops:N0} in the ring); {row.SensorCores:P2} of a core, {row.Mebibytes:F1} MiB resident, {row.PeakMebibytes:F1} at most");
    }

    private static void Rule(params int[] widths) => Console.WriteLine($"|{string.Join('|', widths.Select(w => new string('-', w)))}|");

    private static void Line(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));
}
