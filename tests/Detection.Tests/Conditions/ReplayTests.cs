using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

public class ReplayTests
{
    private const string Here = "198.51.100.7";
    private const string Here6 = "2001:db8::7";
    private const string There = "203.0.113.9";

    private static readonly string Replay = $"[{Lab.Condition("replay", "")}]";

    [Fact]
    public void A_recording_played_from_elsewhere_is_found_as_soon_as_the_device_is_heard_where_it_was()
    {
        var lab = new Lab(Replay);
        lab.Run([.. Enumerable.Range(0, 5).Select(i => Sent(300 * i, Here, i)), Sent(1210, There, 2), Sent(1220, There, 3)]);
        Assert.Empty(lab.Findings);
        lab.Run(Sent(1500, Here, 5));
        var finding = Assert.Single(lab.Findings);
        Assert.Equal(("elsewhere", 2.0), (finding.Stage, finding.Evidence.Measured));
        Assert.Equal([7, 8], finding.Evidence.Events);
    }

    [Fact]
    public void A_network_of_the_newer_protocol_is_named_too()
    {
        var lab = new Lab(Replay);
        lab.Run(Sent(0, Here, 1), Sent(10, Here, 2), Sent(20, Here6, 1), Sent(30, Here, 3));
        Assert.Equal("elsewhere", Assert.Single(lab.Findings).Stage);
    }

    [Fact]
    public void F1_benign_a_backlog_that_comes_again_by_a_new_address_is_no_replay()
    {
        var lab = new Lab(Replay);
        lab.Run([.. Enumerable.Range(0, 8).Select(i => Sent(300 * i, Here, i))]);
        lab.Run([.. Enumerable.Range(0, 8).Select(i => Sent(5100 + (0.3 * i), Here, 8 + i, 2400 + (300 * i)))]);
        lab.Run([.. Enumerable.Range(0, 8).Select(i => Sent(5110 + (0.3 * i), There, 8 + i, 2400 + (300 * i)))]);
        lab.Run([.. Enumerable.Range(16, 50).Select(i => Sent(300 * (i + 2), There, i))]);
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void F1_benign_what_was_under_way_when_a_car_was_parked_comes_again_in_the_morning()
    {
        foreach (var isNewFirst in new[] { false, true })
        {
            var lab = new Lab($"[{Lab.Condition("replay", "after: \"01:00:00\"")}]");
            lab.Run([.. Enumerable.Range(0, 60).Select(i => Sent(300 * i, Here, i))]);
            const int morning = (300 * 60) + (9 * 3600);
            if (isNewFirst)
            {
                lab.Run(Sent(morning, Here, 60));
            }

            lab.Run([.. Enumerable.Range(54, 6).Select(i => Sent(morning + i, Here, i, 300 * i))]);
            lab.Run([.. Enumerable.Range(61, 30).Select(i => Sent(morning + (300 * (i - 60)), Here, i))]);
            Assert.Empty(lab.Findings);
        }
    }

    [Theory]
    [InlineData(Here6)]
    [InlineData(There)]
    public void A_unit_with_two_lines_may_repeat_on_the_other(string other)
    {
        var lab = new Lab(Replay);
        lab.Run([.. Enumerable.Range(0, 60).SelectMany(i => new[] { Sent(60 * i, i % 2 == 0 ? Here : other, i), Sent((60 * i) + 5, i % 2 == 0 ? other : Here, i), Sent((60 * i) + 8, i % 2 == 0 ? other : Here, Math.Max(0, i - 1)) })]);
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void A_device_that_moved_or_authenticated_elsewhere_may_repeat_there()
    {
        var lab = new Lab(Replay);
        lab.Run(Sent(0, Here, 1), Sent(10, Here, 2), Sent(20, There, 1), Sent(30, There, 2), Sent(40, There, 3), Sent(50, There, 4));
        Assert.Empty(lab.Findings);
        var asked = new Lab(Replay);
        asked.Run(Sent(0, Here, 1), Sent(10, Here, 2), Lab.Authentication(Lab.Start.AddSeconds(15), source: There), Sent(20, There, 1), Sent(40, Here, 3));
        Assert.Empty(asked.Findings);
    }

    [Fact]
    public void A_message_that_comes_again_after_an_hour_of_newer_ones_is_late_and_just_before_it_is_not()
    {
        var lab = new Lab(Replay);
        lab.Run([.. Enumerable.Range(0, 12).Select(i => Sent(300 * i, Here, i)), Sent(3599, Here, 0), Sent(3600, Here, 12), Sent(3601, Here, 1)]);
        Assert.Empty(lab.Findings);
        lab.Run(Sent(3602, Here, 0));
        var finding = Assert.Single(lab.Findings);
        Assert.Equal(("late", "198.51.100.0/24", 3600.0), (finding.Stage, finding.Evidence.Claim, finding.Evidence.Measured));
        Assert.Equal(new Sekisho.Domain.Detection.Counterfactual("after", "at-least", 3601, "s"), finding.Evidence.Counterfactual);
    }

    [Fact]
    public void A_backlog_twice_is_soon_however_old_its_readings_are()
    {
        var lab = new Lab(Replay);
        lab.Run([.. Enumerable.Range(0, 8).Select(i => Sent(300 * i, Here, i))]);
        lab.Run(Sent(40_000, Here, 120));
        for (var round = 0; round < 2; round++)
        {
            lab.Run([.. Enumerable.Range(0, 100).Select(i => Sent(40_010 + (200 * round) + i, Here, 8 + i, 2400 + (300 * i)))]);
        }

        lab.Run([.. Enumerable.Range(121, 30).Select(i => Sent(40_000 + (300 * (i - 119)), Here, i))]);
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void A_new_binding_begins_anew()
    {
        var lab = new Lab(Replay);
        lab.Run([.. Enumerable.Range(0, 40).Select(i => Sent(300 * i, Here, i))]);
        lab.Run(Sent(12_000, Here, 1) with { Epoch = 2 }, Sent(12_010, Here, 1) with { Epoch = 2 });
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void A_restart_anywhere_gives_the_same()
    {
        for (var seed = 0; seed < 10; seed++)
        {
            var random = new Random(seed);
            var events = Enumerable.Range(0, 1500).Select(i => Sent(300 * i, random.Next(20) == 0 ? There : Here, random.Next(12) == 0 ? Math.Max(0, i - random.Next(60)) : i)).ToList<GatewayEvent>();
            Restarts.GiveTheSame(() => new Lab(Replay), events, random);
        }
    }

    // The identity of a message is that of its number here: the same number is the same content.
    private static MessageEvent Sent(double second, string source, int sequence, double? taken = null) =>
        Lab.Message(Lab.Start.AddSeconds(second), time: Lab.Start.AddSeconds(taken ?? second), sequence: sequence, source: source);
}
