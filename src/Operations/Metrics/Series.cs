namespace Sekisho.Operations.Metrics;

/// <summary>One label set of a metric and its values. Any thread: interlocked operations only, so that a scrape never holds a measurement.</summary>
internal sealed class Series(KeyValuePair<string, object?>[] labels, int bounds)
{
    private readonly long[] _buckets = new long[bounds + 1];
    private long _valueBits;
    private int _set;

    public IReadOnlyList<KeyValuePair<string, object?>> Labels { get; } = labels;

    /// <summary>Value of a counter or gauge, sum of a histogram.</summary>
    public double Value => BitConverter.Int64BitsToDouble(Interlocked.Read(ref _valueBits));

    /// <summary>True once a measurement came (again, for observed ones).</summary>
    public bool IsSet => Volatile.Read(ref _set) != 0;

    /// <summary>Measurements per bucket, the last one beyond all bounds.</summary>
    public long[] Buckets()
    {
        var copy = new long[_buckets.Length];
        for (var i = 0; i < copy.Length; i++)
        {
            copy[i] = Interlocked.Read(ref _buckets[i]);
        }

        return copy;
    }

    public bool Has(ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        if (labels.Length != Labels.Count)
        {
            return false;
        }

        for (var i = 0; i < labels.Length; i++)
        {
            if (labels[i].Key != Labels[i].Key || !Equals(labels[i].Value, Labels[i].Value))
            {
                return false;
            }
        }

        return true;
    }

    public void Set(double value)
    {
        Interlocked.Exchange(ref _valueBits, BitConverter.DoubleToInt64Bits(value));
        Volatile.Write(ref _set, 1);
    }

    public void Add(double value)
    {
        var before = Interlocked.Read(ref _valueBits);
        while (true)
        {
            var seen = Interlocked.CompareExchange(ref _valueBits, BitConverter.DoubleToInt64Bits(BitConverter.Int64BitsToDouble(before) + value), before);
            if (seen == before)
            {
                break;
            }

            before = seen;
        }

        Volatile.Write(ref _set, 1);
    }

    public void Observe(double value, IReadOnlyList<double> bounds)
    {
        var i = 0;
        while (i < bounds.Count && !(value <= bounds[i]))
        {
            i++;
        }

        Interlocked.Increment(ref _buckets[i]);
        Add(value);
    }

    public void Forget() => Volatile.Write(ref _set, 0);
}
