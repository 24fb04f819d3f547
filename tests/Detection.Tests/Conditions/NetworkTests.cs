using Sekisho.Detection.Conditions;
using Sekisho.Detection.Conditions.Network;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

public class NetworkTests
{
    private const string School = "192.0.2.7";
    private const string Home = "198.51.100.9";
    private const string Elsewhere = "203.0.113.5";
    private const string Client = "tablet/1.0";

    private static readonly string Plain = $"[{Lab.Condition("network", "")}]";

    // Nine in the morning in Tokyo.
    private static readonly DateTimeOffset Day = Lab.Start;

    [Fact]
    public void V22_a_device_that_authenticates_from_a_foreign_network_is_told_with_the_network_that_an_exception_can_allow()
    {
        var lab = AtSchool(Plain);
        Assert.Empty(lab.Findings);
        lab.Run(SignIn(3, 5, Elsewhere));
        var finding = Assert.Single(lab.Findings);
        Assert.Equal(("new-network", "203.0.113.0/24", "203.0.113.0/24", "learnt"), (finding.Stage, finding.Evidence.Claim, finding.Evidence.Facts["network"], finding.Evidence.Origin));
        lab.Run(Lab.Allow(At(3, 6), "x1", "c1", value: "198.51.100.0/24"), SignIn(4, 0, School), SignIn(4, 5, Home), SignIn(5, 0, School), SignIn(5, 5, "198.51.101.9"));
        Assert.Equal(["203.0.113.0/24", "198.51.101.0/24"], lab.Findings.Select(f => f.Evidence.Claim));
    }

    [Fact]
    public void F4_a_pupil_at_home_is_told_once_and_never_again()
    {
        var lab = AtSchool(Plain);
        for (var day = 3; day < 20; day++)
        {
            lab.Run(Lab.WithTicks([SignIn(day, 0, School), Lab.Message(At(day, 1), source: School), SignIn(day, 7, Home, "personal/2.0"), Lab.Message(At(day, 7.1), source: Home)], At(day, 8)));
        }

        Assert.Equal(("new-network", At(3, 7)), (Assert.Single(lab.Findings).Stage, lab.Findings[0].RaisedAt));
    }

    [Fact]
    public void F4_who_goes_straight_home_is_alarmed_about_once_and_quiet_when_both_are_usual()
    {
        var lab = AtSchool(Plain);
        for (var day = 3; day < 20; day++)
        {
            lab.Run(Lab.WithTicks([SignIn(day, 0, School), SignIn(day, 6.5, School), SignIn(day, 7, Home), Lab.Message(At(day, 9), source: Home)], At(day, 16)));
        }

        Assert.Equal(["distant"], lab.Findings.Select(f => f.Stage));
    }

    [Theory]
    [InlineData(School, Elsewhere, 60, true)]
    [InlineData(School, Elsewhere, 61, false)]
    [InlineData(School, "192.0.77.5", 30, false)]
    [InlineData("2001:db8:1::1", "2001:db9:1::1", 30, true)]
    [InlineData("2001:db8:1::1", "2001:db8:ffff::1", 30, false)]
    [InlineData(School, "2001:db8:1::1", 30, false)]
    [InlineData("10.1.0.1", "10.77.0.1", 30, false)]
    [InlineData("10.1.0.1", "192.168.3.1", 30, false)]
    public void F4_two_distant_networks_within_an_hour(string first, string second, int minutes, bool isDistant)
    {
        var lab = AtSchool(Plain, first);
        lab.Run(SignIn(3, 0, first), Lab.Authentication(At(3, 0).AddMinutes(minutes), source: second, client: Client));
        var finding = Assert.Single(lab.Findings);
        Assert.Equal(isDistant ? "distant" : "new-network", finding.Stage);
        if (isDistant)
        {
            Assert.Equal((minutes * 60.0, "distantWithin", 2), (finding.Evidence.Measured, finding.Evidence.Counterfactual.Parameter, finding.Evidence.Events.Count));
        }
    }

    [Fact]
    public void A_second_sender_that_must_wait_counts_and_what_alarmed_does_not_become_usual_at_once()
    {
        var lab = AtSchool(Plain);
        lab.Run(SignIn(3, 0, School), Lab.Refusal(At(3, 0.2), RefusalReasons.Pending, source: Elsewhere));
        Assert.Equal("distant", Assert.Single(lab.Findings).Stage);
        lab.Run(Lab.WithTicks([Lab.Message(At(3, 0.3), source: School), Lab.Message(At(3, 8), source: School), SignIn(3, 8.1, School), SignIn(3, 8.5, Elsewhere)], At(3, 9)));
        Assert.Equal(["distant", "distant"], lab.Findings.Select(f => f.Stage));
    }

    [Fact]
    public void F4_failed_attempts_a_foreign_network_a_new_client_and_an_abnormal_hour_together_are_a_suspected_theft()
    {
        var lab = AtSchool(Plain);
        lab.Run(Guesses(3, 17, 4));
        lab.Run(SignIn(3, 17.1, Elsewhere, "curl/8.5.0"));
        var finding = Assert.Single(lab.Findings);
        Assert.Equal(("suspected-theft", 4, 2, "02:06"), (finding.Stage, finding.Evidence.Measured, finding.Evidence.ExpectedHigh, finding.Evidence.Facts["at"]));
        Assert.Equal(("failures", "at-least", 5), (finding.Evidence.Counterfactual.Parameter, finding.Evidence.Counterfactual.Comparison, finding.Evidence.Counterfactual.Value));
    }

    [Theory]
    [InlineData(2, 17, Elsewhere, "curl/8.5.0")]
    [InlineData(4, 2, Elsewhere, "curl/8.5.0")]
    [InlineData(4, 17, School, "curl/8.5.0")]
    [InlineData(4, 17, Elsewhere, Client)]
    public void Each_of_them_that_is_missing_makes_it_no_theft(int failures, double hour, string source, string client)
    {
        var lab = AtSchool(Plain);
        lab.Run(Guesses(3, hour, failures));
        lab.Run(SignIn(3, hour + 0.1, source, client));
        Assert.DoesNotContain(lab.Findings, f => f.Stage == "suspected-theft");
        Assert.Equal(source == Elsewhere ? 1 : 0, lab.Findings.Count(f => f.Stage == "new-network"));
    }

    [Fact]
    public void Failed_attempts_long_before_or_before_another_success_count_no_more()
    {
        var lab = AtSchool(Plain);
        lab.Run(Guesses(3, 15, 4));
        lab.Run(SignIn(3, 17.1, Elsewhere, "curl/8.5.0"));
        lab.Run(Guesses(4, 15, 4));
        lab.Run(SignIn(4, 15.1, School), SignIn(4, 15.2, "198.18.0.1", "wget/1.0"));
        Assert.DoesNotContain(lab.Findings, f => f.Stage == "suspected-theft");
    }

    [Fact]
    public void The_fields_own_networks_are_never_foreign_and_others_are_told_without_learning()
    {
        var lab = new Lab($"[{Lab.Condition("network", "networks: [\"192.0.2.0/24\", \"198.51.0.0/16\"]")}]");
        lab.Run(SignIn(0, 0, School), SignIn(0, 0.2, Home));
        Assert.Empty(lab.Findings);
        lab.Run(SignIn(0, 3, Elsewhere), SignIn(0, 4, Elsewhere));
        Assert.Equal(("new-network", "template"), (Assert.Single(lab.Findings).Stage, lab.Findings[0].Evidence.Origin));
        lab.Run(SignIn(1, 0, School), SignIn(1, 0.5, "198.18.0.1"));
        Assert.Equal("distant", lab.Findings[^1].Stage);
    }

    [Fact]
    public void While_it_learns_and_for_who_roams_a_network_means_nothing()
    {
        var lab = new Lab(Plain);
        lab.Run(Enumerable.Range(0, 20).Select(i => SignIn(0, i, $"198.{i}.0.1")));
        Assert.Empty(lab.Findings);
        lab.Run(Lab.WithTicks(Enumerable.Range(0, 120).Select(i => SignIn(3 + (i / 4), (i % 4) * 5, $"100.{i}.0.1")), At(40, 0)));
        Assert.InRange(lab.Findings.Count, 1, NetworkCondition.RoamingAfter);
        Assert.True(lab.Findings[^1].RaisedAt < At(6, 0));
    }

    [Fact]
    public void What_the_carrier_says_of_the_address_explains_a_new_network_before_and_after()
    {
        var lab = AtSchool(Plain);
        for (var day = 3; day < 12; day++)
        {
            lab.Run(Lab.Sim(At(day, 0), address: $"198.{day}.0.1"), SignIn(day, 0.2, $"198.{day}.0.1"), SignIn(day, 0.4, School), Lab.Message(At(day, 0.5), source: $"198.{day}.0.1"));
        }

        Assert.Empty(lab.Findings);
        lab.Run(SignIn(12, 0, "198.77.0.1"), Lab.Message(At(12, 0.1), source: "198.77.0.1"));
        Assert.Equal("new-network", Assert.Single(lab.Findings).Stage);
        Assert.Equal("carrier-confirmed", Assert.Single(lab.Run(Lab.Sim(At(12, 1), address: "198.77.0.9")).Batch.Retractions).Reason);
    }

    [Fact]
    public void A_user_is_followed_over_all_devices()
    {
        var directory = new FakeDirectory();
        directory.SetDevice("d1", user: "pupil");
        directory.SetDevice("d2", user: "pupil");
        var lab = new Lab($"[{Lab.Condition("network", "", scope: "user")}]", directory: directory);
        lab.Run(Enumerable.Range(0, 30).Select(i => Lab.Authentication(At(i / 10, i % 10), i % 2 == 0 ? "d1" : "d2", source: School, user: "pupil")));
        lab.Run(Lab.Authentication(At(3, 0), "d1", source: School, user: "pupil"), Lab.Authentication(At(3, 0.5), "d2", source: Elsewhere, user: "pupil"));
        Assert.Equal(("distant", "pupil"), (Assert.Single(lab.Findings).Stage, lab.Findings[0].ScopeKey));
    }

    [Fact]
    public void A_network_not_seen_for_a_season_is_new_again_and_the_one_unseen_for_longest_makes_room()
    {
        var cells = new long[NetworkSet.Cells];
        var set = new NetworkSet(cells);
        set.Take(1, 0, usualFrom: 0, mayLearn: true);
        Assert.Equal(Standing.Usual, set.Of(1, NetworkSet.Memory - 1, mayLearn: false));
        Assert.Equal(Standing.Unknown, set.Of(1, NetworkSet.Memory, mayLearn: false));
        for (var key = 2; key <= NetworkSet.Most + 1; key++)
        {
            set.Take(key, key, usualFrom: 100, mayLearn: false);
        }

        Assert.Equal((Standing.Unknown, Standing.Seen), (set.Of(1, 20, mayLearn: true), set.Of(2, 20, mayLearn: true)));
        set.Take(2, 50, usualFrom: 0, mayLearn: true);
        Assert.Equal(Standing.Seen, set.Of(2, 60, mayLearn: true));
        set.Take(2, 100, usualFrom: 0, mayLearn: true);
        Assert.Equal((Standing.Usual, 1), (set.Of(2, 101, mayLearn: false), set.Usual(101)));
    }

    [Fact]
    public void Nothing_is_found_without_its_cause()
    {
        var stages = new List<string?>();
        for (var seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            var lab = new Lab(Plain);
            var (at, seen) = (Day, new List<GatewayEvent>());
            var networks = Enumerable.Range(0, 6).Select(i => $"198.{18 + (i / 2)}.{i}.1").ToList();
            for (var i = 0; i < 600; i++)
            {
                at = at.AddMinutes(random.Next(3) == 0 ? random.Next(900) : random.Next(40));
                var source = networks[Math.Min(random.Next(6), random.Next(2 + (i / 100)))];
                var what = random.Next(4) switch
                {
                    0 => (GatewayEvent)Lab.Message(at, source: source),
                    1 when random.Next(2) == 0 => Lab.Refusal(at, RefusalReasons.WrongSecret, source: source, count: random.Next(1, 4)),
                    2 when random.Next(8) == 0 => Lab.Refusal(at, RefusalReasons.Pending, source: source),
                    _ => Lab.Authentication(at, source: source, client: $"client-{Math.Min(random.Next(9), random.Next(9))}"),
                };
                var before = lab.Findings.Count;
                lab.Run(what);
                foreach (var finding in lab.Findings.Skip(before))
                {
                    stages.Add(finding.Stage);
                    Assert.True(at - Day >= TimeSpan.FromDays(2), "It must learn first.");
                    var successes = seen.OfType<AuthenticationEvent>().ToList();
                    var isNew = seen.All(e => Network(e) != Network(what) || e is RefusalEvent { Reason: RefusalReasons.WrongSecret });
                    Assert.True(finding.Stage switch
                    {
                        "new-network" => isNew,
                        "distant" => at - successes[^1].ArrivedAt <= TimeSpan.FromHours(1) && Region(successes[^1].Source) != Region(source),
                        _ => what is AuthenticationEvent && seen.OfType<RefusalEvent>().Where(r => r.Reason == RefusalReasons.WrongSecret && r.ArrivedAt >= successes[^1].ArrivedAt).Sum(r => r.Count) >= 3,
                    }, $"seed {seed}: {finding.Stage}");
                }

                seen.Add(what);
            }
        }

        Assert.Contains("new-network", stages);
        Assert.Contains("distant", stages);
        Assert.Contains("suspected-theft", stages);
    }

    [Fact]
    public void Cuts_and_restarts_anywhere_give_the_same_findings()
    {
        for (var seed = 0; seed < 5; seed++)
        {
            var random = new Random(seed);
            var (at, events) = (Day, new List<GatewayEvent>());
            for (var i = 0; i < 600; i++)
            {
                at = at.AddMinutes(random.Next(60));
                var (device, source) = ($"d{random.Next(2)}", $"198.{18 + random.Next(3)}.{Math.Min(random.Next(i / 40 + 1), random.Next(6))}.1");
                events.Add(random.Next(8) switch
                {
                    0 => Lab.Refusal(at, RefusalReasons.WrongSecret, device, source),
                    1 => Lab.Refusal(at, RefusalReasons.Pending, device, source),
                    2 => Lab.Sim(at, device, address: source),
                    < 6 => Lab.Message(at, device, source: source),
                    _ => Lab.Authentication(at, device, source: source, client: $"client-{random.Next(3)}"),
                });
            }

            Restarts.GiveTheSame(() => new Lab(Plain), Lab.WithTicks(events, at), random);
        }
    }

    [Fact]
    public void The_state_is_of_one_length_and_judging_allocates_nothing()
    {
        var lab = AtSchool(Plain);
        var subject = lab.Table.FindDevice("d1")!;
        Assert.InRange(subject.Plan.Conditions[^1].Judged.Cells, 1, 80);
        var source = Sekisho.Detection.Conditions.Devices.SourceKey.Of(School);
        var signal = new Signal { Kind = SignalKind.Message, At = At(3, 0).ToUnixTimeMilliseconds(), EventAt = 0, Position = 999, Downtime = 0, Source = source, IsClean = true };
        var state = subject.StateOf(subject.Plan.Conditions[^1]).ToArray();
        subject.Plan.Conditions[^1].Judged.Step(state, signal);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            subject.Plan.Conditions[^1].Judged.Step(state, signal);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    /// <summary>Three days on which it signs in at nine and sends until two.</summary>
    private static Lab AtSchool(string conditions, string source = School)
    {
        var lab = new Lab(conditions);
        for (var day = 0; day < 3; day++)
        {
            lab.Run(Lab.WithTicks([SignIn(day, 0, source), .. Enumerable.Range(0, 60).Select(i => Lab.Message(At(day, i / 12.0), source: source))], At(day, 5)));
        }

        return lab;
    }

    private static IEnumerable<GatewayEvent> Guesses(int day, double hour, int count) =>
        Enumerable.Range(0, count).Select(i => Lab.Refusal(At(day, hour).AddSeconds(20 * i), RefusalReasons.WrongSecret, source: Elsewhere));

    private static AuthenticationEvent SignIn(int day, double hour, string source, string client = Client) => Lab.Authentication(At(day, hour), source: source, client: client);

    private static DateTimeOffset At(int day, double hour) => Day.AddDays(day).AddSeconds(Math.Round(hour * 3600));

    private static string Network(GatewayEvent happened) => happened switch
    {
        MessageEvent e => e.Source[..e.Source.LastIndexOf('.')],
        AuthenticationEvent e => e.Source[..e.Source.LastIndexOf('.')],
        RefusalEvent e => e.Source[..e.Source.LastIndexOf('.')],
        _ => "",
    };

    private static string Region(string source) => string.Join('.', source.Split('.')[..2]);
}
