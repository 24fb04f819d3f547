using Sekisho.Detection.Conditions.Schedules;

namespace Sekisho.Detection.Tests.Conditions;

public class JudgedTests
{
    [Fact]
    public void It_takes_so_many_in_a_row_to_raise_and_so_many_calm_ones_to_clear()
    {
        var lab = new Lab($"[{Lab.Condition("size", "bytes: 10", "raiseAfter: 3, clearAfter: 2")}]");
        var outcomes = "xx.xxxx.x..x".Select((c, i) =>
        {
            var result = lab.Run(Lab.Message(Lab.Start.AddSeconds(i), size: c == 'x' ? 10 : 9));
            return result.Raised.Count > 0 ? 'R' : result.Cleared.Count > 0 ? 'C' : '-';
        });
        Assert.Equal("-----R----C-", string.Concat(outcomes));
    }

    [Fact]
    public void Complaint_12_while_it_lasts_it_is_raised_again_only_after_the_repetition_and_after_clearance_at_once()
    {
        var lab = new Lab($"[{Lab.Condition("size", "bytes: 10", "repeatAfter: \"00:10:00\"")}]");
        lab.Run(Enumerable.Range(0, 25).Select(i => Lab.Message(Lab.Start.AddMinutes(i), size: 10)));
        Assert.Equal([0, 10, 20], lab.Findings.Select(f => (f.RaisedAt - Lab.Start).TotalMinutes));
        lab.Run(Lab.Message(Lab.Start.AddMinutes(25), size: 1), Lab.Message(Lab.Start.AddMinutes(25), size: 10));
        Assert.Equal(4, lab.Findings.Count);
    }

    [Fact]
    public void A_condition_that_says_nothing_of_repetition_is_raised_once_while_it_lasts()
    {
        var lab = new Lab($"[{Lab.Condition("silence", "duration: \"00:10:00\"")}]");
        lab.Run(Lab.WithTicks([Lab.Message(Lab.Start)], Lab.Start.AddDays(2)));
        Assert.Single(lab.Findings);
    }

    [Fact]
    public void Complaint_21_a_schedule_is_read_in_the_fields_zone()
    {
        var lab = new Lab($"[{Lab.Condition("size", "bytes: 10", "schedule: { from: \"22:00\", to: \"06:00\" }")}]", "Asia/Tokyo");
        lab.Run(Lab.Message(new DateTimeOffset(2026, 4, 1, 21, 59, 59, TimeSpan.FromHours(9)), size: 10));
        Assert.Empty(lab.Findings);
        lab.Run(Lab.Message(new DateTimeOffset(2026, 4, 1, 22, 0, 0, TimeSpan.FromHours(9)), size: 10));
        Assert.Single(lab.Findings);
    }

    [Fact]
    public void Complaint_12_silence_that_began_outside_the_schedule_is_found_when_the_schedule_begins()
    {
        var lab = new Lab($"[{Lab.Condition("silence", "duration: \"00:10:00\"", "schedule: { from: \"22:00\", to: \"06:00\" }")}]", "UTC");
        lab.Run(Lab.WithTicks([Lab.Message(Lab.Start.AddHours(8))], Lab.Start.AddHours(23), TimeSpan.FromSeconds(30)));
        Assert.Equal(Lab.Start.AddHours(22), Assert.Single(lab.Findings).RaisedAt);
    }

    [Theory]
    [InlineData("Asia/Tokyo")]
    [InlineData("Europe/Berlin")]
    [InlineData("America/New_York")]
    [InlineData("Australia/Lord_Howe")]
    [InlineData("Asia/Kathmandu")]
    [InlineData("America/St_Johns")]
    public void Complaint_21_a_schedule_holds_exactly_when_the_wall_clock_says_so_whatever_the_zone_does(string zoneId)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById(zoneId);
        var random = new Random(21);
        for (var round = 0; round < 200; round++)
        {
            var days = Enum.GetValues<DayOfWeek>().Where(_ => random.Next(2) == 0).ToList();
            var from = new TimeOnly(random.Next(24), random.Next(60));
            var to = random.Next(5) == 0 ? from : new TimeOnly(random.Next(24), random.Next(60));
            var schedule = new Schedule([new WeeklyWindow(days, from, to)], zone, FieldCalendar.None);
            for (var i = 0; i < 200; i++)
            {
                var at = DateTimeOffset.UnixEpoch.AddYears(56).AddMinutes(random.Next(366 * 24 * 60)).AddSeconds(random.Next(60));
                var local = TimeZoneInfo.ConvertTime(at, zone);
                var clock = TimeOnly.FromTimeSpan(local.TimeOfDay);

                // Said the long way: a window that began today or yesterday and has not ended.
                var whole = from == to;
                var beganToday = clock >= from && (whole || to < from || clock < to) && days.Contains(local.DayOfWeek);
                var beganYesterday = (whole || to < from) && clock < to && days.Contains(local.AddDays(-1).DayOfWeek);
                Assert.Equal(beganToday || beganYesterday, schedule.Contains(at.ToUnixTimeMilliseconds()));
            }
        }
    }

    [Fact]
    public void Complaint_21_a_night_window_lasts_as_long_as_the_clocks_make_the_night()
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
        var schedule = new Schedule([new WeeklyWindow([.. Enum.GetValues<DayOfWeek>()], new TimeOnly(22, 0), new TimeOnly(6, 0))], zone, FieldCalendar.None);
        int Minutes(DateTimeOffset noon) => Enumerable.Range(0, 24 * 60).Count(m => schedule.Contains(noon.AddMinutes(m).ToUnixTimeMilliseconds()));
        Assert.Equal(7 * 60, Minutes(new DateTimeOffset(2026, 3, 28, 12, 0, 0, TimeSpan.Zero)));
        Assert.Equal(8 * 60, Minutes(new DateTimeOffset(2026, 6, 1, 12, 0, 0, TimeSpan.Zero)));
        Assert.Equal(9 * 60, Minutes(new DateTimeOffset(2026, 10, 24, 12, 0, 0, TimeSpan.Zero)));
    }
}
