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
    public void Clients_are_learnt_for_two_days_and_failed_attempts_teach_and_tell_nothing()
    {
        foreach (var (hours, isFound) in new[] { (47, false), (48, true) })
        {
            var lab = new Lab($"[{Lab.Condition("fingerprint", "")}]");
            lab.Run([.. Enumerable.Range(0, 24).Select(i => Lab.Authentication(Lab.Start.AddHours(i), client: "unit/1.0"))]);
            lab.Run(Lab.Authentication(Lab.Start.AddHours(hours).AddMinutes(-1), outcome: AuthenticationOutcomes.WrongSecret, client: "thief/1.0"), Lab.Authentication(Lab.Start.AddHours(hours), client: "thief/1.0"));
            Assert.Equal(isFound, lab.Findings.Count == 1);
        }
    }

    [Fact]
    public void A_device_that_tells_no_client_or_always_another_says_nothing_by_it()
    {
        var lab = new Lab($"[{Lab.Condition("fingerprint", "")}]");
        lab.Run([.. Enumerable.Range(0, 60).Select(i => Lab.Authentication(Lab.Start.AddHours(3 * i)))]);
        Assert.Empty(lab.Findings);
        lab.Run([.. Enumerable.Range(60, 200).Select(i => Lab.Authentication(Lab.Start.AddHours(3 * i), client: $"browser/{i}"))]);
        Assert.InRange(lab.Findings.Count, 1, Sekisho.Detection.Thresholds.KnownSet.RoamingAfter);
    }

    [Fact]
    public void A_new_way_through_relays_is_told_once_and_a_stored_reading_or_one_without_a_way_tells_nothing()
    {
        var lab = new Lab($"[{Lab.Condition("path", "")}]");
        lab.Run([.. Enumerable.Range(0, 60).Select(i => Sent(7200 * i, Here, i) with { Path = "relay-1" })]);
        lab.Run([.. Enumerable.Range(60, 9).Select(i => Sent(7200 * i, Here, i))]);
        Assert.Empty(lab.Findings);
        lab.Run([.. Enumerable.Range(70, 9).Select(i => Sent(7200 * i, Here, i) with { Path = "relay-9" })]);
        Assert.Equal("relay-9", Assert.Single(lab.Findings).Evidence.Claim);
    }

    [Fact]
    public void The_declared_parent_is_no_new_way()
    {
        var directory = new FakeDirectory();
        directory.SetDevice("d1", parent: "unit-7");
        var lab = new Lab($"[{Lab.Condition("path", "")}]", directory: directory);
        lab.Run([.. Enumerable.Range(0, 60).Select(i => Sent(7200 * i, Here, i) with { Path = "relay-1" })]);
        lab.Run([.. Enumerable.Range(60, 9).Select(i => Sent(7200 * i, Here, i) with { Path = "unit-7" })]);
        Assert.Empty(lab.Findings);
        lab.Run(Sent(7200 * 70, Here, 70) with { Path = "unit-8" });
        Assert.Equal("unit-8", Assert.Single(lab.Findings).Evidence.Claim);
    }

    [Theory]
    [InlineData("message")]
    [InlineData("authentication")]
    [InlineData("refusal")]
    public void Whoever_touches_a_honey_device_is_found_and_other_devices_are_not(string contact)
    {
        var directory = new FakeDirectory();
        directory.SetDevice("d1");
        directory.SetDevice("bait", kind: "Honey");
        var lab = new Lab($"[{Lab.Condition("honey", "")}]", directory: directory);
        lab.Run(Touched("d1", contact), Lab.Change(Lab.Start.AddSeconds(6), "active", "bait"), Lab.Tick(Lab.Start.AddHours(1)));
        Assert.Empty(lab.Findings);
        lab.Run(Touched("bait", contact) with { ArrivedAt = Lab.Start.AddHours(2) });
        Assert.Equal(("bait", contact, "203.0.113.0/24"), (Assert.Single(lab.Findings).DeviceId, lab.Findings[0].Evidence.Facts["contact"], lab.Findings[0].Evidence.Claim));
    }

    [Fact]
    public void Kinds_of_honey_devices_can_be_named()
    {
        var directory = new FakeDirectory();
        directory.SetDevice("bait", kind: "door-sensor-x");
        directory.SetDevice("d1", kind: "honey");
        var lab = new Lab($"[{Lab.Condition("honey", "kinds: [spare, door-sensor-x]")}]", directory: directory);
        lab.Run(Touched("d1", "message"), Touched("bait", "message"));
        Assert.Equal("bait", Assert.Single(lab.Findings).DeviceId);
    }

    [Fact]
    public void A_restart_anywhere_gives_the_same()
    {
        var all = $"[{Lab.Condition("fingerprint", "", key: "one")}, {Lab.Condition("path", "", key: "two")}, {Lab.Condition("honey", "", key: "three")}]";
        for (var seed = 0; seed < 10; seed++)
        {
            var random = new Random(seed);
            var directory = new FakeDirectory();
            directory.SetDevice("d1");
            directory.SetDevice("bait", kind: "honey");
            var events = Enumerable.Range(0, 1500).Select(i => random.Next(15) switch
            {
                0 => (GatewayEvent)Lab.Authentication(Lab.Start.AddMinutes(10 * i), client: random.Next(10) == 0 ? $"x/{random.Next(50)}" : "unit/1.0"),
                1 when random.Next(20) == 0 => Sent(600 * i, There, i, "bait"),
                _ => Sent(600 * i, Here, i) with { Path = random.Next(200) == 0 ? $"relay-{random.Next(50)}" : "relay" },
            }).ToList();
            Restarts.GiveTheSame(() => new Lab(all, directory: directory), events, random);
        }
    }

    private static GatewayEvent Touched(string device, string contact) => contact switch
    {
        "message" => Sent(5, There, 1, device),
        "authentication" => Lab.Authentication(Lab.Start.AddSeconds(5), device, source: There),
        _ => Lab.Refusal(Lab.Start.AddSeconds(5), RefusalReasons.WrongSecret, device, There),
    };

    private static MessageEvent Sent(double second, string source, int? sequence, string device = "d1")
    {
        var at = Lab.Start.AddSeconds(second);
        return Lab.Message(at, device, time: at, sequence: sequence, source: source);
    }
}
