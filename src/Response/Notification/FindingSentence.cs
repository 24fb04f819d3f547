using System.Globalization;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;

namespace Sekisho.Response.Notification;

/// <summary>
/// What a finding says, for people: the text that <see cref="FindingTexts"/> names, filled with {device} {measured} {unit} {expectedLow} {expectedHigh}
/// {time} and every fact of the evidence. A condition without such a text gets a general sentence. Pure.
/// </summary>
internal static class FindingSentence
{
    private const string DefaultZone = "Asia/Tokyo";

    public static string Of(Finding finding, FieldProfile? field, DeviceProfile? device, Texts texts, string language)
    {
        var evidence = finding.Evidence;
        var values = new List<(string, string)>
        {
            ("device", DeviceName(finding, device, texts, language)),
            ("measured", Number(evidence.Measured)),
            ("unit", evidence.Unit),
            ("expectedLow", evidence.ExpectedLow is { } low ? Number(low) : texts.Get("response.open", language)),
            ("expectedHigh", evidence.ExpectedHigh is { } high ? Number(high) : texts.Get("response.open", language)),
            ("time", Time(finding.RaisedAt, field)),
            ("metric", texts.Find($"condition.{finding.Condition}", language) ?? evidence.Metric),
            ("condition", finding.Condition),
        };
        values.AddRange(evidence.Facts.Where(f => !values.Exists(v => v.Item1 == f.Key)).Select(f => (f.Key, f.Value)));
        var text = texts.Get(FindingTexts.SentenceKey(finding, texts, language) ?? "response.sentence", language, [.. values]);
        return OneLine(text);
    }

    /// <summary>Name and identifier; what the finding is about when there is no device.</summary>
    public static string DeviceName(Finding finding, DeviceProfile? device, Texts texts, string language) => finding.DeviceId is not { } id
        ? texts.Get("response.scope", language, ("scope", texts.Name("response.scope", finding.Scope, language)))
        : string.IsNullOrWhiteSpace(device?.Name) ? id : $"{OneLine(device.Name)} ({id})";

    /// <summary>A time in the field's zone with its offset.</summary>
    public static string Time(DateTimeOffset at, FieldProfile? field) => TimeZoneInfo.ConvertTime(at, ZoneOf(field)).ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);

    /// <summary>The field's zone; that of Japan for the gateway itself.</summary>
    public static TimeZoneInfo ZoneOf(FieldProfile? field) => TimeZoneInfo.TryFindSystemTimeZoneById(field?.TimeZone ?? DefaultZone, out var found) ? found : TimeZoneInfo.Utc;

    /// <summary>Without line breaks, other control characters and marks that turn the reading direction: names and facts come from outside and must not forge a header or a line.</summary>
    public static string OneLine(string text) => string.Concat(text.Select(c =>
        char.IsControl(c) || c is '\u2028' or '\u2029' or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069') ? ' ' : c));

    /// <summary>At most so many UTF-16 units, cut between characters, with an ellipsis where something is missing.</summary>
    public static string Shortened(string text, int most) =>
        text.Length <= most ? text : text[..(char.IsHighSurrogate(text[most - 2]) ? most - 2 : most - 1)] + "…";

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}
