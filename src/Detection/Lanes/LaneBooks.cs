using Sekisho.Detection.Findings.Exceptions;
using Sekisho.Detection.Thresholds;

namespace Sekisho.Detection.Lanes;

/// <summary>What all lanes know in common, as of a position: made by events, stored with the lanes. Immutable.</summary>
internal sealed record LaneBooks(ExceptionBook Exceptions, PriorBook Priors)
{
    /// <summary>Scripts in force.</summary>
    public ScriptBook Scripts { get; init; } = ScriptBook.Empty;

    public static readonly LaneBooks Empty = new(ExceptionBook.Empty, PriorBook.Empty);
}
