using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

public class IdentityTests
{
    private const string Here = "198.51.100.7";
    private const string There = "203.0.113.9";

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

    private static MessageEvent Sent(double second, string source, int? sequence, string device = "d1")
    {
        var at = Lab.Start.AddSeconds(second);
        return Lab.Message(at, device, time: at, sequence: sequence, source: source);
    }
}
