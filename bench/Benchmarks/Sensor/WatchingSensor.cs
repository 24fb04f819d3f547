using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace Sekisho.Benchmarks.Sensor;

/// <summary>An interval as the sensor told it.</summary>
/// <param name="Start">Its begin, milliseconds since 1970.</param>
/// <param name="Length">Milliseconds.</param>
/// <param name="Packets">Packets in it.</param>
/// <param name="Bytes">Their bytes on the wire.</param>
/// <param name="KernelDrops">Frames that the ring had no room for.</param>
/// <param name="Senders">MAC addresses of the devices that sent something.</param>
internal sealed record ToldInterval(long Start, long Length, long Packets, long Bytes, long KernelDrops, IReadOnlySet<ulong> Senders)
{
    public static ToldInterval Of(string line)
    {
        var json = JsonNode.Parse(line)!;
        long Number(string name) => json[name]!.GetValue<long>();
        var senders = json["devices"]!.AsArray().Where(d => d!["mac"] is not null && d["sentPackets"]!.GetValue<long>() > 0).Select(d => Mac(d!["mac"]!.GetValue<string>()));
        return new ToldInterval(json["start"]!.GetValue<DateTimeOffset>().ToUnixTimeMilliseconds(), Number("milliseconds"), Number("packets"), Number("bytes"), Number("kernelDrops"), senders.ToHashSet());
    }

    private static ulong Mac(string text) => ulong.Parse(text.Replace(":", "", StringComparison.Ordinal), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
}

/// <summary>The sensor as it is shipped, a process that watches interfaces of a namespace and tells its intervals as JSON. One thread at a time.</summary>
internal sealed partial class WatchingSensor : IDisposable
{
    private const int Interrupt = 2;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _errors;

    /// <summary>Starts it, and waits until it reads.</summary>
    /// <param name="space">Where.</param>
    /// <param name="core">Core by number; null for all.</param>
    /// <param name="program">Sekisho.Sensor.dll, or an executable that was published.</param>
    /// <param name="arguments">Interfaces, and what else it is to know.</param>
    public WatchingSensor(NetworkSpace space, string? core, string program, params string[] arguments)
    {
        string[] command = program.EndsWith(".dll", StringComparison.Ordinal) ? ["dotnet", program] : [program];
        var clock = Stopwatch.StartNew();
        _process = space.Start(core, new Dictionary<string, string>(), [.. command, "--json", "--language", "en", .. arguments], errors: true);
        var first = _process.StandardError.ReadLine();
        StartSeconds = clock.Elapsed.TotalSeconds;
        if (first is null || !first.StartsWith("Reading from ", StringComparison.Ordinal))
        {
            _process.Kill();
            throw new InvalidOperationException($"{program} did not start: {first} {_process.StandardError.ReadToEnd()}");
        }

        // A pipe that nobody reads would hold it up.
        _output = _process.StandardOutput.ReadToEndAsync();
        _errors = _process.StandardError.ReadToEndAsync();
    }

    /// <summary>From the start of the process until the interfaces are read.</summary>
    public double StartSeconds { get; }

    /// <summary>User and system seconds until now.</summary>
    public double Cpu => _process.TotalProcessorTime.TotalSeconds;

    public double PeakMebibytes => ProcessMeter.Mebibytes(_process.Id, "VmHWM:");

    public double Mebibytes => ProcessMeter.Mebibytes(_process.Id, "VmRSS:");

    /// <summary>Ends it as Ctrl+C does; all that it told.</summary>
    public IReadOnlyList<ToldInterval> End()
    {
        _ = Kill(_process.Id, Interrupt);
        if (!_process.WaitForExit(Longest) || _process.ExitCode != 0)
        {
            throw new InvalidOperationException($"The sensor did not end as it should ({(_process.HasExited ? _process.ExitCode.ToString(CultureInfo.InvariantCulture) : "still running")}). {(_process.HasExited ? _errors.GetAwaiter().GetResult() : "")}");
        }

        return [.. _output.GetAwaiter().GetResult().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(ToldInterval.Of)];
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
