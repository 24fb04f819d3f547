using Sekisho.Detection.Thresholds;

namespace Sekisho.Detection.Tests.Thresholds;

public class TailLearnerTests(ITestOutputHelper output)
{
    private static readonly LearnerSettings Plain = new(Target: 1, Resolution: 1);

    /// <summary>Values that do not depend on each other, judged before they are learnt; what is found unusual is not learnt. From the third day on.</summary>
    [Theory]
    [InlineData("normal")]
    [InlineData("interval")]
    [InlineData("volume")]
    [InlineData("uniform")]
    [InlineData("lost frames")]
    [InlineData("constant")]
    [InlineData("attempts")]
    [InlineData("daily")]
    public void False_alarms_stay_below_the_stated_target(string kind)
    {
        foreach (var (target, perDay) in new[] { (1.0, 24), (1.0, 288), (0.1, 24), (0.1, 288) })
        {
            var learner = new TailLearner(Plain with { Target = target, IsRatio = kind == "volume" });
            // A smaller target needs more devices to show in.
            var (alarms, devices, days) = (0, target < 1 ? 80 : 40, 60);
            for (var device = 1; device <= devices; device++)
            {
                var (draws, state) = (new Draws((ulong)(device * 7919)), new long[learner.Cells]);
                for (var i = 0; i < days * perDay; i++)
                {
                    var value = draws.Benign(kind, i, perDay);
                    var isUsual = learner.Current(state, default).Contains(value);
                    alarms += !isUsual && i >= 2 * perDay ? 1 : 0;
                    learner.Observe(state, value, Draws.Start + (i * Draws.Day / perDay), isUsual);
                }
            }

            var months = devices * (days - 2) / 30.0;
            output.WriteLine($"{kind}, {perDay} a day, target {target}: {alarms} in {months:F1} device-months, {alarms / months:F3} a month, 95 % upper bound {Draws.UpperBound(alarms) / months:F3}");
            Assert.True(alarms / months <= target, $"{kind}, {perDay} a day: {alarms / months} a month for a target of {target}");
        }
    }

    [Fact]
    public void Says_nothing_before_it_has_seen_enough_and_then_what_it_rests_on()
    {
        var learner = new TailLearner(Plain);
        var state = new long[learner.Cells];
        Feed(learner, state, new Draws(1), 0, TailLearner.Enough - 1);
        Assert.Equal((null, null, "none"), (learner.Current(state, default).Low, learner.Current(state, default).High, learner.Current(state, default).Origin));
        Feed(learner, state, new Draws(2), TailLearner.Enough - 1, 400);
        var threshold = learner.Current(state, default);
        Assert.Equal(("learnt", 400, 1.0), (threshold.Origin, threshold.Values, threshold.Target));
        Assert.Equal((At(0), At(399)), (threshold.Since, threshold.Until));
        Assert.InRange(threshold.SetAt, threshold.Since, threshold.Until);
        Assert.InRange(threshold.High!.Value, 125, 190);
        Assert.InRange(threshold.Low!.Value, 10, 75);
        Assert.False(threshold.HasMoved);
    }

    [Fact]
    public void What_is_not_clean_never_moves_a_threshold()
    {
        var learner = new TailLearner(Plain);
        var state = new long[learner.Cells];
        Feed(learner, state, new Draws(3), 0, 2000);
        var before = learner.Current(state, default);
        for (var i = 2000; i < 4000; i++)
        {
            learner.Observe(state, 100_000, At(i), isClean: false);
        }

        Assert.Equal(before with { HasMoved = true }, learner.Current(state, default));
    }

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.05)]
    [InlineData(0.5)]
    public void A_slow_drift_is_told_and_not_learnt(double dailyShare)
    {
        var learner = new TailLearner(Plain);
        var (state, draws) = (new long[learner.Cells], new Draws(4));
        Feed(learner, state, draws, 0, 3 * 288);
        var grown = learner.Current(state, default);
        var band = grown.High!.Value - grown.Low!.Value;
        var toldAfter = double.MaxValue;
        for (var i = 3 * 288; i < 200 * 288; i++)
        {
            // The attacker raises the level a little each day, and pretends that everything was found usual.
            var days = (i / 288.0) - 3;
            learner.Observe(state, draws.Benign("normal", i, 288) + (days * dailyShare * band), At(i), isClean: true);
            if (learner.Current(state, default).HasMoved)
            {
                toldAfter = Math.Min(toldAfter, days);
            }
        }

        var after = learner.Current(state, default);
        Assert.True(after.HasMoved);
        Assert.InRange(after.High!.Value, grown.High.Value, grown.High.Value + (0.7 * band));
        // Told before the level itself has left the band that was grown.
        Assert.InRange(toldAfter * dailyShare, 0, 1.5);
    }

    [Fact]
    public void A_grown_threshold_widens_by_a_twentieth_of_its_band_a_day_at_most()
    {
        var learner = new TailLearner(Plain);
        var (state, draws) = (new long[learner.Cells], new Draws(5));
        Feed(learner, state, draws, 0, 5 * 288);
        var (anchor, last) = (learner.Current(state, default), learner.Current(state, default));
        var band = anchor.High!.Value - anchor.Low!.Value;
        for (var i = 5 * 288; i < 30 * 288; i++)
        {
            learner.Observe(state, 1000 * draws.Uniform(), At(i), isClean: true);
            var now = learner.Current(state, default);
            Assert.InRange(now.High!.Value - last.High!.Value, double.MinValue, (0.06 * band) + 1);
            last = now;
        }
    }

    [Fact]
    public void After_a_person_accepts_it_learns_anew()
    {
        var learner = new TailLearner(Plain);
        var (state, draws) = (new long[learner.Cells], new Draws(6));
        Feed(learner, state, draws, 0, 2000);
        TailLearner.Accept(state);
        for (var i = 2000; i < 4000; i++)
        {
            learner.Observe(state, draws.Benign("normal", i, 288) + 1000, At(i), isClean: true);
        }

        Assert.True(learner.Current(state, default).Contains(1100));
        Assert.False(learner.Current(state, default).Contains(100));
    }

    [Fact]
    public void Equal_values_give_equal_bytes_and_a_restart_changes_nothing()
    {
        var learner = new TailLearner(Plain);
        var (whole, parts) = (new long[learner.Cells], new long[learner.Cells]);
        var (one, other) = (new Draws(7), new Draws(7));
        Feed(learner, whole, one, 0, 5000);
        for (var i = 0; i < 5000; i += 500)
        {
            // What a restart keeps is the cells.
            parts = [.. parts];
            Feed(new TailLearner(Plain), parts, other, i, i + 500);
        }

        Assert.Equal(whole, parts);
    }

    [Fact]
    public void Takes_a_value_without_allocating_and_in_a_fixed_number_of_cells()
    {
        ILearner[] learners = [new TailLearner(Plain), new HoursLearner(1, 1)];
        foreach (var learner in learners)
        {
            var state = new long[learner.Cells];
            var draws = new Draws(8);
            Feed(learner, state, draws, 0, 1000);
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 1000; i < 2000; i++)
            {
                learner.Observe(state, 100 + (i % 17), At(i), isClean: true);
                learner.Current(state, default);
            }

            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.InRange(new TailLearner(Plain).Cells, 1, 100);
    }

    [Fact]
    public void Numbers_that_are_none_are_ignored()
    {
        var learner = new TailLearner(Plain);
        var state = new long[learner.Cells];
        foreach (var value in new[] { double.NaN, double.PositiveInfinity, double.NegativeInfinity })
        {
            learner.Observe(state, value, At(0), isClean: true);
        }

        Assert.All(state, c => Assert.Equal(0, c));
    }

    [Fact]
    public void Peers_serve_a_newcomer_until_its_own_history_has_grown()
    {
        var learner = new TailLearner(Plain);
        var peers = Enumerable.Range(0, 8).Select(p =>
        {
            var state = new long[learner.Cells];
            Feed(learner, state, new Draws((ulong)(100 + p)), 0, 1000);
            return (ReadOnlyMemory<long>)state;
        }).ToArray();
        var prior = learner.PriorOf(9, peers);
        var own = new long[learner.Cells];
        var first = learner.Current(own, prior);
        Assert.Equal(("peer", 9, 0), (first.Origin, first.PriorVersion, first.Values));
        Assert.True(first.Contains(100));
        Assert.False(first.Contains(400));
        Feed(learner, own, new Draws(200), 0, (2 * 288) + 2);
        Assert.Equal(("learnt", 0), (learner.Current(own, prior).Origin, learner.Current(own, prior).PriorVersion));
    }

    [Fact]
    public void A_few_poisoned_peers_decide_nothing_and_two_peers_teach_nothing()
    {
        var learner = new TailLearner(Plain);
        ReadOnlyMemory<long> Peer(ulong seed, double offset)
        {
            var (state, draws) = (new long[learner.Cells], new Draws(seed));
            for (var i = 0; i < 1000; i++)
            {
                learner.Observe(state, draws.Benign("normal", i, 288) + offset, At(i), isClean: true);
            }

            return state;
        }

        var honest = Enumerable.Range(0, 8).Select(p => Peer((ulong)(300 + p), 0)).ToArray();
        var prior = learner.PriorOf(1, [.. honest, Peer(400, 1_000_000), Peer(401, -1_000_000)]);
        var threshold = learner.Current(new long[learner.Cells], prior);
        Assert.False(threshold.Contains(1000));
        Assert.False(threshold.Contains(-1000));
        Assert.True(threshold.Contains(100));
        Assert.Equal(default, learner.PriorOf(1, honest[..2]));
    }

    [Fact]
    public void Learnt_thresholds_have_three_digits()
    {
        Assert.Equal((1.24, 1.23, -1.23, -1.24), (Digits.Up(1.2345), Digits.Down(1.2345), Digits.Up(-1.2345), Digits.Down(-1.2345)));
        Assert.Equal((124_000, 0.00124, 0, 37), (Digits.Up(123_456), Digits.Up(0.00123456), Digits.Up(0), Digits.Down(37)));
        var draws = new Draws(9);
        for (var i = 0; i < 10_000; i++)
        {
            var value = (draws.Uniform() - 0.5) * Math.Pow(10, (draws.Uniform() * 16) - 8);
            Assert.Equal(Digits.Up(value), Digits.Up(Digits.Up(value)));
            Assert.InRange(Digits.Up(value) - value, -1e-9 * Math.Abs(value), 0.0101 * Math.Abs(value));
            Assert.InRange(value - Digits.Down(value), -1e-9 * Math.Abs(value), 0.0101 * Math.Abs(value));
        }
    }

    private static long At(int i) => Draws.Start + (i * Draws.Day / 288);

    private static void Feed(ILearner learner, long[] state, Draws draws, int from, int to)
    {
        for (var i = from; i < to; i++)
        {
            learner.Observe(state, draws.Benign("normal", i, 288), At(i), isClean: true);
        }
    }
}
