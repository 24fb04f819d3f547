using Sekisho.Detection.Conditions;
using Sekisho.Detection.Lanes;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

/// <summary>What a backlog is, and what only pretends to be one.</summary>
public class BacklogTests
{
    private static readonly string Once = $"[{Lab.Condition("frequency", "messages: 1, window: \"00:05:00\"")}]";

    [Fact]
    public void F1_benign_a_backlog_in_several_portions_with_live_readings_between_is_quiet()
    {
        var lab = new Lab(Once);
        lab.Run(Driving());

        // Two hours without coverage, then a live reading and four stored ones every five minutes.
        for (var i = 0; i < 6; i++)
        {
            var at = Minute(175 + (5 * i));
            lab.Run(Live(at, 35 + i));
            lab.Run(Enumerable.Range(4 * i, 4).Where(s => s < 23).Select(s => Stored(at.AddSeconds(1 + s), Minute(60 + (5 * s)), 12 + s)));
        }

        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void F1_benign_stored_readings_in_any_order_are_quiet()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            var lab = new Lab(Once);
            lab.Run(Driving());
            var order = Enumerable.Range(0, 8).OrderBy(_ => random.Next()).ToList();
            lab.Run(order.Select((s, i) => Stored(Minute(100).AddSeconds(i), Minute(60 + (5 * s)), 12 + s)));
            lab.Run(Live(Minute(105), 20));
            Assert.Empty(lab.Findings);
        }
    }

    [Fact]
    public void What_was_stored_in_one_mode_does_not_count_against_that_mode_after_another_one()
    {
        var lab = new Lab($"[{Lab.Condition("frequency", "messages: 1, window: \"06:00:00\"", "mode: \"off\"")}]");
        lab.Run(Live(Minute(0), 1) with { Mode = "off" });
        lab.Run(Stored(Minute(540), Minute(356), 2) with { Mode = "off" });
        lab.Run(Live(Minute(541), 3) with { Mode = "on" }, Live(Minute(560), 4) with { Mode = "off" });
        Assert.Empty(lab.Findings);
        lab.Run(Live(Minute(600), 5) with { Mode = "off" });
        Assert.Single(lab.Findings);
    }

    [Theory]
    [InlineData("sequences from before the gap")]
    [InlineData("sequences far beyond it")]
    [InlineData("one sequence with several contents")]
    [InlineData("sequences that run against their times")]
    public void F1_attack_a_backlog_that_does_not_go_on_from_the_sequence_is_found(string how)
    {
        var lab = new Lab(Once);
        lab.Run(Driving());
        lab.Run(Enumerable.Range(0, 8).Select(i => Stored(Minute(100).AddSeconds(i), Minute(60 + (5 * i)), how switch
        {
            "sequences from before the gap" => 2 + i,
            "sequences far beyond it" => 5000 + i,
            "one sequence with several contents" => 12,
            _ => 20 - i,
        }) with
        { MessageId = Guid.NewGuid().ToString("N") }));
        Assert.Equal("frequency", Assert.Single(lab.Findings).Condition);
        Assert.Equal("not-believed", lab.Findings[0].Evidence.Facts["late"]);
    }

    [Fact]
    public void F1_attack_the_same_readings_cannot_be_spread_over_the_gaps_of_a_slow_delivery()
    {
        var lab = new Lab(Once);
        lab.Run(Driving());
        for (var i = 0; i < 12; i++)
        {
            var at = Minute(100 + (5 * i));
            lab.Run(Enumerable.Range(0, 5).Select(s => Stored(at.AddSeconds(s), Minute(56).AddSeconds((i * 200) + (s * 40)), null)));
        }

        Assert.Contains(lab.Findings, f => f.Condition == "frequency");
    }

    [Theory]
    [InlineData("stored: 50", 5, 0)]
    [InlineData("stored: 100", 11, 0)]
    [InlineData("stored: 200", 22, 0)]
    [InlineData("storedExtra: 2", 13, 2)]
    public void The_bucket_of_stored_readings_is_set_by_its_parameters_and_the_counterfactual_holds(string parameters, int allowed, int extra)
    {
        // In an order that keeps neighbours apart, so that only their number betrays them.
        Finding? Found(string more)
        {
            var lab = new Lab($"[{Lab.Condition("frequency", $"messages: 1, window: \"00:05:00\", {more}")}]");
            lab.Run(Lab.Message(Lab.Start, time: Lab.Start));
            lab.Run(Enumerable.Range(0, 60).Select(i => Lab.Message(Minute(45).AddSeconds(3.0 * i / 60), time: Lab.Start.AddSeconds(300 + (i % 4 * 540) + (i * 4)))));
            return lab.Findings.FirstOrDefault();
        }

        var evidence = Found(parameters)!.Evidence;
        Assert.Equal(("backlog", allowed + 1, allowed), (evidence.Metric, evidence.Measured, evidence.ExpectedHigh));
        Assert.Equal(new Counterfactual("storedExtra", "at-least", extra + 1, "count"), evidence.Counterfactual);
        var more = parameters.StartsWith("storedExtra", StringComparison.Ordinal) ? "storedExtra: 3" : parameters + ", storedExtra: 1";
        Assert.NotEqual(Found(parameters)!.Position, Found(more)!.Position);
    }

    [Fact]
    public void Stored_readings_move_no_baseline_and_not_the_cadence_of_the_device()
    {
        var seen = new List<(bool IsClean, long Cadence)>();
        var kind = new ConditionKind("seen", [Scopes.Device], false, [], _ => new Seen(s => seen.Add((s.IsClean, s.Facts.Cadence))));
        var lab = new Lab(Lab.TemplateOf($"[{Lab.Condition("seen", "")}]", kinds: kind));
        lab.Run(Driving());
        var before = seen[^1].Cadence;
        seen.Clear();
        lab.Run(Enumerable.Range(0, 8).Select(i => Stored(Minute(100).AddSeconds(i), Minute(60 + (5 * i)), 12 + i)));
        Assert.All(seen, s => Assert.Equal((false, before), s));

        // Nor what only pretends to be stored.
        seen.Clear();
        lab.Run(Enumerable.Range(0, 8).Select(i => Stored(Minute(101).AddSeconds(i), Minute(-500 + i), 40 + i)));
        Assert.All(seen, s => Assert.False(s.IsClean));
        Assert.Equal(before, seen[^1].Cadence);
    }

    [Fact]
    public void The_longer_gap_stays_open_beside_a_pause_of_its_delivery_and_no_longer_than_it_lasted()
    {
        var timeline = default(Timeline);
        var cells = new long[Timeline.Cells];
        const long Five = 300_000;
        long at = 1_000_000_000;
        for (var i = 0; i < 20; i++)
        {
            timeline.Place(new Reading(at += Five, at, 0, i, 1), cells);
        }

        var gap = at;
        at += 24 * Five;
        Assert.False(timeline.Place(new Reading(at, at, 0, 60, 1), cells).Backlog);
        Assert.True(timeline.Place(new Reading(at + 1, gap + Five, 0, 20, 1), cells).Backlog);
        var later = timeline.Place(new Reading(at + Five, gap + (2 * Five), 0, 21, 1), cells);
        Assert.Equal((true, gap, at), (later.Backlog, later.GapFrom, later.GapTo));
        Assert.True(timeline.Place(new Reading(at + (2 * Five), at + (2 * Five), 0, 61, 1), cells) is { Backlog: false, IsBelieved: true });
        Assert.True(timeline.Place(new Reading(at + (3 * Five), gap + (3 * Five), 0, 22, 1), cells).Backlog);
        Assert.False(timeline.Place(new Reading(at + (26 * Five), gap + (4 * Five), 0, 23, 1), cells).IsBelieved);
    }

    [Fact]
    public void A_clock_that_is_always_late_is_wrong_and_its_readings_are_live()
    {
        var timeline = default(Timeline);
        var cells = new long[Timeline.Cells];
        long at = 1_000_000_000;
        var placed = Enumerable.Range(0, 50).Select(i => timeline.Place(new Reading(at += 300_000, at - 1_500_000 + (i % 20 * 1000), 0, i, 1), cells)).ToList();
        Assert.All(placed.Skip(4), p => Assert.Equal((false, true), (p.Backlog, p.IsBelieved)));
        Assert.Equal(300_000, cells[4]);

        // Its backlog is not seen as one, but nothing else is taken for one either.
        Assert.DoesNotContain(Enumerable.Range(0, 8).Select(i => timeline.Place(new Reading(at + 60_000 + i, at - 2_000_000 + (i * 1000), 0, 50 + i, 1), cells)), p => p.Backlog);
    }

    private static IEnumerable<MessageEvent> Driving() => Enumerable.Range(0, 12).Select(i => Live(Minute(5 * i), i));

    private static MessageEvent Live(DateTimeOffset at, int sequence) => Lab.Message(at, time: at, sequence: sequence);

    private static MessageEvent Stored(DateTimeOffset at, DateTimeOffset taken, int? sequence) => Lab.Message(at, time: taken, sequence: sequence);

    private static DateTimeOffset Minute(double minutes) => Lab.Start.AddMinutes(minutes);

    private sealed class Seen(Action<Signal> see) : ICondition
    {
        public int Cells => 0;

        public long QuietAfter => long.MaxValue;

        public bool Concerns(in Signal signal) => signal.Kind == SignalKind.Message;

        public Verdict Step(Span<long> state, in Signal signal)
        {
            see(signal);
            return Verdict.None;
        }

        public Evidence Explain(ReadOnlySpan<long> state, in Signal signal) => throw new InvalidOperationException();
    }
}
