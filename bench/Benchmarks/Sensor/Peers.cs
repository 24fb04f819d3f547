using System.Globalization;

namespace Sekisho.Benchmarks.Sensor;

/// <summary>A program that does a part of the sensor's work, run on the same file.</summary>
/// <param name="Name">Its name in the table.</param>
/// <param name="Program">Where it is.</param>
/// <param name="Arguments">For one run.</param>
internal sealed record Peer(string Name, string Program, IReadOnlyList<string> Arguments);

/// <summary>Finds the peers that are installed.</summary>
internal static class Peers
{
    public const string Floor = "c-floor";
    public const string Softflowd = "softflowd";
    public const string SoftflowdIPv6 = "softflowd-6";
    public const string Nfpcapd = "nfpcapd";
    public const string Argus = "argus";

    public static readonly IReadOnlyList<string> Names = [Floor, SoftflowdIPv6, Softflowd, Nfpcapd, Argus];

    // Flows are held until the end, as the sensor does: softflowd's usual 8,192 would make it put out flows that still live.
    private const string ManyFlows = "2000000";

    /// <summary>The peer, or null where it is not installed.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="pcap">What it reads.</param>
    /// <param name="folder">A folder for what it writes, emptied before each run.</param>
    /// <param name="port">A port on loopback where a socket takes what is sent.</param>
    public static Peer? Find(string name, string pcap, string folder, int port)
    {
        var collector = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");
        // Without its control socket, for which it sometimes waits when it reads a file.
        string[] files = ["-p", Path.Combine(folder, "pid"), "-c", "none"];
        var (program, arguments) = name switch
        {
            Floor => (FloorProgram(folder), (string[])[pcap, "3", "r", "32"]),
            Softflowd => (Where("softflowd"), ["-r", pcap, "-d", "-v", "9", "-n", collector, "-m", ManyFlows, .. files]),
            SoftflowdIPv6 => (Where("softflowd"), ["-r", pcap, "-d", "-6", "-v", "10", "-n", collector, "-m", ManyFlows, .. files]),
            Nfpcapd => (Where("nfpcapd"), ["-r", pcap, "-w", folder]),
            _ => (Where("argus"), ["-r", pcap, "-w", Path.Combine(folder, "argus")]),
        };
        return program is null ? null : new Peer(name, program, arguments);
    }

    /// <summary>Where a program lies, or null.</summary>
    public static string? Where(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin").Append("/sbin").Select(f => Path.Combine(f, program)).FirstOrDefault(File.Exists);

    // The floor lies beside the project, not in it: found from the folder that the command was given in or the program's own.
    private static string? FloorProgram(string folder)
    {
        var built = Path.Combine(Path.GetDirectoryName(folder)!, "flowbase");
        if (File.Exists(built))
        {
            return built;
        }

        var source = Above(AppContext.BaseDirectory).Select(f => Path.Combine(f, "shared", "perf", "flowbase.c")).FirstOrDefault(File.Exists);
        if (source is null || Where("gcc") is not { } compiler)
        {
            return null;
        }

        var made = ProcessMeter.Run(compiler, ["-O3", "-march=native", "-w", source, "-o", built, "-lm"], new Dictionary<string, string>());
        return made.Exit == 0 ? built : null;
    }

    private static IEnumerable<string> Above(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent)
        {
            yield return at.FullName;
        }
    }
}
