namespace Sekisho.Detection.Conditions.Schedules;

/// <summary>
/// National holidays of Japan from 2007 to 2099, computed: 国民の祝日に関する法律 as amended, with 振替休日, 国民の休日 and the laws for 2019 to 2021.
/// The equinoxes follow the usual approximation, which agrees with what the government has announced so far.
/// </summary>
internal static class JapaneseHolidays
{
    public static bool Contains(DateOnly day) =>
        day.Year is >= 2007 and <= 2099 && (IsNamed(day) || IsSubstitute(day) || (IsNamed(day.AddDays(-1)) && IsNamed(day.AddDays(1))));

    // A holiday on a Sunday moves to the next day that is none itself.
    private static bool IsSubstitute(DateOnly day)
    {
        for (var before = day.AddDays(-1); IsNamed(before); before = before.AddDays(-1))
        {
            if (before.DayOfWeek == DayOfWeek.Sunday)
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsNamed(DateOnly day)
    {
        var (year, month, date) = (day.Year, day.Month, day.Day);
        return month switch
        {
            1 => date == 1 || IsMonday(day, 2),
            2 => date == 11 || (date == 23 && year >= 2020),
            3 => date == Equinox(20.8431, year),
            4 => date == 29 || (year == 2019 && date == 30),
            5 => date is 3 or 4 or 5 || (year == 2019 && date is 1 or 2),
            6 => false,
            7 => year switch
            {
                2020 => date is 23 or 24,
                2021 => date is 22 or 23,
                _ => IsMonday(day, 3),
            },
            8 => year switch
            {
                < 2016 => false,
                2020 => date == 10,
                2021 => date == 8,
                _ => date == 11,
            },
            9 => IsMonday(day, 3) || date == Equinox(23.2488, year),
            10 => year switch
            {
                2019 => date == 22 || IsMonday(day, 2),
                2020 or 2021 => false,
                _ => IsMonday(day, 2),
            },
            11 => date is 3 or 23,
            _ => date == 23 && year < 2019,
        };
    }

    private static bool IsMonday(DateOnly day, int nth) => day.DayOfWeek == DayOfWeek.Monday && (day.Day - 1) / 7 == nth - 1;

    private static int Equinox(double start, int year) => (int)(start + (0.242194 * (year - 1980)) - ((year - 1980) / 4));
}
