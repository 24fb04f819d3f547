using Sekisho.Detection.Conditions.Metrics;
using Sekisho.Detection.Thresholds;
using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions.Judges;

/// <summary>Says whether a value is as expected. An object holds parameters only (any thread); its state is a slice of <see cref="Cells"/> longs of the subject.</summary>
internal interface IJudge
{
    /// <summary>Stable name, one of <see cref="JudgeNames"/>.</summary>
    string Name { get; }

    /// <summary>Length of the state.</summary>
    int Cells { get; }

    /// <summary>The band that the next value is held against. Must not allocate.</summary>
    Band Expected(ReadOnlySpan<long> state, in Signal signal);

    /// <summary>A value was held against the band; learners take it. Must not allocate.</summary>
    void Took(Span<long> state, in Measured value, bool isViolation)
    {
    }

    /// <summary>Under what name peers teach it something; null when they do not.</summary>
    string? PriorName => null;

    /// <summary>What the judges' states of peers teach a newcomer; the default when they are too few.</summary>
    Prior PriorOf(int version, IReadOnlyList<ReadOnlyMemory<long>> states) => default;

    /// <summary>The limits of its own making that hold now; null when it makes none.</summary>
    Threshold? Learnt(ReadOnlySpan<long> state, in Signal signal) => null;

    /// <summary>The parameter and its value that would have kept the value quiet.</summary>
    Counterfactual Counterfactual(double value, in Band expected, string unit);
}

/// <summary>What is expected: from the low end to the high end.</summary>
/// <param name="Low">Lower end; null when open.</param>
/// <param name="High">Upper end; null when open.</param>
internal readonly record struct Band(double? Low, double? High)
{
    /// <summary>True when the upper end itself is too high ("from so much on").</summary>
    public bool ExcludesHigh { get; init; }

    /// <summary>"template", "learnt", "peer" or "person".</summary>
    public required string Origin { get; init; }

    /// <summary>Values that a learnt band rests on.</summary>
    public long Values { get; init; }

    /// <summary>Event time of the first of them; 0 when there is none.</summary>
    public long Since { get; init; }

    /// <summary>Event time at which it was set; 0 when never.</summary>
    public long SetAt { get; init; }

    /// <summary>False alarms per month that it was set for; 0 when it was not.</summary>
    public double Target { get; init; }

    public bool IsTooHigh(double value) => High is { } high && (ExcludesHigh ? value >= high : value > high);

    public bool IsTooLow(double value) => Low is { } low && value < low;
}

/// <summary>Stable names of judges.</summary>
internal static class JudgeNames
{
    /// <summary>Too high from a limit on.</summary>
    public const string Above = "above";

    /// <summary>Too low below a limit.</summary>
    public const string Below = "below";

    /// <summary>Outside of two limits.</summary>
    public const string Outside = "outside";

    /// <summary>Outside of what the subject's own history makes likely.</summary>
    public const string Learnt = "learnt";

    /// <summary>Outside of what its peers do.</summary>
    public const string Peer = "peer";

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<string> All = [Above, Below, Outside, Learnt, Peer];
}
