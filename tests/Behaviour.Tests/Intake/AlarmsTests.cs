using Sekisho.Behaviour.Intake;
using Sekisho.Behaviour.Sensors;
using Sekisho.Wire.Features;

namespace Sekisho.Behaviour.Tests.Intake;

public class AlarmsTests
{
    private static readonly SensorState Good = new() { Packets = 100 };
    private static readonly DateTimeOffset Begin = new(2026, 4, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void No_frame_for_three_intervals_raises_an_alarm_and_two_do_not()
    {
        Assert.Equal(["", "", "no-traffic", "no-traffic"], On(Repeat(new SensorState(), 4)));
        Assert.Equal(["", "", "", "", ""], On([new(), new(), Good, new(), new()]));
    }

    [Fact]
    public void An_alarm_ends_after_three_intervals_without_it_and_keeps_its_begin()
    {
        var drops = Good with { KernelDrops = 1 };
        Assert.Equal(["kernel-drops", "kernel-drops", "kernel-drops", "kernel-drops", "kernel-drops", "kernel-drops", ""], On([drops, Good, Good, drops, Good, Good, Good]));
        var status = After(null, drops, 0);
        status = After(status, Good, 10);
        status = After(status, drops, 20);
        Assert.Equal(Begin.ToUnixTimeMilliseconds(), status.Alarms["kernel-drops"].Since);
    }

    [Theory]
    [InlineData(2_000, "")]
    [InlineData(2_001, "clock-offset")]
    [InlineData(-2_001, "clock-offset")]
    public void A_clock_may_be_two_seconds_off(double offset, string alarm) => Assert.Equal([alarm], On([Good with { ClockOffset = offset }]));

    [Fact]
    public void Full_tables_and_lost_intervals_are_alarms_when_they_happen_not_for_ever()
    {
        Assert.Equal(["table-full"], On([Good with { DevicesEvicted = 1 }]));
        Assert.Equal(["table-full"], On([Good with { FlowsEvicted = 1 }]));
        var lost = Good with { Lost = 5 };
        Assert.Equal(["intervals-lost", "intervals-lost", "intervals-lost", ""], On(Repeat(lost, 4)));
    }

    [Fact]
    public void Silence_is_three_intervals_and_at_least_fifteen_seconds()
    {
        var status = After(null, Good, 0);
        Assert.Null(Alarms.Silent(status, Begin, Begin.AddSeconds(30)));
        var silent = Alarms.Silent(status, Begin, Begin.AddSeconds(31));
        Assert.True(silent!.Alarms["silent"].On);
        Assert.Null(Alarms.Silent(silent, Begin, Begin.AddSeconds(60)));
        Assert.Null(Alarms.Silent(status with { Length = 1_000 }, Begin, Begin.AddSeconds(15)));
        Assert.NotNull(Alarms.Silent(status with { Length = 1_000 }, Begin, Begin.AddSeconds(16)));

        // The next interval ends it.
        Assert.Equal([("silent", false)], Alarms.Changes(silent, After(silent, Good, 90)));
        Assert.Equal([("silent", true)], Alarms.Changes(status, silent));
    }

    private static SensorStatus After(SensorStatus? before, SensorState state, int seconds) => new(0, 10_000, state, Alarms.After(before, state, Begin.AddSeconds(seconds)));

    private static IEnumerable<SensorState> Repeat(SensorState state, int times) => Enumerable.Repeat(state, times);

    private static List<string> On(IEnumerable<SensorState> states)
    {
        SensorStatus? status = null;
        var seen = new List<string>();
        foreach (var (state, i) in states.Select((s, i) => (s, i)))
        {
            status = After(status, state, i * 10);
            seen.Add(string.Join(' ', status.Alarms.Where(a => a.Value.On).Select(a => a.Key)));
        }

        return seen;
    }
}
