using Sekisho.Verification.Time;

namespace Sekisho.Verification.Tests.Time;

public class VirtualClockTests
{
    private static readonly DateTimeOffset Start = new(2026, 4, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Timers_fire_in_order_at_the_moment_they_are_due()
    {
        var clock = new VirtualClock(Start);
        var fired = new List<string>();
        string At(string name) => $"{name} {(clock.GetUtcNow() - Start).TotalSeconds}";
        using var often = clock.CreateTimer(_ => fired.Add(At("often")), null, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2));
        using var once = clock.CreateTimer(_ => fired.Add(At("once")), null, TimeSpan.FromSeconds(3), Timeout.InfiniteTimeSpan);
        clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(["often 2", "once 3", "often 4"], fired);
        Assert.Equal(Start.AddSeconds(5), clock.GetUtcNow());
    }

    [Fact]
    public async Task Hours_pass_at_once()
    {
        var clock = new VirtualClock(Start);
        var wait = Task.Delay(TimeSpan.FromHours(6), clock);
        clock.Advance(TimeSpan.FromHours(5));
        Assert.False(wait.IsCompleted);
        clock.Advance(TimeSpan.FromHours(1));
        await wait;
        Assert.Equal(TimeSpan.FromHours(6), clock.GetElapsedTime(Start.Ticks));
    }

    [Fact]
    public void It_never_goes_back() => Assert.Throws<ArgumentOutOfRangeException>(() => new VirtualClock(Start).Advance(TimeSpan.FromSeconds(-1)));

    [Fact]
    public void A_timer_that_is_taken_away_does_not_fire()
    {
        var clock = new VirtualClock(Start);
        var fired = 0;
        var timer = clock.CreateTimer(_ => fired++, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        clock.Advance(TimeSpan.FromSeconds(1));
        timer.Dispose();
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(1, fired);
    }
}
