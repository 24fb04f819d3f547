using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

public class GroupTests
{
    private static readonly string Fleet =
        $"[{Lab.Condition("silence", "duration: \"06:00:00\", late: \"00:20:00\", unreachable: \"00:40:00\"", key: "silence")}, {Lab.Condition("group", "share: 50, devices: 5, silent: \"00:12:00\"", scope: "field", key: "group")}]";

    [Fact]
    public void Many_devices_silent_at_once_are_one_finding_of_the_field_and_none_of_the_devices()
    {
        var lab = new Lab(Fleet);
        lab.Run(Lab.WithTicks(Fleeting(20, 0, 60, random: new Random(1)), Lab.Start.AddHours(20)));
        var finding = Assert.Single(lab.Findings);
        Assert.Equal(("group", "field", "field", null), (finding.ConditionKey, finding.Scope, finding.ScopeKey, finding.DeviceId));
        Assert.Equal("20", finding.Evidence.Facts["known"]);
        Assert.InRange(finding.Evidence.Measured, 10, 20);
        Assert.InRange((finding.RaisedAt - Lab.Start).TotalMinutes, 66, 80);
    }

    [Fact]
    public void Who_stays_silent_when_the_others_are_back_is_found_by_itself()
    {
        var lab = new Lab(Fleet);
        lab.Run(Lab.WithTicks(Fleeting(20, 0, 60), Lab.Start.AddHours(8)));
        lab.Run(Lab.WithTicks(Fleeting(20, 480, 960).Where(m => m.DeviceId != "d7"), Lab.Start.AddHours(16)));
        Assert.Equal(["group field", "silence d7"], lab.Findings.Where(f => f.Stage is null or "suspected-theft").Select(f => $"{f.ConditionKey} {f.ScopeKey}"));
        Assert.InRange((lab.Findings.Single(f => f.Stage == "suspected-theft").RaisedAt - Lab.Start).TotalHours, 14, 14.2);
    }

    [Fact]
    public void Findings_of_single_devices_that_came_first_are_taken_back()
    {
        var lab = new Lab(Fleet.Replace("00:12:00", "00:30:00", StringComparison.Ordinal));
        var results = Enumerable.Range(0, 100).Select(i => lab.Run(Lab.WithTicks(i == 0 ? (IEnumerable<GatewayEvent>)Fleeting(20, 0, 60) : [Lab.Tick(Lab.Start.AddMinutes(58 + i))], Lab.Start.AddMinutes(58 + i)))).ToList();
        var late = lab.Findings.Count(f => f.Stage == "late");
        Assert.InRange(late, 10, 20);
        var retracted = results.SelectMany(r => r.Batch.Retractions).ToList();
        Assert.Equal(late, retracted.Count);
        Assert.All(retracted, r => Assert.Equal("group-event", r.Reason));
        Assert.Single(lab.Findings, f => f.ConditionKey == "group");
        Assert.DoesNotContain(lab.Findings, f => f.Stage == "unreachable");
    }

    [Fact]
    public void A_device_that_was_silent_before_is_not_part_of_it()
    {
        var lab = new Lab(Fleet);
        lab.Run(Lab.WithTicks([.. Fleeting(20, 0, 240).Where(m => m.DeviceId != "d3" || m.ArrivedAt < Lab.Start.AddMinutes(30))], Lab.Start.AddHours(9)));
        Assert.Equal("d3", Assert.Single(lab.Findings, f => f.Stage == "suspected-theft").DeviceId);
    }

    [Fact]
    public void Cars_whose_trips_end_in_the_evening_are_no_event()
    {
        // On a trip in the morning and one towards evening a message every five minutes, beside them one every six hours.
        var random = new Random(3);
        IEnumerable<MessageEvent> Car(int car)
        {
            for (var day = 0; day < 10; day++)
            {
                var midnight = Lab.Start.AddDays(day);
                DateTimeOffset[] trips = [midnight.AddHours(7 + random.NextDouble()), midnight.AddHours(17 + random.NextDouble())];
                foreach (var trip in trips)
                {
                    for (var i = 0; i < 9; i++)
                    {
                        yield return Lab.Message(trip.AddMinutes(5 * i), $"d{car}", mode: "on");
                    }
                }

                yield return Lab.Message(midnight.AddHours(13 + random.NextDouble()), $"d{car}", mode: "off");
                yield return Lab.Message(midnight.AddHours(23.5 + (0.4 * random.NextDouble())), $"d{car}", mode: "off");
            }
        }

        var lab = new Lab(Fleet);
        var events = Enumerable.Range(0, 20).SelectMany(Car).OrderBy(m => m.ArrivedAt).ToList();
        lab.Run(Lab.WithTicks(events, Lab.Start.AddDays(10)));
        Assert.DoesNotContain(lab.Findings, f => f.ConditionKey == "group" && f.RaisedAt > Lab.Start.AddDays(5));
    }

    [Fact]
    public void Devices_that_stop_one_after_the_other_are_no_event()
    {
        var lab = new Lab(Fleet);
        var events = Enumerable.Range(0, 20).SelectMany(d => Fleeting(1, 0, 60 + (30 * d), first: d));
        lab.Run(Lab.WithTicks(events, Lab.Start.AddHours(12)));
        Assert.DoesNotContain(lab.Findings, f => f.ConditionKey == "group");
    }

    [Theory]
    [InlineData(9, false)]
    [InlineData(10, true)]
    public void The_share_decides(int silent, bool isFound)
    {
        var lab = new Lab(Fleet);
        lab.Run(Lab.WithTicks([.. Fleeting(silent, 0, 60), .. Fleeting(20 - silent, 0, 150, first: silent)], Lab.Start.AddMinutes(150)));
        Assert.Equal(isFound, lab.Findings.Any(f => f.ConditionKey == "group"));
    }

    [Fact]
    public void Few_devices_are_no_group()
    {
        var lab = new Lab(Fleet);
        lab.Run(Lab.WithTicks(Fleeting(4, 0, 60), Lab.Start.AddHours(3)));
        Assert.DoesNotContain(lab.Findings, f => f.ConditionKey == "group");
    }

    [Fact]
    public void A_reboot_of_the_gateway_is_no_event_of_the_fleet()
    {
        var lab = new Lab(Fleet);
        lab.Run(Lab.WithTicks(Fleeting(20, 0, 60), Lab.Start.AddHours(1)));
        lab.Run(Lab.WithTicks(Fleeting(20, 360, 420), Lab.Start.AddHours(7)));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void A_large_field_is_judged_by_a_fair_sample_in_constant_memory()
    {
        var lab = new Lab($"[{Lab.Condition("group", "share: 50, devices: 100, silent: \"00:12:00\"", scope: "field", key: "group")}]");
        lab.Run(Lab.WithTicks([.. Fleeting(700, 0, 30), .. Fleeting(300, 0, 80, first: 700)], Lab.Start.AddMinutes(80)));
        var evidence = Assert.Single(lab.Findings).Evidence;
        Assert.InRange(evidence.Measured, 400, 950);
        Assert.InRange(int.Parse(evidence.Facts["percent"], System.Globalization.CultureInfo.InvariantCulture), 50, 85);
    }

    [Fact]
    public void A_school_that_closes_every_evening_is_reported_until_it_is_usual()
    {
        var lab = new Lab($"[{Lab.Condition("group", "share: 50, devices: 5, silent: \"00:12:00\"", scope: "field", key: "group")}]");
        for (var day = 0; day < 12; day++)
        {
            lab.Run(Lab.WithTicks(Fleeting(10, day * 1440, (day * 1440) + 480), Lab.Start.AddMinutes((day * 1440) + 1439)));
        }

        Assert.InRange(lab.Findings.Count, 5, 6);
        lab.Run(Lab.WithTicks(Fleeting(10, 12 * 1440, (12 * 1440) + 120), Lab.Start.AddDays(12).AddHours(6)));
        Assert.Equal(Lab.Start.AddDays(12), lab.Findings[^1].RaisedAt.AddHours(-2), TimeSpan.FromMinutes(30));
    }

    [Fact]
    public void A_place_has_its_own_event_and_holds_back_its_own_devices_only()
    {
        var lab = new Lab($"[{Lab.Condition("silence", "duration: \"06:00:00\", neighbours: 0", key: "silence")}, {Lab.Condition("group", "share: 60, devices: 3, silent: \"00:12:00\"", scope: "place", key: "group")}]");
        lab.Run(Lab.WithTicks([.. Fleeting(5, 0, 60, place: "cell-1"), .. Fleeting(5, 0, 425, first: 5, place: "cell-2"), .. Fleeting(1, 0, 60, first: 10, place: "cell-2")], Lab.Start.AddMinutes(425)));
        Assert.Equal(["group cell-1", "silence d10"], lab.Findings.Select(f => $"{f.ConditionKey} {f.ScopeKey}"));
    }

    [Theory]
    [InlineData("shadow")]
    [InlineData("suggest")]
    public void What_is_only_tried_out_holds_nothing_back(string effect)
    {
        var lab = new Lab(Fleet.Replace("key: group", $"effect: {effect}, key: group", StringComparison.Ordinal));
        lab.Run(Lab.WithTicks(Fleeting(20, 0, 60), Lab.Start.AddHours(8)));
        Assert.Equal(20, lab.Findings.Count(f => f.Stage == "suspected-theft"));
    }

    [Fact]
    public void Nothing_is_found_without_its_cause()
    {
        for (var seed = 0; seed < 10; seed++)
        {
            var random = new Random(seed);
            var events = new List<GatewayEvent>();
            for (var device = 0; device < 20; device++)
            {
                // Pauses of an hour now and then, each device for itself, less than a tenth of the time.
                for (var at = Lab.Start.AddSeconds(random.Next(300)); at < Lab.Start.AddHours(24); at = at.AddMinutes(random.Next(150) == 0 ? 60 : 5))
                {
                    events.Add(Lab.Message(at, $"d{device}"));
                }
            }

            var lab = new Lab($"[{Lab.Condition("group", "share: 50, devices: 5, silent: \"00:12:00\"", scope: "field", key: "group")}]");
            lab.Run(Lab.WithTicks(events, Lab.Start.AddHours(24)));
            Assert.Empty(lab.Findings);
        }
    }

    /// <summary>Devices that send every five minutes, each at its own second, between two minutes.</summary>
    private static IEnumerable<MessageEvent> Fleeting(int count, int begin, int end, int first = 0, string? place = null, Random? random = null) =>
        from device in Enumerable.Range(first, count)
        from minute in Enumerable.Range(0, ((end - begin) / 5) + 1)
        let at = Lab.Start.AddMinutes(begin + (5 * minute)).AddSeconds((device * 37 % 290) + (random?.Next(10) ?? 0))
        where at <= Lab.Start.AddMinutes(end)
        select Lab.Message(at, $"d{device}") with { Place = place };
}
