namespace Sekisho.Domain.Events;

/// <summary>
/// A field's detection script was put in force, replaced or withdrawn. An event, so that a verdict can be derived again: a version is in force
/// from its place in the journal on, and the event carries all of it.
/// </summary>
public sealed record ScriptChangedEvent : GatewayEvent
{
    /// <summary>Field it watches.</summary>
    public required string FieldId { get; init; }

    /// <summary>Which script of the field.</summary>
    public required string ScriptId { get; init; }

    /// <summary>Which version of it, from 1.</summary>
    public required int Version { get; init; }

    /// <summary>False when it is withdrawn.</summary>
    public required bool InForce { get; init; }

    /// <summary>What may follow from its findings, one of <see cref="Detection.Effects"/>.</summary>
    public required string Effect { get; init; }

    /// <summary>The script (UTF-8); empty when it is withdrawn.</summary>
    public ReadOnlyMemory<byte> Source { get; init; }

    /// <summary>Who did it.</summary>
    public required string By { get; init; }

    /// <summary>Why, for people.</summary>
    public string? Reason { get; init; }
}

/// <summary>What a worker script found on a run. An event, so that nothing of a verdict depends on when the worker ran.</summary>
public sealed record ScriptReportEvent : GatewayEvent
{
    /// <summary>Field of the script.</summary>
    public required string FieldId { get; init; }

    /// <summary>Which script.</summary>
    public required string ScriptId { get; init; }

    /// <summary>Version that ran; the report of another than the one in force is passed over.</summary>
    public required int Version { get; init; }

    /// <summary>JSON list of what it returned: its state, then an object of claims by device; empty when it failed.</summary>
    public ReadOnlyMemory<byte> Result { get; init; }

    /// <summary>Why it failed; null when it did not.</summary>
    public string? Fault { get; init; }

    /// <summary>True when the failure may not happen again with the same input (time, memory).</summary>
    public bool Chance { get; init; }
}
