using System.Globalization;

namespace Sekisho.Detection.Conditions;

/// <summary>Writes values into evidence: the same in every language.</summary>
internal static class Facts
{
    /// <summary>Milliseconds as [d.]hh:mm:ss, with the fraction when there is one.</summary>
    public static string Duration(long milliseconds) => TimeSpan.FromMilliseconds(milliseconds).ToString("c", CultureInfo.InvariantCulture) switch
    {
        var text when text.Contains('.', StringComparison.Ordinal) && text.Length > 12 && milliseconds % 1000 != 0 => text[..^4],
        var text => text,
    };

    public static string Whole(long value) => value.ToString(CultureInfo.InvariantCulture);
}
