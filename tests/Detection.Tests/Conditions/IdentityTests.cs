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

    private static MessageEvent Sent(double second, string source, int? sequence, string device = "d1")
    {
        var at = Lab.Start.AddSeconds(second);
        return Lab.Message(at, device, time: at, sequence: sequence, source: source);
    }
}
