using Sekisho.Behaviour.Sensors;
using Sekisho.Wire.Features;

namespace Sekisho.Behaviour.Intake;

/// <summary>Stable names of what can be wrong with a sensor.</summary>
internal static class AlarmKinds
{
    /// <summary>Not one frame for three intervals: the mirror port is not set, or the cable is out.</summary>
    public const string NoTraffic = "no-traffic";

    /// <summary>The kernel dropped frames: the statistics are incomplete.</summary>
    public const string KernelDrops = "kernel-drops";

    /// <summary>Flows or devices were put out of the sensor's tables for want of room.</summary>
    public const string TableFull = "table-full";

    /// <summary>The sensor's clock is more than two seconds off.</summary>
    public const string ClockOffset = "clock-offset";

    /// <summary>Intervals were lost because the sensor's buffer on disk was full.</summary>
    public const string IntervalsLost = "intervals-lost";

    /// <summary>Nothing came for the time of three intervals.</summary>
    public const string Silent = "silent";

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<string> All = [NoTraffic, KernelDrops, TableFull, ClockOffset, IntervalsLost, Silent];
}

/// <summary>Judges what a sensor says about itself. Pure.</summary>
internal static class Alarms
{
    /// <summary>Offset of the clock that is still in order, in milliseconds.</summary>
    public const double MostOffset = 2_000;

    /// <summary>Intervals in a row without frames, and of silence, that raise an alarm.</summary>
    public const int Intervals = 3;

    /// <summary>Shortest time that counts as silence: an upload that is tried again is none.</summary>
    public static readonly TimeSpan LeastSilence = TimeSpan.FromSeconds(15);

    // An alarm stays on until it was not seen for so many intervals, so that a load at its limit does not raise it again and again.
    private const int ClearAfter = 3;

    /// <summary>The alarms after one more interval.</summary>
    public static IReadOnlyDictionary<string, Alarm> After(SensorStatus? before, SensorState state, DateTimeOffset now)
    {
        var alarms = new Dictionary<string, Alarm>();
        Judge(AlarmKinds.NoTraffic, state.Packets == 0, Intervals);
        Judge(AlarmKinds.KernelDrops, state.KernelDrops > 0, 1);
        Judge(AlarmKinds.TableFull, state.FlowsEvicted + state.DevicesEvicted > 0, 1);
        Judge(AlarmKinds.ClockOffset, Math.Abs(state.ClockOffset ?? 0) > MostOffset, 1);
        Judge(AlarmKinds.IntervalsLost, state.Lost > (before?.State.Lost ?? 0), 1);
        return alarms;

        void Judge(string kind, bool shown, int after)
        {
            var old = before?.Alarms.GetValueOrDefault(kind);
            if (shown)
            {
                var seen = (old?.Seen ?? 0) + 1;
                var on = old?.On == true || seen >= after;
                alarms[kind] = new Alarm(old?.Since ?? now.ToUnixTimeMilliseconds(), seen, 0, on);
            }
            else if (old is { On: true } && old.Clear + 1 < ClearAfter)
            {
                alarms[kind] = old with { Seen = 0, Clear = old.Clear + 1 };
            }
        }
    }

    /// <summary>The status with the alarm of silence on, or null when it is on already or the sensor is not silent.</summary>
    public static SensorStatus? Silent(SensorStatus status, DateTimeOffset lastSeen, DateTimeOffset now)
    {
        var most = TimeSpan.FromMilliseconds((double)status.Length * Intervals);
        if (status.Alarms.ContainsKey(AlarmKinds.Silent) || now - lastSeen <= (most > LeastSilence ? most : LeastSilence))
        {
            return null;
        }

        return status with { Alarms = new Dictionary<string, Alarm>(status.Alarms) { [AlarmKinds.Silent] = new Alarm(now.ToUnixTimeMilliseconds(), 1, 0, On: true) } };
    }

    /// <summary>What was raised and what ended between two moments.</summary>
    public static IEnumerable<(string Kind, bool Raised)> Changes(SensorStatus? before, SensorStatus after) =>
        from kind in AlarmKinds.All
        let was = before?.Alarms.GetValueOrDefault(kind)?.On ?? false
        let now = after.Alarms.GetValueOrDefault(kind)?.On ?? false
        where was != now
        select (kind, now);
}
