using System.Diagnostics;
using System.Globalization;

namespace Sekisho.Benchmarks.Sensor;

/// <summary>How the sensor is run, and how its processes here tell what they counted: a name and a number on each line.</summary>
internal static class SensorProcess
{
    /// <summary>The runtime's settings of the sensor's project, so that what is measured is what is shipped.</summary>
    public static readonly IReadOnlyDictionary<string, string> Form = new Dictionary<string, string>
    {
        ["DOTNET_TieredPGO"] = "0",
        ["DOTNET_gcServer"] = "0",
        ["DOTNET_gcConcurrent"] = "0",
        ["DOTNET_TC_QuickJit"] = "0",
        ["DOTNET_GCConserveMemory"] = "7",
    };

    public static string Program { get; } = typeof(SensorProcess).Assembly.Location;

    public static void Tell(params ReadOnlySpan<(string Name, double Value)> counted)
    {
        foreach (var (name, value) in counted)
        {
            Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} {value}"));
        }
    }

    public static Dictionary<string, double> Read(string output)
    {
        try
        {
            return output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' ')).ToDictionary(w => w[0], w => double.Parse(w[1], CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is FormatException or IndexOutOfRangeException or ArgumentException)
        {
            throw new InvalidOperationException("A process of the measurement failed:\n" + output, e);
        }
    }

    /// <summary>Waits until a process is ready.</summary>
    public static void Expect(Process process)
    {
        if (process.StandardOutput.ReadLine() is var line && line != "ready")
        {
            throw new InvalidOperationException($"A process of the measurement did not start: {line}");
        }
    }

    /// <summary>Ends processes that have not ended: no more input comes.</summary>
    public static void End(params ReadOnlySpan<Process> processes)
    {
        foreach (var process in processes)
        {
            if (!process.HasExited)
            {
                process.StandardInput.Close();
                if (!process.WaitForExit(TimeSpan.FromSeconds(10)))
                {
                    process.Kill(entireProcessTree: true);
                }
            }
        }
    }
}
