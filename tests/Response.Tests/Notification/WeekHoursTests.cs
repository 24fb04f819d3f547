using System.Globalization;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;
using Sekisho.Response.Notification.Hours;

namespace Sekisho.Response.Tests.Notification;

public class WeekHoursTests
{
    private static readonly Texts Texts = new([typeof(ResponseFeature).Assembly]);
    private static readonly string[] Workdays = ["monday", "tuesday", "wednesday", "thursday", "friday"];

    [Theory]
    [InlineData("2026-04-01 08:59", null, "2026-04-01 09:00")]
    [InlineData("2026-04-01 09:00", "2026-04-01 18:00", "2026-04-01 09:00")]
    [InlineData("2026-04-01 17:59", "2026-04-01 18:00", "2026-04-01 17:59")]
    [InlineData("2026-04-01 18:00", null, "2026-04-02 09:00")]
    [InlineData("2026-04-03 18:30", null, "2026-04-06 09:00")]
    [InlineData("2026-05-01 18:30", null, "2026-05-07 09:00")]
    [InlineData("2026-05-05 12:00", null, "2026-05-07 09:00")]
    public void Business_hours_open_on_workdays_and_not_on_holidays(string at, string? ends, string opens)
    {
        var hours = Hours("Asia/Tokyo", new Period(Workdays, "09:00", "18:00"), "2026-05-04", "2026-05-05", "2026-05-06");
        Assert.Equal((ends is not null, Local(ends, "Asia/Tokyo"), Local(opens, "Asia/Tokyo")), (hours.Contains(Local(at, "Asia/Tokyo")!.Value), hours.EndOf(Local(at, "Asia/Tokyo")!.Value), hours.NextWithin(Local(at, "Asia/Tokyo")!.Value)));
    }

    [Theory]
    [InlineData("2026-04-03 21:59", null)]
    [InlineData("2026-04-03 22:00", "2026-04-04 07:00")]
    [InlineData("2026-04-04 03:00", "2026-04-04 07:00")]
    [InlineData("2026-04-04 07:00", null)]
    [InlineData("2026-04-05 03:00", null)]
    public void Hours_over_midnight_belong_to_the_day_on_which_they_begin(string at, string? ends)
    {
        var hours = Hours("Asia/Tokyo", new Period(["friday"], "22:00", "07:00"));
        Assert.Equal(Local(ends, "Asia/Tokyo"), hours.EndOf(Local(at, "Asia/Tokyo")!.Value));
    }

    [Fact]
    public void Hours_that_follow_each_other_without_a_gap_end_together()
    {
        var hours = Hours("Asia/Tokyo", new Period(["friday"], "18:00", "24:00"), new Period(["saturday", "sunday"], "00:00", "24:00"), new Period(["monday"], "00:00", "08:00"));
        Assert.Equal(Local("2026-04-06 08:00", "Asia/Tokyo"), hours.EndOf(Local("2026-04-03 20:00", "Asia/Tokyo")!.Value));
        Assert.Null(Hours("Asia/Tokyo", new Period(Weekdays.All, "00:00", "24:00")).EndOf(Local("2026-04-03 20:00", "Asia/Tokyo")!.Value));
    }

    [Theory]
    // Summer time begins in Berlin on 2026-03-29 (02:00 → 03:00) and ends on 2026-10-25 (03:00 → 02:00).
    [InlineData("22:00", "02:30", "2026-03-28T21:00:00Z", "2026-03-29T01:00:00Z")]
    [InlineData("22:00", "07:00", "2026-03-28T21:00:00Z", "2026-03-29T05:00:00Z")]
    [InlineData("22:00", "07:00", "2026-10-24T20:00:00Z", "2026-10-25T06:00:00Z")]
    [InlineData("22:00", "02:30", "2026-10-24T20:00:00Z", "2026-10-25T01:30:00Z")]
    public void A_change_of_the_clock_neither_cuts_a_night_in_two_nor_moves_its_ends(string from, string to, string start, string end)
    {
        var hours = Hours("Europe/Berlin", new Period(["saturday"], from, to));
        var (first, last) = (DateTimeOffset.Parse(start, CultureInfo.InvariantCulture), DateTimeOffset.Parse(end, CultureInfo.InvariantCulture));
        for (var at = first.AddHours(-3); at < last.AddHours(3); at = at.AddMinutes(1))
        {
            Assert.Equal(at >= first && at < last, hours.Contains(at));
            Assert.Equal(at >= first && at < last ? last : null, hours.EndOf(at));
        }

        Assert.Equal(first, hours.NextWithin(first.AddDays(-1)));
    }

    [Fact]
    public void A_stretch_within_the_hour_that_a_day_leaps_over_is_no_time_at_all()
    {
        var hours = Hours("Europe/Berlin", new Period(["sunday"], "02:10", "02:50"));
        var leap = DateTimeOffset.Parse("2026-03-29T01:00:00Z", CultureInfo.InvariantCulture);
        Assert.False(hours.Contains(leap));
        Assert.False(hours.Contains(leap.AddMinutes(-1)));
        Assert.Equal(DateTimeOffset.Parse("2026-04-05T00:10:00Z", CultureInfo.InvariantCulture), hours.NextWithin(leap));
    }

    [Fact]
    public void Every_fault_of_hours_is_named_at_its_place()
    {
        var faults = new List<Fault>();
        new HoursRequest([new PeriodRequest(["Monday", null], "24:00", "25:00"), null, new PeriodRequest(["monday"], "08:00", "08:00")], ["2026-02-30", null])
            .Read("/businessHours", mustEnd: false, Texts, "en", faults);
        new HoursRequest([new PeriodRequest(Weekdays.All.ToArray(), "00:00", "23:59")], null).Read("/quietHours", mustEnd: true, Texts, "ja", faults);
        new HoursRequest([], null).Read("/x", mustEnd: true, Texts, "en", faults);
        Assert.Equal(
            [
                "/businessHours/periods/0/days", "/businessHours/periods/0/from", "/businessHours/periods/0/to", "/businessHours/periods/1/days", "/businessHours/periods/1/from",
                "/businessHours/periods/1/to", "/businessHours/periods/2/to", "/businessHours/holidays/0", "/businessHours/holidays/1", "/quietHours/periods", "/x/periods",
            ],
            faults.Select(f => f.Place));
        Assert.All(faults, f => Assert.DoesNotContain("notification.fault", f.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Mutated_hours_are_read_or_refused_and_what_is_read_can_be_asked()
    {
        var random = new Random(7);
        const string Alphabet = "0123456789:-+ mondayfri\0\u3042";
        string Mutate(string text)
        {
            if (random.Next(2) == 0)
            {
                return text;
            }

            var letters = text.ToCharArray();
            letters[random.Next(letters.Length)] = Alphabet[random.Next(Alphabet.Length)];
            return new string(letters);
        }

        var read = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var faults = new List<Fault>();
            var day = Mutate(Weekdays.All[random.Next(7)]);
            var hours = new HoursRequest([new PeriodRequest([day], Mutate("08:30"), Mutate("17:45"))], random.Next(2) == 0 ? [Mutate("2026-05-05")] : null)
                .Read("", mustEnd: true, Texts, "en", faults);
            Assert.Equal(faults.Count == 0, hours is not null);
            if (hours is not null)
            {
                read++;
                var week = new WeekHours(hours, TimeZoneInfo.FindSystemTimeZoneById("America/St_Johns"));
                var at = new DateTimeOffset(2026, random.Next(1, 13), random.Next(1, 29), random.Next(24), random.Next(60), 0, TimeSpan.Zero);
                Assert.Equal(week.Contains(at), week.EndOf(at) > at);
                Assert.True(week.NextWithin(at) is { } next && next >= at && week.Contains(next));
            }
        }

        Assert.True(read > 1000, $"{read}");
    }

    private static WeekHours Hours(string zone, Period period, params string[] holidays) =>
        new(new HoursOfWeek([period], [.. holidays.Select(h => DateOnly.Parse(h, CultureInfo.InvariantCulture))]), TimeZoneInfo.FindSystemTimeZoneById(zone));

    private static WeekHours Hours(string zone, params Period[] periods) => new(new HoursOfWeek(periods, []), TimeZoneInfo.FindSystemTimeZoneById(zone));

    private static DateTimeOffset? Local(string? text, string zone)
    {
        if (text is null)
        {
            return null;
        }

        var local = DateTime.Parse(text, CultureInfo.InvariantCulture);
        return new DateTimeOffset(local, TimeZoneInfo.FindSystemTimeZoneById(zone).GetUtcOffset(local));
    }
}
