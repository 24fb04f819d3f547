using Sekisho.Detection.Conditions;
using Sekisho.Detection.Conditions.Metrics;
using Sekisho.Detection.Thresholds;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

public class ThresholdTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public void R_157_volume_of_a_sliding_period_is_found_where_it_is_reached_and_not_one_byte_before()
    {
        var lab = new Lab($"[{Lab.Condition("volume", "bytes: 1000, period: \"01:00:00\"")}]");
        lab.Run(Lab.Message(Lab.Start, size: 500), Lab.Message(Lab.Start.AddMinutes(20), size: 499));
        Assert.Empty(lab.Findings);
        lab.Run(Lab.Message(Lab.Start.AddMinutes(40), size: 1));
        var finding = Assert.Single(lab.Findings);
        Assert.Equal((1000, 999, 1001, "01:00:00"), (finding.Evidence.Measured, finding.Evidence.ExpectedHigh, finding.Evidence.Counterfactual.Value, finding.Evidence.Facts["period"]));
    }

    [Fact]
    public void What_left_the_sliding_period_counts_no_more()
    {
        var lab = new Lab($"[{Lab.Condition("volume", "bytes: 1000, period: \"01:00:00\"")}]");
        lab.Run(Enumerable.Range(0, 50).Select(i => Lab.Message(Lab.Start + (Hour * i * 0.5), size: 400)));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void A_backlog_counts_in_the_period_in_which_it_was_taken()
    {
        var lab = new Lab($"[{Lab.Condition("volume", "bytes: 1000, period: \"01:00:00\", window: fixed")}]", "UTC");
        lab.Run(Lab.Message(Lab.Start, sequence: 1, size: 300));
        lab.Run(Enumerable.Range(2, 6).Select(i => Lab.Message(Lab.Start.AddHours(4), time: Lab.Start.AddMinutes(40 * (i - 1)), sequence: i, size: 300)));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void Too_little_is_judged_when_the_period_is_over_and_not_while_it_runs()
    {
        var lab = new Lab($"[{Lab.Condition("volume", "least: 1000, period: \"01:00:00\", window: fixed", "judge: below")}]", "UTC");
        lab.Run(Lab.WithTicks([Lab.Message(Lab.Start, size: 1200), Lab.Message(Lab.Start.AddMinutes(70), size: 10)], Lab.Start.AddMinutes(121)));
        Assert.Empty(lab.Findings);
        lab.Run(Lab.WithTicks([Lab.Tick(Lab.Start.AddMinutes(121))], Lab.Start.AddMinutes(123)));
        var finding = Assert.Single(lab.Findings);
        Assert.Equal((10, 1000, "low"), (finding.Evidence.Measured, finding.Evidence.ExpectedLow, finding.Evidence.Facts["side"]));
    }

    [Fact]
    public void Outside_is_found_on_both_sides()
    {
        var lab = new Lab($"[{Lab.Condition("size", "least: 50, bytes: 200", "judge: outside")}]");
        lab.Run(new[] { 50, 200, 49, 100, 201 }.Select((size, i) => Lab.Message(Lab.Start.AddMinutes(i), size: size)));
        Assert.Equal([49, 201], lab.Findings.Select(f => f.Evidence.Measured));
    }

    [Fact]
    public void A_learnt_limit_says_what_it_rests_on()
    {
        var lab = new Lab($"[{Lab.Condition("size", "sides: both", "judge: learnt")}]");
        lab.Run(Enumerable.Range(0, TailLearner.Enough).Select(i => Lab.Message(Lab.Start.AddMinutes(i), size: 100 + (i % 11))));
        Assert.Empty(lab.Findings);
        lab.Run(Enumerable.Range(0, 40).Select(i => Lab.Message(Lab.Start.AddMinutes(100 + i), size: 400)));
        var finding = Assert.Single(lab.Findings);
        Assert.Equal(("learnt", "33"), (finding.Evidence.Origin, finding.Evidence.Facts["values"]));
        Assert.InRange(finding.Evidence.ExpectedHigh!.Value, 111, 399);
        Assert.Equal("2026-04-01T00:00:00Z", finding.Evidence.Facts["since"]);
    }

    [Fact]
    public void A_limit_that_a_person_sets_takes_the_place_of_the_learnt_one()
    {
        var lab = new Lab($"[{Lab.Condition("size", "high: 300", "judge: learnt")}]");
        lab.Run(Lab.Message(Lab.Start, size: 300), Lab.Message(Lab.Start.AddMinutes(1), size: 301));
        Assert.Equal(("person", 301), (Assert.Single(lab.Findings).Evidence.Origin, lab.Findings[0].Evidence.Measured));
    }

    [Fact]
    public void Peers_are_an_event_and_the_kind_of_the_device_chooses_among_them()
    {
        var directory = new FakeDirectory();
        directory.SetDevice("d1", kind: "camera");
        directory.SetDevice("d2", kind: "meter");
        var lab = new Lab($"[{Lab.Condition("size", "percentile: 90", "judge: peer")}]", directory: directory);
        lab.Run(Lab.Message(Lab.Start, size: 9999));
        Assert.Empty(lab.Findings);
        lab.Run(new PriorEvent { ArrivedAt = Lab.Start, CorrelationId = "", FieldId = "field", Metric = "quantiles:size/camera", Version = 1, Numbers = [0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000] });
        lab.Run(Lab.Message(Lab.Start.AddMinutes(1), size: 900), Lab.Message(Lab.Start.AddMinutes(2), "d2", size: 5000), Lab.Message(Lab.Start.AddMinutes(3), size: 901));
        Assert.Equal(("peer", 901), (Assert.Single(lab.Findings).Evidence.Origin, lab.Findings[0].Evidence.Measured));
    }

    [Fact]
    public void Every_kind_has_a_label_for_itself_and_each_parameter_with_every_judge_in_both_languages()
    {
        var texts = new Domain.Localization.Texts([typeof(DetectionFeature).Assembly]);
        var missing =
            from language in Domain.Localization.Texts.Languages
            let keys = texts.Keys(language)
            from kind in DetectionFeature.Kinds
            from key in new[] { $"condition.{kind.Name}" }
                .Concat(kind.Parameters.Concat(kind.Judges.SelectMany(j => j.Parameters)).Concat(Judgement.Specs).Select(p => keys.Contains($"condition.{kind.Name}.{p.Name}") ? $"condition.{kind.Name}.{p.Name}" : $"condition.any.{p.Name}"))
                .Concat(kind.Stages.SelectMany(s => new[] { $"condition.{kind.Name}.stage.{s}", $"finding.{kind.Name}.{s}.sentence" }))
                .Concat(kind.Reasons.Select(r => $"finding.retracted.{r}"))
                .Concat(kind.Judges.Select(j => keys.Contains($"finding.{kind.Name}.{j.Name}.sentence") ? $"finding.{kind.Name}.{j.Name}.sentence" : $"finding.judge.{j.Name}.sentence"))
            where !keys.Contains(key)
            select $"{language}: {key}";
        Assert.Empty(missing);
    }

    [Fact]
    public void Sums_over_stretches_are_those_of_a_plain_list()
    {
        var random = new Random(157);
        var cells = new long[Buckets.CellsFor(5)];
        var all = new List<(long Stretch, long Amount)>();
        long newest = 1000;
        for (var i = 0; i < 5000; i++)
        {
            var stretch = newest + random.Next(-8, 4);
            newest = Math.Max(newest, stretch);
            var amount = random.Next(100);
            var buckets = new Buckets(cells);
            var added = buckets.Add(stretch, amount);
            Assert.Equal(stretch > newest - 5, added);
            if (added)
            {
                all.Add((stretch, amount));
            }

            Assert.Equal(all.Where(a => a.Stretch > newest - 5).Sum(a => a.Amount), new Buckets(cells).Sum(newest - 10, newest));
        }
    }
}
