using System.Diagnostics.Metrics;

namespace Sekisho.Operations.Metrics;

/// <summary>How a family is exposed.</summary>
internal enum FamilyKind
{
    /// <summary>Only grows; measurements are added.</summary>
    Counter,

    /// <summary>Goes up and down.</summary>
    Gauge,

    /// <summary>Counts into buckets.</summary>
    Histogram,
}

/// <summary>
/// All series of one metric name. Any thread: series are only added, and their values move by interlocked operations. At most
/// <see cref="MostSeries"/> label sets are kept apart; further ones are counted together under overflow="true", so that labels can never fill the memory.
/// </summary>
internal sealed class Family(string name, string help, FamilyKind kind, bool absolute, IReadOnlyList<double> bounds)
{
    /// <summary>Label sets that are kept apart.</summary>
    public const int MostSeries = 200;

    private static readonly KeyValuePair<string, object?>[] OverflowLabels = [new("overflow", "true")];
    private readonly Lock _turn = new(); // guards adding to _series
    private volatile Series[] _series = [];

    public string Name { get; } = name;

    public string Help { get; } = help;

    public FamilyKind Kind { get; } = kind;

    /// <summary>True when the instrument says totals or present values itself (observed), false when measurements are summed up here.</summary>
    public bool Absolute { get; } = absolute;

    /// <summary>Upper ends of the buckets, ascending, without the infinite one; empty but for histograms.</summary>
    public IReadOnlyList<double> Bounds { get; } = bounds;

    public IReadOnlyList<Series> All => _series;

    /// <summary>Takes a measurement. No allocation once the label set is known.</summary>
    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        var series = Find(_series, labels) ?? Add(labels);
        if (Kind == FamilyKind.Histogram)
        {
            series.Observe(value, Bounds);
        }
        else if (Absolute)
        {
            series.Set(value);
        }
        else
        {
            series.Add(value);
        }
    }

    /// <summary>Forgets observed series before they are observed anew, so that what no longer exists is no longer shown.</summary>
    public void BeginObservation()
    {
        if (Absolute)
        {
            foreach (var series in _series)
            {
                series.Forget();
            }
        }
    }

    private static Series? Find(Series[] all, ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        foreach (var series in all)
        {
            if (series.Has(labels))
            {
                return series;
            }
        }

        return null;
    }

    private Series Add(ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        lock (_turn)
        {
            if (Find(_series, labels) is { } known)
            {
                return known;
            }

            var full = _series.Length >= MostSeries;
            if (full && Find(_series, OverflowLabels) is { } overflow)
            {
                return overflow;
            }

            var series = new Series(full ? OverflowLabels : labels.ToArray(), Bounds.Count);
            _series = [.. _series, series];
            return series;
        }
    }

    /// <summary>Name, help, kind and buckets for an instrument; null for kinds that are not exposed.</summary>
    public static Family? For(Instrument instrument)
    {
        var type = instrument.GetType();
        var definition = type.IsGenericType ? type.GetGenericTypeDefinition() : null;
        (FamilyKind Kind, bool Absolute)? found =
            definition == typeof(Counter<>) ? (FamilyKind.Counter, false)
            : definition == typeof(ObservableCounter<>) ? (FamilyKind.Counter, true)
            : definition == typeof(UpDownCounter<>) ? (FamilyKind.Gauge, false)
            : definition == typeof(Gauge<>) || definition == typeof(ObservableGauge<>) || definition == typeof(ObservableUpDownCounter<>) ? (FamilyKind.Gauge, true)
            : definition == typeof(Histogram<>) ? (FamilyKind.Histogram, false)
            : null;
        if (found is not var (kind, absolute))
        {
            return null;
        }

        var name = Exposition.NameOf(instrument.Name);
        if (kind == FamilyKind.Counter && !name.EndsWith("_total", StringComparison.Ordinal))
        {
            name += "_total";
        }

        return new Family(name, instrument.Description ?? "", kind, absolute, kind == FamilyKind.Histogram ? BoundsOf(instrument) : []);
    }

    private static IReadOnlyList<double> BoundsOf(Instrument instrument) => instrument switch
    {
        Histogram<double> { Advice.HistogramBucketBoundaries: { } b } => b,
        Histogram<long> { Advice.HistogramBucketBoundaries: { } b } => [.. b.Select(v => (double)v)],
        Histogram<int> { Advice.HistogramBucketBoundaries: { } b } => [.. b.Select(v => (double)v)],
        { Unit: "s" } => [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
        { Unit: "ms" } => [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 60_000],
        _ => [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000, 1_000_000],
    };
}
