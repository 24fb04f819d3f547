using System.Globalization;

namespace Sekisho.Sensor.Reading;

/// <summary>How numbers and addresses are written for people.</summary>
internal static class Writing
{
    private static readonly string[] s_units = ["", "k", "M", "G", "T"];

    /// <summary>Six pairs of hexadecimal digits with colons; "–" where the link has no MACs.</summary>
    public static string Mac(ulong mac) => mac == 0
        ? "–"
        : string.Create(CultureInfo.InvariantCulture, $"{(mac >> 40) & 0xFF:x2}:{(mac >> 32) & 0xFF:x2}:{(mac >> 24) & 0xFF:x2}:{(mac >> 16) & 0xFF:x2}:{(mac >> 8) & 0xFF:x2}:{mac & 0xFF:x2}");

    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A rate in bit/s with three digits: "1.40 Mbit/s".</summary>
    public static string BitRate(double bitsPerSecond) => Short(bitsPerSecond) + "bit/s";

    /// <summary>Bytes with three digits: "12.3 MB".</summary>
    public static string Bytes(double bytes) => Short(bytes) + "B";

    /// <summary>A share as percent with as many digits as matter.</summary>
    public static string Percent(double share) => (share * 100).ToString(share < 0.0995 ? "0.##" : "0", CultureInfo.InvariantCulture) + " %";

    /// <summary>UTC by ISO 8601, to the second.</summary>
    public static string Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Short(double value)
    {
        var unit = 0;
        while (value >= 999.5 && unit < s_units.Length - 1)
        {
            value /= 1000;
            unit++;
        }

        return value.ToString(value >= 99.95 || unit == 0 ? "0" : value >= 9.995 ? "0.0" : "0.00", CultureInfo.InvariantCulture) + " " + s_units[unit];
    }
}
