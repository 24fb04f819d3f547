using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

public class FrequencyTests
{
    private static readonly string OncePerFiveMinutes = $"[{Lab.Condition("frequency", "messages: 1, window: \"00:05:00\"")}]";

    [Fact]
    public void F1_benign_eight_stored_readings_five_minutes_apart_arriving_in_three_seconds_are_quiet()
    {
        var lab = new Lab(OncePerFiveMinutes);
        lab.Run(Lab.Message(Lab.Start, time: Lab.Start));
        var result = lab.Run(Backlog(8, i => Lab.Start.AddMinutes(5 * (i + 1))));
        lab.Run(Lab.Message(Lab.Start.AddMinutes(50), time: Lab.Start.AddMinutes(50)));

        Assert.Empty(lab.Findings);
        Assert.True(Assert.Single(result.Batch.Chunks).Backlog);
    }

    [Fact]
    public void F1_benign_the_live_reading_first_and_then_the_stored_ones_is_quiet()
    {
        var lab = new Lab(OncePerFiveMinutes);
        lab.Run(Lab.Message(Lab.Start, time: Lab.Start));
        lab.Run(Lab.Message(Lab.Start.AddMinutes(45), time: Lab.Start.AddMinutes(45)));
        lab.Run(Backlog(8, i => Lab.Start.AddMinutes(5 * (i + 1))));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void F1_benign_stored_readings_delivered_newest_first_are_quiet()
    {
        var lab = new Lab(OncePerFiveMinutes);
        lab.Run(Lab.Message(Lab.Start, time: Lab.Start));
        lab.Run(Backlog(8, i => Lab.Start.AddMinutes(40 - (5 * i))));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void F1_benign_the_backlog_arriving_twice_is_dropped_and_quiet()
    {
        var lab = new Lab(OncePerFiveMinutes);
        lab.Run(Lab.Message(Lab.Start, time: Lab.Start));
        var once = Backlog(8, i => Lab.Start.AddMinutes(5 * (i + 1)), sequence: 10).ToList();
        lab.Run(once);
        var again = lab.Run(once.Select(m => m with { ArrivedAt = m.ArrivedAt.AddSeconds(5) }));

        Assert.Empty(lab.Findings);
        Assert.Equal(8, again.Batch.Duplicates.Count);
        Assert.Empty(again.Batch.Chunks);
    }

    [Theory]
    [InlineData("sixty readings where the gap has room for eight")]
    [InlineData("sixty readings in an order that keeps neighbours apart")]
    [InlineData("current times")]
    [InlineData("repeated times")]
    [InlineData("times in the future")]
    [InlineData("times before the gap")]
    [InlineData("no times")]
    public void F1_attack_a_burst_after_a_gap_fires(string how)
    {
        var lab = new Lab(OncePerFiveMinutes);
        lab.Run(Lab.Message(Lab.Start, time: Lab.Start));
        lab.Run(how switch
        {
            "sixty readings where the gap has room for eight" => Backlog(60, i => Lab.Start.AddSeconds(40 * (i + 1))),
            "sixty readings in an order that keeps neighbours apart" => Backlog(60, i => Lab.Start.AddSeconds(300 + ((i % 4) * 540) + (i * 4))),
            "current times" => Backlog(8, i => Lab.Start.AddMinutes(45).AddSeconds(i * 0.3)),
            "repeated times" => Backlog(8, _ => Lab.Start.AddMinutes(10)),
            "times in the future" => Backlog(8, i => Lab.Start.AddMinutes(60 + (5 * i))),
            "times before the gap" => Backlog(8, i => Lab.Start.AddDays(-1).AddMinutes(5 * i)),
            _ => Backlog(8, _ => null),
        });

        Assert.Equal("frequency", Assert.Single(lab.Findings).Condition);
    }

    [Fact]
    public void The_gap_has_room_for_so_many_and_the_evidence_says_how_many()
    {
        var lab = new Lab(OncePerFiveMinutes);
        lab.Run(Lab.Message(Lab.Start, time: Lab.Start));
        lab.Run(Backlog(60, i => Lab.Start.AddSeconds(300 + ((i % 4) * 540) + (i * 4))));
        var evidence = Assert.Single(lab.Findings).Evidence;
        Assert.Equal(("backlog", 12, 11), (evidence.Metric, evidence.Measured, evidence.ExpectedHigh));
    }

    [Fact]
    public void Live_messages_between_stored_ones_take_none_of_the_room_of_the_gap()
    {
        var lab = new Lab($"[{Lab.Condition("frequency", "messages: 1, window: \"00:05:00\"", "raiseAfter: 2")}]");
        lab.Run(Lab.Message(At(0), time: At(0)), Lab.Message(At(45), time: At(45)));
        for (var i = 1; i <= 8; i++)
        {
            lab.Run(
                Lab.Message(At(45).AddSeconds(i), time: At(45).AddSeconds(i)),
                Lab.Message(At(45).AddSeconds(i + 0.5), time: At(5 * i)));
        }

        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void V12_V13_the_mode_decides_which_cadence_is_expected()
    {
        var lab = new Lab($"[{Lab.Condition("frequency", "messages: 1, window: \"06:00:00\"", "mode: \"off\"", key: "off")}, {Lab.Condition("frequency", "messages: 1, window: \"00:05:00\"", "mode: \"on\"", key: "on")}]");
        lab.Run(Lab.Message(At(0), mode: "off"));
        lab.Run(Lab.Message(At(60), mode: "on"), Lab.Message(At(65), mode: "ON"), Lab.Message(At(70), mode: "off"));
        Assert.Empty(lab.Findings);
        lab.Run(Lab.Message(At(190), mode: "off"));
        lab.Run(Lab.Message(At(600), mode: "on"), Lab.Message(At(604)));
        Assert.Equal(["off", "on"], lab.Findings.Select(f => f.ConditionKey));
    }

    [Fact]
    public void A_user_is_judged_over_all_of_the_own_devices()
    {
        var directory = new FakeDirectory();
        directory.SetDevice("d1", "u1");
        directory.SetDevice("d2", "u1");
        directory.SetDevice("d3", "u2");
        var lab = new Lab($"[{Lab.Condition("frequency", "messages: 3, window: \"00:01:00\"", scope: "user")}]", directory: directory);
        lab.Run(Enumerable.Range(0, 6).Select(i => Lab.Message(Lab.Start.AddSeconds(i), $"d{(i % 3) + 1}")));
        var finding = Assert.Single(lab.Findings);
        Assert.Equal(("user", "u1", null), (finding.Scope, finding.ScopeKey, finding.DeviceId));
    }

    [Fact]
    public void Evidence_names_the_interval_the_band_and_what_would_have_kept_it_quiet()
    {
        var lab = new Lab(OncePerFiveMinutes);
        lab.Run(Lab.Message(At(0)), Lab.Message(At(2)));
        var evidence = Assert.Single(lab.Findings).Evidence;
        Assert.Equal(("interval", 120, 270), (evidence.Metric, evidence.Measured, evidence.ExpectedLow));
        Assert.Equal(new Counterfactual("window", "at-most", 120, "s"), evidence.Counterfactual);
        Assert.Equal([1L, 2L], evidence.Events);
    }

    [Fact]
    public void The_counterfactual_holds_and_nothing_fires_without_its_cause()
    {
        var random = new Random(7);
        for (var round = 0; round < 200; round++)
        {
            var (messages, window) = (random.Next(1, 6), random.Next(10, 300));
            var events = new List<GatewayEvent>();
            var at = Lab.Start;
            for (var i = 0; i < 40; i++)
            {
                at = at.AddSeconds(random.Next(1, 120));
                events.Add(Lab.Message(at));
            }

            var lab = Frequency(messages, window);
            lab.Run(events);
            var expected = Enumerable.Range(0, events.Count).FirstOrDefault(
                i => i >= messages && events[i].ArrivedAt - events[i - messages].ArrivedAt < TimeSpan.FromSeconds(window), -1);
            Assert.Equal(expected + 1, lab.Findings.FirstOrDefault()?.Position ?? 0);
            if (lab.Findings.FirstOrDefault() is not { } first)
            {
                continue;
            }

            var other = first.Evidence.Counterfactual;
            var quieter = other.Parameter == "window" ? Frequency(messages, (int)other.Value) : Frequency((int)other.Value, window);
            quieter.Run(events);
            Assert.DoesNotContain(quieter.Findings, f => f.Position == first.Position);
        }
    }

    private static Lab Frequency(int messages, int seconds) =>
        new($"[{Lab.Condition("frequency", $"messages: {messages}, window: \"{TimeSpan.FromSeconds(seconds):c}\", slack: 0")}]");

    private static DateTimeOffset At(int minutes) => Lab.Start.AddMinutes(minutes);

    private static IEnumerable<MessageEvent> Backlog(int count, Func<int, DateTimeOffset?> time, int? sequence = null) =>
        Enumerable.Range(0, count).Select(i => Lab.Message(Lab.Start.AddMinutes(45).AddSeconds(3.0 * i / count), time: time(i), sequence: sequence + i));
}
