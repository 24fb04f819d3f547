namespace Sekisho.Detection.Conditions.Schedules;

/// <summary>
/// Days and hours of a week. A window over midnight belongs to the day on which it begins; equal ends mean the whole day. Judged by the wall
/// clock, so that on days when clocks change every shown time counts as what it says. Immutable.
/// </summary>
/// <param name="Days">Days on which the window begins.</param>
/// <param name="From">Begin, inclusive.</param>
/// <param name="To">End, exclusive.</param>
internal sealed record WeeklyWindow(IReadOnlyList<DayOfWeek> Days, TimeOnly From, TimeOnly To)
{
    /// <summary>What holidays do to it, one of <see cref="HolidayRules"/>.</summary>
    public string Holidays { get; init; } = HolidayRules.Ignored;
}

/// <summary>Stable names of what holidays do to a window.</summary>
internal static class HolidayRules
{
    /// <summary>A holiday is the day of the week that it is.</summary>
    public const string Ignored = "ignored";

    /// <summary>On a holiday the window does not begin.</summary>
    public const string Never = "never";

    /// <summary>On a holiday the window begins, whatever the day of the week.</summary>
    public const string Also = "also";

    /// <summary>The window begins on holidays only.</summary>
    public const string Only = "only";

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<string> All = [Ignored, Never, Also, Only];
}

/// <summary>Windows in a zone with a calendar: a moment is in the schedule when it is in any of them. Immutable, any thread.</summary>
internal sealed class Schedule(IReadOnlyList<WeeklyWindow> windows, TimeZoneInfo zone, FieldCalendar calendar)
{
    private readonly Window[] _windows = [.. windows.Select(w => new Window(w))];

    /// <summary>True when the moment (Unix milliseconds) lies in a window.</summary>
    public bool Contains(long at)
    {
        var utc = DateTimeOffset.FromUnixTimeMilliseconds(at);
        var local = utc.UtcDateTime + zone.GetUtcOffset(utc);
        var minute = (local.Hour * 60) + local.Minute;
        var today = DateOnly.FromDateTime(local);
        foreach (var window in _windows)
        {
            if (window.Contains(today, minute, calendar))
            {
                return true;
            }
        }

        return false;
    }

    private sealed class Window(WeeklyWindow window)
    {
        private readonly byte _days = (byte)window.Days.Aggregate(0, (bits, day) => bits | (1 << (int)day));
        private readonly int _from = (int)window.From.ToTimeSpan().TotalMinutes;
        private readonly int _to = (int)window.To.ToTimeSpan().TotalMinutes;

        public bool Contains(DateOnly today, int minute, FieldCalendar calendar) => _from < _to
            ? minute >= _from && minute < _to && Begins(today, calendar)
            : (minute >= _from && Begins(today, calendar)) || (minute < _to && Begins(today.AddDays(-1), calendar));

        private bool Begins(DateOnly day, FieldCalendar calendar)
        {
            var listed = (_days & (1 << (int)day.DayOfWeek)) != 0;
            return window.Holidays switch
            {
                HolidayRules.Never => listed && !calendar.IsHoliday(day),
                HolidayRules.Also => listed || calendar.IsHoliday(day),
                HolidayRules.Only => calendar.IsHoliday(day),
                _ => listed,
            };
        }
    }
}
