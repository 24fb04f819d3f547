using Sekisho.Domain.Detection;

namespace Sekisho.Response.Incidents;

/// <summary>An incident as people and programs see it.</summary>
internal sealed record IncidentView
{
    public required string Id { get; init; }

    /// <summary>Null for the gateway itself.</summary>
    public string? FieldId { get; init; }

    public required string Title { get; init; }

    public required string State { get; init; }

    public required string Level { get; init; }

    /// <summary>A person set the level.</summary>
    public required bool IsLevelSet { get; init; }

    public string? ClosedAs { get; init; }

    public string? Assignee { get; init; }

    public required DateTimeOffset OpenedAt { get; init; }

    public required DateTimeOffset LastAt { get; init; }

    public required DateTimeOffset DueAt { get; init; }

    public required bool IsOverdue { get; init; }

    public DateTimeOffset? ClosedAt { get; init; }

    public DateTimeOffset? ReleaseAskedAt { get; init; }

    public DateTimeOffset? RecoveredAt { get; init; }

    public required long Findings { get; init; }

    public required long Retracted { get; init; }

    public required long Devices { get; init; }

    public required int Reopened { get; init; }

    /// <summary>Not all its findings have its label yet.</summary>
    public required bool IsLabelling { get; init; }

    public required IReadOnlyList<IncidentCondition> Conditions { get; init; }

    public IncidentNote? HandOver { get; init; }

    public IncidentNote? Closed { get; init; }

    public required IReadOnlyList<RecoveryStepView> Recovery { get; init; }

    public static IncidentView Of(Incident incident, long devices, string? oneDevice, IncidentWords words, DateTimeOffset now) => new()
    {
        Id = incident.Id,
        FieldId = incident.FieldId,
        Title = words.Title(incident, devices, oneDevice),
        State = incident.State,
        Level = incident.Level,
        IsLevelSet = incident.Details.LevelSet is not null,
        ClosedAs = incident.ClosedAs,
        Assignee = incident.Details.Assignee,
        OpenedAt = incident.OpenedAt,
        LastAt = incident.LastAt,
        DueAt = incident.DueAt,
        IsOverdue = incident.State != IncidentStates.Closed && incident.DueAt < now,
        ClosedAt = incident.ClosedAt,
        ReleaseAskedAt = incident.ReleaseAskedAt,
        RecoveredAt = incident.RecoveredAt,
        Findings = incident.Findings,
        Retracted = incident.Retracted,
        Devices = devices,
        Reopened = incident.Details.Reopened,
        IsLabelling = incident.Label.Length > 0,
        Conditions = [.. incident.Details.Conditions.OrderByDescending(c => Levels.Rank(c.Level))],
        HandOver = incident.Details.HandOver,
        Closed = incident.Details.Closed,
        Recovery = [.. RecoverySteps.All.Select(step => RecoveryStepView.Of(step, incident, words))],
    };
}

/// <summary>A step of the recovery.</summary>
/// <param name="Step">Stable name.</param>
/// <param name="Name">The same for people.</param>
/// <param name="Guide">What to do.</param>
/// <param name="State">"done", "skipped", "going-on" (a release that waits for devices), "next" or "later".</param>
/// <param name="At">When it was done.</param>
/// <param name="By">Who did it.</param>
/// <param name="Note">What they said.</param>
internal sealed record RecoveryStepView(string Step, string Name, string Guide, string State, DateTimeOffset? At, string? By, string? Note)
{
    public static RecoveryStepView Of(string step, Incident incident, IncidentWords words)
    {
        var done = incident.Details.Recovery.FirstOrDefault(d => d.Step == step);
        var state = done switch
        {
            { IsSkipped: true } => "skipped",
            { Step: RecoverySteps.Release } when incident.RecoveredAt is null => "going-on",
            not null => "done",
            _ => IncidentMachine.NextStep(incident) == step ? "next" : "later",
        };
        return new RecoveryStepView(step, words.Get("incident.step." + step), words.Get("incident.guide." + step), state, done?.At, done?.By, done?.Note);
    }
}

/// <summary>A device of an incident.</summary>
/// <param name="DeviceId">The device.</param>
/// <param name="Name">Its name; null when it does not exist any more.</param>
/// <param name="State">Its state; null when it does not exist any more.</param>
/// <param name="IsNormal">Nothing keeps it from its normal state.</param>
/// <param name="Holds">What does, in a sentence.</param>
/// <param name="Responses">Responses in force on it.</param>
internal sealed record DeviceView(string DeviceId, string? Name, string? State, bool IsNormal, string? Holds, IReadOnlyList<string> Responses)
{
    public static DeviceView Of(DeviceStanding s, IncidentWords words) => new(s.DeviceId, s.Name, s.State, s.IsNormal, words.Standing(s), [.. s.HeldBy.Select(l => l.Id)]);
}

/// <summary>What would keep the like quiet: ask there.</summary>
/// <param name="Condition">Key of the condition.</param>
/// <param name="FindingId">Its last finding.</param>
/// <param name="Href">Address of the offers.</param>
internal sealed record OfferLink(string Condition, string FindingId, string Href);

/// <summary>One incident whole.</summary>
/// <param name="Incident">The incident.</param>
/// <param name="Devices">Its devices, at most 200, those first that are not in their normal state.</param>
/// <param name="Timeline">What happened, in order of time.</param>
/// <param name="IsTimelineCut">Older lines, or responses beyond 200, are left out.</param>
/// <param name="Responses">All its responses, counted.</param>
/// <param name="Offers">Of a false alarm: what would keep the like quiet.</param>
internal sealed record IncidentFullView(
    IncidentView Incident, IReadOnlyList<DeviceView> Devices, IReadOnlyList<TimelineLine> Timeline, bool IsTimelineCut, IReadOnlyList<LeaseCount> Responses, IReadOnlyList<OfferLink> Offers);
