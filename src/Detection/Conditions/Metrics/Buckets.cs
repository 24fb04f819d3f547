namespace Sekisho.Detection.Conditions.Metrics;

/// <summary>
/// Sums over short stretches of event time, in a slice of state cells: number of the newest stretch + 1 (0 before the first), then one sum per
/// stretch. What comes late is added where it belongs; what is older than the oldest stretch is left out. One lane at a time.
/// </summary>
internal readonly ref struct Buckets(Span<long> cells)
{
    private readonly Span<long> _cells = cells;

    public bool IsEmpty => _cells[0] == 0;

    /// <summary>Number of the newest stretch.</summary>
    public long Newest => _cells[0] - 1;

    private int Count => _cells.Length - 1;

    public static int CellsFor(int stretches) => 1 + stretches;

    /// <summary>Adds to a stretch.</summary>
    /// <returns>False when it is too old.</returns>
    public bool Add(long stretch, long amount)
    {
        Move(stretch);
        if (stretch <= Newest - Count)
        {
            return false;
        }

        _cells[1 + (int)(stretch % Count)] += amount;
        return true;
    }

    /// <summary>Makes a stretch the newest, when it is later than that.</summary>
    public void Move(long stretch)
    {
        if (IsEmpty || stretch - Newest >= Count)
        {
            _cells.Clear();
        }
        else
        {
            for (var next = Newest + 1; next <= stretch; next++)
            {
                _cells[1 + (int)(next % Count)] = 0;
            }
        }

        _cells[0] = Math.Max(_cells[0], stretch + 1);
    }

    /// <summary>Sum over the stretches from one to another, both included, as far as they are kept.</summary>
    public long Sum(long from, long to)
    {
        var sum = 0L;
        for (var stretch = Math.Max(from, Newest - Count + 1); stretch <= Math.Min(to, Newest); stretch++)
        {
            sum += stretch < 0 ? 0 : _cells[1 + (int)(stretch % Count)];
        }

        return sum;
    }
}
