namespace Sekisho.Detection.Thresholds;

/// <summary>
/// The upper tail of a stream in a slice of cells: the largest values so far and a generalised Pareto distribution fitted to what lies above
/// one of them (peaks over threshold; Pickands 1975; Hosking and Wallis 1987 for the fit by L-moments). The shape is drawn towards a slightly
/// heavy tail, the more the fewer values there are, and the uncertainty of the scale is part of the distribution, so that few values give a
/// cautious threshold. Old values fade: <see cref="Halve"/> keeps every second value and half of the count. One lane at a time.
/// <code>
/// cell 0  values seen, faded         cell 1  values kept
/// cell 2  threshold u                cell 3  scale      cell 4  shape     cell 5  share of values above u (bits of doubles)
/// cell 6  parity of the next fading  cell 7… the kept values, ascending (bits)
/// </code>
/// </summary>
internal readonly ref struct Tail(Span<long> cells)
{
    /// <summary>Most values kept.</summary>
    public const int Most = 32;

    /// <summary>Length of the state.</summary>
    public const int Cells = Header + Most;

    private const int Header = 7;
    private const double ShapeExpected = 0.1;
    private const double ShapeWeight = 20;
    private readonly Span<long> _cells = cells;

    /// <summary>Values seen, less what has faded.</summary>
    public long Count => _cells[0];

    /// <summary>The largest value kept; there must be one.</summary>
    public double Largest => Value((int)_cells[1] - 1);

    public void Observe(double value)
    {
        var before = _cells[0]++;
        var kept = (int)_cells[1];
        if (kept == Most && value <= Value(0) && InTail(before, kept) == InTail(Count, kept))
        {
            // Only the count changes; the share above u follows from it.
            Set(5, (double)InTail(Count, kept) / Count);
            return;
        }

        if (kept < Most || value > Value(0))
        {
            Insert(value, kept);
        }

        Fit();
    }

    /// <summary>Chance that one value exceeds <paramref name="value"/>; 1 for what does not even lie in the tail.</summary>
    /// <param name="value">What is judged.</param>
    /// <param name="resolution">Smallest difference that means anything, more than 0: the scale is at least that.</param>
    public double Above(double value, double resolution)
    {
        var excess = value - Get(2);
        if (Count < 2 || excess <= 0)
        {
            return 1;
        }

        var (scale, shape) = (Math.Max(Get(3), resolution), Get(4));
        return Get(5) * Math.Pow(1 + (shape * excess / scale), -1 / shape);
    }

    /// <summary>The value that one value exceeds with the chance given.</summary>
    public double Level(double chance, double resolution)
    {
        var (scale, shape) = (Math.Max(Get(3), resolution), Get(4));
        return Get(2) + Math.Max(0, scale / shape * (Math.Pow(Get(5) / chance, shape) - 1));
    }

    /// <summary>Lets the past count half.</summary>
    public void Halve()
    {
        var kept = (int)_cells[1];
        var to = 0;
        for (var from = (int)(_cells[6] & 1); from < kept; from += 2)
        {
            _cells[Header + to++] = _cells[Header + from];
        }

        _cells[(Header + to)..].Clear();
        _cells[0] /= 2;
        _cells[1] = Math.Min(to, _cells[0]);
        _cells[6] ^= 1;
        if (_cells[1] > 0)
        {
            Fit();
        }
    }

    /// <summary>How many of the kept values make the tail: an eighth of all, at least four.</summary>
    private static int InTail(long count, int kept) => (int)Math.Min(kept - 1, Math.Max(4, count / 8));

    private void Insert(double value, int kept)
    {
        int at;
        if (kept < Most)
        {
            _cells[1]++;
            for (at = kept; at > 0 && Value(at - 1) > value; at--)
            {
                _cells[Header + at] = _cells[Header + at - 1];
            }
        }
        else
        {
            for (at = 0; at + 1 < Most && Value(at + 1) < value; at++)
            {
                _cells[Header + at] = _cells[Header + at + 1];
            }
        }

        Set(Header + at, value);
    }

    private void Fit()
    {
        var kept = (int)_cells[1];
        if (kept < 2)
        {
            _cells[2] = _cells[Header];
            Set(4, ShapeExpected);
            Set(5, 1);
            return;
        }

        var tail = InTail(Count, kept);
        var first = kept - tail;
        var u = Value(first - 1);
        var (sum, weighted) = (0.0, 0.0);
        for (var i = 0; i < tail; i++)
        {
            var excess = Value(first + i) - u;
            sum += excess;
            weighted += excess * i;
        }

        // L-moments of the excesses: their mean, and half the mean difference of two.
        var mean = sum / tail;
        var difference = tail < 2 ? 0 : (2 * weighted / (tail * (tail - 1.0))) - mean;
        var told = difference > 0 && difference > 1e-12 * mean ? 2 - (mean / difference) : ShapeExpected;
        var shape = Math.Clamp(((tail * told) + (ShapeWeight * ShapeExpected)) / (tail + ShapeWeight), -0.1, 0.6);
        Set(2, u);
        Set(3, mean * (1 - shape));
        // The scale is known from few values: an exponential tail with such a scale is a Pareto tail of shape 1/k. Never 0, it is divided by.
        Set(4, Math.Max(shape + (1.0 / tail), 0.01));
        Set(5, (double)tail / Count);
    }

    private double Value(int index) => Get(Header + index);

    private double Get(int cell) => BitConverter.Int64BitsToDouble(_cells[cell]);

    private void Set(int cell, double value) => _cells[cell] = BitConverter.DoubleToInt64Bits(value);
}
