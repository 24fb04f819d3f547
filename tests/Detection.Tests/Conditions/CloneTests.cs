using System.Security.Cryptography;
using System.Text;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

/// <summary>Messages have the identity that the gateway gives them: a repeat is the same content, not just the same number.</summary>
public class CloneTests
{
    private const string Here = "198.51.100.7";
    private const string Here6 = "2001:db8::7";
    private const string There = "203.0.113.9";

    private static readonly string Clone = $"[{Lab.Condition("clone", "")}]";

    [Theory]
    [InlineData(0)]
    [InlineData(-90)]
    [InlineData(90)]
    public void F1_attack_a_copy_that_takes_turns_with_its_unit_is_found_when_the_unit_goes_on(double clock)
    {
        var lab = new Lab(Clone);
        lab.Run([.. Enumerable.Range(0, 7).Select(i => Sent(300 * i, Here, i))]);
        lab.Run(Sent(2000, There, 4, 2000 + clock));
        Assert.Empty(lab.Findings);
        lab.Run(Sent(2015, Here, 7));
        var evidence = Assert.Single(lab.Findings).Evidence;
        Assert.Equal(("goes-on", 1.0, 0.0, "2", null), (evidence.Facts["why"], evidence.Measured, evidence.ExpectedHigh, evidence.Facts["networks"], evidence.Claim));
        Assert.Equal(new Sekisho.Domain.Detection.Counterfactual("within", "at-most", 214, "s"), evidence.Counterfactual);
    }

    [Theory]
    [InlineData(4, false)]
    [InlineData(6, true)]
    public void F1_attack_without_clocks_or_in_step_it_is_found_after_three_turns_within_a_minute(int from, bool hasClock)
    {
        MessageEvent Read(double second, string source, int sequence) => hasClock ? Sent(second, source, sequence) : Sent(second, source, sequence) with { DeviceTime = null };
        var lab = new Lab(Clone);
        lab.Run([.. Enumerable.Range(0, 7).Select(i => Read(300 * i, Here, i))]);
        lab.Run(Read(2000, There, from), Read(2015, Here, 7), Read(2030, There, from + 1));
        Assert.Empty(lab.Findings);
        lab.Run(Read(2045, Here, 8));
        var finding = Assert.Single(lab.Findings);
        Assert.Equal(("places", 3.0), (finding.Evidence.Facts["why"], finding.Evidence.Measured));
    }

    [Fact]
    public void A_copy_whose_numbers_are_ahead_is_found_when_it_goes_on()
    {
        var lab = new Lab(Clone);
        lab.Run([.. Enumerable.Range(0, 7).Select(i => Sent(300 * i, Here, i))]);
        lab.Run(Sent(2000, There, 100), Sent(2010, Here, 7));
        Assert.Empty(lab.Findings);
        lab.Run(Sent(2020, There, 101));
        Assert.Equal("goes-on", Assert.Single(lab.Findings).Evidence.Facts["why"]);
    }

    [Theory]
    [InlineData(22, true)]
    [InlineData(23, false)]
    public void A_number_that_is_further_on_than_messages_are_lost_is_not_known_to_go_on(int next, bool isFound)
    {
        var lab = new Lab(Clone);
        lab.Run([.. Enumerable.Range(0, 7).Select(i => Sent(300 * i, Here, i))]);
        lab.Run(Sent(2000, There, 4), Sent(2015, Here, next));
        Assert.Equal(isFound, lab.Findings.Count == 1);
    }

    [Fact]
    public void A_unit_that_restarts_elsewhere_and_an_older_reading_on_another_line_are_no_copies()
    {
        var restarted = new Lab(Clone);
        restarted.Run([.. Enumerable.Range(50, 7).Select(i => Sent(30 * i, Here, i))]);
        restarted.Run([.. Enumerable.Range(0, 7).Select(i => Sent(2000 + (30 * i), There, i))]);
        restarted.Run([.. Enumerable.Range(7, 7).Select(i => Sent(2000 + (30 * i), Here, i))]);
        Assert.Empty(restarted.Findings);
        var late = new Lab(Clone);
        late.Run(Sent(0, Here, 1), Sent(30, Here, 3), Sent(31, There, 2, 15), Sent(60, Here, 4));
        Assert.Empty(late.Findings);
    }

    [Theory]
    [InlineData(RefusalReasons.Suspended, true)]
    [InlineData(RefusalReasons.WrongSecret, false)]
    public void F1_attack_a_unit_and_its_copy_go_on_when_the_device_is_suspended_and_whoever_has_no_token_proves_nothing(string reason, bool isFound)
    {
        var lab = new Lab(Clone);
        lab.Run([.. Enumerable.Range(0, 7).Select(i => Sent(300 * i, Here, i))]);
        lab.Run(Sent(2000, There, 4) with { DeviceTime = null }, Sent(2015, Here, 7) with { DeviceTime = null }, Lab.Refusal(Lab.Start.AddSeconds(2030), reason, source: There));
        Assert.Empty(lab.Findings);
        lab.Run(Lab.Refusal(Lab.Start.AddSeconds(2045), reason, source: Here));
        Assert.Equal(isFound, lab.Findings.Count == 1);
    }

    [Fact]
    public void A_unit_with_two_lines_that_is_suspended_keeps_asking_by_both_and_is_no_copy()
    {
        var lab = new Lab(Clone);
        lab.Run([.. Enumerable.Range(0, 20).Select(i => Sent(15 * i, i % 2 == 0 ? Here : There, i))]);
        lab.Run([.. Enumerable.Range(20, 40).Select(i => Lab.Refusal(Lab.Start.AddSeconds(15 * i), RefusalReasons.Suspended, source: i % 2 == 0 ? Here : There))]);
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void F1_attack_copies_that_send_in_bursts_are_found()
    {
        var lab = new Lab(Clone);
        lab.Run([.. Enumerable.Range(0, 8).SelectMany(i => new[] { Sent(120 * i, Here, 500 + (2 * i)), Sent((120 * i) + 20, Here, 501 + (2 * i)), Sent((120 * i) + 60, There, 20 + (2 * i)), Sent((120 * i) + 80, There, 21 + (2 * i)) })]);
        Assert.NotEmpty(lab.Findings);
    }

    [Fact]
    public void Turns_that_are_further_apart_than_the_limit_do_not_belong_together()
    {
        foreach (var (distance, isFound) in new[] { (300, true), (301, false) })
        {
            var lab = new Lab(Clone);
            lab.Run([.. Enumerable.Range(0, 8).Select(i => Sent(distance * i, i % 2 == 0 ? Here : There, i % 2 == 0 ? 500 + i : 20 + i))]);
            Assert.Equal(isFound, lab.Findings.Count > 0);
        }
    }

    [Fact]
    public void A_unit_with_two_lines_has_one_sequence_and_is_no_copy()
    {
        var lab = new Lab(Clone);
        lab.Run([.. Enumerable.Range(0, 200).Select(i => Sent(15 * i, i % 2 == 0 ? Here : Here6, i))]);
        lab.Run([.. Enumerable.Range(200, 200).Select(i => Sent(15 * i, i % 2 == 0 ? Here : There, i))]);
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void A_unit_that_sends_everything_over_both_lines_is_no_copy()
    {
        var lab = new Lab(Clone);
        lab.Run([.. Enumerable.Range(0, 20).SelectMany(batch => new[] { Here, There }.SelectMany((line, l) =>
            Enumerable.Range(0, 4).Select(i => Sent((60 * batch) + (10 * l) + i, line, (4 * batch) + i, (60 * batch) + i))))]);
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void Readings_that_the_second_line_delivers_a_little_late_are_no_copy()
    {
        var lab = new Lab(Clone);
        lab.Run([.. Enumerable.Range(0, 10).Select(i => Sent(20 * i, Here, i))]);

        // Since then the odd ones wait for the other line: 90 seconds late, far less than a gap.
        lab.Run([.. Enumerable.Range(10, 40).Select(i => i % 2 == 0 ? Sent(20 * i, Here, i) : Sent((20 * i) + 90, There, i, 20 * i)).OrderBy(e => e.ArrivedAt)]);
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void A_unit_with_two_lines_that_starts_anew_without_a_new_binding_is_no_copy()
    {
        var lab = new Lab(Clone);
        lab.Run([.. Enumerable.Range(0, 50).Select(i => Sent(15 * i, i % 2 == 0 ? Here : Here6, 1000 + i))]);
        lab.Run([.. Enumerable.Range(50, 50).Select(i => Sent(15 * i, i % 2 == 0 ? Here : Here6, i - 49))]);
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void A_small_counter_that_begins_again_every_few_minutes_is_no_copy()
    {
        var lab = new Lab(Clone);
        lab.Run([.. Enumerable.Range(0, 3000).Select(i => Sent(i, Here, i % 256))]);
        lab.Run([.. Enumerable.Range(3000, 3000).Select(i => Sent(i, i % 2 == 0 ? Here : There, i % 256))]);
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void A_handover_a_reboot_and_a_repeat_of_the_last_message_are_no_copies()
    {
        var lab = new Lab(Clone);
        lab.Run([.. Enumerable.Range(0, 10).Select(i => Sent(30 * i, Here, i)), Sent(280, There, 9, 270), .. Enumerable.Range(10, 10).Select(i => Sent(10 + (30 * i), There, i))]);
        lab.Run([.. Enumerable.Range(1, 10).Select(i => Sent(1000 + (30 * i), There, i) with { Epoch = 2 })]);
        lab.Run([.. Enumerable.Range(1, 10).Select(i => Sent(2000 + (30 * i), Here, i) with { Epoch = 3 })]);
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void F1_benign_a_backlog_between_live_readings_on_two_lines_and_twice_is_no_copy()
    {
        var lab = new Lab(Clone);
        lab.Run([.. Enumerable.Range(0, 8).Select(i => Sent(300 * i, Here, i))]);
        for (var round = 0; round < 2; round++)
        {
            lab.Run([.. Enumerable.Range(0, 8).SelectMany(i => new[] { Sent(5100 + (20 * i) + (200 * round), There, 17 + i + (8 * round)), Sent(5105 + (20 * i) + (200 * round), Here, 8 + i, 2400 + (300 * i)) })]);
        }

        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void Two_series_from_one_address_are_two_units()
    {
        var lab = new Lab(Clone);
        lab.Run([.. Enumerable.Range(0, 2).SelectMany(i => new[] { Sent(60 * i, Here, 5000 + i), Sent((60 * i) + 20, Here, 10 + i) })]);
        Assert.Empty(lab.Findings);
        lab.Run(Sent(120, Here, 5002));
        var evidence = Assert.Single(lab.Findings).Evidence;
        Assert.Equal(("series", 3.0, "1", "5002, 11"), (evidence.Facts["why"], evidence.Measured, evidence.Facts["networks"], evidence.Facts["sequences"]));
    }

    [Fact]
    public void Without_device_times_stored_readings_between_live_ones_are_not_told_from_a_second_series()
    {
        var lab = new Lab(Clone);
        lab.Run([.. Enumerable.Range(0, 30).SelectMany(i => new[] { Sent(20 * i, Here, 500 + i) with { DeviceTime = null }, Sent((20 * i) + 5, Here, 100 + i) with { DeviceTime = null } })]);
        Assert.Empty(lab.Findings);
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

    [Theory]
    [InlineData(Here6)]
    [InlineData("198.51.100.8")]
    public void Without_sequences_the_two_protocols_or_two_addresses_of_one_network_say_nothing(string other)
    {
        var lab = new Lab(Clone);
        lab.Run([.. Enumerable.Range(0, 100).Select(i => Sent(30 * i, i % 2 == 0 ? Here : other, null))]);
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void Who_keeps_asking_for_the_identity_from_elsewhere_while_the_unit_goes_on_is_a_copy()
    {
        var lab = new Lab(Clone);
        lab.Run([.. Enumerable.Range(0, 6).SelectMany(i => new GatewayEvent[] { Sent(60 * i, Here, i), Lab.Refusal(Lab.Start.AddSeconds((60 * i) + 20), RefusalReasons.Pending, source: There) })]);
        Assert.Equal("bindings", Assert.Single(lab.Findings).Evidence.Facts["why"]);

        // It lost its token and waits for its old one to end.
        var waits = new Lab(Clone);
        waits.Run([.. Enumerable.Range(0, 6).Select(i => Sent(60 * i, Here, i)), .. Enumerable.Range(6, 20).Select(i => (GatewayEvent)Lab.Refusal(Lab.Start.AddSeconds(60 * i), RefusalReasons.Pending, source: There))]);
        Assert.Empty(waits.Findings);
    }

    [Fact]
    public void A_restart_anywhere_gives_the_same()
    {
        for (var seed = 0; seed < 10; seed++)
        {
            var random = new Random(seed);
            var events = Enumerable.Range(0, 1500).Select(i => random.Next(3) == 0 ? Sent(60 * i, There, i - 30) : Sent(60 * i, random.Next(9) == 0 ? Here6 : Here, random.Next(30) == 0 ? null : i)).ToList<GatewayEvent>();
            Restarts.GiveTheSame(() => new Lab(Clone), events, random);
        }
    }

    private static MessageEvent Sent(double second, string source, int? sequence, double? taken = null)
    {
        var at = Lab.Start.AddSeconds(second);
        var time = Lab.Start.AddSeconds(taken ?? second);
        return Lab.Message(at, time: time, sequence: sequence, source: source) with
        {
            MessageId = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{sequence?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? at.ToString("O", null)}/{time:O}")))[..32],
        };
    }
}
