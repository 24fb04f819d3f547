using Sekisho.Domain.Detection;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Incidents;

/// <summary>Findings about one device or of one cause, as one thing that people work on. Immutable; <see cref="IncidentMachine"/> makes the next one.</summary>
internal sealed record Incident
{
    /// <summary>What its records in the history are called.</summary>
    public const string InHistory = "incident";

    /// <summary>"i" and 15 characters of 0-9 and a-z, derived from its first finding.</summary>
    public required string Id { get; init; }

    /// <summary>Counts the changes; a change that was decided on an older one is refused by the store.</summary>
    public long Version { get; init; }

    /// <summary>The field; null for the gateway itself.</summary>
    public required string? FieldId { get; init; }

    /// <summary>One of <see cref="IncidentStates"/>.</summary>
    public required string State { get; init; }

    /// <summary>One of <see cref="Levels"/>.</summary>
    public required string Level { get; init; }

    /// <summary>One of <see cref="Closings"/>, or <see cref="IncidentStates.Retracted"/>; null while it is not closed.</summary>
    public string? ClosedAs { get; init; }

    /// <summary>What is still to be handed on to the findings: one of <see cref="Closings"/> or <see cref="FindingLabel.Acknowledged"/>; empty for nothing.</summary>
    public string Label { get; init; } = "";

    public required DateTimeOffset OpenedAt { get; init; }

    /// <summary>When its last finding was raised.</summary>
    public required DateTimeOffset LastAt { get; init; }

    /// <summary>By when people are to be done.</summary>
    public required DateTimeOffset DueAt { get; init; }

    public DateTimeOffset? ClosedAt { get; init; }

    /// <summary>When a person had its devices released.</summary>
    public DateTimeOffset? ReleaseAskedAt { get; init; }

    /// <summary>When all its devices were found in their normal state after that.</summary>
    public DateTimeOffset? RecoveredAt { get; init; }

    public long Findings { get; init; }

    /// <summary>How many of them were taken back.</summary>
    public long Retracted { get; init; }

    /// <summary>Lines of its own in the timeline.</summary>
    public long Entries { get; init; }

    public required IncidentDetails Details { get; init; }

    /// <summary>When it was opened or changed last.</summary>
    public DateTimeOffset ChangedAt => Details.ChangedAt ?? new[] { LastAt, ClosedAt ?? LastAt, RecoveredAt ?? LastAt, Details.HandOver?.At ?? LastAt }.Max();

    /// <summary>The identifier of the incident that a finding opens.</summary>
    public static string IdOf(string findingId) => "i" + Lease.IdOf(findingId, "incident", "")[1..];
}

/// <summary>The part of an incident that is stored encrypted.</summary>
internal sealed record IncidentDetails
{
    /// <summary>What was found, each condition and level once, in the order of their first findings.</summary>
    public IReadOnlyList<IncidentCondition> Conditions { get; init; } = [];

    /// <summary>The account that works on it.</summary>
    public string? Assignee { get; init; }

    /// <summary>A level that a person set; null for that of the findings.</summary>
    public LevelByPerson? LevelSet { get; init; }

    /// <summary>A person set the due time; else it follows the level.</summary>
    public bool IsDueSet { get; init; }

    /// <summary>What the next shift has to know; null for nothing.</summary>
    public IncidentNote? HandOver { get; init; }

    /// <summary>Who closed it, and why.</summary>
    public IncidentNote? Closed { get; init; }

    /// <summary>Who asked for what is to be handed on to the findings.</summary>
    public IncidentNote? Labelled { get; init; }

    /// <summary>Steps of the recovery that are behind it.</summary>
    public IReadOnlyList<RecoveryDone> Recovery { get; init; } = [];

    /// <summary>Lines that the gateway wrote into the timeline.</summary>
    public int Lines { get; init; }

    /// <summary>Comments of people.</summary>
    public int Comments { get; init; }

    /// <summary>How often it was opened again.</summary>
    public int Reopened { get; init; }

    /// <summary>When it was changed last, always later than before; null when it never was.</summary>
    public DateTimeOffset? ChangedAt { get; init; }
}

/// <summary>One condition of an incident at one level.</summary>
/// <param name="Key">Key of the condition; "*" for all those beyond the first hundred.</param>
/// <param name="Condition">Name of its kind.</param>
/// <param name="Level">One of <see cref="Levels"/>.</param>
/// <param name="Risk">Assumed risk.</param>
/// <param name="Threat">Class of the threat.</param>
/// <param name="Count">Findings.</param>
/// <param name="Retracted">How many of them were taken back.</param>
/// <param name="FirstAt">When the first was raised.</param>
/// <param name="LastAt">When the last was raised.</param>
/// <param name="First">Identifier of the first.</param>
/// <param name="Last">Identifier of the last.</param>
internal sealed record IncidentCondition(
    string Key, string Condition, string Level, string Risk, string? Threat, long Count, long Retracted, DateTimeOffset FirstAt, DateTimeOffset LastAt, string First, string Last);

/// <summary>What a person said.</summary>
internal sealed record IncidentNote(string By, DateTimeOffset At, string Text, string CorrelationId = "");

/// <summary>A level that a person set. It falls when the findings rise above what they were at then.</summary>
internal sealed record LevelByPerson(string Level, string OfFindings);

/// <summary>A step of the recovery that was done, or skipped with a reason.</summary>
internal sealed record RecoveryDone(string Step, DateTimeOffset At, string By, string Note, bool IsSkipped);

/// <summary>One line of the timeline.</summary>
/// <param name="At">When.</param>
/// <param name="Kind">One of <see cref="EntryKinds"/>.</param>
/// <param name="By">Who; "gateway" for nobody.</param>
/// <param name="Note">A person's words; null for none.</param>
internal sealed record IncidentEntry(DateTimeOffset At, string Kind, string By, string? Note = null)
{
    /// <summary>Values of its text.</summary>
    public IReadOnlyDictionary<string, string> Values { get; init; } = new Dictionary<string, string>();

    /// <summary>Correlation id of what caused it.</summary>
    public string CorrelationId { get; init; } = "";
}

/// <summary>An incident after something happened, with the lines that say so.</summary>
internal sealed record IncidentChange(Incident Next, IReadOnlyList<IncidentEntry> Entries);

/// <summary>Stable names of the states of an incident.</summary>
internal static class IncidentStates
{
    public const string Open = "open";
    public const string InHand = "in-hand";
    public const string Recovering = "recovering";
    public const string Closed = "closed";

    /// <summary>Closed as: the gateway closed it, because all its findings were taken back before anybody took it in hand.</summary>
    public const string Retracted = "retracted";

    public static readonly IReadOnlyList<string> All = [Open, InHand, Recovering, Closed];
}

/// <summary>Stable names of the steps of a recovery, in their order.</summary>
internal static class RecoverySteps
{
    /// <summary>Find out what is wrong with the device.</summary>
    public const string Check = "check";

    /// <summary>Take what is wrong away.</summary>
    public const string Clean = "clean";

    /// <summary>Bring settings and software back.</summary>
    public const string Restore = "restore";

    /// <summary>Let it in again; ends when it is in its normal state.</summary>
    public const string Release = "release";

    public static readonly IReadOnlyList<string> All = [Check, Clean, Restore, Release];
}

/// <summary>Stable names of lines of a timeline; each has a text incident.entry.NAME.</summary>
internal static class EntryKinds
{
    public const string Opened = "opened";
    public const string Finding = "finding";
    public const string Retracted = "retracted";
    public const string LevelRose = "level-rose";
    public const string Reopened = "reopened";
    public const string ReopenedBy = "reopened-by";
    public const string Device = "device";
    public const string InHand = "in-hand";
    public const string Assigned = "assigned";
    public const string Unassigned = "unassigned";
    public const string Due = "due";
    public const string Level = "level";
    public const string Comment = "comment";
    public const string HandOver = "hand-over";
    public const string Step = "step";
    public const string Skipped = "skipped";
    public const string Recovered = "recovered";
    public const string Closed = "closed";
    public const string ClosedByFindings = "closed-by-findings";
    public const string ClosedRetracted = "closed-retracted";

    /// <summary>What is only in the timeline, not in the history: it has its own record there already.</summary>
    public static readonly IReadOnlyList<string> OnlyHere = [Finding, Retracted, Device];

    public static readonly IReadOnlyList<string> All =
    [
        Opened, Finding, Retracted, LevelRose, Reopened, ReopenedBy, Device, InHand, Assigned, Unassigned, Due, Level, Comment, HandOver, Step, Skipped, Recovered, Closed, ClosedByFindings, ClosedRetracted,
    ];
}
