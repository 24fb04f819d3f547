using System.Globalization;
using Sekisho.Domain.Detection;

namespace Sekisho.Response.Incidents;

/// <summary>Why a person's wish was not followed.</summary>
internal enum IncidentRefusal
{
    None,
    WrongState,
    StepOrder,
}

/// <summary>The states of an incident and every way between them. Pure: an incident, what happened, and out comes the next one with the lines that say so; null when it does not apply.</summary>
internal static class IncidentMachine
{
    /// <summary>Conditions that are told apart, at most.</summary>
    public const int MostConditions = 100;

    /// <summary>Comments of people, at most.</summary>
    public const int MostComments = 1_000;

    /// <summary>Who moves what nobody moved.</summary>
    public const string Gateway = "gateway";

    private const string Rest = "*";

    /// <summary>The incident that a finding opens, before it is in it.</summary>
    public static Incident Open(Finding finding, IncidentSettings settings) => new()
    {
        Id = Incident.IdOf(finding.Id),
        FieldId = finding.FieldId,
        State = IncidentStates.Open,
        Level = finding.Level,
        OpenedAt = finding.RaisedAt,
        LastAt = finding.RaisedAt,
        DueAt = finding.RaisedAt + settings.DueFor(finding.Level),
        Details = new IncidentDetails(),
    };

    /// <summary>Findings join it, however many: what is written grows with the conditions, not with the findings.</summary>
    public static IncidentChange Grow(Incident incident, IReadOnlyList<Finding> findings, IncidentSettings settings)
    {
        var entries = new List<IncidentEntry>();
        var first = findings[0];
        if (incident.Findings == 0)
        {
            entries.Add(Line(first, EntryKinds.Opened));
        }

        // What comes after everything was found normal has to be recovered from anew.
        if (incident.State == IncidentStates.Closed || incident.RecoveredAt is not null)
        {
            incident = Afresh(incident, first.RaisedAt, settings);
            entries.Add(Line(first, EntryKinds.Reopened));
        }

        var conditions = incident.Details.Conditions.ToList();
        var places = conditions.Select((c, at) => (c, at)).ToDictionary(p => (p.c.Key, p.c.Level), p => p.at);
        var lines = incident.Details.Lines;
        foreach (var finding in findings)
        {
            var key = places.ContainsKey((finding.ConditionKey, finding.Level)) || conditions.Count < MostConditions ? finding.ConditionKey : Rest;
            if (places.TryGetValue((key, finding.Level), out var place))
            {
                var known = conditions[place];
                // Lanes commit side by side: what comes later need not be later.
                conditions[place] = finding.RaisedAt < known.LastAt
                    ? known with { Count = known.Count + 1 }
                    : known with { Count = known.Count + 1, LastAt = finding.RaisedAt, Last = finding.Id };
            }
            else
            {
                places.Add((key, finding.Level), conditions.Count);
                conditions.Add(new IncidentCondition(key, finding.Condition, finding.Level, finding.Risk, finding.Threat, 1, 0, finding.RaisedAt, finding.RaisedAt, finding.Id, finding.Id));
            }

            if (lines < settings.MostLines)
            {
                lines++;
                entries.Add(Line(finding, EntryKinds.Finding));
            }
        }

        var last = findings.Max(f => f.RaisedAt);
        var next = incident with
        {
            Findings = incident.Findings + findings.Count,
            LastAt = last > incident.LastAt ? last : incident.LastAt,
            Details = incident.Details with { Conditions = conditions, Lines = lines },
        };
        var levelled = Levelled(next, settings);
        if (incident.Findings > 0 && Levels.Rank(levelled.Level) > Levels.Rank(incident.Level))
        {
            entries.Add(new IncidentEntry(first.RaisedAt, EntryKinds.LevelRose, Gateway) { Values = Values(("level", levelled.Level)), CorrelationId = first.CorrelationId });
        }

        return new IncidentChange(levelled, entries);
    }

    /// <summary>Findings of it were taken back. When none stands and nobody has it in hand it is closed, unless something is still in force because of it.</summary>
    public static IncidentChange? TakeBack(Incident incident, IReadOnlyList<(string ConditionKey, string Level)> findings, string reason, DateTimeOffset at, bool isHeld, IncidentSettings settings)
    {
        var conditions = incident.Details.Conditions.ToList();
        foreach (var (key, level) in findings)
        {
            var place = conditions.FindIndex(c => c.Key == key && c.Level == level);
            place = place >= 0 ? place : conditions.FindIndex(c => c.Key == Rest && c.Level == level);
            if (place >= 0)
            {
                conditions[place] = conditions[place] with { Retracted = conditions[place].Retracted + 1 };
            }
        }

        var entries = new List<IncidentEntry>();
        var lines = incident.Details.Lines;
        if (lines < settings.MostLines)
        {
            lines++;
            entries.Add(new IncidentEntry(at, EntryKinds.Retracted, Gateway) { Values = Values(("count", findings.Count.ToString(CultureInfo.InvariantCulture)), ("reason", reason)) });
        }

        var next = incident with { Retracted = incident.Retracted + findings.Count, Details = incident.Details with { Conditions = conditions, Lines = lines } };
        if (next.State == IncidentStates.Closed)
        {
            return new IncidentChange(next, entries);
        }

        next = Levelled(next, settings);
        if (next is { State: IncidentStates.Open, Details.Assignee: null } && next.Retracted >= next.Findings && !isHeld)
        {
            next = next with { State = IncidentStates.Closed, ClosedAs = IncidentStates.Retracted, ClosedAt = at, Details = next.Details with { Closed = new IncidentNote(Gateway, at, "") } };
            entries.Add(new IncidentEntry(at, EntryKinds.ClosedRetracted, Gateway));
        }

        return new IncidentChange(next, entries);
    }

    /// <summary>A device of it came into another state.</summary>
    public static IncidentChange? DeviceMoved(Incident incident, string device, string state, DateTimeOffset at, string correlationId, IncidentSettings settings) =>
        incident.State == IncidentStates.Closed || incident.Details.Lines >= settings.MostLines ? null : new IncidentChange(
            incident with { Details = incident.Details with { Lines = incident.Details.Lines + 1 } },
            [new IncidentEntry(at, EntryKinds.Device, Gateway) { Values = Values(("device", device), ("state", state)), CorrelationId = correlationId }]);

    /// <summary>People labelled findings of it elsewhere: acknowledged means in hand; when all are closed, so is it.</summary>
    /// <param name="incident">The incident.</param>
    /// <param name="allClosedAs">What it is when no finding is left open; null while one is.</param>
    /// <param name="label">What they said.</param>
    /// <param name="settings">Settings.</param>
    public static IncidentChange? Labelled(Incident incident, string? allClosedAs, FindingLabel label, IncidentSettings settings)
    {
        if (label.Label == FindingLabel.Reopened)
        {
            return incident.State != IncidentStates.Closed ? null : new IncidentChange(
                Afresh(incident, label.At, settings), [new IncidentEntry(label.At, EntryKinds.ReopenedBy, label.Actor, label.Note) { CorrelationId = label.CorrelationId }]);
        }

        if (incident.State == IncidentStates.Closed)
        {
            return null;
        }

        if (allClosedAs is not null)
        {
            return new IncidentChange(
                incident with
                {
                    State = IncidentStates.Closed,
                    ClosedAs = allClosedAs,
                    ClosedAt = label.At,
                    Label = "",
                    Details = incident.Details with { Closed = new IncidentNote(label.Actor, label.At, label.Note ?? "") },
                },
                [new IncidentEntry(label.At, EntryKinds.ClosedByFindings, label.Actor, label.Note) { Values = Values(("as", allClosedAs)), CorrelationId = label.CorrelationId }]);
        }

        return incident.State != IncidentStates.Open ? null : new IncidentChange(
            incident with { State = IncidentStates.InHand }, [new IncidentEntry(label.At, EntryKinds.InHand, label.Actor) { CorrelationId = label.CorrelationId }]);
    }

    /// <summary>Somebody is to work on it, or nobody any more. Its findings count as taken in hand, so later steps of ladders do not come.</summary>
    public static IncidentChange? Assign(Incident incident, string? assignee, IncidentNote note)
    {
        if (incident.State == IncidentStates.Closed)
        {
            return null;
        }

        var state = (incident.State, assignee) switch
        {
            (IncidentStates.Open, not null) => IncidentStates.InHand,
            (IncidentStates.InHand, null) => IncidentStates.Open,
            _ => incident.State,
        };
        var next = incident with { State = state, Label = "", Details = incident.Details with { Assignee = assignee } };
        if (assignee is not null)
        {
            next = next with { Label = FindingLabel.Acknowledged, Details = next.Details with { Labelled = note with { Text = "" } } };
        }

        return Changed(next, note, assignee is null ? EntryKinds.Unassigned : EntryKinds.Assigned, ("assignee", assignee ?? ""));
    }

    public static IncidentChange? SetDue(Incident incident, DateTimeOffset due, IncidentNote note) => incident.State == IncidentStates.Closed ? null : Changed(
        incident with { DueAt = due, Details = incident.Details with { IsDueSet = true } }, note, EntryKinds.Due, ("due", due.ToString("O", CultureInfo.InvariantCulture)));

    public static IncidentChange? SetLevel(Incident incident, string level, IncidentNote note, IncidentSettings settings) => incident.State == IncidentStates.Closed ? null : Changed(
        Levelled(incident with { Details = incident.Details with { LevelSet = new LevelByPerson(level, OfFindings(incident.Details.Conditions) ?? incident.Level) } }, settings),
        note, EntryKinds.Level, ("level", level), ("before", incident.Level));

    /// <summary>A comment; also on what is closed.</summary>
    public static IncidentChange? Comment(Incident incident, IncidentNote note) =>
        incident.Details.Comments >= MostComments ? null : Changed(incident with { Details = incident.Details with { Comments = incident.Details.Comments + 1 } }, note, EntryKinds.Comment);

    /// <summary>A memo for who takes over, and who that is when it is known.</summary>
    public static IncidentChange? HandOver(Incident incident, string? to, IncidentNote note) => incident.State == IncidentStates.Closed ? null : Changed(
        incident with { Details = incident.Details with { HandOver = note, Assignee = to ?? incident.Details.Assignee } }, note, EntryKinds.HandOver, ("assignee", to ?? incident.Details.Assignee ?? ""));

    /// <summary>The step that comes next; null when all are behind it.</summary>
    public static string? NextStep(Incident incident) => RecoverySteps.All.FirstOrDefault(s => incident.Details.Recovery.All(d => d.Step != s));

    /// <summary>A step of the recovery was done, or is skipped.</summary>
    public static (IncidentChange? Change, IncidentRefusal Refusal) Step(Incident incident, string step, bool isSkipped, IncidentNote note)
    {
        if (incident.State == IncidentStates.Closed)
        {
            return (null, IncidentRefusal.WrongState);
        }

        // What came over a device while its release was going on is released by the same step again.
        var releases = step == RecoverySteps.Release && !isSkipped;
        if (NextStep(incident) != step && !(releases && incident is { ReleaseAskedAt: not null, RecoveredAt: null }))
        {
            return (null, IncidentRefusal.StepOrder);
        }

        var next = incident with
        {
            State = IncidentStates.Recovering,
            ReleaseAskedAt = releases ? note.At : incident.ReleaseAskedAt,
            Details = incident.Details with { Recovery = [.. incident.Details.Recovery.Where(d => d.Step != step), new RecoveryDone(step, note.At, note.By, note.Text, isSkipped)] },
        };
        return (Changed(next, note, isSkipped ? EntryKinds.Skipped : EntryKinds.Step, ("step", step)), IncidentRefusal.None);
    }

    /// <summary>All its devices are in their normal state, and nothing is in force on them.</summary>
    public static IncidentChange? Recovered(Incident incident, DateTimeOffset at) =>
        incident is not { State: not IncidentStates.Closed, ReleaseAskedAt: not null, RecoveredAt: null } ? null : new IncidentChange(
            incident with { RecoveredAt = at }, [new IncidentEntry(at, EntryKinds.Recovered, Gateway)]);

    /// <summary>A person closes it; its findings are to get the same label.</summary>
    public static IncidentChange? Close(Incident incident, string closedAs, IncidentNote note) => incident.State == IncidentStates.Closed ? null : Changed(
        incident with
        {
            State = IncidentStates.Closed,
            ClosedAs = closedAs,
            ClosedAt = note.At,
            Label = closedAs,
            Details = incident.Details with { Closed = note, Labelled = note },
        },
        note, EntryKinds.Closed, ("as", closedAs));

    /// <summary>A person was mistaken in closing it.</summary>
    public static IncidentChange? Reopen(Incident incident, IncidentNote note, IncidentSettings settings) =>
        incident.State != IncidentStates.Closed ? null : Changed(Afresh(incident, note.At, settings), note, EntryKinds.ReopenedBy);

    private static Incident Afresh(Incident incident, DateTimeOffset at, IncidentSettings settings)
    {
        var closed = incident.State == IncidentStates.Closed;
        return incident with
        {
            State = incident.Details.Assignee is null ? IncidentStates.Open : IncidentStates.InHand,
            ClosedAs = null,
            ClosedAt = null,
            Label = closed ? "" : incident.Label,
            ReleaseAskedAt = null,
            RecoveredAt = null,
            DueAt = at + settings.DueFor(incident.Level),
            Details = incident.Details with { Closed = null, Recovery = [], IsDueSet = false, Reopened = incident.Details.Reopened + (closed ? 1 : 0) },
        };
    }

    // The highest of what stands; of what was all taken back nothing stands.
    private static string? OfFindings(IReadOnlyList<IncidentCondition> conditions) =>
        conditions.Where(c => c.Count > c.Retracted).Select(c => c.Level).MaxBy(Levels.Rank);

    private static Incident Levelled(Incident incident, IncidentSettings settings)
    {
        var found = OfFindings(incident.Details.Conditions);
        var set = incident.Details.LevelSet is { } by && (found is null || Levels.Rank(found) <= Levels.Rank(by.OfFindings)) ? by : null;
        var level = set?.Level ?? found ?? incident.Level;
        var due = incident.Details.IsDueSet || level == incident.Level ? incident.DueAt : incident.DueAt - settings.DueFor(incident.Level) + settings.DueFor(level);
        return incident with { Level = level, DueAt = due, Details = incident.Details with { LevelSet = set } };
    }

    private static IncidentEntry Line(Finding finding, string kind) => new(finding.RaisedAt, kind, Gateway)
    {
        Values = Values(("finding", finding.Id), ("condition", finding.Condition), ("device", finding.DeviceId ?? ""), ("scope", finding.Scope), ("level", finding.Level)),
        CorrelationId = finding.CorrelationId,
    };

    private static IncidentChange Changed(Incident next, IncidentNote note, string kind, params ReadOnlySpan<(string, string)> values) => new(
        next, [new IncidentEntry(note.At, kind, note.By, note.Text.Length == 0 ? null : note.Text) { Values = Values(values), CorrelationId = note.CorrelationId }]);

    private static Dictionary<string, string> Values(params ReadOnlySpan<(string Name, string Value)> values)
    {
        var all = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in values)
        {
            all[name] = value;
        }

        return all;
    }
}
