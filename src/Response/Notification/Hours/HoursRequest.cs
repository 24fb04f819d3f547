using System.Globalization;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;

namespace Sekisho.Response.Notification.Hours;

/// <summary>Hours of the week as an administrator sends them.</summary>
/// <param name="Periods">1 to 50 stretches.</param>
/// <param name="Holidays">Dates (yyyy-MM-dd) on which none begins, at most 400; null for none.</param>
internal sealed record HoursRequest(IReadOnlyList<PeriodRequest?>? Periods, IReadOnlyList<string?>? Holidays)
{
    public const int MostPeriods = 50;
    public const int MostHolidays = 400;
    private const int Week = 7 * 24 * 60;
    private const int LeastOutside = 60;

    /// <summary>The hours; what is wrong with them goes into <paramref name="faults"/>. Pure.</summary>
    /// <param name="place">Where they stand in the request.</param>
    /// <param name="mustEnd">At least an hour of the week has to be outside of them.</param>
    /// <param name="texts">Texts.</param>
    /// <param name="language">The reader's.</param>
    /// <param name="faults">Takes the faults.</param>
    public HoursOfWeek? Read(string place, bool mustEnd, Texts texts, string language, List<Fault> faults)
    {
        var before = faults.Count;
        if (Periods is not { Count: > 0 and <= MostPeriods })
        {
            Fault("/periods", "periods", ("most", $"{MostPeriods}"));
        }

        if (Holidays is { Count: > MostHolidays })
        {
            Fault("/holidays", "holidays", ("most", $"{MostHolidays}"));
        }

        var periods = (Periods ?? []).Take(MostPeriods).Select((p, i) => Period(p, $"/periods/{i}")).ToList();
        var holidays = (Holidays ?? []).Take(MostHolidays).Select((h, i) => Holiday(h, $"/holidays/{i}")).ToList();
        if (faults.Count > before)
        {
            return null;
        }

        var hours = new HoursOfWeek([.. periods.OfType<Period>()], [.. holidays.OfType<DateOnly>().Distinct().Order()]);
        if (mustEnd && Week - Covered(hours) < LeastOutside)
        {
            Fault("/periods", "hours-never-end");
            return null;
        }

        return hours;

        void Fault(string where, string name, params ReadOnlySpan<(string, string)> values) => faults.Add(new Fault(place + where, texts.Get("notification.fault." + name, language, values)));

        Period? Period(PeriodRequest? request, string where)
        {
            var days = (request?.Days ?? []).Select(d => d ?? "").Distinct(StringComparer.Ordinal).ToList();
            if (days.Count == 0 || days.Except(Weekdays.All).Any())
            {
                Fault(where + "/days", "days", ("allowed", string.Join(", ", Weekdays.All)));
            }

            var (from, to) = (Hours.Period.MinuteOf(request?.From), Hours.Period.MinuteOf(request?.To));
            if (from is null || request!.From == "24:00")
            {
                Fault(where + "/from", "time-of-day");
            }

            if (to is null || to == from)
            {
                Fault(where + "/to", "time-of-day");
            }

            return request is null ? null : new Period(days, request.From ?? "", request.To ?? "");
        }

        DateOnly? Holiday(string? text, string where)
        {
            if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date))
            {
                return date;
            }

            Fault(where, "date");
            return null;
        }
    }

    // Minutes of a week without holidays and changes of the clock.
    private static int Covered(HoursOfWeek hours)
    {
        var week = new bool[Week];
        foreach (var period in hours.Periods)
        {
            var (from, to) = period.Minutes;
            foreach (var day in period.Days.Select(d => (int)Weekdays.Of(d)))
            {
                for (var i = from; i < to; i++)
                {
                    week[((day * 24 * 60) + i) % Week] = true;
                }
            }
        }

        return week.Count(covered => covered);
    }
}

/// <summary>One stretch.</summary>
/// <param name="Days">Days of the week on which it begins, "monday" to "sunday".</param>
/// <param name="From">"HH:mm".</param>
/// <param name="To">"HH:mm" or "24:00"; earlier than <paramref name="From"/> for the next day.</param>
internal sealed record PeriodRequest(IReadOnlyList<string?>? Days, string? From, string? To);
