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
}

/// <summary>Type of a parameter; its unit follows from it.</summary>
internal enum ParameterType
{
    /// <summary>Whole number, no unit.</summary>
    Count,

    /// <summary>Seconds; written as [d.]hh:mm:ss.</summary>
    Duration,

    /// <summary>Bytes.</summary>
    Bytes,

    /// <summary>Whole percent.</summary>
    Percent,
}

/// <summary>One parameter of a kind of condition. Its label is the text condition.KIND.NAME.</summary>
/// <param name="Name">Stable name.</param>
/// <param name="Type">Type, which gives the unit.</param>
/// <param name="Least">Smallest value allowed (seconds for durations).</param>
/// <param name="Most">Largest value allowed.</param>
/// <param name="Default">Value when a template says nothing; null when it must.</param>
internal sealed record ParameterSpec(string Name, ParameterType Type, double Least, double Most, double? Default = null);

/// <summary>What a condition is made of.</summary>
/// <param name="Scope">One of <see cref="Scopes"/>.</param>
/// <param name="Mode">Operating mode it is limited to; null for all.</param>
/// <param name="Values">A value for each parameter of the kind.</param>
internal sealed record ConditionInput(string Scope, string? Mode, IReadOnlyDictionary<string, double> Values)
{
    public int Whole(string name) => checked((int)Values[name]);

    public long Milliseconds(string name) => checked((long)(Values[name] * 1000));
}

/// <summary>A kind of condition that templates may use: one line in <see cref="DetectionFeature"/>.</summary>
/// <param name="Name">Stable name.</param>
/// <param name="AllowedScopes">What it can watch.</param>
/// <param name="TakesMode">True when it can be limited to an operating mode.</param>
/// <param name="Parameters">Its parameters.</param>
/// <param name="Create">Makes it.</param>
internal sealed record ConditionKind(
    string Name, IReadOnlyList<string> AllowedScopes, bool TakesMode, IReadOnlyList<ParameterSpec> Parameters, Func<ConditionInput, ICondition> Create);
