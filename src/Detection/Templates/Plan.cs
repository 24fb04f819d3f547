using System.Collections.Frozen;
using System.Globalization;
using Sekisho.Detection.Conditions;
using Sekisho.Detection.Conditions.Devices;
using Sekisho.Detection.Conditions.Group;
using Sekisho.Detection.Conditions.Schedules;
using Sekisho.Detection.ScriptRuns;
using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Templates;

/// <summary>A template with a field's own values. Values are keyed "CONDITION.PARAMETER"; absent ones are the template's defaults.</summary>
/// <param name="Template">The template.</param>
/// <param name="Revision">Counts the changes of the field's template and values, from 1.</param>
/// <param name="Values">Values in the parameters' units.</param>
internal sealed record FieldTemplate(Template Template, int Revision, IReadOnlyDictionary<string, ParameterValue> Values)
{
    public static readonly IReadOnlyDictionary<string, ParameterValue> NoValues = new Dictionary<string, ParameterValue>();

    /// <summary>Of what the lanes keep for themselves.</summary>
    public static readonly FieldTemplate None = new(
        new Template { Id = "none", Version = 1, Title = new Bilingual("", ""), Description = new Bilingual("", ""), Conditions = [], Responses = [] }, 1, NoValues);
}

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

    /// <summary>What may follow from it, one of <see cref="Effects"/>.</summary>
    public required string Effect { get; init; }
}

/// <summary>The conditions of one scope in one field, and what the lanes keep beside them. Immutable.</summary>
internal sealed class ScopePlan
{
    /// <summary>Nothing at all: for what is gone.</summary>
    public static readonly ScopePlan Empty = new([]);

    /// <summary>A device's plan without conditions.</summary>
    public static readonly ScopePlan Bare = new([], facts: true);

    /// <param name="conditions">The conditions; they are put behind what the lanes keep.</param>
    /// <param name="facts">True to keep <see cref="DeviceFacts"/>.</param>
    /// <param name="neighbours">True to keep <see cref="Neighbours"/>.</param>
    public ScopePlan(IEnumerable<PlannedCondition> conditions, bool facts = false, bool neighbours = false)
    {
        PlannedCondition[] kept = [.. facts ? [Kept("facts", new DeviceFacts.Room())] : Array.Empty<PlannedCondition>(), .. neighbours ? [Kept("neighbours", new Neighbours.Watch())] : Array.Empty<PlannedCondition>()];
        var offset = 0;
        Conditions = [.. kept.Concat(conditions).Select(c =>
        {
            var placed = c with { Offset = offset };
            offset += c.Judged.Cells;
            return placed;
        })];
        Cells = offset;
        Memory = Conditions.Length == 0 ? 0 : Conditions.Max(c => c.Judged.Condition.QuietAfter);
        FactsOffset = facts ? Judged.Own : -1;
        NeighboursOffset = neighbours ? Conditions[facts ? 1 : 0].Offset + Judged.Own : -1;
        AsksNeighbours = Conditions.Any(c => c.Definition.Kind.AsksNeighbours);
        Groups = [.. Conditions.Where(c => c.Judged.Condition is GroupCondition && c.Effect == Effects.Act)];
    }

    public PlannedCondition[] Conditions { get; }

    /// <summary>Cells that a subject needs.</summary>
    public int Cells { get; }

    /// <summary>How long, in milliseconds, what happened still matters.</summary>
    public long Memory { get; }

    /// <summary>First cell of the device's facts; -1 when none are kept.</summary>
    public int FactsOffset { get; }

    /// <summary>First cell of a place's table of neighbours; -1 when none is kept.</summary>
    public int NeighboursOffset { get; }

    /// <summary>True when a condition asks for neighbours.</summary>
    public bool AsksNeighbours { get; }

    /// <summary>Conditions in force whose event holds back the silence of single devices.</summary>
    public PlannedCondition[] Groups { get; }

    /// <summary>Scripts whose conditions are among them; empty as a rule.</summary>
    public IReadOnlyList<RunningScript> Scripts { get; private init; } = [];

    /// <summary>The same with conditions of scripts behind its own.</summary>
    public ScopePlan With(IEnumerable<PlannedCondition> conditions, IReadOnlyList<RunningScript> scripts)
    {
        var (facts, neighbours) = (FactsOffset >= 0, NeighboursOffset >= 0);
        return new ScopePlan(Conditions.Skip((facts ? 1 : 0) + (neighbours ? 1 : 0)).Concat(conditions), facts, neighbours) { Scripts = scripts };
    }

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

    // What the lanes keep looks like a condition that never says anything, so that it is stored, restored and taken over like one.
    private static PlannedCondition Kept(string name, ICondition room) => new()
    {
        Source = FieldTemplate.None,
        Definition = TemplateCondition.Kept(name),
        Judged = new Judged(room, new Judgement(1, 1, 0), schedule: null),
        Offset = 0,
        Identity = StableHash.Of("*", name),
        Effect = Effects.Shadow,
    };
}

/// <summary>What is in force for a field (or the gateway), by scope. A null scope has no conditions. Immutable.</summary>
internal sealed class FieldPlan
{
    public static readonly FieldPlan None = new();

    private readonly ScopePlan?[] _wide = new ScopePlan?[WideScope.All.Count];

    private FieldPlan()
    {
    }

    public FieldPlan(FieldTemplate source, TimeZoneInfo zone, FieldCalendar? calendar = null)
    {
        ZoneId = zone.Id;
        Template = source;
        Calendar = calendar ?? FieldCalendar.None;
        Device = new ScopePlan(Planned(source, Scopes.Device, zone, Calendar), facts: true);
        for (var i = 0; i < _wide.Length; i++)
        {
            var name = WideScope.All[i].Name;
            var planned = Planned(source, name, zone, Calendar).ToList();
            var neighbours = name == Scopes.Place && Device.AsksNeighbours;
            _wide[i] = planned.Count == 0 && !neighbours ? null : new ScopePlan(planned, neighbours: neighbours);
        }
    }

    public ScopePlan Device { get; private init; } = ScopePlan.Bare;

    /// <summary>Plans of the wide scopes, in the order of <see cref="WideScope.All"/>.</summary>
    public ReadOnlySpan<ScopePlan?> Wide => _wide;

    public ScopePlan? Source => Of(Scopes.Source);

    public string? ZoneId { get; private init; }

    public FieldCalendar Calendar { get; private init; } = FieldCalendar.None;

    /// <summary>True when the content of messages is not shown to conditions.</summary>
    public bool HidesContent { get; init; }

    public FieldTemplate? Template { get; private init; }

    /// <summary>The same with scripts.</summary>
    public FieldPlan With(IEnumerable<PlannedCondition> conditions, IReadOnlyList<RunningScript> scripts)
    {
        var with = new FieldPlan { ZoneId = ZoneId, Template = Template, Calendar = Calendar, HidesContent = HidesContent, Device = Device.With(conditions, scripts) };
        _wide.CopyTo(with._wide, 0);
        return with;
    }

    public ScopePlan? Of(string scope) => scope == Scopes.Device ? Device : WideScope.IndexOf(scope) is var index and >= 0 ? _wide[index] : null;

    private static IEnumerable<PlannedCondition> Planned(FieldTemplate source, string scope, TimeZoneInfo zone, FieldCalendar calendar)
    {
        foreach (var definition in source.Template.Conditions.Where(c => c.Scope == scope))
        {
            var values = definition.Parameters.ToDictionary(
                p => p.Spec.Name,
                p => source.Values.GetValueOrDefault(string.Create(CultureInfo.InvariantCulture, $"{definition.Key}.{p.Spec.Name}"), p.Default));
            var input = new ConditionInput(scope, definition.Mode, values) { Judge = definition.Judge, Zone = zone, Calendar = calendar };
            var windows = definition.WindowsWith(values);
            yield return new PlannedCondition
            {
                Source = source,
                Definition = definition,
                Judged = new Judged(definition.Kind.Create(input), Judgement.Of(input), windows.Count == 0 ? null : new Schedule(windows, zone, calendar)),
                Offset = 0,
                Identity = StableHash.Of(definition.Key, definition.Kind.Name),
                Effect = input.Text("effect"),
            };
        }
    }
}

/// <summary>All plans in force. Immutable; a change replaces it whole.</summary>
internal sealed class PlanBook(FieldPlan gateway, IReadOnlyDictionary<string, FieldPlan> fields)
{
    private readonly FrozenDictionary<string, FieldPlan> _fields = fields.ToFrozenDictionary();

    public FieldPlan Gateway { get; } = gateway;

    public IEnumerable<string> Fields => _fields.Keys;

    /// <summary>The same with other plans for some fields.</summary>
    public PlanBook Replacing(IReadOnlyDictionary<string, FieldPlan> plans) =>
        new(Gateway, _fields.Where(f => !plans.ContainsKey(f.Key)).Concat(plans).ToDictionary(f => f.Key, f => f.Value));

    /// <summary>The field's plan; for null the gateway's.</summary>
    public FieldPlan For(string? fieldId) => fieldId is null ? Gateway : _fields.GetValueOrDefault(fieldId, FieldPlan.None);
}
