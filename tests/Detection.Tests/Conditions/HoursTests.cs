using Sekisho.Detection.Conditions.Schedules;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

public class HoursTests
{
    private static readonly TimeSpan Japan = TimeSpan.FromHours(9);

    [Theory]
    [InlineData("21:59:59", 0)]
    [InlineData("22:00:00", 1)]
    [InlineData("23:59:59", 1)]
    [InlineData("00:00:00", 1)]
    [InlineData("05:59:59", 1)]
    [InlineData("06:00:00", 0)]
    public void V17_a_successful_authentication_at_night_is_found_over_midnight_in_the_fields_zone(string time, int findings)
    {
        var lab = new Lab($"[{Lab.Condition("hours", "")}]", "Asia/Tokyo");
        var at = new DateTimeOffset(2026, 4, 1, 0, 0, 0, Japan) + TimeSpan.Parse(time, System.Globalization.CultureInfo.InvariantCulture);
        lab.Run(Lab.Authentication(at));
        Assert.Equal(findings, lab.Findings.Count);
    }

    [Theory]
    [InlineData(AuthenticationOutcomes.WrongSecret, 0)]
    [InlineData(AuthenticationOutcomes.Pending, 0)]
    [InlineData(AuthenticationOutcomes.Bound, 1)]
    [InlineData(AuthenticationOutcomes.Renewed, 1)]
    public void Only_success_counts(string outcome, int findings)
    {
        var lab = new Lab($"[{Lab.Condition("hours", "")}]", "Asia/Tokyo");
        lab.Run(Lab.Authentication(new DateTimeOffset(2026, 4, 1, 23, 0, 0, Japan), outcome: outcome), Lab.Message(new DateTimeOffset(2026, 4, 1, 23, 30, 0, Japan)));
        Assert.Equal(findings, lab.Findings.Count);
    }

    [Fact]
    public void Messages_are_judged_at_the_time_at_which_they_were_taken()
    {
        var lab = new Lab($"[{Lab.Condition("hours", "events: messages")}]", "Asia/Tokyo");
        var evening = new DateTimeOffset(2026, 4, 1, 21, 0, 0, Japan);
        lab.Run(Lab.Message(evening, time: evening, sequence: 1));

        // Taken in the evening, delivered at night; then one that was taken at night and is delivered in the morning.
        lab.Run(Lab.Message(evening.AddHours(2), time: evening.AddMinutes(30), sequence: 2));
        Assert.Empty(lab.Findings);
        lab.Run(Lab.Message(evening.AddHours(12), time: evening.AddHours(6), sequence: 3));
        Assert.Equal("03:00", Assert.Single(lab.Findings).Evidence.Facts["at"]);
    }

    [Fact]
    public void Days_and_holidays_of_the_field_decide_and_a_night_belongs_to_the_day_on_which_it_begins()
    {
        int Count(string parameters)
        {
            var template = Lab.TemplateOf($"[{Lab.Condition("hours", parameters, "repeatAfter: \"00:01:00\"")}]");
            var lab = new Lab(template, calendar: new FieldCalendar(japan: true, [], []));

            // From Friday 1 May to Thursday 7 May 2026, once an hour; 3 to 6 May are holidays.
            lab.Run(Enumerable.Range(0, 7 * 24).Select(i => Lab.Authentication(new DateTimeOffset(2026, 5, 1, 0, 30, 0, Japan).AddHours(i))));
            return lab.Findings.Count;
        }

        Assert.Equal(7 * 8, Count(""));
        Assert.Equal(5 * 8 - 6 + 6, Count("days: weekdays"));
        Assert.Equal(6 + (2 * 8) + 2, Count("days: every-day, holidays: never"));
        Assert.Equal(4 * 8, Count("days: every-day, holidays: only"));
        Assert.Equal(4 * 4, Count("from: \"09:00\", to: \"13:00\", days: weekdays, holidays: only"));
    }

    [Theory]
    [InlineData("22:30", "from", 22 * 60 + 31)]
    [InlineData("03:15", "to", 3 * 60 + 15)]
    public void The_counterfactual_holds(string time, string parameter, double value)
    {
        var at = new DateTimeOffset(2026, 4, 1, 0, 0, 0, Japan) + TimeSpan.Parse(time, System.Globalization.CultureInfo.InvariantCulture);
        var lab = new Lab($"[{Lab.Condition("hours", "")}]");
        lab.Run(Lab.Authentication(at));
        var other = Assert.Single(lab.Findings).Evidence.Counterfactual;
        Assert.Equal((parameter, value), (other.Parameter, other.Value));
        var quiet = new Lab($"[{Lab.Condition("hours", $"{parameter}: \"{TimeOnly.MinValue.AddMinutes(value):HH:mm}\"")}]");
        quiet.Run(Lab.Authentication(at));
        Assert.Empty(quiet.Findings);
    }

    [Fact]
    public void The_next_night_is_another_matter()
    {
        var lab = new Lab($"[{Lab.Condition("hours", "", "repeatAfter: \"06:00:00\"")}]");
        var night = new DateTimeOffset(2026, 4, 1, 23, 0, 0, Japan);
        lab.Run(Lab.WithTicks(Enumerable.Range(0, 3).SelectMany(d => Enumerable.Range(0, 5).Select(i => Lab.Authentication(night.AddDays(d).AddMinutes(i)))), night.AddDays(3)));
        Assert.Equal(3, lab.Findings.Count);
    }

    [Fact]
    public void Learnt_hours_find_the_first_sign_in_at_night_and_stay_quiet_at_school()
    {
        var lab = new Lab($"[{Lab.Condition("hours", "", "judge: learnt", scope: "device")}]", "Asia/Tokyo");
        lab.Run(Lab.WithTicks(School(new Random(3), 0, 28), new DateTimeOffset(2026, 4, 29, 2, 59, 0, Japan)));
        Assert.Empty(lab.Findings);
        lab.Run(Lab.Authentication(new DateTimeOffset(2026, 4, 29, 3, 0, 0, Japan)));
        var evidence = Assert.Single(lab.Findings).Evidence;
        Assert.Equal(("learnt", 1), (evidence.Origin, evidence.Measured));
        Assert.InRange(evidence.ExpectedHigh!.Value, 0, 0.999);
    }

    [Fact]
    public void Learnt_hours_keep_to_their_false_alarms()
    {
        var months = 0;
        var alarms = 0;
        for (var seed = 0; seed < 8; seed++)
        {
            var lab = new Lab($"[{Lab.Condition("hours", "alarms: 0.2", "judge: learnt")}]", "Asia/Tokyo");
            lab.Run(Lab.WithTicks(School(new Random(seed), 0, 60), new DateTimeOffset(2026, 5, 31, 0, 0, 0, Japan)));
            alarms += lab.Findings.Count;
            months += 2;
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"{alarms} in {months} user-months");
        Assert.InRange(alarms / (double)months, 0, 1);
    }

    [Fact]
    public void Before_a_day_is_known_learnt_hours_say_nothing()
    {
        var lab = new Lab($"[{Lab.Condition("hours", "", "judge: learnt")}]");
        lab.Run(Lab.WithTicks(Enumerable.Range(0, 23).Select(i => Lab.Authentication(Lab.Start.AddHours(i))), Lab.Start.AddHours(23)));
        lab.Run(Enumerable.Range(0, 100).Select(i => Lab.Authentication(Lab.Start.AddHours(23).AddSeconds(i))));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void Nothing_is_found_outside_the_window_and_everything_inside()
    {
        var random = new Random(34);
        for (var round = 0; round < 300; round++)
        {
            var (from, to) = (random.Next(1440), random.Next(1440));
            var lab = new Lab($"[{Lab.Condition("hours", $"from: \"{TimeOnly.MinValue.AddMinutes(from):HH:mm}\", to: \"{TimeOnly.MinValue.AddMinutes(to):HH:mm}\"")}]", "UTC");
            var minute = random.Next(1440);
            lab.Run(Lab.Authentication(Lab.Start.AddMinutes(minute)));
            var isInside = from < to ? minute >= from && minute < to : minute >= from || minute < to;
            Assert.Equal(isInside ? 1 : 0, lab.Findings.Count);
        }
    }

    /// <summary>Sign-ins of a pupil in hours of school and sometimes in the evening, of weekdays.</summary>
    private static IEnumerable<GatewayEvent> School(Random random, int first, int days) =>
        from day in Enumerable.Range(first, days)
        let midnight = new DateTimeOffset(2026, 4, 1, 0, 0, 0, Japan).AddDays(day)
        where midnight.DayOfWeek is not (DayOfWeek.Saturday or DayOfWeek.Sunday)
        from hour in new[] { 8, 9, 10, 11, 13, 14, 19 }
        let count = hour == 19 ? random.Next(2) : random.Next(1, 4)
        from minute in Enumerable.Range(0, count).Select(_ => random.Next(60)).Order().ToList()
        select Lab.Authentication(midnight.AddHours(hour).AddMinutes(minute));
}
