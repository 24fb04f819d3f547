using System.Globalization;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

public class ValueRateTests
{
    private static readonly string Half = Lab.Condition("value-rate", "pointer: /t, most: 0.5");

    [Fact]
    public void A_change_is_found_from_the_limit_on_whichever_way_it_goes()
    {
        var findings = Content.Findings(Half, [At(0, 10), At(10, 14.5), At(20, 9.5), At(30, 9.5), At(32, 10.5)]);
        Assert.Equal([0.5, 0.5], findings.Select(f => f.Evidence.Measured));
        Assert.Equal([20.0, 32.0], findings.Select(f => (f.RaisedAt - Lab.Start).TotalMinutes));
        Assert.Equal(("/t", "00:01:00", "value-rate:/t"), (findings[0].Evidence.Facts["pointer"], findings[0].Evidence.Facts["per"], findings[0].Evidence.Metric));
    }

    [Fact]
    public void The_unit_of_time_is_the_templates()
    {
        var perHour = Lab.Condition("value-rate", "pointer: /t, most: 3, per: \"01:00:00\"");
        Assert.Empty(Content.Findings(perHour, [At(0, 10), At(30, 11.4)]));
        Assert.Equal(3, Assert.Single(Content.Findings(perHour, [At(0, 10), At(30, 11.5)])).Evidence.Measured);
    }

    [Fact]
    public void After_a_gap_longer_than_allowed_nobody_knows()
    {
        Assert.Empty(Content.Findings(Half, [At(0, 10), At(60.001, 1000)]));
        Assert.Single(Content.Findings(Half, [At(0, 10), At(60, 1000)]));
    }

    [Fact]
    public void Stored_readings_behind_a_live_one_say_nothing_and_in_their_order_they_do()
    {
        var before = Enumerable.Range(0, 20).Select(i => At(5 * i, 10 + (i * 0.1), sequence: i)).ToList();
        List<MessageEvent> late = [At(150, 13, sequence: 30), .. Enumerable.Range(0, 10).Select(i => At(100 + (5 * i), i % 2 == 0 ? 12 : 99, sent: 150.1 + (i * 0.01), sequence: 20 + i))];
        Assert.Empty(Content.Findings(Half, [.. before, .. late, At(155, 13.1, sequence: 31)]));

        // A device that sends what it stored first: forty degrees within five minutes are as quick as they were.
        var inOrder = Enumerable.Range(0, 10).Select(i => At(100 + (5 * i), i < 5 ? 12 : 52, sent: 150.1 + (i * 0.01), sequence: 20 + i));
        Assert.Equal(8, Assert.Single(Content.Findings(Half, [.. before, .. inOrder])).Evidence.Measured);
    }

    [Fact]
    public void Readings_of_one_moment_are_not_held_against_each_other_and_near_ones_count_as_a_second_apart()
    {
        Assert.Empty(Content.Findings(Half, [At(0, 10), At(0, 99)]));
        Assert.Equal(60, Assert.Single(Content.Findings(Half, [At(0, 10), At(0.0001, 11)])).Evidence.Measured);
    }

    [Fact]
    public void A_message_without_the_number_is_passed_over()
    {
        Assert.Equal(10, Assert.Single(Content.Findings(Half, [At(0, 10), Content.At(1, "{}"), Content.At(2, """{"t":"999"}"""), At(3, 40)])).Evidence.Measured);
    }

    [Fact]
    public void The_largest_numbers_there_are_do_no_harm()
    {
        var found = Content.Findings(Half, [Content.At(0, """{"t":1e999}"""), Content.At(0.0001, """{"t":-1e999}"""), Content.At(0.0002, """{"t":1e308}""")]);
        Assert.True(double.IsFinite(Assert.Single(found).Evidence.Counterfactual.Value));
    }

    [Fact]
    public void A_learnt_limit_knows_how_fast_it_usually_goes()
    {
        var random = new Random(8);
        var usual = Enumerable.Range(0, 2000).Select(i => At(5 * i, Math.Sin(i / 20.0) + (0.1 * random.NextDouble()))).ToList();
        var learnt = Lab.Condition("value-rate", "pointer: /t", "judge: learnt");
        Assert.Empty(Content.Findings(learnt, usual));
        Assert.Equal("learnt", Assert.Single(Content.Findings(learnt, [.. usual, At(10_000, 8)])).Evidence.Origin);
    }

    private static MessageEvent At(double minutes, double value, double? sent = null, int? sequence = null) =>
        Content.At(minutes, $$"""{"t":{{value.ToString("R", CultureInfo.InvariantCulture)}}}""", sent, sequence: sequence);
}
