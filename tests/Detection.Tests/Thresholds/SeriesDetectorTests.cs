using Sekisho.Detection.Thresholds;

namespace Sekisho.Detection.Tests.Thresholds;

public class SeriesDetectorTests(ITestOutputHelper output)
{
    private const int PerDay = 288;

    [Fact]
    public void A_constant_series_alarms_never_and_an_exact_repetition_only_until_it_has_repeated()
    {
        Assert.Empty(Alerts(4000, _ => 45));
        Assert.All(Alerts(4000, i => i % PerDay < 100 ? 80 : 20), i => Assert.InRange(i, 100, PerDay));
    }

    [Fact]
    public void Benign_series_alarm_seldom()
    {
        string[] kinds = ["normal", "uniform", "interval", "constant", "daily"];
        var (alerts, days) = (0, 0);
        foreach (var kind in kinds)
        {
            for (var seed = 1; seed <= 10; seed++, days += 30)
            {
                var draws = new Draws((ulong)seed);
                alerts += Alerts(30 * PerDay, i => draws.Benign(kind, i, PerDay)).Count;
            }
        }

        var bound = Draws.UpperBound(alerts) / (days / 30.0);
        output.WriteLine($"{alerts} alerts in {days} series-days at five minutes; 95 % upper bound {bound:F2} a month");
        Assert.InRange(bound, 0, 3);
    }

    [Fact]
    public void A_spike_a_shift_a_stuck_value_and_a_missing_day_are_found()
    {
        foreach (var (name, change) in new (string, Func<int, double, double>)[]
        {
            ("spike", (i, v) => i == 3000 ? v + 60 : v),
            ("shift", (i, v) => i >= 3000 ? v + 45 : v),
            ("stuck", (i, v) => i is >= 3000 and < 3200 ? 50 : v),
            ("missing day", (i, v) => i is >= 2880 and < 3168 ? 30 : v),
        })
        {
            var draws = new Draws(5);
            var alerts = Alerts(4000, i => change(i, draws.Benign("daily", i, PerDay)));
            Assert.True(alerts.Exists(i => i is >= 2880 and < 3260), name);
        }
    }

    [Fact]
    public void What_lasts_is_told_once()
    {
        var draws = new Draws(6);
        Assert.InRange(Alerts(3400, i => draws.Benign("normal", i, PerDay) + (i >= 3000 ? 200 : 0)).Count(i => i >= 3000), 1, 3);
    }

    [Fact]
    public void A_restart_changes_nothing_nothing_is_allocated_and_the_future_is_not_seen()
    {
        var (whole, parts) = (new long[SeriesDetector.Cells], new long[SeriesDetector.Cells]);
        var (one, other) = (new Draws(7), new Draws(7));
        for (var i = 0; i < 3000; i++)
        {
            parts = i % 500 == 0 ? [.. parts] : parts;
            Assert.Equal(
                SeriesDetector.Observe(whole, one.Benign("daily", i, PerDay), At(i)),
                SeriesDetector.Observe(parts, other.Benign("daily", i, PerDay), At(i)));
        }

        Assert.Equal(whole, parts);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 3000; i < 4000; i++)
        {
            SeriesDetector.Observe(whole, i % 50, At(i));
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Scores_lie_between_nought_and_one_whatever_comes()
    {
        var (draws, state) = (new Draws(8), new long[SeriesDetector.Cells]);
        for (var i = 0; i < 20_000; i++)
        {
            var value = (i % 7) switch { 0 => double.NaN, 1 => double.MaxValue, 2 => -double.MaxValue, 3 => double.PositiveInfinity, 4 => 0, _ => draws.Normal() * Math.Pow(10, 20 * draws.Uniform()) };
            Assert.InRange(SeriesDetector.Observe(state, value, At(i % 3 == 0 ? -i : i)).Score, 0, 1);
        }
    }

    private static long At(int i) => Draws.Start + (i * Draws.Day / PerDay);

    private static List<int> Alerts(int count, Func<int, double> value)
    {
        var state = new long[SeriesDetector.Cells];
        return [.. Enumerable.Range(0, count).Where(i => SeriesDetector.Observe(state, value(i), At(i)).IsAlert)];
    }
}
