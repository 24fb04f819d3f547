using System.Globalization;

namespace Sekisho.Response.Notification.Hours;

/// <summary>Hours of the week as they are stored and shown, in the field's time zone.</summary>
/// <param name="Periods">The stretches.</param>
/// <param name="Holidays">Dates on which none begins.</param>
internal sealed record HoursOfWeek(IReadOnlyList<Period> Periods, IReadOnlyList<DateOnly> Holidays);

/// <summary>A stretch on some days of the week.</summary>
/// <param name="Days">One of <see cref="Weekdays"/> each: the days on which it begins.</param>
/// <param name="From">"HH:mm".</param>
/// <param name="To">"HH:mm", "24:00" for midnight; earlier than <paramref name="From"/> for the next day.</param>
internal sealed record Period(IReadOnlyList<string> Days, string From, string To)
{
    private const int Day = 24 * 60;

    /// <summary>Minutes after midnight of the day on which it begins; the end may lie in the next day.</summary>
    public (int From, int To) Minutes => MinuteOf(From) is var from && MinuteOf(To) is var to && from is { } f && to is { } t
        ? (f, t > f ? t : t + Day)
        : throw new InvalidOperationException("A period was stored unchecked.");

    /// <summary>Minutes after midnight; null when it is no time of day.</summary>
    public static int? MinuteOf(string? text) => text == "24:00" ? Day
        : TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? (time.Hour * 60) + time.Minute
        : null;
}

/// <summary>Stable names of the days of the week.</summary>
internal static class Weekdays
{
    public static readonly IReadOnlyList<string> All = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

    public static DayOfWeek Of(string name) => Enum.Parse<DayOfWeek>(name, ignoreCase: true);
}
