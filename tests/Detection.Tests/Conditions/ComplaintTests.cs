using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

/// <summary>What users of other platforms complain about: alarms for devices that stop sending (11), durations and schedules at their edges (12).</summary>
public class ComplaintTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public void Complaint_11_the_heartbeat_rule_fires_without_a_reconnect_and_without_any_other_device()
    {
        var lab = new Lab($"[{Lab.Condition("silence", "duration: \"00:05:00\"")}]");
        lab.Run(Lab.Message(Lab.Start));
        for (var minute = 1; minute <= 10; minute++)
        {
            // Each tick a stretch of its own: nothing else wakes the lanes.
            lab.Run(Lab.Tick(Lab.Start + (Minute * minute)));
        }

        Assert.Equal(Lab.Start.AddMinutes(5), Assert.Single(lab.Findings).RaisedAt);
    }

    [Fact]
    public void Complaint_11_it_fires_although_the_gateway_was_restarted_in_between()
    {
        var lab = new Lab($"[{Lab.Condition("silence", "duration: \"00:05:00\"")}]");
        lab.Run(Lab.WithTicks([Lab.Message(Lab.Start)], Lab.Start.AddMinutes(3)));
        Tests.Lanes.LaneTests.Restart(lab);
        lab.Run(Lab.WithTicks([Lab.Tick(Lab.Start.AddMinutes(4))], Lab.Start.AddMinutes(6)));
        Assert.Equal(Lab.Start.AddMinutes(5), Assert.Single(lab.Findings).RaisedAt);
    }

    [Fact]
    public void Complaint_11_it_fires_again_after_each_recovery_and_not_for_a_heartbeat_that_is_just_in_time()
    {
        var lab = new Lab($"[{Lab.Condition("silence", "duration: \"00:05:00\"")}]");
        lab.Run(Lab.WithTicks(Enumerable.Range(0, 20).Select(i => Lab.Message(Lab.Start + (TimeSpan.FromSeconds(299) * i))), Lab.Start + (TimeSpan.FromSeconds(299) * 19)));
        Assert.Empty(lab.Findings);
        var result = lab.Run(Lab.WithTicks(Enumerable.Range(0, 3).Select(i => Lab.Message(Lab.Start.AddHours(3 + i))).Prepend<GatewayEvent>(Lab.Tick(Lab.Start + (TimeSpan.FromSeconds(299) * 19))), Lab.Start.AddHours(6)));
        Assert.Equal(4, lab.Findings.Count);
        Assert.Equal(3, result.Cleared.Count);
    }

    [Fact]
    public void Complaint_12_a_duration_counts_from_the_first_violation_and_is_not_reached_by_two_far_apart_with_calm_between()
    {
        var lab = new Lab($"[{Lab.Condition("size", "bytes: 10", "lastsFor: \"00:10:00\"")}]");
        lab.Run(Sizes((0, 10), (5, 9), (11, 10), (20, 10)));
        Assert.Empty(lab.Findings);
        lab.Run(Sizes((21, 10)));
        Assert.Single(lab.Findings);
    }

    [Fact]
    public void Complaint_12_what_does_not_recur_clears_by_itself_although_no_calm_value_ever_comes()
    {
        var lab = new Lab($"[{Lab.Condition("frequency", "messages: 2, window: \"00:05:00\"", "clearAfter: 5")}]");
        var result = lab.Run(Lab.WithTicks(Enumerable.Range(0, 4).Select(i => Lab.Message(Lab.Start.AddSeconds(i))), Lab.Start.AddMinutes(10)));
        Assert.Single(lab.Findings);
        Assert.InRange((DateTimeOffset.FromUnixTimeMilliseconds(Assert.Single(result.Cleared).At) - Lab.Start).TotalMinutes, 5, 6.1);
    }

    [Fact]
    public void Complaint_12_a_streak_that_does_not_go_on_is_forgotten_on_absence()
    {
        var lab = new Lab($"[{Lab.Condition("malformed", "refusals: 1, window: \"00:10:00\"", "raiseAfter: 2")}]");
        lab.Run(Lab.WithTicks([Lab.Refusal(Lab.Start, RefusalReasons.Malformed)], Lab.Start.AddMinutes(30)));
        lab.Run(Lab.WithTicks([Lab.Refusal(Lab.Start.AddMinutes(31), RefusalReasons.Malformed)], Lab.Start.AddMinutes(60)));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void Complaint_12_at_the_end_of_a_schedule_nothing_new_is_raised_and_what_was_raised_can_still_clear()
    {
        var lab = new Lab($"[{Lab.Condition("size", "bytes: 10", "schedule: { from: \"22:00\", to: \"06:00\" }, repeatAfter: \"00:30:00\"")}]", "UTC");
        var end = Lab.Start.AddHours(6);
        lab.Run(Lab.Message(end.AddSeconds(-1), size: 10));
        Assert.Single(lab.Findings);
        lab.Run(Lab.Message(end, size: 10), Lab.Message(end.AddHours(2), size: 10));
        Assert.Single(lab.Findings);
        Assert.Single(lab.Run(Lab.Message(end.AddHours(3), size: 9)).Cleared);
    }

    [Fact]
    public void Complaint_12_a_late_reading_is_judged_by_the_schedule_of_the_time_at_which_it_was_taken()
    {
        var lab = new Lab($"[{Lab.Condition("size", "bytes: 10", "schedule: { from: \"22:00\", to: \"06:00\" }")}]", "UTC");
        var morning = Lab.Start.AddHours(9);
        lab.Run(Lab.Message(Lab.Start.AddHours(-3), time: Lab.Start.AddHours(-3), sequence: 1, size: 1));
        lab.Run(Lab.Message(morning, time: Lab.Start.AddHours(2), sequence: 2, size: 10));
        Assert.Single(lab.Findings);
        lab.Run(Lab.Message(morning.AddSeconds(1), time: Lab.Start.AddHours(8), sequence: 3, size: 1), Lab.Message(morning.AddSeconds(2), time: Lab.Start.AddHours(8.5), sequence: 4, size: 10));
        Assert.Single(lab.Findings);
    }

    [Fact]
    public void Complaint_12_silence_and_its_schedule_agree_with_a_plain_account_whatever_the_pauses()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            var random = new Random(seed);
            var duration = random.Next(2, 90);
            var lab = new Lab($"[{Lab.Condition("silence", $"duration: \"{TimeSpan.FromMinutes(duration):c}\", habit: 0")}]");
            var (at, events, expected) = (Lab.Start, new List<GatewayEvent>(), new List<DateTimeOffset>());
            for (var i = 0; i < 60; i++)
            {
                events.Add(Lab.Message(at));
                var pause = random.Next(1, 120);

                // Ticks come at full minutes, and a message at the same moment comes after the tick.
                if (pause >= duration)
                {
                    expected.Add(at.AddMinutes(duration));
                }

                at = at.AddMinutes(pause);
            }

            lab.Run(Lab.WithTicks(events, at.AddMinutes(-1)));
            Assert.Equal(expected.Where(e => e < at), lab.Findings.Select(f => f.RaisedAt));
        }
    }

    private static IEnumerable<GatewayEvent> Sizes(params (int Minute, int Size)[] messages) => messages.Select(m => Lab.Message(Lab.Start.AddMinutes(m.Minute), size: m.Size));
}
