using System.Diagnostics;
using System.Globalization;

namespace Sekisho.Benchmarks.Sensor;

/// <summary>How much of the machine's processors nobody wanted, since this was made.</summary>
internal sealed class IdleMeter
{
    private const double TicksPerSecond = 100;

    private readonly double _begin = Idle();
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    /// <summary>Processors that were free on the average.</summary>
    public double Cores => (Idle() - _begin) / _clock.Elapsed.TotalSeconds;

    // "cpu user nice system idle iowait …"
    private static double Idle()
    {
        var words = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return (double.Parse(words[4], CultureInfo.InvariantCulture) + double.Parse(words[5], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }
}
