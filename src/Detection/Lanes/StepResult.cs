using Sekisho.Detection.Findings;
using Sekisho.Detection.ScriptRuns;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Lanes;

/// <summary>What a stretch of the journal made of the lanes: everything a commit needs, so that a commit can be repeated without another step.</summary>
internal sealed record StepResult
{
    public required LaneBatch Batch { get; init; }

    public required IReadOnlyList<RaisedFinding> Raised { get; init; }

    public required IReadOnlyList<Clearance> Cleared { get; init; }

    /// <summary>What was raised and is taken back.</summary>
    public IReadOnlyList<Clearance> Retracted { get; init; } = [];

    /// <summary>Changes of exceptions, in order.</summary>
    public IReadOnlyList<ExceptionChangedEvent> Exceptions { get; init; } = [];

    /// <summary>Changes of priors, in order.</summary>
    public IReadOnlyList<PriorEvent> Priors { get; init; } = [];

    /// <summary>Changes of scripts, in order.</summary>
    public IReadOnlyList<ScriptChangedEvent> Scripts { get; init; } = [];

    /// <summary>How scripts fare, where that changed.</summary>
    public IReadOnlyList<ScriptMark> ScriptMarks { get; init; } = [];

    /// <summary>How often each exception allowed something, and when it did last.</summary>
    public IReadOnlyDictionary<string, (int Times, long At)> Allowed { get; init; } = new Dictionary<string, (int, long)>();

    /// <summary>Valid until the next step.</summary>
    public required StateChanges States { get; init; }

    public required LaneClock Clock { get; init; }

    public int Events { get; init; }

    /// <summary>True when nothing but the clock moved.</summary>
    public bool IsIdle => Batch.Chunks.Count == 0 && Batch.Duplicates.Count == 0 && Batch.Facts.Count == 0
        && Raised.Count == 0 && Cleared.Count == 0 && Retracted.Count == 0 && States.Settled.Count == 0 && ScriptMarks.Count == 0;
}
