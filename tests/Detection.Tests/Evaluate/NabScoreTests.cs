using Sekisho.Detection.Evaluate;

namespace Sekisho.Detection.Tests.Evaluate;

public class NabScoreTests
{
    private static readonly Series Labelled = Make([(400, 499), (800, 899)]);

    [Fact]
    public void Nothing_said_is_nought_and_the_first_row_of_each_window_is_a_hundred()
    {
        Assert.Equal(0, NabScore.At([Scored(_ => 0)], 0.5).Normalised, 9);
        var perfect = NabScore.Best([Scored(i => i is 400 or 800 ? 1 : 0)]);
        Assert.Equal((100, 2, 2, 0), (Math.Round(perfect.Normalised, 9), perfect.Found, perfect.Windows, perfect.False));
    }

    [Fact]
    public void A_detection_is_worth_less_the_later_it_is_as_the_published_sigmoid_says()
    {
        double Worth(int row) => NabScore.At([Scored(i => i == row ? 1 : 0)], 0.5).Normalised;
        // Positions -1, -0.5 and -0.01 of the window, as published: 2/(1+exp(5y)) - 1, in shares of the first; one of two windows, from -2 to 2.
        Assert.Equal(50, Worth(400), 9);
        Assert.Equal(25 * (1 + (0.848284 / 0.986614)), Worth(450), 3);
        Assert.Equal(25 * (1 + (0.024995 / 0.986614)), Worth(499), 3);
    }

    [Fact]
    public void A_false_detection_costs_less_shortly_after_a_window_and_nothing_in_probation()
    {
        double Cost(int row) => NabScore.At([Scored(i => i == row ? 1 : 0)], 0.5).Normalised;
        Assert.Equal(-25 * 0.11, Cost(300), 9);
        Assert.InRange(Cost(505), -25 * 0.11 * 0.2, 0);
        Assert.Equal(-25 * 0.11, Cost(799 + 0), 2);
        Assert.Equal(0, Cost(149), 9);
        Assert.Equal(750, NabScore.ProbationOf(20_000));
    }

    [Fact]
    public void One_threshold_is_chosen_for_all_series()
    {
        var quiet = new ScoredSeries(Make([]), [.. Enumerable.Range(0, 1000).Select(i => i % 2 == 0 ? 0.6 : 0)]);
        var best = NabScore.Best([Scored(i => i is 400 or 800 ? 0.9 : 0), quiet]);
        Assert.Equal((0.9, 0), (best.Threshold, best.False));
        var worse = NabScore.Best([Scored(i => i is 400 or 800 ? 0.5 : 0), quiet]);
        Assert.Equal(0, worse.Normalised, 9);
    }

    private static Series Make((int, int)[] windows) =>
        new("made", [.. Enumerable.Range(0, 1000).Select(i => i * 300_000L)], [.. Enumerable.Range(0, 1000).Select(_ => 0.0)], windows);

    private static ScoredSeries Scored(Func<int, double> score) => new(Labelled, [.. Enumerable.Range(0, 1000).Select(score)]);
}
