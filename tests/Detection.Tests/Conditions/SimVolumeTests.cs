using Sekisho.Detection.Conditions.SimVolume;
using Sekisho.Detection.Tests.Lanes;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

public class SimVolumeTests
{
    // A reading each five minutes; with its packets that is 820 bytes up and 520 down, as a carrier bills them.
    private const int ReadingUp = 700 + (2 * SimVolumeCondition.Header);
    private const int ReadingDown = 400 + (2 * SimVolumeCondition.Header);
    private const int HourUp = 12 * ReadingUp;
    private const int HourDown = 12 * ReadingDown;
    private static readonly string Condition = $"[{Lab.Condition("sim-volume", "period: \"1.00:00:00\"", "stages: [{ name: exposed, level: information }, { name: mismatch, level: important }]")}]";

    [Fact]
    public void A_day_of_nearly_a_third_more_from_the_device_is_found_within_the_day()
    {
        var lab = Play(48, hour => (hour < 24 ? HourUp : HourUp * 13 / 10, HourDown));
        var found = Assert.Single(lab.Findings);
        Assert.Equal(("mismatch", "important", "takeover"), (found.Stage, found.Level, found.Risk));
        Assert.InRange(found.RaisedAt, Lab.Start.AddHours(36), Lab.Start.AddHours(48).AddMinutes(3));
        Assert.Equal(found.Evidence.Measured.ToString(System.Globalization.CultureInfo.InvariantCulture), found.Evidence.Facts["billedUp"]);
        Assert.Equal("1.00:00:00", found.Evidence.Facts["period"]);
    }

    [Fact]
    public void Three_times_as_much_is_found_within_hours()
    {
        var lab = Play(30, hour => (hour < 24 ? HourUp : HourUp * 3, HourDown));
        Assert.InRange(Assert.Single(lab.Findings).RaisedAt, Lab.Start.AddHours(25), Lab.Start.AddHours(28));
    }

    [Fact]
    public void Repeats_and_broken_requests_were_on_the_wire_and_explain_themselves()
    {
        // Four times the traffic in every hour of the second day, all of it seen.
        var lab = Play(48, hour => (hour < 24 ? HourUp : 4 * HourUp, hour < 24 ? HourDown : 4 * HourDown), requests: hour => hour < 24 ? 1 : 4);
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void What_a_carrier_bills_for_its_own_and_what_devices_do_beside_is_learnt()
    {
        var lab = Play(24 * 6, hour => (hour < 48 ? HourUp * 115 / 100 : HourUp * 130 / 100, HourDown));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void Growth_too_slow_to_be_seen_from_day_to_day_is_found_in_the_end()
    {
        // Half a percent more each day, from the second week on.
        var lab = Play(24 * 90, hour => (HourUp * (1000 + (5 * Math.Max(0, (hour / 24) - 7))) / 1000, HourDown));
        var found = lab.Findings[0];
        Assert.Equal("mismatch", found.Stage);
        Assert.InRange(double.Parse(found.Evidence.Facts["billedUp"], System.Globalization.CultureInfo.InvariantCulture) / double.Parse(found.Evidence.Facts["seenUp"], System.Globalization.CultureInfo.InvariantCulture), 1.2, 1.38);
    }

    [Fact]
    public void A_scan_that_the_device_never_answers_is_told_once_and_is_no_takeover()
    {
        var lab = Play(48, hour => (HourUp, HourDown + (hour < 24 ? 0 : 400_000)));
        var found = Assert.Single(lab.Findings);
        Assert.Equal(("exposed", "information"), (found.Stage, found.Level));
    }

    [Fact]
    public void A_scan_that_the_device_answers_is_a_takeover()
    {
        var lab = Play(30, hour => hour < 24 ? (HourUp, HourDown) : (HourUp + 300_000, HourDown + 400_000));
        Assert.Equal("mismatch", Assert.Single(lab.Findings).Stage);
    }

    [Fact]
    public void Answers_that_begin_later_raise_what_was_only_exposed()
    {
        var lab = Play(30, hour => (HourUp + (hour < 27 ? 0 : 300_000), HourDown + (hour < 24 ? 0 : 400_000)));
        Assert.Equal(["exposed", "mismatch"], lab.Findings.Select(f => f.Stage));
    }

    [Theory]
    [InlineData((HourUp * 12 / 10) + 10_000, (HourDown * 12 / 10) + 100_000, null)]
    [InlineData((HourUp * 12 / 10) + 10_001, (HourDown * 12 / 10) + 100_001, "mismatch")]
    [InlineData((HourUp * 12 / 10) + 10_000, (HourDown * 12 / 10) + 100_001, "exposed")]
    public void The_limit_is_allowed_and_one_byte_more_is_not(long up, long down, string? stage)
    {
        var found = Play(1, _ => (up, down)).Findings;
        Assert.Equal(stage, found.SingleOrDefault()?.Stage);
        if (stage == "mismatch")
        {
            Assert.Equal(("percent", 21.0), (found[0].Evidence.Counterfactual.Parameter, found[0].Evidence.Counterfactual.Value));
        }
    }

    [Fact]
    public void Facts_that_are_repeated_or_overlap_are_counted_once()
    {
        var facts = Facts(24, _ => (HourUp, HourDown)).ToList();
        var again = facts.Select(f => f with { ArrivedAt = f.ArrivedAt.AddMinutes(1) });
        var overlapping = facts.Where((_, i) => i > 0).Select(f => f with { From = f.From.AddMinutes(-30), ArrivedAt = f.ArrivedAt.AddMinutes(2), UplinkBytes = HourUp * 3 / 2, DownlinkBytes = HourDown * 3 / 2 });
        var day = facts[^1] with { From = Lab.Start, ArrivedAt = Lab.Start.AddHours(25), UplinkBytes = 24 * HourUp, DownlinkBytes = 24 * HourDown };
        var lab = new Lab(Condition);
        lab.Run(Lab.WithTicks([.. Traffic(25, _ => 1), .. facts, .. again, .. overlapping, day], Lab.Start.AddHours(26)));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void Facts_that_come_late_and_in_no_order_are_held_against_the_hours_they_are_about()
    {
        Lab Late(int factor)
        {
            var lab = new Lab(Condition);
            var facts = Facts(24, _ => (HourUp * factor, HourDown)).Select((f, i) => f with { ArrivedAt = Lab.Start.AddHours(25).AddMinutes(i * 7 % 24) });
            lab.Run(Lab.WithTicks([.. Traffic(26, hour => hour < 24 ? 1 : 0), .. facts], Lab.Start.AddHours(26)));
            return lab;
        }

        Assert.Empty(Late(1).Findings);
        Assert.Equal("mismatch", Assert.Single(Late(3).Findings).Stage);
    }

    [Fact]
    public void A_day_told_in_one_is_judged_as_one()
    {
        var day = Facts(1, _ => (0, 0)).Single() with { To = Lab.Start.AddHours(24), ArrivedAt = Lab.Start.AddHours(26), UplinkBytes = HourUp * 24 * 14 / 10, DownlinkBytes = HourDown * 24 };
        var lab = new Lab(Condition);
        lab.Run(Lab.WithTicks([.. Traffic(26, _ => 1), day], Lab.Start.AddHours(27)));
        Assert.Equal("mismatch", Assert.Single(lab.Findings).Stage);
    }

    [Fact]
    public void A_burst_that_leaves_the_period_before_its_bill_does_is_no_mismatch()
    {
        // Bills run from a quarter past to a quarter past; each sixth hour the device sends a lot, at ten past.
        var events = new List<GatewayEvent>();
        for (var hour = 0; hour < 96; hour++)
        {
            var many = hour % 6 == 0 ? 200 : 1;
            events.Add(OneMinute(Lab.Start.AddHours(hour).AddMinutes(10), many));
            var to = Lab.Start.AddHours(hour).AddMinutes(15);
            events.Add(Lab.Sim(to, up: many * ReadingUp, down: many * ReadingDown));
        }

        var lab = new Lab(Condition);
        lab.Run(Lab.WithTicks(events, Lab.Start.AddHours(97)));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void Nothing_is_said_without_traffic_facts_or_while_less_than_a_minute_was_billed()
    {
        var lab = new Lab(Condition);
        lab.Run(Lab.WithTicks(Facts(30, _ => (1_000_000, 1_000_000)), Lab.Start.AddHours(30)));
        Assert.Empty(lab.Findings);
        var momentary = Facts(30, _ => (1_000_000, 1_000_000)).Select(f => f with { From = f.To.AddSeconds(-50) });
        lab = new Lab(Condition);
        lab.Run(Lab.WithTicks([.. Traffic(30, _ => 1), .. momentary], Lab.Start.AddHours(31)));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void Hours_in_which_the_gateway_was_down_are_left_out()
    {
        // From 26:10 to 28:50 nobody hears the device, which sends four times as much because nothing is acknowledged.
        var (from, to) = (Lab.Start.AddHours(26).AddMinutes(10), Lab.Start.AddHours(28).AddMinutes(50));
        var events = Lab.WithTicks([.. Traffic(40, _ => 1), .. Facts(40, hour => (hour is >= 26 and < 29 ? 4 * HourUp : HourUp, HourDown))], Lab.Start.AddHours(40));
        var lab = new Lab(Condition);
        lab.Run(events.Where(e => e.ArrivedAt < from).Concat(events.Where(e => e is SimFactEvent && e.ArrivedAt >= from && e.ArrivedAt < to).Select(e => e with { ArrivedAt = to })).Concat(events.Where(e => e.ArrivedAt >= to)));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void A_field_that_stops_counting_traffic_is_not_taken_for_devices_that_send_elsewhere()
    {
        var messages = Enumerable.Range(0, 48 * 12).Select(i => (GatewayEvent)Lab.Message(Lab.Start.AddMinutes((5 * i) + 1), sequence: i));
        var lab = new Lab(Condition);
        lab.Run(Lab.WithTicks([.. messages, .. Traffic(24, _ => 1), .. Facts(48, _ => (HourUp, HourDown))], Lab.Start.AddHours(48)));
        Assert.Empty(lab.Findings);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_restart_at_any_point_gives_the_same_findings(int seed)
    {
        var random = new Random(seed);
        var facts = Facts(60, hour => (hour < 30 ? HourUp : HourUp * 4, HourDown + (hour is > 8 and < 12 ? 400_000 : 0))).Select(f => f with { ArrivedAt = f.ArrivedAt.AddMinutes(random.Next(90)) });
        var events = Lab.WithTicks([.. Traffic(61, _ => 1), .. facts], Lab.Start.AddHours(62));
        var (whole, cut) = (new Lab(Condition), new Lab(Condition));
        whole.Run(events);
        for (var at = 0; at < events.Count;)
        {
            var count = Math.Min(events.Count - at, random.Next(1, 400));
            cut.Run(events.GetRange(at, count));
            LaneTests.Restart(cut);
            at += count;
        }

        Assert.Equal(["exposed", "mismatch"], whole.Findings.Select(f => f.Stage));
        Assert.Equal(whole.Findings.Select(f => (f.Stage, f.RaisedAt, f.Position, f.Evidence.Measured)), cut.Findings.Select(f => (f.Stage, f.RaisedAt, f.Position, f.Evidence.Measured)));
    }

    private static Lab Play(int hours, Func<int, (long Up, long Down)> billed, Func<int, int>? requests = null)
    {
        var lab = new Lab(Condition);
        lab.Run(Lab.WithTicks([.. Traffic(hours, requests ?? (_ => 1)), .. Facts(hours, billed)], Lab.Start.AddHours(hours).AddMinutes(5)));
        return lab;
    }

    /// <summary>A fact for each hour, told at its end.</summary>
    private static IEnumerable<SimFactEvent> Facts(int hours, Func<int, (long Up, long Down)> billed) =>
        Enumerable.Range(0, hours).Select(hour => Lab.Sim(Lab.Start.AddHours(hour + 1), up: billed(hour).Up, down: billed(hour).Down));

    private static IEnumerable<TrafficFactEvent> Traffic(int hours, Func<int, int> requests) =>
        Enumerable.Range(0, hours * 12).Where(i => requests(i / 12) > 0).Select(i => OneMinute(Lab.Start.AddMinutes((5 * i) + 1), requests(i / 12)));

    private static TrafficFactEvent OneMinute(DateTimeOffset from, int requests) => new()
    {
        ArrivedAt = from.AddMinutes(1),
        CorrelationId = "",
        FieldId = "field",
        DeviceId = "d1",
        From = from,
        To = from.AddMinutes(1),
        AcceptedBytes = 100 * requests,
        RepeatedBytes = 0,
        FailedBytes = 0,
        Requests = requests,
        Retries = requests - 1,
        Handshakes = 0,
        WireUp = 700 * requests,
        WireDown = 400 * requests,
    };
}
