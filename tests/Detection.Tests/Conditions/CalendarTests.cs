using Sekisho.Detection.Conditions.Schedules;

namespace Sekisho.Detection.Tests.Conditions;

public class CalendarTests
{
    // Cabinet Office, 国民の祝日について; those of 2019 to 2021 have rules of their own.
    private const string Announced = """
        2019-01-01 2019-01-14 2019-02-11 2019-03-21 2019-04-29 2019-04-30 2019-05-01 2019-05-02 2019-05-03 2019-05-04 2019-05-05 2019-05-06 2019-07-15
        2019-08-11 2019-08-12 2019-09-16 2019-09-23 2019-10-14 2019-10-22 2019-11-03 2019-11-04 2019-11-23
        2020-01-01 2020-01-13 2020-02-11 2020-02-23 2020-02-24 2020-03-20 2020-04-29 2020-05-03 2020-05-04 2020-05-05 2020-05-06 2020-07-23 2020-07-24
        2020-08-10 2020-09-21 2020-09-22 2020-11-03 2020-11-23
        2021-01-01 2021-01-11 2021-02-11 2021-02-23 2021-03-20 2021-04-29 2021-05-03 2021-05-04 2021-05-05 2021-07-22 2021-07-23 2021-08-08 2021-08-09
        2021-09-20 2021-09-23 2021-11-03 2021-11-23
        2025-01-01 2025-01-13 2025-02-11 2025-02-23 2025-02-24 2025-03-20 2025-04-29 2025-05-03 2025-05-04 2025-05-05 2025-05-06 2025-07-21 2025-08-11
        2025-09-15 2025-09-23 2025-10-13 2025-11-03 2025-11-23 2025-11-24
        2026-01-01 2026-01-12 2026-02-11 2026-02-23 2026-03-20 2026-04-29 2026-05-03 2026-05-04 2026-05-05 2026-05-06 2026-07-20 2026-08-11 2026-09-21
        2026-09-22 2026-09-23 2026-10-12 2026-11-03 2026-11-23
        """;

    [Fact]
    public void National_holidays_of_Japan_are_those_that_were_announced()
    {
        var announced = Announced.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries).Select(d => DateOnly.ParseExact(d, "yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture)).ToList();
        var computed = new[] { 2019, 2020, 2021, 2025, 2026 }.SelectMany(y => Enumerable.Range(0, 366).Select(d => new DateOnly(y, 1, 1).AddDays(d)).Where(d => d.Year == y && JapaneseHolidays.Contains(d)));
        Assert.Equal(announced, computed);
    }

    [Theory]
    [InlineData("ignored", "2026-05-05T10:00", true)]
    [InlineData("never", "2026-05-05T10:00", false)]
    [InlineData("never", "2026-05-07T10:00", true)]
    [InlineData("also", "2026-05-03T10:00", true)]
    [InlineData("also", "2026-05-10T10:00", false)]
    [InlineData("only", "2026-05-05T10:00", true)]
    [InlineData("only", "2026-05-07T10:00", false)]
    public void A_holiday_does_to_a_window_what_the_rule_says(string rule, string at, bool expected)
    {
        var window = new WeeklyWindow([DayOfWeek.Monday, DayOfWeek.Tuesday, DayOfWeek.Wednesday, DayOfWeek.Thursday, DayOfWeek.Friday], new TimeOnly(9, 0), new TimeOnly(17, 0)) { Holidays = rule };
        var schedule = new Schedule([window], TimeZoneInfo.FindSystemTimeZoneById("Asia/Tokyo"), new FieldCalendar(japan: true, [], []));
        Assert.Equal(expected, schedule.Contains(DateTimeOffset.Parse(at + "+09:00", System.Globalization.CultureInfo.InvariantCulture).ToUnixTimeMilliseconds()));
    }

    [Fact]
    public void A_window_over_midnight_belongs_to_the_holiday_on_which_it_began()
    {
        var window = new WeeklyWindow([.. Enum.GetValues<DayOfWeek>()], new TimeOnly(22, 0), new TimeOnly(6, 0)) { Holidays = HolidayRules.Only };
        var schedule = new Schedule([window], TimeZoneInfo.FindSystemTimeZoneById("Asia/Tokyo"), new FieldCalendar(japan: true, [], []));
        bool In(string at) => schedule.Contains(DateTimeOffset.Parse(at + "+09:00", System.Globalization.CultureInfo.InvariantCulture).ToUnixTimeMilliseconds());
        Assert.True(In("2026-05-06T23:00"));
        Assert.True(In("2026-05-07T05:59"));
        Assert.False(In("2026-05-07T22:00"));
    }

    [Fact]
    public void Own_days_are_added_and_taken_away()
    {
        var calendar = new FieldCalendar(japan: true, [new DateOnly(2026, 12, 29)], [new DateOnly(2026, 5, 5)]);
        Assert.True(calendar.IsHoliday(new DateOnly(2026, 12, 29)));
        Assert.False(calendar.IsHoliday(new DateOnly(2026, 5, 5)));
        Assert.True(calendar.IsHoliday(new DateOnly(2026, 5, 4)));
    }
}
