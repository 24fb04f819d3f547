using Sekisho.Domain.Detection;
using Sekisho.Domain.Localization;

namespace Sekisho.Detection.Templates;

/// <summary>A setting that differs.</summary>
/// <param name="Key">"CONDITION.PARAMETER".</param>
/// <param name="Condition">Label of the condition.</param>
/// <param name="Label">Label of the parameter.</param>
/// <param name="Unit">Stable name of its unit; empty without one.</param>
/// <param name="Before">Value in force before; null when it had no such parameter.</param>
/// <param name="After">Value in force after, as above.</param>
internal sealed record SettingChange(string Key, string Condition, string Label, string Unit, string? Before, string? After);

/// <summary>A condition that is on one side only, or of which something else than a parameter differs (kind, scope, judge, risk, level, threat, mode, schedule, stages).</summary>
internal sealed record ConditionChange(string Key, string Label);

/// <summary>How one template with values differs from another: what is in force, not what was written, so a default that changed is seen as well.</summary>
internal sealed record PlanDifference(
    string? TemplateBefore, int? VersionBefore, string TemplateAfter, int VersionAfter,
    IReadOnlyList<ConditionChange> Added, IReadOnlyList<ConditionChange> Removed, IReadOnlyList<ConditionChange> Altered, IReadOnlyList<SettingChange> Settings, bool Responses)
{
    public static PlanDifference Of(FieldTemplate? before, FieldTemplate after, Texts texts, string language)
    {
        var old = before?.Template.Conditions.ToDictionary(c => c.Key) ?? [];
        var settings = new List<SettingChange>();
        var altered = new List<ConditionChange>();
        foreach (var condition in after.Template.Conditions)
        {
            if (!old.TryGetValue(condition.Key, out var earlier))
            {
                continue;
            }

            if (!IsAlike(earlier, condition))
            {
                altered.Add(new ConditionChange(condition.Key, condition.Label.In(language)));
            }

            var was = earlier.Parameters.ToDictionary(p => p.Spec.Name);
            foreach (var parameter in condition.Parameters)
            {
                var key = $"{condition.Key}.{parameter.Spec.Name}";
                var now = ParameterText.Write(parameter.Spec, after.Values.GetValueOrDefault(key, parameter.Default));
                var text = was.Remove(parameter.Spec.Name, out var other) ? ParameterText.Write(other.Spec, before!.Values.GetValueOrDefault(key, other.Default)) : null;
                if (text != now)
                {
                    settings.Add(Change(condition, parameter, key, text, now, texts, language));
                }
            }

            foreach (var gone in was.Values)
            {
                var key = $"{condition.Key}.{gone.Spec.Name}";
                settings.Add(Change(condition, gone, key, ParameterText.Write(gone.Spec, before!.Values.GetValueOrDefault(key, gone.Default)), null, texts, language));
            }
        }

        IEnumerable<ConditionChange> Only(IEnumerable<TemplateCondition> these, IEnumerable<TemplateCondition> others) =>
            these.Where(c => others.All(o => o.Key != c.Key)).Select(c => new ConditionChange(c.Key, c.Label.In(language)));
        IReadOnlyList<TemplateCondition> none = [];
        return new PlanDifference(
            before?.Template.Id,
            before?.Template.Version,
            after.Template.Id,
            after.Template.Version,
            [.. Only(after.Template.Conditions, before?.Template.Conditions ?? none)],
            [.. Only(before?.Template.Conditions ?? none, after.Template.Conditions)],
            altered,
            settings,
            before is not null && !before.Template.Responses.SequenceEqual(after.Template.Responses));
    }

    private static SettingChange Change(TemplateCondition condition, TemplateParameter parameter, string key, string? before, string? after, Texts texts, string language) =>
        new(key, condition.Label.In(language), FindingTexts.Parameter(texts, condition.Kind.Name, parameter.Spec.Name, language), ParameterText.Unit(parameter.Spec), before, after);

    private static bool IsAlike(TemplateCondition a, TemplateCondition b) =>
        a.Kind.Name == b.Kind.Name && a.Scope == b.Scope && a.Judge == b.Judge && a.Mode == b.Mode && a.Risk == b.Risk && a.Level == b.Level && a.Threat == b.Threat
        && a.Stages.SequenceEqual(b.Stages) && a.Schedule.Count == b.Schedule.Count
        && a.Schedule.Zip(b.Schedule).All(w => w.First.From == w.Second.From && w.First.To == w.Second.To && w.First.Holidays == w.Second.Holidays && w.First.Days.SequenceEqual(w.Second.Days));
}
