using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

public class SourceTests
{
    private const string Own = "198.51.100.7";
    private const string Other = "203.0.113.9";
    private const string Third = "192.0.2.77";

    private static readonly string SimAddress = $"[{Lab.Condition("sim-address", "")}]";
    private static readonly string Shared = $"[{Lab.Condition("shared-source", "", scope: "field")}]";

    [Fact]
    public void V20_data_from_elsewhere_than_the_sim_are_found_once_the_carrier_could_have_said_so()
    {
        var lab = new Lab(SimAddress);
        lab.Run(Sim(0, Own), Sent(1, Own), Sim(5, Own), Sent(6, Own), Sim(10, Own), Sent(11, Other), Sent(16, Other));
        Assert.Empty(lab.Findings);
        lab.Run(Sent(21, Other));
        var finding = Assert.Single(lab.Findings);
        Assert.Equal(("203.0.113.0/24", "silent"), (finding.Evidence.Claim, finding.Evidence.Facts["carrier"]));
        Assert.Equal(600, finding.Evidence.Measured);
    }

    [Fact]
    public void The_carriers_word_after_it_contradicts_at_once()
    {
        var lab = new Lab(SimAddress);
        lab.Run(Sim(0, Own), Sim(60, Own), Sent(61, Other), Sim(62, Own), Sent(63, Other));
        Assert.Equal("contradicts", Assert.Single(lab.Findings).Evidence.Facts["carrier"]);
    }

    [Fact]
    public void A_new_address_that_the_carrier_tells_an_hour_later_is_no_finding_and_one_told_too_late_is_taken_back()
    {
        var lab = new Lab(SimAddress);
        lab.Run(Sim(0, Own), Sim(60, Own), Sim(120, Own), Sent(125, Other), Sent(175, Other), Sim(180, Other), Sent(185, Other));
        Assert.Empty(lab.Findings);
        lab.Run(Sent(190, Third), Sent(300, Third));
        Assert.Single(lab.Findings);
        lab.Run(Sim(310, Third), Sent(311, Third));
        Assert.Equal("carrier-confirmed", Assert.Single(lab.Results.SelectMany(r => r.Batch.Retractions)).Reason);
        Assert.Single(lab.Findings);
    }

    [Theory]
    [InlineData("2001:db8::7")] // the SIM has both families, the carrier tells one
    [InlineData("100.64.3.4")] // an address behind the carrier's NAT
    [InlineData("10.1.2.3")]
    public void What_the_carrier_tells_and_no_source_can_be_does_not_compare(string told)
    {
        var lab = new Lab(SimAddress);
        lab.Run(Sim(0, told), Sent(10, Other), Sent(300, Other), Sent(600, Other));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void Without_the_carriers_word_or_behind_a_named_uplink_nothing_is_said()
    {
        var without = new Lab(SimAddress);
        without.Run(Sent(0, Own), Sent(100, Other), Sent(2000, Other));
        Assert.Empty(without.Findings);
        var named = new Lab($"[{Lab.Condition("sim-address", "shared: [203.0.113.0/24]")}]");
        named.Run(Sim(0, Own), Sent(10, Other), Sent(2000, Other));
        Assert.Empty(named.Findings);
        var network = new Lab($"[{Lab.Condition("sim-address", "compare: network")}]");
        network.Run(Sim(0, Own), Sent(10, "198.51.100.99"), Sent(2000, "198.51.100.99"));
        Assert.Empty(network.Findings);
    }

    [Fact]
    public void V21_devices_that_had_addresses_of_their_own_and_are_all_at_one_are_found_at_the_third()
    {
        var lab = new Lab(Shared);
        lab.Run([.. Enumerable.Range(0, 4).Select(d => Sent(d, $"198.51.{100 + d}.5", $"d{d}"))]);
        lab.Run(Sent(10, Other, "d0"), Sent(11, Other, "d1"));
        Assert.Empty(lab.Findings);
        lab.Run(Sent(12, Other, "d2"));
        var finding = Assert.Single(lab.Findings);
        Assert.Equal((3.0, "203.0.113.0/24", "field"), (finding.Evidence.Measured, finding.Evidence.Claim, finding.Scope));
    }

    [Fact]
    public void A_school_behind_one_address_from_the_first_day_is_an_uplink_also_when_everybody_comes_back_from_home()
    {
        var lab = new Lab(Shared);
        for (var day = 0; day < 5; day++)
        {
            lab.Run([.. Enumerable.Range(0, 10).Select(d => Sent((1440 * day) + d, Own, $"d{d}"))]);
            lab.Run([.. Enumerable.Range(0, 10).Select(d => Sent((1440 * day) + 600 + d, $"203.0.{d}.9", $"d{d}"))]);
        }

        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void An_address_that_stays_shared_becomes_an_uplink_after_a_week_with_all_its_network()
    {
        var lab = new Lab($"[{Lab.Condition("shared-source", "", "repeatAfter: \"12:00:00\"", scope: "field")}]");
        lab.Run([.. Enumerable.Range(0, 4).Select(d => Sent(d, $"198.51.{100 + d}.5", $"d{d}"))]);
        for (var day = 1; day < 30; day++)
        {
            lab.Run([.. Enumerable.Range(0, 4).Select(d => Sent((1440 * day) + d, "203.0.113." + (day < 20 ? "9" : "10"), $"d{d}"))]);
            lab.Run([.. Enumerable.Range(0, 4).Select(d => Sent((1440 * day) + 600 + d, $"198.51.{100 + d}.5", $"d{d}"))]);
        }

        Assert.NotEmpty(lab.Findings);
        Assert.All(lab.Findings, f => Assert.InRange(f.RaisedAt, Lab.Start.AddDays(1), Lab.Start.AddDays(8.1)));
    }

    [Fact]
    public void A_household_with_a_new_address_a_unit_with_its_sensors_and_a_named_uplink_are_quiet()
    {
        var household = new Lab(Shared);
        household.Run([.. Enumerable.Range(0, 2).Select(d => Sent(d, Own, $"d{d}")), .. Enumerable.Range(2, 3).Select(d => Sent(d, Third, $"d{d}"))]);
        household.Run([.. Enumerable.Range(0, 5).Select(d => Sent(10 + d, Other, $"d{d}"))]);
        Assert.Empty(household.Findings);

        var directory = new FakeDirectory();
        foreach (var d in Enumerable.Range(0, 5))
        {
            directory.SetDevice($"d{d}", parent: "unit");
        }

        var unit = new Lab(Shared, directory: directory);
        unit.Run([.. Enumerable.Range(0, 5).Select(d => Sent(d, $"198.51.{100 + d}.5", $"d{d}"))]);
        unit.Run([.. Enumerable.Range(0, 5).Select(d => Sent(10 + d, Other, $"d{d}"))]);
        Assert.Empty(unit.Findings);

        var named = new Lab($"[{Lab.Condition("shared-source", "networks: [203.0.113.0/24]", scope: "field")}]");
        named.Run([.. Enumerable.Range(0, 5).Select(d => Sent(d, $"198.51.{100 + d}.5", $"d{d}"))]);
        named.Run([.. Enumerable.Range(0, 5).Select(d => Sent(10 + d, Other, $"d{d}"))]);
        Assert.Empty(named.Findings);
    }

    [Fact]
    public void Devices_that_come_to_one_address_hours_apart_are_no_finding()
    {
        var lab = new Lab(Shared);
        lab.Run([.. Enumerable.Range(0, 8).Select(d => Sent(d, $"198.51.{100 + d}.5", $"d{d}"))]);
        lab.Run([.. Enumerable.Range(0, 8).Select(d => Sent(100 + (61 * d), Other, $"d{d}"))]);
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void A_restart_anywhere_gives_the_same_and_nothing_is_found_without_its_cause()
    {
        for (var seed = 0; seed < 10; seed++)
        {
            var random = new Random(seed);
            var events = new List<GatewayEvent>();
            for (var minute = 0; minute < 2000; minute++)
            {
                var device = $"d{random.Next(6)}";
                var address = random.Next(20) == 0 ? Other : $"198.51.{100 + device[1] - '0'}.5";
                events.Add(random.Next(30) == 0 ? Sim(minute, $"198.51.{100 + device[1] - '0'}.5", device) : Sent(minute, address, device));
            }

            var conditions = $"[{Lab.Condition("sim-address", "", key: "one")}, {Lab.Condition("shared-source", "window: \"10:00:00\"", scope: "field", key: "two")}]";
            Restarts.GiveTheSame(() => new Lab(conditions), events, random);
            var clean = new Lab(conditions);
            clean.Run(events.Where(e => e is not MessageEvent { Source: Other }));
            Assert.Empty(clean.Findings);
        }
    }

    private static MessageEvent Sent(double minute, string source, string device = "d1") => Lab.Message(Lab.Start.AddMinutes(minute), device, source: source);

    private static SimFactEvent Sim(double minute, string address, string device = "d1") => Lab.Sim(Lab.Start.AddMinutes(minute), device, address: address);
}
