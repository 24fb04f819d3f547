using Sekisho.Detection.Thresholds;
using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions;

/// <summary>What a condition says about one signal.</summary>
internal enum Verdict : byte
{
    /// <summary>The signal says nothing.</summary>
    None,

    /// <summary>As expected.</summary>
    Calm,

    /// <summary>Outside what is expected.</summary>
    Violation,

    /// <summary>What was claimed is explained by this signal: take it back.</summary>
    Retract,
}

/// <summary>
/// A deterministic state machine over the signals of one subject. An object holds parameters only and serves all subjects of a plan (any
/// thread); the state is a slice of <see cref="Cells"/> longs that belongs to the subject and is all zero at first. What the cells mean must
/// not depend on anything but their number, because a state outlives a change of parameters that keeps the number.
/// </summary>
internal interface ICondition
{
    /// <summary>Length of the state.</summary>
    int Cells { get; }

    /// <summary>After this many milliseconds without a violation it is over; <see cref="long.MaxValue"/> when only a calm signal ends it.</summary>
    long QuietAfter { get; }

    /// <summary>True when the signal may change the state or be judged.</summary>
    bool Concerns(in Signal signal);

    /// <summary>Judges one signal. Must not allocate.</summary>
    Verdict Step(Span<long> state, in Signal signal);

    /// <summary>Why the signal just judged was a violation.</summary>
    Evidence Explain(ReadOnlySpan<long> state, in Signal signal);

    /// <summary>Arrival time from which on a tick must be shown; <see cref="long.MaxValue"/> for none.</summary>
    long Due(ReadOnlySpan<long> state, long at, long downtime) => long.MaxValue;

    /// <summary>Which of the kind's stages the violation just judged has reached, from 0. A higher one than before is raised at once.</summary>
    int Stage(ReadOnlySpan<long> state) => 0;

    /// <summary>Each violation is a matter of its own: it is raised, with its own stage, also while an earlier one lasts. Something outside bounds their number.</summary>
    bool RaisesEach => false;

    /// <summary>Why it takes back what it claimed, one of the kind's reasons.</summary>
    string Reason(ReadOnlySpan<long> state) => "explained";

    /// <summary>Under what name peers teach it something, see <see cref="Thresholds.PriorBook"/>; null when they do not.</summary>
    string? PriorName => null;

    /// <summary>What the states of peers teach a newcomer; the default when they are too few.</summary>
    Prior PriorOf(int version, IReadOnlyList<ReadOnlyMemory<long>> states) => default;

    /// <summary>The threshold of its own making that holds now, with what it rests on; null when it makes none.</summary>
    LearntBand? Learnt(ReadOnlySpan<long> state, in Signal signal) => null;
}
