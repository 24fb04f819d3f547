using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

/// <summary>Limits of "sim-address", and ways around it.</summary>
public class SimAddressLimitTests
{
    private const string Own = "198.51.100.7";
    private const string Other = "203.0.113.9";
    private const string Third = "192.0.2.77";

    private static readonly string SimAddress = $"[{Lab.Condition("sim-address", "grace: \"00:10:00\"")}]";

    [Theory]
    [InlineData(20.999, 0)]
    [InlineData(21, 1)]
    public void A_source_that_differs_is_found_when_the_grace_is_over_and_not_before(double last, int findings)
    {
        var lab = new Lab(SimAddress);
        lab.Run(Sim(10, Own), Sent(11, Other), Sent(last, Other));
        Assert.Equal(findings, lab.Findings.Count);
    }

    [Theory]
    [InlineData(7 * 1440, 1)]
    [InlineData((7 * 1440) + 0.001, 0)]
    public void The_carriers_word_counts_for_as_long_as_it_is_fresh(double last, int findings)
    {
        var lab = new Lab(SimAddress);
        lab.Run(Sim(0, Own), Sent(11, Other), Sent(last, Other));
        Assert.Equal(findings, lab.Findings.Count);
    }

    [Fact]
    public void An_authentication_from_elsewhere_is_found_like_a_message()
    {
        var lab = new Lab(SimAddress);
        lab.Run(Sim(0, Own), Renewed(11, Other), Renewed(25, Other));
        Assert.Equal("203.0.113.0/24", Assert.Single(lab.Findings).Evidence.Claim);
    }

    [Fact]
    public void One_message_from_elsewhere_with_the_sims_address_before_and_after_is_no_finding()
    {
        var lab = new Lab(SimAddress);
        lab.Run(Sim(0, Own), Sent(5, Own), Sent(10, Other), Sent(15, Own), Sent(300, Own), Sent(2000, Own));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void Who_changes_the_address_with_every_message_is_found_as_well()
    {
        var silent = new Lab(SimAddress);
        silent.Run(Sim(0, Own), Sent(1, Own), Sent(5, Other), Sent(10, Third), Sent(14.9, Other));
        Assert.Empty(silent.Findings);
        silent.Run(Sent(15, Third));
        Assert.Equal("192.0.2.0/24", Assert.Single(silent.Findings).Evidence.Claim);

        var contradicted = new Lab(SimAddress);
        contradicted.Run(Sim(0, Own), Sent(5, Other), Sim(6, Own), Sent(7, Third));
        Assert.Equal("contradicts", Assert.Single(contradicted.Findings).Evidence.Facts["carrier"]);
    }

    [Fact]
    public void A_sim_that_gets_address_after_address_is_followed_also_when_the_carriers_word_is_always_of_a_while_ago()
    {
        var lab = new Lab(SimAddress);
        lab.Run(Sim(0, "198.51.100.1"), Sim(60, "198.51.100.1"));

        // At the full hour the carrier tells of ten minutes before, when the SIM had the address before its present one.
        for (var hour = 1; hour < 40; hour++)
        {
            lab.Run(Sent((60 * hour) + 10, $"198.51.100.{hour + 1}"), Sent((60 * hour) + 55, $"198.51.100.{hour + 2}"), Sim((60 * hour) + 60, $"198.51.100.{hour + 1}") with { To = Lab.Start.AddMinutes((60 * hour) + 50) });
        }

        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void Where_networks_are_compared_the_carriers_late_word_takes_back_as_well()
    {
        var lab = new Lab($"[{Lab.Condition("sim-address", "compare: network")}]");
        lab.Run(Sim(0, Own), Sent(10, Other), Sent(60, Other));
        Assert.Single(lab.Findings);
        lab.Run(Sim(70, "203.0.113.200"), Sent(71, Other));
        Assert.Equal("carrier-confirmed", Assert.Single(lab.Results.SelectMany(r => r.Batch.Retractions)).Reason);
    }

    [Fact]
    public void Who_speaks_for_the_device_in_turns_with_it_is_found_and_one_message_from_elsewhere_now_and_then_is_not()
    {
        var lab = new Lab($"[{Lab.Condition("sim-address", "grace: \"00:10:00\"")}]");
        lab.Run([Sim(0, Own), .. Enumerable.Range(1, 4).SelectMany(i => new[] { Sent(3 * i, Own), Sent((3 * i) + 1, Other) })]);
        Assert.Empty(lab.Findings);
        lab.Run(Sent(15, Own), Sent(16, Other));
        Assert.Single(lab.Findings);
        lab.Run(Sent(18, Own), Sent(30, Own), Sent(40, Own));
        Assert.NotEmpty(lab.Results.SelectMany(r => r.Cleared));

        var calm = new Lab($"[{Lab.Condition("sim-address", "grace: \"00:10:00\"")}]");
        calm.Run([Sim(0, Own), .. Enumerable.Range(0, 20).SelectMany(i => new[] { Sent(60 * i, Own), Sent((60 * i) + 20, Other), Sent((60 * i) + 45, Own) })]);
        Assert.Empty(calm.Findings);
        var hopping = new Lab($"[{Lab.Condition("sim-address", "grace: \"00:10:00\"")}]");
        hopping.Run([Sim(0, Own), .. Enumerable.Range(0, 20).SelectMany(i => new[] { Sent(8 * i, Own), Sent((8 * i) + 4, $"203.0.113.{i + 1}") })]);
        Assert.Empty(hopping.Findings);
    }

    [Fact]
    public void A_word_that_comes_after_a_later_one_makes_nothing_fresh()
    {
        var lab = new Lab($"[{Lab.Condition("sim-address", "grace: \"00:10:00\", fresh: \"01:00:00\"")}]");
        lab.Run(Sim(0, Own), Sim(50, Own) with { To = Lab.Start.AddMinutes(-100) }, Sent(55, Other), Sent(70, Other));
        Assert.Empty(lab.Findings);
    }

    private static MessageEvent Sent(double minute, string source) => Lab.Message(Lab.Start.AddMinutes(minute), source: source);

    private static AuthenticationEvent Renewed(double minute, string source) => Lab.Authentication(Lab.Start.AddMinutes(minute), source: source);

    private static SimFactEvent Sim(double minute, string address) => Lab.Sim(Lab.Start.AddMinutes(minute), address: address);
}
