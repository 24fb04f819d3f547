using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

public class TimestampTests
{
    private static readonly string Usual = $"[{Lab.Condition("timestamp", "repeats: 2")}]";

    [Fact]
    public void V18_a_time_in_the_future_is_found_from_the_tolerance_on()
    {
        var lab = new Lab(Usual);
        lab.Run(Told(0, 0), Told(300, 300 + 120));
        Assert.Empty(lab.Findings);
        lab.Run(Told(600, 600 + 121));
        var finding = Assert.Single(lab.Findings);
        Assert.Equal(("future", 121, 120), (finding.Stage, finding.Evidence.Measured, finding.Evidence.ExpectedHigh));
        var quiet = new Lab($"[{Lab.Condition("timestamp", "ahead: \"00:02:01\"")}]");
        quiet.Run(Told(600, 600 + 121));
        Assert.Empty(quiet.Findings);
    }

    [Fact]
    public void V18_times_that_run_backwards_are_found()
    {
        var lab = new Lab(Usual);
        lab.Run(Told(0, 0), Told(300, 300), Told(600, -600));
        var finding = Assert.Single(lab.Findings);
        Assert.Equal(("backwards", 900, "00:15:00"), (finding.Stage, finding.Evidence.Measured, finding.Evidence.Facts["back"]));
    }

    [Fact]
    public void Requests_that_overtake_each_other_are_not_backwards()
    {
        var lab = new Lab(Usual);
        lab.Run(Told(0, 0), Told(10, 9), Told(11, 5), Told(20, 19), Told(21, 18));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void V18_a_repeated_time_is_found_and_one_moment_of_a_coarse_clock_is_none()
    {
        var lab = new Lab(Usual);
        lab.Run(Told(0, 0), Told(0.4, 0), Told(0.9, 0), Told(60, 60));
        Assert.Empty(lab.Findings);
        lab.Run(Told(120, 60));
        Assert.Equal(("repeated", 2), (Assert.Single(lab.Findings).Stage, lab.Findings[0].Evidence.Measured));
    }

    [Fact]
    public void F1_benign_a_backlog_runs_backwards_and_is_quiet()
    {
        var lab = new Lab(Usual);
        lab.Run(Told(0, 0, 1), Told(300, 300, 2));
        lab.Run(Told(3000, 3000, 11));
        lab.Run(Enumerable.Range(0, 8).Select(i => Told(3001 + i, 600 + (300 * i), 3 + i)));
        lab.Run(Enumerable.Range(0, 8).Select(i => Told(3010 + i, 600 + (300 * i), 3 + i)));
        lab.Run(Told(3300, 3300, 12));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void F1_attack_stored_readings_with_one_time_are_repeated_and_older_ones_than_the_gap_backwards()
    {
        var lab = new Lab(Usual);
        lab.Run(Told(0, 0, 1), Told(300, 300, 2));
        lab.Run(Enumerable.Range(0, 8).Select(i => Told(3000 + (0.3 * i), 900, 3 + i)));
        Assert.Equal("repeated", Assert.Single(lab.Findings).Stage);
        lab.Run(Told(3010, -9000, 20));
        Assert.Equal("backwards", lab.Findings[^1].Stage);
    }

    [Fact]
    public void A_clock_that_is_set_once_is_benign_and_one_that_is_set_again_and_again_is_not()
    {
        var lab = new Lab(Usual);

        // Ten minutes behind, then set right.
        lab.Run(Enumerable.Range(0, 20).Select(i => Told(300 * i, (300 * i) - 600)));
        lab.Run(Enumerable.Range(20, 20).Select(i => Told(300 * i, 300 * i)));

        // A minute and a half ahead, then set right.
        lab = new Lab(Usual);
        lab.Run(Enumerable.Range(0, 20).Select(i => Told(300 * i, (300 * i) + 100)));
        lab.Run(Enumerable.Range(20, 20).Select(i => Told(300 * i, 300 * i)));
        Assert.Empty(lab.Findings);

        lab = new Lab(Usual);
        for (var i = 0; i < 60; i++)
        {
            lab.Run(Told(300 * i, (300 * i) - (i / 10 % 2 == 0 ? 0 : 100)));
        }

        Assert.DoesNotContain(lab.Findings, f => f.Stage != "step");
        Assert.Contains(lab.Findings, f => f.Stage == "step");
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(20, false)]
    [InlineData(-60, false)]
    [InlineData(400, true)]
    [InlineData(-400, true)]
    public void A_drifting_clock_is_found_by_its_rate_and_delays_are_no_drift(double secondsPerDay, bool isFound)
    {
        var random = new Random(4);
        var lab = new Lab($"[{Lab.Condition("timestamp", "ahead: \"00:10:00\", back: \"00:10:00\"")}]");
        for (var i = 0; i < 288 * 3; i++)
        {
            var taken = 300.0 * i;
            lab.Run(Told(taken + (random.Next(20) == 0 ? random.Next(90) : random.NextDouble()), taken - 1500 + (taken / 86_400 * secondsPerDay)));
        }

        Assert.Equal(isFound, lab.Findings.Any(f => f.Stage == "drift"));
        Assert.DoesNotContain(lab.Findings, f => f.Stage != "drift");
        if (isFound)
        {
            Assert.Equal(Math.Abs(secondsPerDay), lab.Findings[0].Evidence.Measured, Math.Abs(secondsPerDay) / 5);
            Assert.InRange((lab.Findings[0].RaisedAt - Lab.Start).TotalHours, 12, 36);
        }
    }

    [Fact]
    public void F1_attack_late_readings_that_only_pretend_to_fill_a_gap_are_unexplained()
    {
        var lab = new Lab($"[{Lab.Condition("timestamp", "")}]");
        lab.Run(Enumerable.Range(0, 20).Select(i => Told(300 * i, 300 * i, i)));

        // The gap of forty minutes has room for sixteen and eight: of sixty the rest is not believed.
        lab.Run(Enumerable.Range(0, 60).Select(i => Told(5700 + 2400 + (0.05 * i), 5700 + (40 * i) + 20, 20 + i)));
        var evidence = Assert.Single(lab.Findings).Evidence;
        Assert.Equal(("unexplained", 5), (lab.Findings[0].Stage, evidence.Measured));
        Assert.Equal(new Sekisho.Domain.Detection.Counterfactual("unexplained", "at-least", 6, "count"), evidence.Counterfactual);
    }

    [Fact]
    public void A_slow_clock_is_not_unexplained()
    {
        var lab = new Lab($"[{Lab.Condition("timestamp", "")}]");
        lab.Run(Enumerable.Range(0, 50).Select(i => Told(300 * i, (300 * i) - 7200, i)));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void A_device_that_tells_no_time_is_never_judged()
    {
        var lab = new Lab(Usual);
        lab.Run(Enumerable.Range(0, 100).Select(i => Lab.Message(Lab.Start.AddSeconds(i))));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void The_first_and_the_last_time_there_is_do_no_harm()
    {
        var lab = new Lab(Usual);
        lab.Run(
            Lab.Message(Lab.Start, time: Lab.Start),
            Lab.Message(Lab.Start.AddMinutes(5), time: DateTimeOffset.MaxValue),
            Lab.Message(Lab.Start.AddMinutes(10), time: DateTimeOffset.MinValue),
            Lab.Message(Lab.Start.AddMinutes(15), time: Lab.Start.AddMinutes(15)),
            Lab.Message(Lab.Start.AddMinutes(20), time: Lab.Start.AddMinutes(20)),
            Lab.Message(Lab.Start.AddMinutes(25), time: DateTimeOffset.MinValue));
        Assert.Equal(["future", "backwards"], lab.Findings.Select(f => f.Stage));
        lab.Run(Lab.Message(Lab.Start.AddDays(10), "first", time: DateTimeOffset.MinValue), Lab.Message(Lab.Start.AddDays(10).AddMinutes(5), "first", time: DateTimeOffset.MaxValue));
        Assert.Equal("first", lab.Findings[^1].DeviceId);
    }

    [Fact]
    public void Nothing_is_found_without_its_cause()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var random = new Random(seed);
            var lab = new Lab(Usual);
            var taken = 0.0;
            var arrival = 0.0;
            for (var i = 0; i < 400; i++)
            {
                // In order, each with its own time, delayed by up to a minute and a half, a clock that is off by up to half a minute.
                taken += random.Next(2, 600);
                arrival = Math.Max(arrival + 0.01, taken + (random.Next(3) == 0 ? random.Next(60) : 0.1));
                lab.Run(Told(arrival, taken + (seed % 60) - 30, i));
            }

            Assert.Empty(lab.Findings);
        }
    }

    private static MessageEvent Told(double arrival, double time, int? sequence = null) =>
        Lab.Message(Lab.Start.AddSeconds(arrival), time: Lab.Start.AddSeconds(time), sequence: sequence);
}
