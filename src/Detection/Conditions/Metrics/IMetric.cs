namespace Sekisho.Detection.Conditions.Metrics;

/// <summary>
/// Turns signals into numbers: per message, per authentication, per period, or at a tick. An object holds parameters only (any thread); its
/// state is a slice of <see cref="Cells"/> longs of the subject.
/// </summary>
internal interface IMetric
{
    /// <summary>Stable name, shown as the metric of evidence.</summary>
    string Name { get; }

    /// <summary>Name under which peers teach about it: it differs where values do not compare.</summary>
    string PriorName => Name;

    /// <summary>Unit of the values: "s", "bytes", "count", "percent" or "".</summary>
    string Unit { get; }

    /// <summary>Length of the state.</summary>
    int Cells { get; }

    /// <summary>After this many milliseconds without a violation it is over; <see cref="long.MaxValue"/> when only a calm value ends it.</summary>
    long QuietAfter { get; }

    /// <summary>True when the signal may change the state or give a value.</summary>
    bool Concerns(in Signal signal);

    /// <summary>The next value that the signal gives. Must not allocate.</summary>
    /// <param name="state">The metric's state.</param>
    /// <param name="signal">The signal; one that concerns it.</param>
    /// <param name="turn">0 for the first value, and so on until there is none: a message may end one period and begin another.</param>
    /// <param name="value">The value.</param>
    /// <returns>False when there is no (further) value.</returns>
    bool Measure(Span<long> state, in Signal signal, int turn, out Measured value);

    /// <summary>Arrival time from which on a tick must be shown; <see cref="long.MaxValue"/> for none.</summary>
    long Due(ReadOnlySpan<long> state, long at, long downtime) => long.MaxValue;

    /// <summary>Positions of the events that the last value rests on, newest last, at most 32.</summary>
    IReadOnlyList<long> Events(ReadOnlySpan<long> state, in Signal signal) => [signal.Position];

    /// <summary>True when nothing may keep the value that the signal gave.</summary>
    bool Hides(in Signal signal) => false;

    /// <summary>Further facts for the sentence.</summary>
    IEnumerable<KeyValuePair<string, string>> Facts(ReadOnlySpan<long> state, in Signal signal) => [];
}

/// <summary>A value of a metric.</summary>
/// <param name="Value">The value in the metric's unit.</param>
/// <param name="At">Event time it belongs to, Unix milliseconds.</param>
/// <param name="IsClean">True when a learner may take it for normal.</param>
internal readonly record struct Measured(double Value, long At, bool IsClean)
{
    /// <summary>True while the period it counts still runs: it can only grow, so it is never too low, and nobody learns from it.</summary>
    public bool IsPartial { get; init; }

    /// <summary>True when it is known only to be at least so much and more than anybody may send: it is too high whatever the limit.</summary>
    public bool IsBeyond { get; init; }

    /// <summary>True when nothing may keep it: nobody learns from it, and the limit is told in its place.</summary>
    public bool IsHidden { get; init; }
}
