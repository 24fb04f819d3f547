using System.Collections.Frozen;
using System.Globalization;
using Sekisho.Detection.Conditions;
using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Templates;

/// <summary>A template with a field's own values. Values are keyed "CONDITION.PARAMETER"; absent ones are the template's defaults.</summary>
/// <param name="Template">The template.</param>
/// <param name="Revision">Counts the changes of the field's template and values, from 1.</param>
/// <param name="Values">Values in the parameters' units.</param>
internal sealed record FieldTemplate(Template Template, int Revision, IReadOnlyDictionary<string, double> Values);

/// <summary>A condition ready to run, at its place in a subject's cells. Immutable.</summary>
internal sealed record PlannedCondition
{
    public required FieldTemplate Source { get; init; }

    public required TemplateCondition Definition { get; init; }

    public required Judged Judged { get; init; }

    /// <summary>First cell of its state.</summary>
    public required int Offset { get; init; }

    /// <summary>Recognises its state after the plan changed: from condition key and kind.</summary>
    public required ulong Identity { get; init; }
}

/// <summary>The conditions of one scope in one field. Immutable.</summary>
internal sealed class ScopePlan
{
    public static readonly ScopePlan Empty = new([]);

    public ScopePlan(PlannedCondition[] conditions)
    {
        Conditions = conditions;
        Cells = conditions.Length == 0 ? 0 : conditions[^1].Offset + conditions[^1].Judged.Cells;
        Memory = conditions.Length == 0 ? 0 : conditions.Max(c => c.Judged.Condition.QuietAfter);
    }

    public PlannedCondition[] Conditions { get; }

    /// <summary>Cells that a subject needs.</summary>
    public int Cells { get; }

    /// <summary>How long, in milliseconds, what happened still matters.</summary>
    public long Memory { get; }

    public bool Concerns(in Signal signal)
    {
        foreach (var condition in Conditions)
        {
            if (condition.Judged.Condition.Concerns(signal))
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>What is in force for a field (or the gateway), by scope. A null scope has no conditions. Immutable.</summary>
internal sealed class FieldPlan
{
    public static readonly FieldPlan None = new();

    private FieldPlan()
    {
    }

    public FieldPlan(FieldTemplate source, TimeZoneInfo zone)
    {
        Device = For(source, Scopes.Device, zone) ?? ScopePlan.Empty;
        User = For(source, Scopes.User, zone);
        Source = For(source, Scopes.Source, zone);
        Field = For(source, Scopes.Field, zone);
        ZoneId = zone.Id;
        Template = source;
    }

    public ScopePlan Device { get; } = ScopePlan.Empty;

    public ScopePlan? User { get; }

    public ScopePlan? Source { get; }

    public ScopePlan? Field { get; }

    public string? ZoneId { get; }

    public FieldTemplate? Template { get; }

    public ScopePlan? Of(string scope) => scope switch
    {
        Scopes.Device => Device,
        Scopes.User => User,
        Scopes.Source => Source,
        _ => Field,
    };

    private static ScopePlan? For(FieldTemplate source, string scope, TimeZoneInfo zone)
    {
        var planned = new List<PlannedCondition>();
        var offset = 0;
        foreach (var definition in source.Template.Conditions.Where(c => c.Scope == scope))
        {
            var values = definition.Parameters.ToDictionary(
                p => p.Spec.Name,
                p => source.Values.GetValueOrDefault(string.Create(CultureInfo.InvariantCulture, $"{definition.Key}.{p.Spec.Name}"), p.Default));
            var condition = definition.Kind.Create(new ConditionInput(scope, definition.Mode, values));
            var schedule = definition.Schedule is { } window ? new WeeklySchedule(window, zone) : null;
            var judged = new Judged(condition, definition.Judgement, schedule);
            planned.Add(new PlannedCondition
            {
                Source = source,
                Definition = definition,
                Judged = judged,
                Offset = offset,
                Identity = StableHash.Of(definition.Key, definition.Kind.Name),
            });
            offset += judged.Cells;
        }

        return planned.Count == 0 ? null : new ScopePlan([.. planned]);
    }
}

/// <summary>All plans in force. Immutable; a change replaces it whole.</summary>
internal sealed class PlanBook(FieldPlan gateway, IReadOnlyDictionary<string, FieldPlan> fields)
{
    private readonly FrozenDictionary<string, FieldPlan> _fields = fields.ToFrozenDictionary();

    public FieldPlan Gateway { get; } = gateway;

    public IEnumerable<string> Fields => _fields.Keys;

    /// <summary>The field's plan; for null the gateway's.</summary>
    public FieldPlan For(string? fieldId) => fieldId is null ? Gateway : _fields.GetValueOrDefault(fieldId, FieldPlan.None);
}
