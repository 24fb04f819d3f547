using System.Collections.Frozen;

namespace Sekisho.Detection.Conditions.Schedules;

/// <summary>A field's holidays: those of a country, own ones, and days that are no holiday although the country says so. Immutable, any thread.</summary>
internal sealed class FieldCalendar(bool japan, IEnumerable<DateOnly> holidays, IEnumerable<DateOnly> workdays)
{
    public static readonly FieldCalendar None = new(japan: false, [], []);

    private readonly FrozenSet<DateOnly> _holidays = holidays.ToFrozenSet();
    private readonly FrozenSet<DateOnly> _workdays = workdays.ToFrozenSet();

    public bool IsHoliday(DateOnly day) => _holidays.Contains(day) || (japan && !_workdays.Contains(day) && JapaneseHolidays.Contains(day));
}
