using System.Globalization;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

public class StuckTests
{
    private static readonly string Usual = Lab.Condition("value-stuck", "pointer: /t");

    // Eleven values make ten changes; the last of them is the first of the row.
    private static readonly List<MessageEvent> Moving = [.. Enumerable.Range(0, 11).Select(i => At(5 * i, i, sequence: i))];

    [Fact]
    public void A_value_is_stuck_at_the_message_that_makes_it_so_and_not_one_before()
    {
        var rows = Enumerable.Range(1, 19).Select(i => At(50 + (5 * i), 10, sequence: 10 + i)).ToList();
        Assert.Empty(Content.Findings(Usual, [.. Moving, .. rows[..^1]]));
        var evidence = Assert.Single(Content.Findings(Usual, [.. Moving, .. rows])).Evidence;
        Assert.Equal((5700, 3600, "20", "01:35:00", "10"), (evidence.Measured, evidence.ExpectedHigh, evidence.Facts["messages"], evidence.Facts["span"], evidence.Facts["changes"]));
        Assert.Equal([11, 30], evidence.Events);
        Assert.Equal(("lasting", "at-least", 5701), (evidence.Counterfactual.Parameter, evidence.Counterfactual.Comparison, evidence.Counterfactual.Value));
    }

    [Fact]
    public void Many_quick_messages_need_the_time_too()
    {
        var quick = Enumerable.Range(1, 100).Select(i => At(50 + (0.5 * i), 10)).ToList();
        Assert.Empty(Content.Findings(Usual, [.. Moving, .. quick, At(109.999, 10)]));
        Assert.Single(Content.Findings(Usual, [.. Moving, .. quick, At(110, 10)]));
    }

    [Fact]
    public void A_value_that_never_changed_or_seldom_is_a_setting()
    {
        Assert.Empty(Content.Findings(Usual, Enumerable.Range(0, 1000).Select(i => At(5 * i, 1))));
        Assert.Empty(Content.Findings(Usual, [.. Moving[1..], .. Enumerable.Range(1, 1000).Select(i => At(50 + (5 * i), 10))]));
    }

    [Fact]
    public void Values_within_the_tolerance_of_the_first_are_one_and_a_slow_drift_leaves_it()
    {
        var near = Lab.Condition("value-stuck", "pointer: /t, tolerance: 0.1");
        Assert.Single(Content.Findings(near, [.. Moving, .. Enumerable.Range(1, 19).Select(i => At(50 + (5 * i), 10 + (i % 2 * 0.1)))]));
        Assert.Empty(Content.Findings(Usual, [.. Moving, .. Enumerable.Range(1, 19).Select(i => At(50 + (5 * i), 10 + (i % 2 * 0.1)))]));
        Assert.Empty(Content.Findings(near, [.. Moving, .. Enumerable.Range(1, 500).Select(i => At(50 + (5 * i), 10 + (i * 0.01)))]));
    }

    [Fact]
    public void What_changes_again_is_over_and_may_stick_again()
    {
        IEnumerable<MessageEvent> Row(double from, double value) => Enumerable.Range(0, 25).Select(i => At(from + (5 * i), value));
        Assert.Equal(2, Content.Findings(Usual, [.. Moving, .. Row(60, 10), At(200, 12), .. Row(205, 13)]).Count);
    }

    [Fact]
    public void A_backlog_that_moved_while_nobody_heard_proves_that_nothing_was_stuck()
    {
        // The live value happens to be the last one before the gap; what was stored says otherwise.
        var before = Enumerable.Range(1, 18).Select(i => At(50 + (5 * i), 10, sequence: 10 + i)).ToList();
        var stored = Enumerable.Range(0, 10).Select(i => At(145 + (5 * i), 20 + i, sent: 200.1 + (0.01 * i), sequence: 30 + i));
        var after = Enumerable.Range(0, 18).Select(i => At(205 + (5 * i), 10, sequence: 50 + i)).ToList();
        Assert.Empty(Content.Findings(Usual, [.. Moving, .. before, .. stored, .. after]));
        Assert.Single(Content.Findings(Usual, [.. Moving, .. before, .. after]));

        // Stored readings with the one value count as messages.
        var silent = Enumerable.Range(0, 18).Select(i => At(55 + (5 * i), 10, sent: 200.1 + (0.01 * i), sequence: 30 + i));
        Assert.Single(Content.Findings(Usual, [.. Moving, At(200, 10, sequence: 49), .. silent, At(205, 10, sequence: 50)]));
        Assert.Empty(Content.Findings(Usual, [.. Moving, At(200, 10, sequence: 49), At(205, 10, sequence: 50)]));
    }

    [Fact]
    public void The_mode_is_minded()
    {
        var moving = Lab.Condition("value-stuck", "pointer: /t", "mode: \"driving\"");
        IEnumerable<MessageEvent> Row(string mode) => Enumerable.Range(1, 25).Select(i => At(50 + (5 * i), 10) with { Mode = mode });
        var driving = Moving.Select(m => m with { Mode = "driving" });
        Assert.Empty(Content.Findings(moving, [.. driving, .. Row("parked")]));
        Assert.Single(Content.Findings(moving, [.. driving, .. Row("driving")]));
    }

    [Fact]
    public void Nothing_is_found_on_values_that_move()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            Assert.Empty(Content.Findings(Usual, Enumerable.Range(0, 600).Select(i => At(5 * i, Math.Round(-18 + (random.NextDouble() * 2), 1), sent: (5 * i) + random.NextDouble(), sequence: i)), seed));
        }
    }

    private static MessageEvent At(double minutes, double value, double? sent = null, int? sequence = null) =>
        Content.At(minutes, $$"""{"t":{{value.ToString("R", CultureInfo.InvariantCulture)}}}""", sent, sequence: sequence);
}
