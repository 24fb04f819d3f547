using System.Globalization;
using Sekisho.Detection.Conditions;

namespace Sekisho.Detection.Templates;

/// <summary>Parameter values as people write them: whole numbers, and durations as [d.]hh:mm:ss.</summary>
internal static class ParameterValue
{
    /// <summary>The value in the parameter's unit; false when the text is none.</summary>
    public static bool TryRead(ParameterType type, string text, out double value)
    {
        if (type == ParameterType.Duration)
        {
            var read = TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out var span);
            value = span.TotalSeconds;
            return read && text.Contains(':', StringComparison.Ordinal);
        }

        var whole = long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number);
        value = number;
        return whole;
    }

    public static string Write(ParameterType type, double value) => type == ParameterType.Duration
        ? TimeSpan.FromSeconds(value).ToString("c", CultureInfo.InvariantCulture)
        : ((long)value).ToString(CultureInfo.InvariantCulture);

    /// <summary>Stable name of a unit.</summary>
    public static string Unit(ParameterType type) => type switch
    {
        ParameterType.Duration => "s",
        ParameterType.Bytes => "bytes",
        ParameterType.Percent => "percent",
        _ => "count",
    };

    /// <summary>Stable name of a type.</summary>
    public static string Name(ParameterType type) => type == ParameterType.Duration ? "duration" : "whole";
}
