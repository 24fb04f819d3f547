using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Sekisho.Distribution.Mapping;

/// <summary>
/// Reads a device's own time, whatever it holds: ISO 8601 with an offset, Unix seconds or Unix milliseconds, between 1970 and 2200. Everything
/// else, the years 1 and 9999 included, is no time. The result is UTC in whole milliseconds. Pure.
/// </summary>
internal static class DeviceTimes
{
    private const int MaxText = 64;

    // From here on a number is milliseconds: as seconds it would be the year 5138, as milliseconds it is 1973.
    private const double Milliseconds = 1e11;

    private static readonly long Latest = new DateTimeOffset(2200, 12, 31, 23, 59, 59, 999, TimeSpan.Zero).ToUnixTimeMilliseconds();

    /// <summary>The time that the reader stands on; null when it is none.</summary>
    public static DateTimeOffset? Read(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.Number when reader.TryGetDouble(out var number) => FromNumber(number),
        JsonTokenType.String when reader.ValueSpan.Length <= MaxText && !reader.ValueIsEscaped => FromText(reader.ValueSpan, ref reader),
        _ => null,
    };

    private static DateTimeOffset? FromNumber(double number)
    {
        var ms = Math.Floor(Math.Abs(number) < Milliseconds ? number * 1000 : number);
        return ms >= 0 && ms <= Latest ? DateTimeOffset.FromUnixTimeMilliseconds((long)ms) : null;
    }

    private static DateTimeOffset? FromText(ReadOnlySpan<byte> text, ref Utf8JsonReader reader)
    {
        var clock = text.IndexOf((byte)'T');
        if (clock < 0 || text[(clock + 1)..].IndexOfAny("Z+-"u8) < 0)
        {
            return null; // without an offset nobody knows which time it is
        }

        if (reader.TryGetDateTimeOffset(out var time))
        {
            return InRange(time);
        }

        // "+0900", as strftime writes it.
        return DateTimeOffset.TryParseExact(
            Encoding.UTF8.GetString(text),
            ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyyMMdd'T'HHmmsszzz"],
            CultureInfo.InvariantCulture,
            DateTimeStyles.None,
            out time)
            ? InRange(time)
            : null;
    }

    private static DateTimeOffset? InRange(DateTimeOffset time) =>
        time.ToUnixTimeMilliseconds() is var ms && ms >= 0 && ms <= Latest ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null;
}
