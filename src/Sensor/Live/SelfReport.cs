using Sekisho.Traffic.Capture;
using Sekisho.Wire.Features;

namespace Sekisho.Sensor.Live;

/// <summary>What the sensor tells of itself with each interval, besides its tables. One thread at a time.</summary>
/// <param name="clock">Time.</param>
internal sealed class SelfReport(TimeProvider clock)
{
    private TimeSpan _cpu = Environment.CpuUsage.TotalTime;
    private long _asked = clock.GetTimestamp();
    private long _drops;

    /// <summary>Of the time since the last call.</summary>
    public SensorState Take(IEnumerable<CapturedInterface> interfaces)
    {
        var (cpu, now, drops) = (Environment.CpuUsage.TotalTime, clock.GetTimestamp(), interfaces.Sum(i => i.Statistics.Drops));
        var passed = clock.GetElapsedTime(_asked, now);
        var state = new SensorState
        {
            Cpu = passed > TimeSpan.Zero ? Math.Max((cpu - _cpu) / passed, 0) : 0,
            Memory = Environment.WorkingSet,
            KernelDrops = drops - _drops,
        };
        (_cpu, _asked, _drops) = (cpu, now, drops);
        return state;
    }
}
