using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Sekisho.Benchmarks.Sensor;

/// <summary>Reads a capture by the sensor and by its peers in turns, each a process of its own, and compares.</summary>
internal static partial class Offline
{
    /// <summary>The sensor's own row: all that it does.</summary>
    public const string Own = "sekisho";

    /// <summary>The sensor without what encodes intervals for the gateway, which the C floor does not do either.</summary>
    public const string Observing = "observe";

    private static readonly (string Name, Stage Stage)[] Stages =
        [(Own, Stage.Whole), (Observing, Stage.Observe), ("parse", Stage.Parse), ("read", Stage.Read), ("start", Stage.Start)];

    public static OfflineResult Run(string pcap, int runs, int flowMemory, IReadOnlyList<string> peers)
    {
        var scratch = Directory.CreateTempSubdirectory("sekisho-bench-").FullName;
        try
        {
            using var collector = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            collector.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            Warm(pcap);
            var rows = Stages.ToDictionary(s => s.Name, _ => new List<ProcessCost>());
            for (var run = 0; run < runs; run++)
            {
                Console.Error.WriteLine($"run {run + 1} of {runs}: {Own}");
                foreach (var (name, stage) in Stages)
                {
                    rows[name].Add(ProcessMeter.Run("dotnet", [SensorProcess.Program, "sensor-read", pcap, flowMemory.ToString(CultureInfo.InvariantCulture), stage.ToString()], SensorProcess.Form));
                }

                foreach (var name in peers)
                {
                    var folder = Directory.CreateDirectory(Path.Combine(scratch, name)).FullName;
                    if (Peers.Find(name, pcap, folder, ((IPEndPoint)collector.LocalEndPoint!).Port) is { } peer)
                    {
                        Console.Error.WriteLine($"run {run + 1} of {runs}: {name}");
                        rows.TryAdd(name, []);
                        rows[name].Add(ProcessMeter.Run(peer.Program, peer.Arguments, new Dictionary<string, string>()));
                    }

                    Directory.Delete(folder, recursive: true);
                }
            }

            return Result(pcap, peers, rows);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static OfflineResult Result(string pcap, IReadOnlyList<string> peers, Dictionary<string, List<ProcessCost>> rows)
    {
        var own = rows[Own].Select(r => SensorProcess.Read(r.Output)).ToList();
        var packets = own[0]["packets"];
        var middle = own[Middle(rows[Own].Select(r => r.Cpu))];
        var shown = new List<OfflineRow>();
        foreach (var name in Stages.Select(s => s.Name).Concat(peers))
        {
            if (!rows.TryGetValue(name, out var costs))
            {
                shown.Add(new OfflineRow(name, OfflineRow.NotInstalled));
                continue;
            }

            if (costs.Any(c => c.Exit != 0))
            {
                shown.Add(new OfflineRow(name, $"ended with {costs.First(c => c.Exit != 0).Exit}"));
                continue;
            }

            var cpu = Median(costs.Select(c => c.Cpu));
            var ratio = Median(costs.Zip(rows[name == Peers.Floor ? Observing : Own], (peer, ours) => peer.Cpu / ours.Cpu));
            shown.Add(new OfflineRow(name, "measured", cpu, packets / cpu, Median(costs.Select(c => c.Peak)), Stages.Any(s => s.Name == name) ? null : ratio, (costs.Max(c => c.Cpu) - costs.Min(c => c.Cpu)) / cpu));
        }

        var exact = rows.TryGetValue(Peers.Floor, out var floor) && Totals().Match(floor[0].Output) is { Success: true } totals
            ? Number(totals, 1) == own[0]["packets"] && Number(totals, 2) == own[0]["bytes"]
            : (bool?)null;
        return new OfflineResult(pcap, shown, middle, exact);
    }

    private static double Number(Match match, int group) => double.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }

    private static int Middle(IEnumerable<double> values) => values.Select((v, i) => (v, i)).Order().ElementAt(values.Count() / 2).i;

    // Into the page cache, so that no one pays for the disk.
    private static void Warm(string path)
    {
        using var stream = File.OpenRead(path);
        stream.CopyTo(Stream.Null, 1 << 20);
    }

    [GeneratedRegex("^pk (\\d+) by (\\d+) ")]
    private static partial Regex Totals();
}

/// <summary>One program.</summary>
/// <param name="Name">Which.</param>
/// <param name="State">Whether it was measured.</param>
/// <param name="Cpu">Median of CPU seconds.</param>
/// <param name="PacketsPerCpuSecond">By that median.</param>
/// <param name="PeakMebibytes">Median of the resident peak.</param>
/// <param name="Ratio">A peer's CPU over that of the sensor, the floor's over that of the sensor without encoding: median over the runs.</param>
/// <param name="Spread">Largest less smallest CPU over the median.</param>
internal sealed record OfflineRow(string Name, string State, double? Cpu = null, double? PacketsPerCpuSecond = null, double? PeakMebibytes = null, double? Ratio = null, double? Spread = null)
{
    public const string NotInstalled = "not installed";
}

/// <summary>All of one file.</summary>
/// <param name="Pcap">The file.</param>
/// <param name="Rows">The sensor and its stages first, each with all that comes before it.</param>
/// <param name="Sensor">What the sensor counted in its middle run.</param>
/// <param name="TotalsAgree">Whether packets and bytes are those of the floor; null without it.</param>
internal sealed record OfflineResult(string Pcap, IReadOnlyList<OfflineRow> Rows, IReadOnlyDictionary<string, double> Sensor, bool? TotalsAgree)
{
    public OfflineRow? Row(string name) => Rows.FirstOrDefault(r => r.Name == name && r.Ratio is not null);

    /// <summary>Bytes per flow: the memory limit over the flows that it holds, which nothing exceeds.</summary>
    public double BytesPerFlow => Sensor["flow_memory_bytes"] / Sensor["flows_limit"];
}
