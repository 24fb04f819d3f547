namespace Sekisho.Detection.Thresholds;

/// <summary>
/// Learns from one subject's own values where the unusual begins. An object holds parameters only and serves all subjects (any thread); the
/// state is a slice of <see cref="Cells"/> longs, all zero at first, of a length that does not depend on what is learnt. What is stored is
/// rounded, so that equal values give equal bytes everywhere.
/// </summary>
internal interface ILearner
{
    /// <summary>Length of the state.</summary>
    int Cells { get; }

    /// <summary>Takes one value. Must not allocate.</summary>
    /// <param name="state">The subject's state.</param>
    /// <param name="value">What was measured.</param>
    /// <param name="at">Event time, Unix milliseconds.</param>
    /// <param name="isClean">False when the value comes from a backlog, a repeat, or a time in which something was raised: it must not move the model.</param>
    void Observe(Span<long> state, double value, long at, bool isClean);

    /// <summary>
    /// True when the subject's own history alone decides. Until then what lies outside its first, rough thresholds is learnt as well: from few
    /// values a usual one can look odd, and left out it would look odd for ever.
    /// </summary>
    bool HasGrown(ReadOnlySpan<long> state);

    /// <summary>The thresholds that hold for the next value. Must not allocate.</summary>
    Threshold Current(ReadOnlySpan<long> state, in Prior prior);

    /// <summary>What the peers' states teach a newcomer; the default when too few have grown. All numbers are finite.</summary>
    Prior PriorOf(int version, IReadOnlyList<ReadOnlyMemory<long>> peers);
}

/// <summary>Where the unusual begins, and what that rests on.</summary>
/// <param name="Low">Below this is unusual; null when nothing is too low, or too little is known.</param>
/// <param name="High">Above this is unusual; null when nothing is too high, or too little is known.</param>
internal readonly record struct Threshold(double? Low, double? High)
{
    /// <summary>"learnt" from the subject's own history, "peer" while it rests on the prior, "none" while nothing is known.</summary>
    public required string Origin { get; init; }

    /// <summary>How many values of its own it rests on.</summary>
    public long Values { get; init; }

    /// <summary>Event time of the first of them, Unix milliseconds; 0 when there is none.</summary>
    public long Since { get; init; }

    /// <summary>Event time of the last of them, Unix milliseconds; 0 when there is none.</summary>
    public long Until { get; init; }

    /// <summary>Event time at which the thresholds were last set, Unix milliseconds; 0 when never.</summary>
    public long SetAt { get; init; }

    /// <summary>False alarms per month that it was set for.</summary>
    public double Target { get; init; }

    /// <summary>Version of the prior that took part; 0 when none did.</summary>
    public int PriorVersion { get; init; }

    /// <summary>
    /// True when the values have moved further than is learnt without a person's word: the thresholds stay where they may be, and the change
    /// itself is what should be told.
    /// </summary>
    public bool HasMoved { get; init; }

    /// <summary>True when the value is nothing unusual.</summary>
    public bool Contains(double value) => !(value < Low) && !(value > High);
}

/// <summary>A threshold as people are shown it.</summary>
/// <param name="Metric">Stable name of what is measured.</param>
/// <param name="Unit">Unit of the limits: "s", "bytes", "count", "percent" or "".</param>
/// <param name="Limits">The limits and what they rest on.</param>
internal sealed record LearntBand(string Metric, string Unit, Threshold Limits);

/// <summary>What peers taught about a metric. The default means nothing did.</summary>
/// <param name="Version">Version of the event that brought it; 0 for none.</param>
/// <param name="Numbers">What only the learner understands.</param>
internal readonly record struct Prior(int Version, ReadOnlyMemory<double> Numbers);

/// <summary>All priors in force, by field, metric and kind of devices. Immutable; an event replaces it whole.</summary>
internal sealed class PriorBook(IReadOnlyDictionary<PriorKey, Prior> priors)
{
    public static readonly PriorBook Empty = new(new Dictionary<PriorKey, Prior>());

    public IReadOnlyDictionary<PriorKey, Prior> All => priors;

    /// <summary>The nearest prior of a metric: the field's for the kind, the field's, everybody's for the kind, everybody's; the default when there is none.</summary>
    public Prior For(string? fieldId, string metric, string? kind) =>
        priors.Count == 0 ? default
        : priors.TryGetValue(new PriorKey(fieldId, metric, kind), out var found) || priors.TryGetValue(new PriorKey(fieldId, metric, null), out found)
            || priors.TryGetValue(new PriorKey(null, metric, kind), out found) || priors.TryGetValue(new PriorKey(null, metric, null), out found) ? found
        : default;

    /// <summary>With one replaced, unless a later version is there.</summary>
    public PriorBook With(Domain.Events.PriorEvent change)
    {
        var key = PriorKey.Of(change.FieldId, change.Metric);
        return priors.TryGetValue(key, out var present) && present.Version > change.Version
            ? this
            : new PriorBook(new Dictionary<PriorKey, Prior>(priors) { [key] = new Prior(change.Version, change.Numbers.ToArray()) });
    }
}

/// <summary>Whose prior it is.</summary>
/// <param name="FieldId">Field; null for all.</param>
/// <param name="Metric">Name of the metric.</param>
/// <param name="Kind">Kind of devices; null for all.</param>
internal readonly record struct PriorKey(string? FieldId, string Metric, string? Kind)
{
    /// <summary>From "METRIC" or "METRIC/KIND".</summary>
    public static PriorKey Of(string? fieldId, string metric) =>
        metric.IndexOf('/', StringComparison.Ordinal) is var slash and >= 0 ? new PriorKey(fieldId, metric[..slash], metric[(slash + 1)..]) : new PriorKey(fieldId, metric, null);

    public override string ToString() => Kind is null ? Metric : $"{Metric}/{Kind}";
}
