using System.Globalization;
using Sekisho.Detection.Conditions;
using Sekisho.Detection.ScriptRuns;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Lanes;

/// <summary>
/// The scripts in force at the lanes' position. A change makes another book; the scripts themselves remember their faults. It belongs to the
/// lanes' state: kept in the table detection_script, written in the lanes' transaction. One lane at a time.
/// </summary>
internal sealed class ScriptBook
{
    /// <summary>Most scripts in force in a field.</summary>
    public const int MostOfField = 8;

    /// <summary>Kind of condition that findings of scripts name.</summary>
    public static readonly ConditionKind Kind = new("script", [Scopes.Device], TakesMode: false, [], _ => throw new NotSupportedException("Scripts are put in force by events, not by templates."));

    public static readonly ScriptBook Empty = new([], []);

    private readonly IReadOnlyList<RunningScript> _scripts; // in the order of field and script
    private readonly Dictionary<string, (FieldPlan Without, FieldPlan With)> _plans;
    private (PlanBook Without, PlanBook With)? _book;

    private ScriptBook(IReadOnlyList<RunningScript> scripts, Dictionary<string, (FieldPlan, FieldPlan)> plans) => (_scripts, _plans) = (scripts, plans);

    public IReadOnlyList<RunningScript> All => _scripts;

    public static ScriptBook Of(IEnumerable<RunningScript> scripts)
    {
        var sorted = scripts.OrderBy(s => s.Change.FieldId, StringComparer.Ordinal).ThenBy(s => s.Change.ScriptId, StringComparer.Ordinal).ToList();
        return sorted.Count == 0 ? Empty : new ScriptBook(sorted, []);
    }

    public RunningScript? Find(string fieldId, string scriptId) => _scripts.FirstOrDefault(s => s.Change.FieldId == fieldId && s.Change.ScriptId == scriptId);

    /// <summary>The book after a change.</summary>
    public ScriptBook With(ScriptChangedEvent change)
    {
        var others = _scripts.Where(s => s.Change.FieldId != change.FieldId || s.Change.ScriptId != change.ScriptId);
        var changed = Of(change.InForce ? others.Append(new RunningScript(change, ScriptHealth.Good)) : others);
        foreach (var (fieldId, plans) in _plans.Where(p => p.Key != change.FieldId && changed._scripts.Count > 0))
        {
            changed._plans[fieldId] = plans;
        }

        return changed;
    }

    /// <summary>The plans with the scripts in them; the same object for the same plans, and those plans themselves where there are no scripts.</summary>
    public PlanBook Over(PlanBook book)
    {
        if (_scripts.Count == 0)
        {
            return book;
        }

        if (_book is { } made && ReferenceEquals(made.Without, book))
        {
            return made.With;
        }

        var with = book.Replacing(_scripts.GroupBy(s => s.Change.FieldId).ToDictionary(g => g.Key, g => Plan(g.Key, book.For(g.Key), g)));
        _book = (book, with);
        return with;
    }

    private FieldPlan Plan(string fieldId, FieldPlan plan, IEnumerable<RunningScript> scripts)
    {
        if (_plans.TryGetValue(fieldId, out var made) && ReferenceEquals(made.Without, plan))
        {
            return made.With;
        }

        var zone = plan.ZoneId is { } id ? TimeZoneInfo.FindSystemTimeZoneById(id) : TimeZoneInfo.Utc;
        var running = scripts.Where(s => s.Manifest is not null).ToArray();
        foreach (var script in running)
        {
            script.SetZone(zone);
        }

        var with = plan.With(running.SelectMany(s => Conditions(s, plan)), running);
        _plans[fieldId] = (plan, with);
        return with;
    }

    private static IEnumerable<PlannedCondition> Conditions(RunningScript script, FieldPlan plan)
    {
        var (change, manifest) = (script.Change, script.Manifest!);
        var source = new FieldTemplate(
            new Template
            {
                Id = "script." + change.ScriptId,
                Version = change.Version,
                Title = manifest.Title,
                Description = manifest.Title,
                Conditions = [],
                Responses = [],
                Roles = plan.Template?.Template.Roles ?? [],
            },
            change.Version,
            FieldTemplate.NoValues);
        if (!manifest.IsWorker)
        {
            var room = new Judged(new ScriptCondition(script), new Judgement(1, 1, 0), schedule: null);
            yield return Planned(source, TemplateCondition.Kept(change.ScriptId), room, change.ScriptId, Effects.Shadow);
        }

        for (var i = 0; i < manifest.Findings.Count; i++)
        {
            var finding = manifest.Findings[i];
            var key = string.Create(CultureInfo.InvariantCulture, $"{change.ScriptId}.{finding.Name}");
            var definition = new TemplateCondition
            {
                Key = key,
                Kind = Kind,
                Scope = Scopes.Device,
                Risk = finding.Risk,
                Threat = finding.Threat,
                Level = finding.Level,
                Label = manifest.Title,
                Parameters = [],
            };
            yield return Planned(source, definition, new Judged(new ScriptClaim(script, i), finding.Judgement, schedule: null), key, change.Effect);
        }
    }

    private static PlannedCondition Planned(FieldTemplate source, TemplateCondition definition, Judged judged, string key, string effect) => new()
    {
        Source = source,
        Definition = definition,
        Judged = judged,
        Offset = 0,
        Identity = StableHash.Of(key, Kind.Name),
        Effect = effect,
    };
}
