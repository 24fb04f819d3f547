using System.Globalization;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;

namespace Sekisho.Detection.Findings;

/// <summary>Says in a sentence what a finding claims, from its evidence. Any thread.</summary>
internal sealed class Sentences(Texts texts, IDeviceDirectory directory)
{
    /// <summary>The sentence; its times are in the field's zone with the offset, the gateway's own in UTC.</summary>
    public string Of(Finding finding, string language)
    {
        var evidence = finding.Evidence;
        var values = new List<(string, string)>
        {
            ("device", Subject(finding, language)),
            ("measured", Number(evidence.Measured)),
            ("unit", evidence.Unit),
            ("expectedLow", evidence.ExpectedLow is { } low ? Number(low) : ""),
            ("expectedHigh", evidence.ExpectedHigh is { } high ? Number(high) : ""),
            ("time", Time(finding)),
        };
        values.Add(("metric", texts.Get($"condition.{finding.Condition}", language)));
        values.AddRange(evidence.Facts.Select(f => (f.Key, f.Value)));
        return texts.Get(FindingTexts.SentenceKey(finding, texts, language) ?? $"finding.{finding.Condition}.sentence", language, [.. values]);
    }

    /// <summary>Why a finding was taken back.</summary>
    public string Retracted(string reason, string language) => texts.Get($"finding.retracted.{reason}", language);

    /// <summary>What would have kept it quiet.</summary>
    public string Counterfactual(Finding finding, string language)
    {
        var (parameter, comparison, value, unit) = finding.Evidence.Counterfactual;
        var written = unit switch
        {
            "s" => TimeSpan.FromSeconds(value).ToString("c", CultureInfo.InvariantCulture),
            "time-of-day" => TimeOnly.MinValue.AddMinutes(value).ToString("HH:mm", CultureInfo.InvariantCulture),
            _ => Number(value),
        };
        return texts.Get(
            $"finding.counterfactual.{comparison}",
            language,
            ("parameter", ParameterLabels.Of(texts, finding.Condition, parameter, language)),
            ("value", written));
    }

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);

    private string Subject(Finding finding, string language)
    {
        if (finding.Scope is Scopes.Device or Scopes.User && directory.Device(finding.ScopeKey) is { Name.Length: > 0 } profile)
        {
            return $"{profile.Name} ({finding.ScopeKey})";
        }

        return texts.Get($"finding.subject.{finding.Scope}", language, ("key", finding.ScopeKey));
    }

    private string Time(Finding finding)
    {
        var zone = finding.FieldId is { } id && directory.Field(id) is { } field && TimeZoneInfo.TryFindSystemTimeZoneById(field.TimeZone, out var known) ? known : TimeZoneInfo.Utc;
        return TimeZoneInfo.ConvertTime(finding.RaisedAt, zone).ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);
    }
}
