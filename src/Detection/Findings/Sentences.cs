using System.Globalization;
using Sekisho.Detection.Findings.Exceptions;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
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
        return texts.Get(
            $"finding.counterfactual.{comparison}",
            language,
            ("parameter", FindingTexts.Parameter(texts, finding.Condition, parameter, language)),
            ("value", FindingTexts.Setting(texts, value, unit, language)));
    }

    /// <summary>What was measured.</summary>
    public string Measured(Finding finding, string language) =>
        texts.Get("finding.explain.measured", language, ("metric", Metric(finding, language)), ("value", FindingTexts.Quantity(texts, finding.Evidence.Measured, finding.Evidence.Unit, language)));

    /// <summary>What was expected, and where that came from.</summary>
    public string Expected(Finding finding, string language)
    {
        var evidence = finding.Evidence;
        string Bound(double value) => FindingTexts.Quantity(texts, value, evidence.Unit, language);
        var band = (evidence.ExpectedLow, evidence.ExpectedHigh) switch
        {
            ({ } low, { } high) => texts.Get("finding.explain.expected.between", language, ("low", Bound(low)), ("high", Bound(high))),
            ({ } low, null) => texts.Get("finding.explain.expected.from", language, ("low", Bound(low))),
            (null, { } high) => texts.Get("finding.explain.expected.to", language, ("high", Bound(high))),
            _ => texts.Get("finding.explain.expected.none", language),
        };
        return band + (language == "ja" ? "" : " ") + Origin(finding, language);
    }

    /// <summary>Which events it rests on.</summary>
    public string Events(Finding finding, string language)
    {
        var events = finding.Evidence.Events;
        return texts.Get(
            events.Count == 0 ? "finding.explain.events.none" : "finding.explain.events",
            language,
            ("count", events.Count.ToString(CultureInfo.InvariantCulture)),
            ("first", events.Count == 0 ? "" : events.Min().ToString(CultureInfo.InvariantCulture)),
            ("last", events.Count == 0 ? "" : events.Max().ToString(CultureInfo.InvariantCulture)),
            ("position", finding.Position.ToString(CultureInfo.InvariantCulture)));
    }

    /// <summary>Why an exception did not hold.</summary>
    public string Missed(TriedException tried, string language) => texts.Get(
        "finding.explain.tried",
        language,
        ("kind", texts.Get($"detection.exception.kind.{tried.Kind}", language)),
        ("id", tried.Id),
        ("why", texts.Get($"detection.exception.miss.{tried.Why}", language)));

    /// <summary>What follows from it.</summary>
    public string Effect(Finding finding, string language) => texts.Get($"finding.explain.effect.{finding.Effect}", language);

    /// <summary>What an exception allows.</summary>
    public string Exception(ExceptionChangedEvent change, string language)
    {
        var parts = new List<string>
        {
            change.ConditionKey is { } condition ? texts.Get("detection.exception.part.condition", language, ("condition", condition)) : texts.Get("detection.exception.part.all-conditions", language),
        };
        if (change.Scope is { } scope)
        {
            parts.Add(texts.Get("detection.exception.part.scope", language, ("scope", scope)));
        }

        if (change.Subject is { } subject)
        {
            parts.Add(texts.Get("detection.exception.part.subject", language, ("subject", directory.Device(subject) is { Name.Length: > 0 } device ? $"{device.Name} ({subject})" : subject)));
        }

        if (change.Group is { } group)
        {
            var colon = group.IndexOf(':', StringComparison.Ordinal);
            parts.Add(texts.Get($"detection.exception.part.{group[..colon]}", language, ("name", group[(colon + 1)..])));
        }

        if (change.Value is { } value)
        {
            parts.Add(texts.Get("detection.exception.part.value", language, ("value", value)));
        }

        parts.Add(change.Until is { } until
            ? texts.Get("detection.exception.part.until", language, ("time", Time(until, change.FieldId)))
            : texts.Get("detection.exception.part.for-good", language));
        return texts.Get("detection.exception.sentence", language, ("kind", texts.Get($"detection.exception.kind.{change.Kind}", language)), ("parts", string.Join(language == "ja" ? "、" : ", ", parts)));
    }

    /// <summary>What an exception would have allowed.</summary>
    public string Preview(ExceptionPreview preview, string language)
    {
        string Whole(int number) => number.ToString(CultureInfo.InvariantCulture);
        var sentence = texts.Get(
            "detection.exception.preview",
            language,
            ("days", Whole(preview.Days)),
            ("looked", Whole(preview.Looked)),
            ("removed", Whole(preview.Removed)),
            ("subjects", Whole(preview.SubjectsRemoved)),
            ("acting", Whole(preview.RemovedActing)));
        return preview.RemovedIncidents == 0
            ? sentence
            : sentence + (language == "ja" ? "" : " ") + texts.Get("detection.exception.preview.incidents", language, ("incidents", Whole(preview.RemovedIncidents)));
    }

    private string Origin(Finding finding, string language)
    {
        var facts = finding.Evidence.Facts;
        return texts.Get(
            $"finding.explain.origin.{finding.Evidence.Origin}{(finding.Evidence.Origin == "learnt" && facts.ContainsKey("values") ? ".with-data" : "")}",
            language,
            ("template", finding.TemplateId),
            ("version", finding.TemplateVersion.ToString(CultureInfo.InvariantCulture)),
            ("revision", facts.GetValueOrDefault("revision", "1")),
            ("parameter", FindingTexts.Parameter(texts, finding.Condition, finding.Evidence.Counterfactual.Parameter, language)),
            ("values", facts.GetValueOrDefault("values", "0")),
            ("since", facts.GetValueOrDefault("since", "–")),
            ("setAt", facts.GetValueOrDefault("setAt", "–")),
            ("target", facts.GetValueOrDefault("target", "–")));
    }

    private string Metric(Finding finding, string language) =>
        texts.Find($"metric.{finding.Evidence.Metric}", language) ?? texts.Get($"condition.{finding.Condition}", language);

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);

    private string Subject(Finding finding, string language)
    {
        if (finding.Scope is Scopes.Device or Scopes.User && directory.Device(finding.ScopeKey) is { Name.Length: > 0 } profile)
        {
            return $"{profile.Name} ({finding.ScopeKey})";
        }

        return texts.Get($"finding.subject.{finding.Scope}", language, ("key", finding.ScopeKey));
    }

    private string Time(Finding finding) => Time(finding.RaisedAt, finding.FieldId);

    private string Time(DateTimeOffset at, string? fieldId)
    {
        var zone = fieldId is { } id && directory.Field(id) is { } field && TimeZoneInfo.TryFindSystemTimeZoneById(field.TimeZone, out var known) ? known : TimeZoneInfo.Utc;
        return TimeZoneInfo.ConvertTime(at, zone).ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);
    }
}
