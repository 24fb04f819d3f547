using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Sekisho.Benchmarks.Sensor;

/// <summary>What a process took.</summary>
/// <param name="Cpu">Seconds of user and system time, its start included.</param>
/// <param name="Wall">Seconds.</param>
/// <param name="Peak">MiB that were resident at most, looked at every 5 ms.</param>
/// <param name="Exit">Exit code; 128 and the signal where one ended it.</param>
/// <param name="Output">Its standard output.</param>
internal sealed record ProcessCost(double Cpu, double Wall, double Peak, int Exit, string Output);

/// <summary>Runs a program and measures it. One at a time: the kernel sums over all children that have ended.</summary>
internal static unsafe partial class ProcessMeter
{
    private const int Children = -1;

    // A peer that hangs is ended, which its exit code shows.
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);
    private const int UsageSize = 18;

    public static ProcessCost Run(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var info = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            info.Environment[name] = value;
        }

        var before = ChildrenCpu();
        var clock = Stopwatch.StartNew();
        using var process = Process.Start(info)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        var peak = 0.0;
        do
        {
            peak = Math.Max(peak, PeakMebibytes(process.Id));
        }
        while (!process.WaitForExit(5) && clock.Elapsed < Longest);

        if (!process.HasExited)
        {
            process.Kill();
        }

        process.WaitForExit();
        var wall = clock.Elapsed.TotalSeconds;
        var text = output.GetAwaiter().GetResult();
        return new ProcessCost(ChildrenCpu() - before, wall, peak, process.ExitCode, text.Length > 0 ? text : errors.GetAwaiter().GetResult());
    }

    /// <summary>The most that was resident of a process, MiB; 0 when it has ended.</summary>
    public static double PeakMebibytes(int process) => Mebibytes(process, "VmHWM:");

    /// <summary>A line of the kernel's status of a process, MiB; 0 when it has ended.</summary>
    public static double Mebibytes(int process, string name)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024.0;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static double ChildrenCpu()
    {
        // struct rusage begins with user and system time, each seconds and microseconds.
        var usage = stackalloc long[UsageSize];
        return GetUsage(Children, usage) == 0 ? usage[0] + usage[2] + ((usage[1] + usage[3]) / 1e6) : throw new InvalidOperationException(Marshal.GetLastPInvokeErrorMessage());
    }

    [LibraryImport("libc", EntryPoint = "getrusage", SetLastError = true)]
    private static partial int GetUsage(int who, long* usage);
}
