using System.Globalization;

namespace Sekisho.Detection.Conditions.Schemas;

/// <summary>Tells whether a text is a time as RFC 3339 writes it (date-time of JSON Schema): 2026-04-01T09:00:00.5+09:00. Pure.</summary>
internal static class DateTimeText
{
    private const int Shortest = 20; // with Z and without a fraction

    public static bool IsOne(ReadOnlySpan<char> text)
    {
        if (text.Length < Shortest || text[4] != '-' || text[7] != '-' || text[10] is not ('T' or 't') || text[13] != ':' || text[16] != ':'
            || !TryNumber(text[..4], 0, 9999, out var year) || !TryNumber(text[5..7], 1, 12, out var month) || !TryNumber(text[8..10], 1, 31, out var day)
            || !TryNumber(text[11..13], 0, 23, out _) || !TryNumber(text[14..16], 0, 59, out _) || !TryNumber(text[17..19], 0, 60, out _))
        {
            return false;
        }

        // The calendar of the computer begins with the year 1; the year 0 is a leap year as 4 is.
        if (day > DateTime.DaysInMonth(year == 0 ? 4 : year, month))
        {
            return false;
        }

        var rest = text[19..];
        if (rest[0] == '.')
        {
            var digits = rest[1..].IndexOfAnyExceptInRange('0', '9');
            if (digits <= 0)
            {
                return false;
            }

            rest = rest[(1 + digits)..];
        }

        return rest is ['Z' or 'z']
            || (rest is ['+' or '-', _, _, ':', _, _] && TryNumber(rest[1..3], 0, 23, out _) && TryNumber(rest[4..6], 0, 59, out _));
    }

    private static bool TryNumber(ReadOnlySpan<char> digits, int least, int most, out int number) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= least && number <= most;
}
