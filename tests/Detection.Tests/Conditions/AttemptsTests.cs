using Sekisho.Detection.Conditions.Metrics;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

public class AttemptsTests
{
    private static readonly string Storm = $"[{Lab.Condition("attempts", "attempts: 10", scope: "user")}]";
    private static readonly string Guesses = $"[{Lab.Condition("attempts", "attempts: 5, outcome: failed, period: \"00:10:00\"")}]";

    [Fact]
    public void V16_ten_attempts_of_a_user_within_a_minute_are_found_and_nine_are_not()
    {
        var lab = New(Storm);
        lab.Run(Enumerable.Range(0, 9).Select(i => Lab.Authentication(Lab.Start.AddSeconds(6 * i), i % 2 == 0 ? "d1" : "d2", user: "pupil")));
        Assert.Empty(lab.Findings);
        lab.Run(Lab.Authentication(Lab.Start.AddSeconds(59.9), user: "pupil"));
        var finding = Assert.Single(lab.Findings);
        Assert.Equal(("user", "pupil", 10, 9), (finding.Scope, finding.ScopeKey, finding.Evidence.Measured, finding.Evidence.ExpectedHigh));
        Assert.Equal(("attempts", "at-least", 11), (finding.Evidence.Counterfactual.Parameter, finding.Evidence.Counterfactual.Comparison, finding.Evidence.Counterfactual.Value));
        Assert.Equal(("00:01:00", "10", "0"), (finding.Evidence.Facts["period"], finding.Evidence.Facts["attempts"], finding.Evidence.Facts["failed"]));
    }

    [Fact]
    public void Attempts_of_others_and_those_that_left_the_period_do_not_count()
    {
        var lab = New(Storm);
        lab.Run(Enumerable.Range(0, 200).Select(i => Lab.Authentication(Lab.Start.AddSeconds(7 * i), user: "pupil")));
        lab.Run(Enumerable.Range(0, 30).Select(i => Lab.Authentication(Lab.Start.AddHours(1).AddSeconds(i), $"t{i}", user: $"pupil-{i}")));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void Wrong_credentials_and_senders_that_must_wait_count_as_attempts_and_each_attempt_once()
    {
        var lab = New($"[{Lab.Condition("attempts", "attempts: 6")}]");
        lab.Run(
            Lab.Refusal(Lab.Start, RefusalReasons.WrongSecret, count: 2),
            Lab.Refusal(Lab.Start.AddSeconds(1), RefusalReasons.Pending),
            Lab.Authentication(Lab.Start.AddSeconds(1), outcome: AuthenticationOutcomes.Pending),
            Lab.Authentication(Lab.Start.AddSeconds(2), outcome: AuthenticationOutcomes.WrongSecret),
            Lab.Authentication(Lab.Start.AddSeconds(3), outcome: AuthenticationOutcomes.Suspended),
            Lab.Refusal(Lab.Start.AddSeconds(4), RefusalReasons.RateLimited, count: 50),
            Lab.Refusal(Lab.Start.AddSeconds(4), RefusalReasons.Malformed, count: 50),
            Lab.Authentication(Lab.Start.AddSeconds(5), outcome: AuthenticationOutcomes.Bound));
        Assert.Empty(lab.Findings);
        lab.Run(Lab.Authentication(Lab.Start.AddSeconds(6)));
        Assert.Equal((6, "6", "2"), (Assert.Single(lab.Findings).Evidence.Measured, lab.Findings[0].Evidence.Facts["attempts"], lab.Findings[0].Evidence.Facts["failed"]));
    }

    [Fact]
    public void A_burst_of_wrong_secrets_is_found_and_successes_are_not_among_them()
    {
        var lab = New(Guesses);
        lab.Run(Enumerable.Range(0, 100).Select(i => Lab.Authentication(Lab.Start.AddSeconds(i))));
        lab.Run(Enumerable.Range(0, 4).Select(i => Lab.Refusal(Lab.Start.AddMinutes(3 + i), RefusalReasons.WrongSecret)));
        Assert.Empty(lab.Findings);
        lab.Run(Lab.Refusal(Lab.Start.AddMinutes(8), RefusalReasons.WrongSecret, source: "203.0.113.5"));
        Assert.Equal((5, "failed-attempts"), (Assert.Single(lab.Findings).Evidence.Measured, lab.Findings[0].Evidence.Metric));
    }

    [Fact]
    public void Slow_guessing_from_many_addresses_is_found_over_a_day_where_no_burst_is()
    {
        var lab = New($"[{Lab.Condition("attempts", "attempts: 5, outcome: failed, period: \"00:10:00\"", key: "burst")}, {Lab.Condition("attempts", "attempts: 20, outcome: failed, period: \"1.00:00:00\"", key: "slow")}]");
        lab.Run(Enumerable.Range(0, 20).Select(i => Lab.Refusal(Lab.Start.AddMinutes(70 * i), RefusalReasons.WrongSecret, source: $"203.0.113.{i}")));
        Assert.Equal(("slow", Lab.Start.AddMinutes(70 * 19)), (Assert.Single(lab.Findings).ConditionKey, lab.Findings[0].RaisedAt));
        lab.Run(Enumerable.Range(0, 60).Select(i => Lab.Refusal(Lab.Start.AddDays(10).AddMinutes(80 * i), RefusalReasons.WrongSecret)));
        Assert.Single(lab.Findings);
    }

    [Fact]
    public void An_own_history_says_how_many_a_field_usually_has()
    {
        var lab = New($"[{Lab.Condition("attempts", "period: \"1.00:00:00\", outcome: failed", "judge: learnt", scope: "field")}]");
        var usual = Enumerable.Range(0, 100).SelectMany(day => Enumerable.Range(0, 1 + (day * 7 % 5)).Select(i => Lab.Refusal(Lab.Start.AddDays(day).AddHours(2 * i), RefusalReasons.WrongSecret)));
        lab.Run(Lab.WithTicks(usual, Lab.Start.AddDays(100)));
        Assert.Empty(lab.Findings);
        lab.Run(Lab.WithTicks(Enumerable.Range(0, 60).Select(i => Lab.Refusal(Lab.Start.AddDays(100).AddMinutes(5 * i), RefusalReasons.WrongSecret)), Lab.Start.AddDays(101)));
        Assert.Contains(lab.Findings, f => f is { Condition: "attempts", Evidence.Origin: "learnt" });
    }

    [Fact]
    public void Nothing_is_found_without_its_cause_and_whatever_lies_within_the_period_is_counted()
    {
        for (var seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            var times = new List<double>();
            for (var at = 0.0; times.Count < 400;)
            {
                at += random.Next(12) == 0 ? random.Next(30, 200) : random.NextDouble() * (seed % 3 == 0 ? 20 : 9);
                times.Add(at);
            }

            var lab = New($"[{Lab.Condition("attempts", "attempts: 10")}]");
            foreach (var (i, at) in times.Index())
            {
                lab.Run(Lab.Authentication(Lab.Start.AddMilliseconds((long)(at * 1000))));
                var raised = lab.Table.FindDevice("d1")!.IsRaised;
                int Within(double seconds) => times.Take(i + 1).Count(t => at - t < seconds);
                Assert.True(raised ? Within(62.01) >= 10 : Within(60) < 10, $"seed {seed}, attempt {i}: {Within(60)} within a minute, raised: {raised}");
            }
        }
    }

    [Fact]
    public void Cuts_and_restarts_anywhere_give_the_same_findings()
    {
        for (var seed = 0; seed < 5; seed++)
        {
            var random = new Random(seed);
            var at = Lab.Start;
            var events = new List<GatewayEvent>();
            for (var i = 0; i < 1500; i++)
            {
                at = at.AddSeconds(random.Next(random.Next(5) == 0 ? 300 : 10));
                var device = $"d{random.Next(3)}";
                events.Add(random.Next(3) == 0 ? Lab.Refusal(at, RefusalReasons.WrongSecret, device, count: random.Next(1, 3)) : Lab.Authentication(at, device, user: "pupil"));
            }

            Restarts.GiveTheSame(() => New($"[{Lab.Condition("attempts", "attempts: 10", scope: "user", key: "storm")}, {Lab.Condition("attempts", "attempts: 5, outcome: failed, period: \"00:10:00\"", key: "burst")}]"), Lab.WithTicks(events, at), random);
        }
    }

    [Fact]
    public void The_state_does_not_grow_with_the_limit_or_the_period()
    {
        Assert.Equal(new AttemptsMetric(isFailedOnly: false, 60_000).Cells, new AttemptsMetric(isFailedOnly: true, 31 * 86_400_000L).Cells);
        Assert.InRange(new AttemptsMetric(isFailedOnly: false, 60_000).Cells, 1, 40);
    }

    private static Lab New(string conditions)
    {
        var directory = new FakeDirectory();
        directory.SetDevice("d1", user: "pupil");
        directory.SetDevice("d2", user: "pupil");
        return new Lab(conditions, directory: directory);
    }
}
