using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

public class IdentityTests
{
    private const string Here = "198.51.100.7";
    private const string There = "203.0.113.9";

    private static readonly string Clone = $"[{Lab.Condition("clone", "")}]";

    [Fact]
    public void F1_attack_a_copy_that_takes_turns_with_its_unit_is_found_when_the_unit_goes_on()
    {
        var lab = new Lab(Clone);
        lab.Run([.. Enumerable.Range(0, 7).Select(i => Sent(300 * i, Here, i))]);
        lab.Run(New(2000, There, 4));
        Assert.Empty(lab.Findings);
        lab.Run(Sent(2015, Here, 7));
        Assert.Equal("goes-on", Assert.Single(lab.Findings).Evidence.Facts["why"]);
    }

    [Fact]
    public void Without_clocks_it_is_found_after_three_turns_and_two_falls()
    {
        var lab = new Lab(Clone);
        lab.Run([.. Enumerable.Range(0, 7).Select(i => Sent(300 * i, Here, i) with { DeviceTime = null })]);
        lab.Run(Sent(2000, There, 4) with { DeviceTime = null }, Sent(2015, Here, 7) with { DeviceTime = null }, Sent(2030, There, 5) with { DeviceTime = null });
        Assert.Empty(lab.Findings);
        lab.Run(Sent(2045, Here, 8) with { DeviceTime = null });
        var finding = Assert.Single(lab.Findings);
        Assert.Equal(("places", 3.0), (finding.Evidence.Facts["why"], finding.Evidence.Measured));
    }

    [Fact]
    public void A_unit_that_restarts_elsewhere_and_an_older_reading_on_another_line_are_no_copies()
    {
        var restarted = new Lab(Clone);
        restarted.Run([.. Enumerable.Range(50, 7).Select(i => Sent(30 * i, Here, i))]);
        restarted.Run([.. Enumerable.Range(0, 7).Select(i => New(2000 + (30 * i), There, i))]);
        restarted.Run([.. Enumerable.Range(7, 7).Select(i => New(2000 + (30 * i), Here, i))]);
        Assert.Empty(restarted.Findings);
        var late = new Lab(Clone);
        late.Run(New(0, Here, 1), New(30, Here, 3), New(31, There, 2) with { DeviceTime = Lab.Start.AddSeconds(15) }, New(60, Here, 4));
        Assert.Empty(late.Findings);
    }

    [Fact]
    public void A_unit_with_two_lines_has_one_sequence_and_is_no_copy()
    {
        var lab = new Lab(Clone);
        lab.Run([.. Enumerable.Range(0, 200).Select(i => Sent(15 * i, i % 2 == 0 ? Here : "2001:db8::7", i))]);
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void A_handover_a_restart_and_a_repeat_of_the_last_message_are_no_copies()
    {
        var lab = new Lab(Clone);
        lab.Run([.. Enumerable.Range(0, 10).Select(i => Sent(30 * i, Here, i)), Sent(300, There, 9), .. Enumerable.Range(10, 10).Select(i => Sent(10 + (30 * i), There, i))]);
        lab.Run([.. Enumerable.Range(0, 10).Select(i => Sent(1000 + (30 * i), There, i + 1000)), .. Enumerable.Range(0, 10).Select(i => Sent(1300 + (30 * i), There, i + 500))]);
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void Two_series_from_one_address_are_two_units()
    {
        var lab = new Lab(Clone);
        lab.Run([.. Enumerable.Range(0, 6).SelectMany(i => new[] { Sent(60 * i, Here, 5000 + i), Sent((60 * i) + 20, Here, 10 + i) })]);
        Assert.Equal("series", Assert.Single(lab.Findings).Evidence.Facts["why"]);
    }

    [Fact]
    public void Without_sequences_five_turns_within_minutes_are_asked_for()
    {
        var lab = new Lab(Clone);
        lab.Run([.. Enumerable.Range(0, 6).Select(i => Sent(30 * i, i % 2 == 0 ? Here : There, null))]);
        Assert.Empty(lab.Findings);
        lab.Run(Sent(180, Here, null));
        Assert.Equal("turns", Assert.Single(lab.Findings).Evidence.Facts["why"]);
        var slow = new Lab(Clone);
        slow.Run([.. Enumerable.Range(0, 50).Select(i => Sent(601 * i, i % 2 == 0 ? Here : There, null))]);
        Assert.Empty(slow.Findings);
    }

    [Fact]
    public void A_new_client_is_told_once_and_an_updated_device_is_known_from_then_on()
    {
        var lab = new Lab($"[{Lab.Condition("fingerprint", "")}]");
        lab.Run([.. Enumerable.Range(0, 30).Select(i => Lab.Authentication(Lab.Start.AddHours(3 * i), client: "unit/1.0"))]);
        lab.Run([.. Enumerable.Range(30, 30).Select(i => Lab.Authentication(Lab.Start.AddHours(3 * i), client: "unit/1.1"))]);
        Assert.Equal("unit/1.1", Assert.Single(lab.Findings).Evidence.Claim);
    }

    [Fact]
    public void A_new_way_through_relays_is_told_once()
    {
        var lab = new Lab($"[{Lab.Condition("path", "")}]");
        lab.Run([.. Enumerable.Range(0, 60).Select(i => Sent(7200 * i, Here, i) with { Path = "relay-1" })]);
        lab.Run([.. Enumerable.Range(60, 9).Select(i => Sent(7200 * i, Here, i) with { Path = "relay-9" })]);
        Assert.Equal("relay-9", Assert.Single(lab.Findings).Evidence.Claim);
    }

    [Fact]
    public void A_recording_that_is_played_from_elsewhere_or_hours_later_is_found_and_a_lost_acknowledgement_is_not()
    {
        var lab = new Lab($"[{Lab.Condition("replay", "")}]");
        lab.Run(Lab.Authentication(Lab.Start, source: Here), Sent(10, Here, 1), Sent(12, Here, 1), Sent(20, Here, 2));
        Assert.Empty(lab.Findings);
        lab.Run(Sent(30, There, 1));
        Assert.Equal(("elsewhere", "203.0.113.0/24"), (Assert.Single(lab.Findings).Evidence.Facts["why"], lab.Findings[0].Evidence.Claim));
        var late = new Lab($"[{Lab.Condition("replay", "after: \"06:00:00\"")}]");
        late.Run(Lab.Authentication(Lab.Start, source: Here), Sent(10, Here, 1), Sent(10 + 21_599, Here, 1));
        Assert.Empty(late.Findings);
        late.Run(Sent(10 + 21_600, Here, 1));
        Assert.Equal("late", Assert.Single(late.Findings).Evidence.Facts["why"]);
    }

    [Fact]
    public void A_device_that_moved_and_authenticated_there_may_repeat_what_was_under_way()
    {
        var lab = new Lab($"[{Lab.Condition("replay", "")}]");
        lab.Run(Lab.Authentication(Lab.Start, source: Here), Sent(10, Here, 1), Lab.Authentication(Lab.Start.AddSeconds(20), source: There), Sent(30, There, 1));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void Whoever_touches_a_honey_device_is_found_and_other_devices_are_not()
    {
        var directory = new FakeDirectory();
        directory.SetDevice("d1");
        directory.SetDevice("bait", kind: "Honey");
        var lab = new Lab($"[{Lab.Condition("honey", "")}]", directory: directory);
        lab.Run(Sent(0, Here, 1), Lab.Refusal(Lab.Start, RefusalReasons.WrongSecret));
        Assert.Empty(lab.Findings);
        lab.Run(Lab.Refusal(Lab.Start.AddSeconds(5), RefusalReasons.WrongSecret, "bait", There));
        Assert.Equal(("bait", "refusal"), (Assert.Single(lab.Findings).DeviceId, lab.Findings[0].Evidence.Facts["contact"]));
    }

    [Fact]
    public void A_restart_anywhere_gives_the_same()
    {
        var all = $"[{Lab.Condition("clone", "", key: "one")}, {Lab.Condition("fingerprint", "", key: "two")}, {Lab.Condition("replay", "", key: "three")}, {Lab.Condition("path", "", key: "four")}]";
        for (var seed = 0; seed < 10; seed++)
        {
            var random = new Random(seed);
            var events = Enumerable.Range(0, 1500).Select(i => random.Next(15) == 0
                ? (GatewayEvent)Lab.Authentication(Lab.Start.AddMinutes(10 * i), source: random.Next(9) == 0 ? There : Here, client: random.Next(40) == 0 ? $"x/{random.Next(5)}" : "unit/1.0")
                : Sent(600 * i, random.Next(9) == 0 ? There : Here, random.Next(12) == 0 ? i - 3 : i) with { Path = random.Next(60) == 0 ? "b" : "a" }).ToList();
            Restarts.GiveTheSame(() => new Lab(all), events, random);
        }
    }

    // The content differs from what was sent with the sequence before.
    private static MessageEvent New(double second, string source, int sequence) => Sent(second, source, sequence) with { MessageId = Guid.NewGuid().ToString("N") };

    private static MessageEvent Sent(double second, string source, int? sequence, string device = "d1")
    {
        var at = Lab.Start.AddSeconds(second);
        return Lab.Message(at, device, time: at, sequence: sequence, source: source);
    }
}
