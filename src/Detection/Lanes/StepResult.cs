using Sekisho.Detection.Findings;
using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Lanes;

/// <summary>A changed state, encoded; null when the subject is gone.</summary>
internal readonly record struct ChangedState(SubjectId Id, string? FieldId, int Lane, byte[]? State);

/// <summary>What a stretch of the journal made of the lanes: everything a commit needs, so that a commit can be repeated without another step.</summary>
internal sealed record StepResult
{
    public required LaneBatch Batch { get; init; }

    public required IReadOnlyList<RaisedFinding> Raised { get; init; }

    public required IReadOnlyList<Clearance> Cleared { get; init; }

    public required IReadOnlyList<ChangedState> States { get; init; }

    public required LaneClock Clock { get; init; }

    public int Events { get; init; }

    /// <summary>True when nothing but the clock moved.</summary>
    public bool IsIdle => Batch.Chunks.Count == 0 && Batch.Duplicates.Count == 0 && Batch.Facts.Count == 0
        && Raised.Count == 0 && Cleared.Count == 0 && States.Count == 0;
}
