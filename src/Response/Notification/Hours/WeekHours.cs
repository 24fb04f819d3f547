namespace Sekisho.Response.Notification.Hours;

/// <summary>
/// Hours of the week in a zone: stretches that begin on a day of the week and may reach into the next day. A stretch is one span of real time:
/// it begins when the clock first shows its start and ends when it last shows its end, so that a change to or from summer time neither cuts it
/// in two nor makes it vanish. A stretch that would begin on a holiday does not. Pure; any thread.
/// </summary>
internal sealed class WeekHours
{
    /// <summary>Beyond so many days nothing is looked for.</summary>
    private const int Horizon = 800;

    private readonly ILookup<DayOfWeek, (int From, int To)> _stretches;
    private readonly HashSet<DateOnly> _holidays;
    private readonly TimeZoneInfo _zone;

    /// <param name="hours">Checked hours.</param>
    /// <param name="zone">Zone they are meant in.</param>
    public WeekHours(HoursOfWeek hours, TimeZoneInfo zone)
    {
        _stretches = hours.Periods.SelectMany(p => p.Days.Select(d => (Day: Weekdays.Of(d), Span: p.Minutes))).ToLookup(p => p.Day, p => p.Span);
        _holidays = [.. hours.Holidays];
        _zone = zone;
    }

    public bool Contains(DateTimeOffset at) => Spans(DateOf(at), back: 2).Any(s => s.Start <= at && at < s.End);

    /// <summary>When the hours that contain the moment end, those that follow without a gap included; null when the moment is outside of them or they never end.</summary>
    public DateTimeOffset? EndOf(DateTimeOffset at)
    {
        var end = at;
        for (var i = 0; i < Horizon; i++)
        {
            var further = Spans(DateOf(end), back: 2).Where(s => s.Start <= end && s.End > end).Select(s => s.End).DefaultIfEmpty(end).Max();
            if (further == end)
            {
                return end == at ? null : end;
            }

            end = further;
        }

        return null;
    }

    /// <summary>The first moment from <paramref name="at"/> on that is within the hours; null when there is none for years.</summary>
    public DateTimeOffset? NextWithin(DateTimeOffset at)
    {
        if (Contains(at))
        {
            return at;
        }

        var date = DateOf(at);
        for (var i = 0; i < Horizon; i++)
        {
            if (Spans(date.AddDays(i), back: 0).Where(s => s.Start > at).Select(s => (DateTimeOffset?)s.Start).Min() is { } start)
            {
                return start;
            }
        }

        return null;
    }

    private DateOnly DateOf(DateTimeOffset at) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(at, _zone).DateTime);

    private IEnumerable<(DateTimeOffset Start, DateTimeOffset End)> Spans(DateOnly date, int back)
    {
        for (var day = date.AddDays(-back); day <= date; day = day.AddDays(1))
        {
            foreach (var (from, to) in _holidays.Contains(day) ? [] : _stretches[day.DayOfWeek])
            {
                yield return (Moment(day, from, last: false), Moment(day, to, last: true));
            }
        }
    }

    /// <summary>When the clock shows a time of day; where it shows it twice, the first or the last time; where it never does, when it leaps over it.</summary>
    private DateTimeOffset Moment(DateOnly day, int minutes, bool last)
    {
        var local = day.ToDateTime(TimeOnly.MinValue).AddMinutes(minutes);
        while (_zone.IsInvalidTime(local))
        {
            local = local.AddMinutes(1);
        }

        if (!_zone.IsAmbiguousTime(local))
        {
            return new DateTimeOffset(local, _zone.GetUtcOffset(local)).ToUniversalTime();
        }

        var offsets = _zone.GetAmbiguousTimeOffsets(local);
        return new DateTimeOffset(local, last ? offsets.Min() : offsets.Max()).ToUniversalTime();
    }
}
