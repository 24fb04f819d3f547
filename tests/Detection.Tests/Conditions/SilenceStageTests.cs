using Sekisho.Detection.Conditions.Schedules;
using Sekisho.Detection.Conditions.Silence;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

public class SilenceStageTests
{
    private const string Car = "duration: \"06:00:00\", late: \"00:15:00\", unreachable: \"00:30:00\", attached: \"01:00:00\"";
    private static readonly string Condition = $"[{Lab.Condition("silence", Car, "repeatAfter: \"1.00:00:00\"")}]";

    [Fact]
    public void Silence_is_late_then_unreachable_then_a_suspected_theft()
    {
        var lab = new Lab(Condition);
        lab.Run(Lab.WithTicks(Driving(), Hour(9)));
        Assert.Equal(["late 01:10", "unreachable 01:25", "suspected-theft 06:55"], Stages(lab));
    }

    [Fact]
    public void F1_benign_forty_minutes_without_coverage_are_unreachable_and_taken_back_when_the_backlog_is_delivered()
    {
        var lab = new Lab(Condition);
        lab.Run(Lab.WithTicks(Driving(), Hour(1.5)));
        Assert.Equal(["late 01:10", "unreachable 01:25"], Stages(lab));
        var back = lab.Run(Backlog(Hour(1).AddMinutes(41), 8));
        var retraction = Assert.Single(back.Batch.Retractions);
        Assert.Equal((SilenceCondition.BacklogDelivered, "d1"), (retraction.Reason, retraction.ScopeKey));
        Assert.Empty(back.Cleared);
        lab.Run(Lab.WithTicks(Enumerable.Range(0, 12).Select(i => At(Hour(1).AddMinutes(45 + (5 * i)), 21 + i)), Hour(2.6)));
        Assert.Equal(2, lab.Findings.Count);
    }

    [Fact]
    public void F1_benign_the_live_reading_may_come_before_the_stored_ones_and_these_in_any_order()
    {
        var lab = new Lab(Condition);
        lab.Run(Lab.WithTicks(Driving(), Hour(1.5)));
        var live = lab.Run(At(Hour(1).AddMinutes(40), 99));
        Assert.Empty(live.Cleared);
        Assert.Empty(live.Batch.Retractions);
        Assert.Single(lab.Run(Backlog(Hour(1).AddMinutes(41), 8).Reverse().Select((m, i) => m with { ArrivedAt = Hour(1).AddMinutes(41).AddSeconds(i) })).Batch.Retractions);
    }

    [Fact]
    public void One_stored_reading_explains_no_silence_of_hours()
    {
        var lab = new Lab(Condition);
        lab.Run(Lab.WithTicks(Driving(), Hour(9)));
        var back = lab.Run(Lab.WithTicks(Backlog(Hour(9), 1), Hour(9.1)));
        Assert.Empty(back.Batch.Retractions);
        Assert.Single(back.Cleared);
    }

    [Fact]
    public void F1_attack_a_unit_unplugged_for_good_with_its_engine_off_is_a_suspected_theft_after_six_hours_however_often_it_was_silent_for_less()
    {
        var lab = new Lab(Condition);
        var readings = Enumerable.Range(0, 60).Select(i => At(Lab.Start.AddMinutes(359.5 * i), i, "off")).ToList();
        lab.Run(Lab.WithTicks(readings, readings[^1].ArrivedAt.AddHours(7)));
        var theft = Assert.Single(lab.Findings, f => f.Stage == "suspected-theft");
        Assert.InRange((theft.RaisedAt - readings[^1].ArrivedAt).TotalMinutes, 360, 361);
    }

    [Fact]
    public void F1_attack_it_is_found_sooner_when_the_sim_is_on_the_network_while_the_unit_is_silent()
    {
        var lab = new Lab(Condition);
        lab.Run(Lab.WithTicks([.. Driving(), Lab.Sim(Hour(1.5))], Hour(3)));
        var theft = Assert.Single(lab.Findings, f => f.Stage == "suspected-theft");
        Assert.Equal(("attached", "attached", "attached"), (theft.Evidence.Facts["why"], theft.Evidence.Facts["session"], theft.Evidence.Counterfactual.Parameter));
        Assert.Equal(Hour(1).AddMinutes(55), theft.RaisedAt);
    }

    [Fact]
    public void A_parked_car_that_reports_every_six_hours_is_not_stolen_because_its_sim_is_on_the_network()
    {
        var lab = new Lab(Condition);
        var events = Enumerable.Range(0, 40).Select(i => (GatewayEvent)At(Lab.Start.AddMinutes(359 * i), i, "off"))
            .Concat(Enumerable.Range(0, 230).Select(i => (GatewayEvent)Lab.Sim(Lab.Start.AddHours(i).AddMinutes(7))));
        lab.Run(Lab.WithTicks(events, Lab.Start.AddMinutes((359 * 39) + 300)));
        Assert.All(lab.Findings.Where(f => f.Stage == "suspected-theft"), f => Assert.True(f.RaisedAt < Lab.Start.AddDays(2)));
        Assert.InRange(lab.Findings.Count(f => f.Stage == "suspected-theft"), 0, 5);
    }

    [Fact]
    public void A_sim_that_was_on_the_network_before_the_silence_says_nothing_of_it()
    {
        var lab = new Lab(Condition);
        lab.Run(Lab.WithTicks([.. Driving(), Lab.Sim(Lab.Start.AddMinutes(20)), Lab.Sim(Hour(1.5), session: SimSessions.Detached)], Hour(5)));
        Assert.DoesNotContain(lab.Findings, f => f.Stage == "suspected-theft");
    }

    [Fact]
    public void F1_benign_a_car_that_parks_underground_every_night_is_quiet_from_the_fifteenth_night_on()
    {
        var random = new Random(9);
        var lab = new Lab(Condition);
        lab.Run(Nights(random, 0, 14));
        var learnt = lab.Findings.Count;
        Assert.Contains(lab.Findings, f => f.Stage == "suspected-theft");
        lab.Run(Nights(random, 14, 16));
        Assert.Equal(learnt, lab.Findings.Count);

        // The car that is taken from there one night is found, later but within what is allowed of a habit.
        var last = Night(30).AddHours(-0.5);
        lab.Run(Lab.WithTicks([Lab.Tick(last)], last.AddHours(20)));
        var theft = Assert.Single(lab.Findings[learnt..], f => f.Stage == "suspected-theft");
        Assert.InRange((theft.RaisedAt - last).TotalHours, 9, 16);
        Assert.Equal("learnt", theft.Evidence.Origin);
    }

    [Fact]
    public void A_habit_of_the_night_says_nothing_of_the_day()
    {
        var lab = new Lab(Condition);
        lab.Run(Nights(new Random(9), 0, 14));
        var before = lab.Findings.Count;
        var noon = Night(15).AddHours(-9);
        lab.Run(Lab.WithTicks(Enumerable.Range(0, 12).Select(i => At(noon.AddMinutes(5 * (i - 11)), 90_000 + i)).Prepend<GatewayEvent>(Lab.Tick(lab.Now)), noon.AddHours(6.1)));
        Assert.Contains(lab.Findings[before..], f => f.Stage == "suspected-theft" && f.RaisedAt == noon.AddHours(6));
    }

    [Fact]
    public void A_habit_never_reaches_past_the_longest_that_is_allowed()
    {
        var cells = new long[Habits.Most];
        for (var i = 0; i < 24; i++)
        {
            new Habits(cells).Add(Lab.Start.AddDays(i).ToUnixTimeMilliseconds(), 20 * 86_400_000L, 0);
        }

        Assert.Equal(20 * 86_400_000L, Habits.Usual(cells, Lab.Start.AddDays(24).ToUnixTimeMilliseconds(), 0, 5, TimeZoneInfo.Utc));
        var lab = new Lab($"[{Lab.Condition("silence", "duration: \"06:00:00\", longest: \"12:00:00\"")}]");
        lab.Run(Enumerable.Range(0, 12).SelectMany(i => Lab.WithTicks([At(Lab.Start.AddHours(24 * i), i)], Lab.Start.AddHours((24 * i) + 23))));
        var count = lab.Findings.Count;
        var last = Lab.Start.AddHours(24 * 12);
        lab.Run(Lab.WithTicks([At(last, 100)], last.AddHours(30)));
        Assert.Equal(12, (lab.Findings[count..].Single().RaisedAt - last).TotalHours, 0.05);
    }

    [Fact]
    public void Weekends_are_learnt_as_weekends_and_do_not_stretch_the_nights()
    {
        var cells = new long[Habits.Most];
        for (var day = 0; day < 28; day++)
        {
            var start = new DateTimeOffset(2026, 4, 3, 18, 0, 0, TimeSpan.Zero).AddDays(day);
            if (start.DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday))
            {
                new Habits(cells).Add(start.ToUnixTimeMilliseconds(), (start.DayOfWeek == DayOfWeek.Friday ? 60 : 12) * 3_600_000L, 0);
            }
        }

        long Usual(int day) => Habits.Usual(cells, new DateTimeOffset(2026, 5, day, 18, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds(), 0, 5, TimeZoneInfo.Utc) / 3_600_000;
        Assert.Equal((60, 12, 12), (Usual(1), Usual(4), Usual(7)));
    }

    [Fact]
    public void A_habit_belongs_to_its_place_and_is_forgotten_after_five_weeks()
    {
        var cells = new long[Habits.Most];
        for (var day = 0; day < 10; day++)
        {
            new Habits(cells).Add(Lab.Start.AddDays(day).ToUnixTimeMilliseconds(), 9 * 3_600_000, Habits.PlaceOf("garage"));
        }

        long Usual(string? place, int day) => Habits.Usual(cells, Lab.Start.AddDays(day).ToUnixTimeMilliseconds(), Habits.PlaceOf(place), 5, TimeZoneInfo.Utc) / 3_600_000;
        Assert.Equal((9, 0, 9, 0), (Usual("garage", 10), Usual("street", 10), Usual(null, 10), Usual("garage", 50)));
    }

    [Fact]
    public void Neighbours_that_fall_silent_as_well_keep_it_late_and_who_stays_away_when_they_come_back_is_found()
    {
        var lab = new Lab(Condition);
        var all = Enumerable.Range(0, 5).SelectMany(d => Driving($"d{d}", "cell-1")).ToList();
        lab.Run(Lab.WithTicks(all, Hour(7.5)));
        Assert.All(lab.Findings, f => Assert.Equal("late", f.Stage));
        lab.Run(Enumerable.Range(1, 4).Select(d => At(Hour(7.6), 50, device: $"d{d}", place: "cell-1")));
        lab.Run(Lab.WithTicks([Lab.Tick(Hour(7.61))], Hour(7.7)));
        var theft = Assert.Single(lab.Findings, f => f.Stage == "suspected-theft");
        Assert.Equal(("d0", "4", "0"), (theft.DeviceId, theft.Evidence.Facts["neighboursHeard"], theft.Evidence.Facts["neighboursSilent"]));
    }

    [Fact]
    public void Time_on_holidays_does_not_count_where_a_template_says_so()
    {
        // 3 to 6 May 2026 are holidays in Japan.
        var template = Lab.TemplateOf($"[{Lab.Condition("silence", "duration: \"1.00:00:00\", holidays: pause", key: "c1")}, {Lab.Condition("silence", "duration: \"1.00:00:00\"", key: "c2")}]");
        var lab = new Lab(template, calendar: new FieldCalendar(japan: true, [], []));
        var last = new DateTimeOffset(2026, 5, 2, 20, 0, 0, TimeSpan.FromHours(9));
        lab.Run(Lab.WithTicks([Lab.Message(last)], last.AddDays(7)));
        Assert.Equal(["c2 05-03 20:00", "c1 05-07 20:00"], lab.Findings.Select(f => $"{f.ConditionKey} {f.RaisedAt.ToOffset(TimeSpan.FromHours(9)):MM-dd HH:mm}"));
    }

    [Fact]
    public void Who_comes_back_with_an_older_sequence_makes_no_habit()
    {
        var lab = new Lab(Condition);
        for (var day = 0; day < 20; day++)
        {
            var from = Lab.Start.AddDays(day);
            lab.Run(Lab.WithTicks(Enumerable.Range(0, 12).Select(i => At(from.AddMinutes(5 * i), 1_000_000 - (day * 1000) + i)), from.AddHours(12)));
        }

        Assert.Equal(20, lab.Findings.Count(f => f.Stage == "suspected-theft"));
    }

    [Fact]
    public void A_user_is_silent_when_none_of_the_own_devices_is_heard()
    {
        var directory = new FakeDirectory();
        directory.SetDevice("d1", "anna");
        directory.SetDevice("d2", "anna");
        var lab = new Lab($"[{Lab.Condition("silence", "duration: \"02:00:00\", late: \"01:00:00\"", scope: "user")}]", directory: directory);
        lab.Run(Lab.WithTicks(Enumerable.Range(0, 10).Select(i => Lab.Message(Lab.Start.AddMinutes(40 * i), i % 2 == 0 ? "d1" : "d2")), Hour(9)));
        Assert.Equal(["late 07:20", "suspected-theft 08:00"], Stages(lab));
        Assert.All(lab.Findings, f => Assert.Equal(("user", "anna"), (f.Scope, f.ScopeKey)));
    }

    [Fact]
    public void Nothing_is_found_without_its_cause_and_everything_with_it()
    {
        for (var seed = 0; seed < 30; seed++)
        {
            var random = new Random(seed);
            var lab = new Lab($"[{Lab.Condition("silence", "duration: \"01:00:00\", late: \"00:10:00\", unreachable: \"00:20:00\", habit: 0")}]");
            var (at, events, most) = (Lab.Start, new List<GatewayEvent>(), TimeSpan.Zero);
            var isQuiet = seed % 2 == 0;
            for (var i = 0; i < 200; i++)
            {
                var pause = TimeSpan.FromSeconds(isQuiet || random.Next(50) > 0 ? random.Next(1, 590) : random.Next(3660, 9000));
                most = pause > most ? pause : most;
                at += pause;
                events.Add(At(at, i));
            }

            lab.Run(Lab.WithTicks(events, at));
            Assert.Equal(most >= TimeSpan.FromHours(1), lab.Findings.Any(f => f.Stage == "suspected-theft"));
            Assert.All(lab.Findings, f => Assert.True(f.Evidence.Measured >= f.Evidence.ExpectedHigh));
            Assert.True(!isQuiet || lab.Findings.Count == 0);
        }
    }

    internal static MessageEvent At(DateTimeOffset at, int sequence, string mode = "on", string device = "d1", string? place = null) =>
        Lab.Message(at, device, at, sequence, mode) with { Place = place };

    /// <summary>A reading every five minutes from 00:00 to 00:55.</summary>
    private static IEnumerable<MessageEvent> Driving(string device = "d1", string? place = null) => Enumerable.Range(0, 12).Select(i => At(Lab.Start.AddMinutes(5 * i), i, device: device, place: place));

    private static IEnumerable<MessageEvent> Backlog(DateTimeOffset at, int count) =>
        Enumerable.Range(0, count).Select(i => Lab.Message(at.AddSeconds(3.0 * i / count), time: Hour(1).AddMinutes(5 * i), sequence: 12 + i, mode: "on"));

    /// <summary>22:00 in Japan: when the car is parked.</summary>
    private static DateTimeOffset Night(int day) => Lab.Start.AddHours(13).AddDays(day);

    /// <summary>A car that drives for half an hour before and after a night of about nine hours without coverage.</summary>
    private static List<GatewayEvent> Nights(Random random, int from, int count)
    {
        var events = new List<GatewayEvent>();
        for (var day = from; day < from + count; day++)
        {
            var (parked, back) = (Night(day).AddMinutes(random.Next(-25, 26)), Night(day).AddHours(9).AddMinutes(random.Next(-25, 26)));
            events.AddRange(Enumerable.Range(0, 7).Select(i => At(parked.AddMinutes((5 * i) - 60), (day * 1000) + i)));
            for (var (at, i) = (back, 0); at < Night(day + 1).AddMinutes(-90); at = at.AddMinutes(5))
            {
                events.Add(At(at, (day * 1000) + 100 + i++));
            }
        }

        return Lab.WithTicks(events, events[^1].ArrivedAt);
    }

    private static DateTimeOffset Hour(double hours) => Lab.Start.AddHours(hours);

    private static IEnumerable<string> Stages(Lab lab) => lab.Findings.Select(f => $"{f.Stage} {f.RaisedAt:HH:mm}");
}
