using System.Globalization;
using System.Text.Json;
using Sekisho.Detection.Conditions;
using Sekisho.Detection.Conditions.Devices;

namespace Sekisho.Detection.Templates;

/// <summary>
/// Parameter values as people write them: whole and decimal numbers, durations as [d.]hh:mm:ss, times of day as HH:mm, words, lines of text, JSON
/// pointers and documents, and lists as JSON arrays of texts. "auto" stands for a number that nobody sets.
/// </summary>
internal static class ParameterText
{
    private const string Auto = "auto";
    private const int LongestLine = 256;

    /// <summary>The value in the parameter's unit and within the bounds; null when the text is none.</summary>
    public static ParameterValue? Read(ParameterSpec spec, string text, double least, double most)
    {
        bool Within(double value) => value >= least && value <= most;
        return spec.Type switch
        {
            ParameterType.Choice => spec.Choices.Contains(text) ? ParameterValue.Of(text) : null,
            ParameterType.Text => IsLine(text) && Within(text.Length) ? ParameterValue.Of(text) : null,
            ParameterType.Pointer => text.Length == 0 || (text[0] == '/' && text.Length <= LongestLine && IsPointer(text)) ? ParameterValue.Of(text) : null,
            ParameterType.Document => Within(text.Length) && IsJson(text) && spec.Check?.Invoke(text) is null ? ParameterValue.Of(text) : null,
            ParameterType.Texts or ParameterType.Networks => ReadList(text) is { } list ? ReadList(spec, list, least, most) : null,
            _ => ReadNumber(spec, text) is { } number && (Within(number) || (double.IsNaN(number) && MayBeAuto(spec))) ? ParameterValue.Of(number) : null,
        };
    }

    /// <summary>A list of texts within the bounds; null when it is none.</summary>
    public static ParameterValue? ReadList(ParameterSpec spec, IReadOnlyList<string> list, double least, double most) =>
        list.Count >= least && list.Count <= most && list.All(t => IsLine(t) && (spec.Type != ParameterType.Networks || NetworkRange.TryParse(t, out _))) ? ParameterValue.Of(list) : null;

    /// <summary>The value as people write it.</summary>
    public static string Write(ParameterSpec spec, ParameterValue value) => spec.Type switch
    {
        ParameterType.Choice or ParameterType.Text or ParameterType.Pointer or ParameterType.Document => value.Text,
        ParameterType.Texts or ParameterType.Networks => JsonSerializer.Serialize(value.List, JsonSerializerOptions.Web),
        _ => Write(spec, value.Number),
    };

    /// <summary>A bound as people write it.</summary>
    public static string Write(ParameterSpec spec, double number) => spec.Type switch
    {
        _ when double.IsNaN(number) => Auto,
        ParameterType.Duration => TimeSpan.FromSeconds(number).ToString("c", CultureInfo.InvariantCulture),
        ParameterType.TimeOfDay => TimeOnly.MinValue.AddMinutes(number).ToString("HH:mm", CultureInfo.InvariantCulture),
        ParameterType.Number => number.ToString("R", CultureInfo.InvariantCulture),
        _ => ((long)number).ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>Stable name of a unit.</summary>
    public static string Unit(ParameterSpec spec) => spec.Unit ?? spec.Type switch
    {
        ParameterType.Duration => "s",
        ParameterType.Bytes => "bytes",
        ParameterType.Percent => "percent",
        ParameterType.Count => "count",
        _ => "",
    };

    /// <summary>Stable name of a type; the text detection.fault.NAME says what it allows.</summary>
    public static string Name(ParameterType type) => type switch
    {
        ParameterType.Duration => "duration",
        ParameterType.Number => "number",
        ParameterType.TimeOfDay => "time-of-day",
        ParameterType.Choice => "choice",
        ParameterType.Text => "text",
        ParameterType.Pointer => "pointer",
        ParameterType.Texts => "texts",
        ParameterType.Networks => "networks",
        ParameterType.Document => "document",
        _ => "whole",
    };

    private static bool MayBeAuto(ParameterSpec spec) => spec.Default is { } standard && double.IsNaN(standard.Number);

    private static double? ReadNumber(ParameterSpec spec, string text)
    {
        switch (spec.Type)
        {
            case ParameterType.Duration:
                return text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out var span) ? span.TotalSeconds : null;
            case ParameterType.TimeOfDay:
                return TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? time.ToTimeSpan().TotalMinutes : null;
            case ParameterType.Number:
                return text == Auto ? double.NaN
                    : double.TryParse(text, NumberStyles.Float & ~NumberStyles.AllowLeadingWhite & ~NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real) ? real
                    : null;
            default:
                return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? whole : null;
        }
    }

    private static IReadOnlyList<string>? ReadList(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<string?[]>(text) is { } list && list.All(t => t is not null) ? [.. list.OfType<string>()] : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool IsLine(string text) => text.Length is > 0 and <= LongestLine && !text.Any(char.IsControl);

    private static bool IsPointer(string text)
    {
        for (var at = text.IndexOf('~', StringComparison.Ordinal); at >= 0; at = text.IndexOf('~', at + 1))
        {
            if (at + 1 == text.Length || text[at + 1] is not ('0' or '1'))
            {
                return false;
            }
        }

        return !text.Any(char.IsControl);
    }

    private static bool IsJson(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 32 });
            return true;
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            // Half a surrogate pair is refused as an argument.
            return false;
        }
    }
}
