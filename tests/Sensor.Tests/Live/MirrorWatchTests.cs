using Sekisho.Sensor.Live;
using Sekisho.Traffic.Capture;

namespace Sekisho.Sensor.Tests.Live;

public class MirrorWatchTests
{
    private const long Second = 1_000_000_000;
    private const long Start = 1_800_000_000 * Second;

    private readonly MirrorWatch _watch = new(TimeSpan.FromSeconds(60), Start);

    [Fact]
    public void An_interface_without_a_frame_is_told_once_when_the_time_is_over_and_once_more_when_a_frame_comes()
    {
        Assert.Empty(Look(0, null));
        Assert.Empty(Look(60, null));
        Assert.Equal([("mirror", MirrorFault.Quiet)], Look(61, null));
        Assert.Empty(Look(200, null));
        Assert.Equal([("mirror", MirrorFault.None)], Look(201, 200));
        Assert.Empty(Look(260, 200));
        Assert.Equal([("mirror", MirrorFault.Quiet)], Look(261, 200));
    }

    [Fact]
    public void An_interface_that_goes_down_and_away_and_comes_back_is_told_each_time_it_changes()
    {
        Assert.Empty(Look(1, 1));
        Assert.Equal([("mirror", MirrorFault.Down)], Look(2, 1, InterfaceState.Down));
        Assert.Empty(Look(3, 1, InterfaceState.Down));
        Assert.Equal([("mirror", MirrorFault.Gone)], Look(4, 1, InterfaceState.Gone));
        Assert.Equal([("mirror", MirrorFault.None)], Look(5, 1));
        Assert.Empty(Look(6, 6));
    }

    [Fact]
    public void Each_interface_has_an_alarm_of_its_own()
    {
        var now = Start + (100 * Second);

        var changes = _watch.Look([Interface("a", now), Interface("b", null), Interface("c", now - (61 * Second))], now);

        Assert.Equal([("b", MirrorFault.Quiet), ("c", MirrorFault.Quiet)], changes);
    }

    [Fact]
    public void A_clock_that_is_set_back_raises_no_alarm()
    {
        Assert.Empty(Look(10, 10));
        Assert.Empty(Look(-3600, 10));
    }

    private IReadOnlyList<(string, MirrorFault)> Look(int second, int? last, InterfaceState state = InterfaceState.Up) =>
        _watch.Look([Interface("mirror", last is { } at ? Start + (at * Second) : null, state)], Start + (second * Second));

    private static CapturedInterface Interface(string name, long? last, InterfaceState state = InterfaceState.Up) => new(name, state, 0, last, default);
}
