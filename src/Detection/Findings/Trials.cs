using System.Globalization;
using Sekisho.Detection.Findings.Exceptions;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;

namespace Sekisho.Detection.Findings;

/// <summary>What a response would have done, or did.</summary>
/// <param name="Action">Name of the action.</param>
/// <param name="Approvals">Who would have had to agree.</param>
/// <param name="Findings">How many findings it would have answered.</param>
/// <param name="Devices">How many devices these are about.</param>
internal sealed record TrialResponse(string Action, IReadOnlyList<string> Approvals, int Findings, int Devices);

/// <summary>What a condition found in the last days, and what would follow if it acted.</summary>
internal sealed record ConditionTrial
{
    public required string ConditionKey { get; init; }

    public required string Label { get; init; }

    /// <summary>What follows from it now.</summary>
    public required string Effect { get; init; }

    public required int Days { get; init; }

    public required int Findings { get; init; }

    /// <summary>False when there were more than it looks at; then it is about the newest.</summary>
    public required bool Complete { get; init; }

    public required int Subjects { get; init; }

    public required int Retracted { get; init; }

    public required int Incidents { get; init; }

    public required int Changes { get; init; }

    public required int FalseAlarms { get; init; }

    public required double? FindingsPerDeviceMonth { get; init; }

    /// <summary>By the field's bindings as they are now.</summary>
    public required IReadOnlyList<TrialResponse> Responses { get; init; }

    /// <summary>All of it in a sentence.</summary>
    public required string Sentence { get; init; }
}

/// <summary>Sums up what conditions found. Any thread.</summary>
internal sealed class Trials(ExceptionPreviews previews, FieldPlans plans, IDeviceDirectory directory, Texts texts)
{
    public async Task<ConditionTrial> OfAsync(string fieldId, TemplateCondition condition, string effect, int days, string language, CancellationToken cancellation)
    {
        var history = await previews.HistoryAsync(fieldId, condition.Key, days, cancellation).ConfigureAwait(false);
        var found = history.Take(ExceptionPreviews.MostLooked).ToList();
        var bindings = plans.For(fieldId);
        var responses = found
            .SelectMany(f => bindings.Where(b => b.AppliesTo(f.Finding)).Select(b => (Binding: b, f.Finding)))
            .GroupBy(p => p.Binding.Action, StringComparer.Ordinal)
            .OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new TrialResponse(
                g.Key,
                [.. g.Select(p => p.Binding.Approval).Distinct().Order(StringComparer.Ordinal)],
                g.Select(p => p.Finding.Id).Distinct().Count(),
                g.Where(p => p.Finding.DeviceId is not null).Select(p => p.Finding.DeviceId).Distinct().Count()))
            .ToList();
        var months = ConditionRate.DevicesOf(directory, fieldId) * days / 30.0;
        var subjects = found.Select(f => (f.Finding.Scope, f.Finding.ScopeKey)).Distinct().Count();
        return new ConditionTrial
        {
            ConditionKey = condition.Key,
            Label = condition.Label.In(language),
            Effect = effect,
            Days = days,
            Findings = found.Count,
            Complete = history.Count <= ExceptionPreviews.MostLooked,
            Subjects = subjects,
            Retracted = found.Count(f => f.RetractedBecause is not null),
            Incidents = found.Count(f => f.ClosedAs == Closings.Incident),
            Changes = found.Count(f => f.ClosedAs == Closings.Change),
            FalseAlarms = found.Count(f => f.ClosedAs == Closings.FalseAlarm),
            FindingsPerDeviceMonth = months > 0 ? Math.Round(found.Count / months, 4) : null,
            Responses = responses,
            Sentence = Sentence(condition, effect, days, found.Count, subjects, responses, language),
        };
    }

    private string Sentence(TemplateCondition condition, string effect, int days, int findings, int subjects, IReadOnlyList<TrialResponse> responses, string language)
    {
        var followed = responses.Select(r => texts.Get("detection.trial.response", language, ("action", texts.Name("response.action", r.Action, language)), ("findings", Whole(r.Findings)), ("devices", Whole(r.Devices)))).ToList();
        return texts.Get(
            responses.Count == 0 ? "detection.trial.nothing" : effect == Effects.Act ? "detection.trial.did" : "detection.trial.would",
            language,
            ("condition", condition.Label.In(language)),
            ("days", Whole(days)),
            ("findings", Whole(findings)),
            ("subjects", Whole(subjects)),
            ("responses", string.Join(language == "ja" ? "、" : ", ", followed)));
    }

    private static string Whole(int number) => number.ToString(CultureInfo.InvariantCulture);
}
