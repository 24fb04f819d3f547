namespace Sekisho.Detection.Conditions;

/// <summary>
/// Days and hours of a week in a time zone. A window over midnight belongs to the day on which it begins; equal ends mean the whole day.
/// Judged by the wall clock, so that on days when clocks change every shown time counts as what it says. Immutable.
/// </summary>
/// <param name="Days">Days on which the window begins.</param>
/// <param name="From">Begin, inclusive.</param>
/// <param name="To">End, exclusive.</param>
internal sealed record WeeklyWindow(IReadOnlyList<DayOfWeek> Days, TimeOnly From, TimeOnly To);

/// <summary>A window in a zone.</summary>
internal sealed class WeeklySchedule(WeeklyWindow window, TimeZoneInfo zone)
{
    private readonly byte _days = (byte)window.Days.Aggregate(0, (bits, day) => bits | (1 << (int)day));
    private readonly int _from = (int)window.From.ToTimeSpan().TotalMinutes;
    private readonly int _to = (int)window.To.ToTimeSpan().TotalMinutes;

    /// <summary>True when the moment (Unix milliseconds) lies in the window.</summary>
    public bool Contains(long at)
    {
        var utc = DateTimeOffset.FromUnixTimeMilliseconds(at);
        var local = utc.UtcDateTime + zone.GetUtcOffset(utc);
        var minute = (local.Hour * 60) + local.Minute;
        var today = (int)local.DayOfWeek;
        if (_from < _to)
        {
            return minute >= _from && minute < _to && On(today);
        }

        return (minute >= _from && On(today)) || (minute < _to && On((today + 6) % 7));
    }

    private bool On(int day) => (_days & (1 << day)) != 0;
}
