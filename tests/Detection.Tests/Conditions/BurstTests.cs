using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

public class BurstTests
{
    private static readonly string Five = $"[{Lab.Condition("burst", "least: \"00:01:00\"", "judge: below")}]";
    private static readonly string Learnt = $"[{Lab.Condition("burst", "sides: low", "judge: learnt")}]";
    private static readonly string Sizes = $"[{Lab.Condition("known-sizes", "")}]";

    [Fact]
    public void Five_messages_in_less_than_the_limit_are_a_burst_and_in_just_so_long_none()
    {
        var lab = new Lab(Five);
        lab.Run(At([0, 15, 30, 45, 60]));
        Assert.Empty(lab.Findings);
        lab.Run(At([3600, 3601, 3602, 3603, 3604], first: 5));
        var found = Assert.Single(lab.Findings);
        Assert.Equal((4.0, 60.0, "00:00:04", "00:01:00", 5), (found.Evidence.Measured, found.Evidence.ExpectedLow, found.Evidence.Facts["span"], found.Evidence.Facts["limit"], found.Evidence.Events.Count));
    }

    [Fact]
    public void Stored_readings_come_at_once_and_are_no_burst()
    {
        var lab = new Lab(Five);
        lab.Run(At([.. Enumerable.Range(0, 30).Select(i => 300.0 * i)]));
        lab.Run([.. Enumerable.Range(30, 20).Select(i => Lab.Message(Lab.Start.AddSeconds((300 * 50) + (i * 0.1)), time: Lab.Start.AddSeconds(300 * i), sequence: i))]);
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void A_device_that_sends_once_a_day_is_known_after_a_week()
    {
        var daily = At([.. Enumerable.Range(0, 12).Select(i => (86_400.0 * i) + (i % 3))]);
        var lab = new Lab(Learnt);
        lab.Run(daily);
        Assert.Empty(lab.Findings);
        lab.Run(At([.. Enumerable.Range(0, 5).Select(i => (86_400.0 * 12) + (30 * i))], first: 12));
        var evidence = Assert.Single(lab.Findings).Evidence;
        Assert.Equal(("learnt", 12.0), (evidence.Origin, double.Parse(evidence.Facts["values"], System.Globalization.CultureInfo.InvariantCulture)));
        Assert.False(evidence.Facts.ContainsKey("target"));

        // An eighth of the shortest time is none: two days for five messages happen.
        var quicker = new Lab(Learnt);
        quicker.Run([.. daily, .. At([.. Enumerable.Range(0, 5).Select(i => (86_400.0 * 12) + (43_200 * i))], first: 12)]);
        Assert.Empty(quicker.Findings);
    }

    [Fact]
    public void A_device_that_is_used_in_bursts_by_itself_says_nothing_by_another()
    {
        var random = new Random(3);
        var times = new List<double>();
        for (var day = 0; day < 30; day++)
        {
            for (var use = 0; use < 6; use++)
            {
                var begin = (86_400.0 * day) + (3600 * (7 + (2 * use))) + random.Next(3000);
                times.AddRange(Enumerable.Range(0, random.Next(2, 9)).Select(i => begin + (i * random.Next(4, 20))));
            }
        }

        var lab = new Lab(Learnt);
        lab.Run(At([.. times.Order()]));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void A_new_size_of_a_device_that_sends_few_is_told_once_and_one_of_many_sizes_is_not()
    {
        var lab = new Lab(Sizes);
        lab.Run([.. Enumerable.Range(0, 60).Select(i => Sized(i, i % 7 == 0 ? 11 : 3))]);
        Assert.Empty(lab.Findings);
        lab.Run(Sized(60, 12), Sized(61, 12), Sized(62, 3));
        Assert.Equal("12", Assert.Single(lab.Findings).Evidence.Claim);

        var many = new Lab(Sizes);
        var random = new Random(5);
        many.Run([.. Enumerable.Range(0, 400).Select(i => Sized(i, 100 + random.Next(400)))]);
        Assert.InRange(many.Findings.Count, 0, Sekisho.Detection.Thresholds.KnownSet.RoamingAfter);
    }

    [Fact]
    public void A_restart_anywhere_gives_the_same()
    {
        for (var seed = 0; seed < 10; seed++)
        {
            var random = new Random(seed);
            var at = 0.0;
            var events = Enumerable.Range(0, 1500).Select(i => (GatewayEvent)Sized(i, random.Next(300) == 0 ? random.Next(500) : 100 + random.Next(3), at += random.Next(60) == 0 ? 1 : random.Next(1, 4000))).ToList();
            Restarts.GiveTheSame(
                () => new Lab($"[{Lab.Condition("burst", "sides: low", "judge: learnt", key: "one")}, {Lab.Condition("known-sizes", "", key: "two")}, {Lab.Condition("burst", "messages: 2, least: \"00:00:10\"", "judge: below", key: "three")}]"),
                events,
                random);
        }
    }

    private static MessageEvent[] At(double[] seconds, int first = 0) =>
        [.. seconds.Select((s, i) => Lab.Message(Lab.Start.AddSeconds(s), time: Lab.Start.AddSeconds(s), sequence: first + i))];

    private static MessageEvent Sized(int index, int bytes, double? second = null)
    {
        var at = Lab.Start.AddSeconds(second ?? (7200.0 * index));
        return Lab.Message(at, time: at, sequence: index) with { Size = bytes };
    }
}
