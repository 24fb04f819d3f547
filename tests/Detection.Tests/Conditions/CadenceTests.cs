using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

public class CadenceTests
{
    private static readonly string FiveMinutes = $"[{Lab.Condition("cadence", "interval: \"00:05:00\", stop: \"00:30:00\"")}]";

    [Fact]
    public void V15_readings_that_become_rarer_and_stop_give_an_early_warning_and_then_a_detection()
    {
        var lab = new Lab(FiveMinutes);
        lab.Run(Lab.WithTicks(At(0, 4, 8, 12, 16, 23, 32, 44), Lab.Start.AddHours(3)));
        Assert.Equal(["falling 38", "stopped 74"], lab.Findings.Select(f => $"{f.Stage} {(f.RaisedAt - Lab.Start).TotalMinutes:0}"));
        Assert.Equal(("3", "rarer"), (lab.Findings[0].Evidence.Facts["rarer"], lab.Findings[0].Evidence.Counterfactual.Parameter));
        Assert.Equal((1800, "stop"), (lab.Findings[1].Evidence.Measured, lab.Findings[1].Evidence.Counterfactual.Parameter));
    }

    [Fact]
    public void Who_stops_at_once_or_loses_a_reading_now_and_then_does_not_fall()
    {
        var lab = new Lab(FiveMinutes);
        lab.Run(Lab.WithTicks(At(0, 4, 8, 12, 16, 24, 28, 36, 44, 48, 52), Lab.Start.AddHours(3)));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void A_device_that_was_never_frequent_does_not_fall()
    {
        var lab = new Lab(FiveMinutes);
        lab.Run(Lab.WithTicks(Enumerable.Range(0, 50).Select(i => Lab.Message(Lab.Start.AddMinutes(10 * i))), Lab.Start.AddHours(12)));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void Who_stays_rare_for_long_has_that_cadence()
    {
        var lab = new Lab($"[{Lab.Condition("cadence", "interval: \"00:05:00\"", "repeatAfter: \"06:00:00\"")}]");
        lab.Run(Lab.WithTicks([.. At(0, 4, 8, 12, 16), .. Enumerable.Range(0, 300).Select(i => Lab.Message(Lab.Start.AddMinutes(30 + (10 * i))))], Lab.Start.AddHours(50)));
        Assert.InRange(lab.Findings.Count, 1, 4);
        Assert.All(lab.Findings, f => Assert.True(f.RaisedAt < Lab.Start.AddHours(20)));
    }

    [Fact]
    public void F4_a_tablet_that_stops_in_one_go_and_is_used_again_next_day_does_not_fall()
    {
        var lab = new Lab(FiveMinutes);
        var school = Enumerable.Range(0, 3).SelectMany(day => Enumerable.Range(0, 60).Select(i => Lab.Message(Lab.Start.AddDays(day).AddMinutes(5 * i))));
        var home = Enumerable.Range(2, 4).Select(day => Lab.Message(Lab.Start.AddDays(day).AddHours(7)));
        lab.Run(Lab.WithTicks(school.Concat(home), Lab.Start.AddDays(7)));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void Who_lost_a_reading_before_it_stopped_in_one_go_does_not_fall_and_must_be_frequent_again_before_it_can()
    {
        var lab = new Lab(FiveMinutes);
        lab.Run(Lab.WithTicks([.. At(0, 4, 8, 12, 16, 24), .. At(424, 432, 445)], Lab.Start.AddHours(20)));
        Assert.Empty(lab.Findings);
        lab.Run(Lab.WithTicks([Lab.Tick(Lab.Start.AddHours(20)), .. At(1300, 1304, 1308, 1312, 1316, 1324, 1334)], Lab.Start.AddHours(24)));
        Assert.Equal(["falling", "stopped"], lab.Findings.Select(f => f.Stage));
    }

    [Fact]
    public void Stored_readings_that_fill_the_holes_take_it_back_also_when_a_new_one_comes_first()
    {
        var lab = new Lab(FiveMinutes);
        lab.Run(Lab.WithTicks(At(0, 4, 8, 12, 16, 24, 32), Lab.Start.AddMinutes(80)));
        Assert.Equal(["falling", "stopped"], lab.Findings.Select(f => f.Stage));
        lab.Run(Lab.Message(Lab.Start.AddMinutes(80)));
        var back = lab.Run(Enumerable.Range(1, 12).Select(i => Lab.Message(Lab.Start.AddMinutes(81).AddSeconds(i), time: Lab.Start.AddMinutes(32 + (4 * i)))));
        Assert.Contains(back.Batch.Retractions, r => r.Reason == "backlog-delivered");
    }

    [Fact]
    public void Stored_readings_that_fill_the_holes_take_it_back()
    {
        var lab = new Lab(FiveMinutes);
        lab.Run(Lab.WithTicks(At(0, 4, 8, 12, 16, 24, 32), Lab.Start.AddMinutes(50)));
        Assert.Equal("falling", Assert.Single(lab.Findings).Stage);
        var back = lab.Run(Enumerable.Range(1, 4).Select(i => Lab.Message(Lab.Start.AddMinutes(51).AddSeconds(i), time: Lab.Start.AddMinutes(32 + (4 * i)))));
        Assert.Equal("backlog-delivered", Assert.Single(back.Batch.Retractions).Reason);
    }

    [Fact]
    public void Time_in_which_the_gateway_was_down_makes_nothing_rarer()
    {
        var lab = new Lab(FiveMinutes);
        foreach (var hour in Enumerable.Range(0, 6))
        {
            // Down for half of each quarter of an hour, so that two readings of three are missing.
            var from = Lab.Start.AddMinutes(15 * hour);
            lab.Run(Lab.WithTicks([Lab.Message(from), Lab.Message(from.AddMinutes(2))], from.AddMinutes(4)));
        }

        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void Without_an_interval_it_goes_by_what_is_usual_for_the_device()
    {
        var lab = new Lab($"[{Lab.Condition("cadence", "interval: \"00:00:00\", factor: 3, stop: \"06:00:00\"")}]");
        var hourly = Enumerable.Range(0, 40).Select(i => Lab.Message(Lab.Start.AddHours(i))).ToList();
        lab.Run(Lab.WithTicks(hourly, Lab.Start.AddHours(40)));
        Assert.Empty(lab.Findings);
        lab.Run(Lab.WithTicks([Lab.Tick(Lab.Start.AddHours(40)), Lab.Message(Lab.Start.AddHours(43)), Lab.Message(Lab.Start.AddHours(47))], Lab.Start.AddHours(56)));
        Assert.Equal(["falling", "stopped"], lab.Findings.Select(f => f.Stage));
        Assert.Equal("learnt", lab.Findings[0].Evidence.Origin);
    }

    [Fact]
    public void Lessons_that_end_every_day_are_reported_until_they_are_usual_and_the_tablet_that_leaves_in_between_is_found()
    {
        var lab = new Lab($"[{Lab.Condition("cadence", "interval: \"00:05:00\"")}]");
        for (var day = 0; day < 12; day++)
        {
            lab.Run(Lab.WithTicks(Lesson(day), Lab.Start.AddDays(day).AddMinutes(1439)));
        }

        // An early warning and a detection on each of the first five days.
        Assert.Equal(10, lab.Findings.Count);
        lab.Run(Lab.WithTicks([.. Lesson(12), .. At(600, 604, 608, 612, 616, 624, 633).Select(e => e with { ArrivedAt = e.ArrivedAt.AddDays(12) })], Lab.Start.AddDays(12).AddHours(12)));
        Assert.Equal(["falling", "stopped"], lab.Findings[10..].Select(f => f.Stage));
        Assert.All(lab.Findings[10..], f => Assert.True(f.RaisedAt > Lab.Start.AddDays(12).AddHours(10)));
    }

    [Fact]
    public void Nothing_is_found_without_its_cause()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            var (at, rare, events) = (Lab.Start, 0, new List<GatewayEvent>());
            for (var i = 0; i < 300; i++)
            {
                // Never three in a row that are too long, the one that is open included; now and then it stops in one go.
                var isRare = rare < 2 && random.Next(4) == 0;
                var isStop = rare < 2 && random.Next(10) == 0;
                rare = isStop ? 0 : isRare ? rare + 1 : 0;
                at = at.AddSeconds(isStop ? random.Next(1800, 100_000) : isRare ? random.Next(331, 1700) : random.Next(1, 330));
                events.Add(Lab.Message(at));
            }

            var lab = new Lab(FiveMinutes);
            lab.Run(Lab.WithTicks(events, at));
            Assert.Empty(lab.Findings);
        }
    }

    private static IEnumerable<GatewayEvent> Lesson(int day) => At(0, 4, 8, 12, 16, 20, 24, 31, 39, 48).Select(e => e with { ArrivedAt = e.ArrivedAt.AddDays(day) });

    private static IEnumerable<GatewayEvent> At(params int[] minutes) => minutes.Select(m => Lab.Message(Lab.Start.AddMinutes(m)));
}
