using System.Globalization;
using Sekisho.Detection.Conditions;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Localization;

namespace Sekisho.Detection.Backtest;

/// <summary>A back-test, for people.</summary>
internal sealed record BacktestView
{
    public required string Id { get; init; }

    /// <summary>One of <see cref="BacktestStates"/>.</summary>
    public required string State { get; init; }

    /// <summary>0 to 1.</summary>
    public required double Progress { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required string StartedBy { get; init; }

    public required DateTimeOffset? EndedAt { get; init; }

    public required string TemplateId { get; init; }

    public required int Version { get; init; }

    /// <summary>First event that was replayed.</summary>
    public required DateTimeOffset LearnFrom { get; init; }

    /// <summary>Findings count from here on.</summary>
    public required DateTimeOffset From { get; init; }

    public required DateTimeOffset To { get; init; }

    /// <summary>Events replayed so far.</summary>
    public required long Events { get; init; }

    /// <summary>Settings that differ from what is in force.</summary>
    public required PlanDifference? Difference { get; init; }

    /// <summary>Null until it is done.</summary>
    public required BacktestResultView? Result { get; init; }

    public static BacktestView Of(BacktestJob job, IReadOnlyList<string> transient, Texts texts, string language) => new()
    {
        Id = job.Id,
        State = job.State,
        Progress = job.Progress,
        StartedAt = job.StartedAt,
        StartedBy = job.By,
        EndedAt = job.EndedAt,
        TemplateId = job.Plan.Proposed.Template.Id,
        Version = job.Plan.Proposed.Template.Version,
        LearnFrom = job.Plan.LearnFrom,
        From = job.Plan.From,
        To = job.Plan.To,
        Events = job.Events,
        Difference = PlanDifference.Of(job.Plan.Current, job.Plan.Proposed, texts, language),
        Result = job.Outcome is { } outcome ? BacktestResultView.Of(job.Plan, outcome, transient, texts, language) : null,
    };
}

/// <summary>Findings of a day.</summary>
internal sealed record BacktestDay(DateOnly Day, int Findings, int? Current, IReadOnlyDictionary<string, int> Conditions);

/// <summary>Findings of a condition.</summary>
/// <param name="Key">Key of the condition.</param>
/// <param name="Label">Its label.</param>
/// <param name="Effect">What would follow: "suggest", "shadow" or "act"; null where it is in force only.</param>
/// <param name="Findings">Of what was tried.</param>
/// <param name="Retracted">Of these, taken back by later events.</param>
/// <param name="Subjects">Devices (users, sources …) concerned.</param>
/// <param name="Current">Of what is in force, replayed alike; null when it was not.</param>
/// <param name="Raised">What really was raised, by the settings of that time.</param>
internal sealed record BacktestCondition(string Key, string Label, string? Effect, int Findings, int Retracted, int Subjects, int? Current, long Raised);

/// <summary>One subject.</summary>
/// <param name="Condition">Key of the condition.</param>
/// <param name="Scope">One of the scopes.</param>
/// <param name="Subject">Which; "*" for all past the bound.</param>
/// <param name="Findings">Of what was tried.</param>
/// <param name="Current">Of what is in force; null when it was not replayed.</param>
/// <param name="First">When first; null when only what is in force found something.</param>
/// <param name="Last">When last.</param>
internal sealed record BacktestSubject(string Condition, string Scope, string Subject, int Findings, int? Current, DateTimeOffset? First, DateTimeOffset? Last);

/// <summary>Something that a replay cannot know, or knows otherwise than the live lanes did.</summary>
/// <param name="What">Stable name.</param>
/// <param name="Text">For people.</param>
/// <param name="Conditions">Keys of the conditions concerned; empty for all.</param>
internal sealed record BacktestLimit(string What, string Text, IReadOnlyList<string> Conditions);

/// <summary>What came out.</summary>
internal sealed record BacktestResultView
{
    private const int MostSubjects = 500;

    public required int Findings { get; init; }

    /// <summary>Devices, users, sources … with any finding.</summary>
    public required int Subjects { get; init; }

    /// <summary>Devices that sent.</summary>
    public required int Devices { get; init; }

    public required long Messages { get; init; }

    /// <summary>Findings for each day that is counted, on average.</summary>
    public required double FindingsPerDay { get; init; }

    /// <summary>Subjects and conditions with findings only in what was tried; null without comparison.</summary>
    public required int? OnlyProposed { get; init; }

    /// <summary>And only in what is in force.</summary>
    public required int? OnlyCurrent { get; init; }

    public required IReadOnlyList<BacktestDay> Days { get; init; }

    public required IReadOnlyList<BacktestCondition> Conditions { get; init; }

    /// <summary>Those with most findings first, at most 500.</summary>
    public required IReadOnlyList<BacktestSubject> BySubject { get; init; }

    public required IReadOnlyList<BacktestLimit> Limits { get; init; }

    public static BacktestResultView Of(BacktestPlan plan, BacktestOutcome outcome, IReadOnlyList<string> transient, Texts texts, string language)
    {
        var (now, before) = (outcome.Proposed.Subjects, outcome.Current?.Subjects);
        var conditions = plan.Proposed.Template.Conditions.Concat(plan.Current?.Template.Conditions ?? []).DistinctBy(c => c.Key).ToList();
        return new BacktestResultView
        {
            Findings = outcome.Proposed.Findings,
            Subjects = now.Keys.Select(k => (k.Scope, k.Subject)).Distinct().Count(),
            Devices = outcome.Devices,
            Messages = outcome.Messages,
            FindingsPerDay = Math.Round(outcome.Proposed.Findings / Math.Max(1.0 / 24, (plan.To - plan.From).TotalDays), 3),
            OnlyProposed = before is null ? null : now.Keys.Count(k => !before.ContainsKey(k)),
            OnlyCurrent = before?.Keys.Count(k => !now.ContainsKey(k)),
            Days = [.. outcome.Proposed.Days.Keys.Concat(outcome.Current?.Days.Keys ?? []).Distinct().Order().Select(day => Day(day, outcome))],
            Conditions = [.. conditions.Select(c => Condition(c, plan, outcome, language))],
            BySubject = [.. now.Keys.Concat(before?.Keys ?? []).Distinct().Select(k => Subject(k, now, before))
                .OrderByDescending(s => s.Findings).ThenByDescending(s => s.Current).ThenBy(s => s.Subject, StringComparer.Ordinal).ThenBy(s => s.Condition, StringComparer.Ordinal).Take(MostSubjects)],
            Limits = [.. LimitsOf(plan, outcome, transient, texts, language)],
        };
    }

    private static BacktestDay Day(DateOnly day, BacktestOutcome outcome)
    {
        IReadOnlyDictionary<string, int> found = outcome.Proposed.Days.TryGetValue(day, out var ofDay) ? ofDay : [];
        return new BacktestDay(day, found.Values.Sum(), outcome.Current is { } current ? current.Days.TryGetValue(day, out var was) ? was.Values.Sum() : 0 : null, found);
    }

    private static BacktestCondition Condition(TemplateCondition condition, BacktestPlan plan, BacktestOutcome outcome, string language)
    {
        var own = outcome.Proposed.Subjects.Where(s => s.Key.Condition == condition.Key).Select(s => s.Value).ToList();
        var effect = plan.Proposed.Template.Conditions.FirstOrDefault(c => c.Key == condition.Key)?.Parameters.FirstOrDefault(p => p.Spec.Name == "effect");
        return new BacktestCondition(
            condition.Key,
            condition.Label.In(language),
            effect is null ? null : plan.Proposed.Values.GetValueOrDefault(condition.Key + ".effect", effect.Default).Text,
            own.Sum(c => c.Findings),
            own.Sum(c => c.Retracted),
            own.Count,
            outcome.Current?.Subjects.Where(s => s.Key.Condition == condition.Key).Sum(s => s.Value.Findings),
            outcome.Raised.GetValueOrDefault(condition.Key).Findings);
    }

    private static BacktestSubject Subject(TallyKey key, IReadOnlyDictionary<TallyKey, TallyCount> now, IReadOnlyDictionary<TallyKey, TallyCount>? before)
    {
        var found = now.TryGetValue(key, out var count);
        return new BacktestSubject(
            key.Condition, key.Scope, key.Subject, count.Findings, before is null ? null : before.GetValueOrDefault(key).Findings,
            found ? DateTimeOffset.FromUnixTimeMilliseconds(count.First) : null, found ? DateTimeOffset.FromUnixTimeMilliseconds(count.Last) : null);
    }

    private static IEnumerable<BacktestLimit> LimitsOf(BacktestPlan plan, BacktestOutcome outcome, IReadOnlyList<string> transient, Texts texts, string language)
    {
        BacktestLimit Limit(string what, IReadOnlyList<string> conditions, params ReadOnlySpan<(string, string)> values) => new(what, texts.Get("detection.backtest.limit." + what, language, values), conditions);
        if (outcome.Kept.FirstMessage is not { } first)
        {
            yield return Limit("nothing-kept", []);
            yield break;
        }

        if (first > plan.LearnFrom)
        {
            yield return Limit("history-begins", [], ("time", Time(first)));
        }

        if (outcome.Kept.FirstTick is not { } tick || tick > plan.LearnFrom.AddMinutes(2))
        {
            yield return Limit("events-begin", [], ("time", outcome.Kept.FirstTick is { } at ? Time(at) : "–"));
        }

        var blind = plan.Proposed.Template.Conditions.Where(c => c.Parameters.Any(p => p.Spec.Type == ParameterType.Pointer && IsTransient(Value(plan.Proposed, c, p), transient))).Select(c => c.Key).ToList();
        if (blind.Count > 0)
        {
            yield return Limit("transient", blind);
        }

        if (plan.Plan.HidesContent)
        {
            yield return Limit("sampling-off", []);
        }

        // Devices, calendar and exceptions from before the span are those of today; that is said each time, because it can matter at any time.
        yield return Limit("as-of-now", []);
    }

    private static string Value(FieldTemplate template, TemplateCondition condition, TemplateParameter parameter) =>
        template.Values.GetValueOrDefault(string.Create(CultureInfo.InvariantCulture, $"{condition.Key}.{parameter.Spec.Name}"), parameter.Default).Text;

    private static bool IsTransient(string pointer, IReadOnlyList<string> transient) =>
        transient.Any(t => pointer == t || pointer.StartsWith(t + "/", StringComparison.Ordinal) || (pointer.Length > 0 && t.StartsWith(pointer + "/", StringComparison.Ordinal)));

    private static string Time(DateTimeOffset at) => at.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
