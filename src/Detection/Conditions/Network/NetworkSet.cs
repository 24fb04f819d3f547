namespace Sekisho.Detection.Conditions.Network;

/// <summary>What a network is to a subject.</summary>
internal enum Standing : byte
{
    /// <summary>Not seen before, or not for long.</summary>
    Unknown,

    /// <summary>Seen before, and not yet one of its own.</summary>
    Seen,

    /// <summary>One of its own.</summary>
    Usual,
}

/// <summary>
/// The few networks that one subject uses, at most <see cref="Most"/>; the one unseen for longest makes room. One lane at a time.
/// <code>
/// per network: key (0 for none), last sight, time from which on a sight makes it usual (0 when it is)
/// </code>
/// </summary>
internal readonly ref struct NetworkSet(Span<long> cells)
{
    /// <summary>Most networks kept.</summary>
    public const int Most = 12;

    /// <summary>Length of the state.</summary>
    public const int Cells = Most * Width;

    /// <summary>Milliseconds after which one that was not seen is unknown again: longer than school holidays.</summary>
    public const long Memory = 90L * 86_400_000;

    private const int Width = 3;
    private readonly Span<long> _cells = cells;

    /// <summary>How many are usual.</summary>
    public int Usual(long at)
    {
        var usual = 0;
        for (var slot = 0; slot < Cells; slot += Width)
        {
            usual += _cells[slot] != 0 && _cells[slot + 2] == 0 && at - _cells[slot + 1] < Memory ? 1 : 0;
        }

        return usual;
    }

    /// <param name="key">The network.</param>
    /// <param name="at">Time of the sight.</param>
    /// <param name="mayLearn">True when this sight makes it usual if its time has come.</param>
    public Standing Of(long key, long at, bool mayLearn)
    {
        var slot = Find(key);
        return slot < 0 || at - _cells[slot + 1] >= Memory ? Standing.Unknown
            : _cells[slot + 2] == 0 || (mayLearn && at >= _cells[slot + 2]) ? Standing.Usual
            : Standing.Seen;
    }

    /// <summary>Takes a sight.</summary>
    /// <param name="key">The network.</param>
    /// <param name="at">Time of the sight.</param>
    /// <param name="usualFrom">A network that is not there yet: time from which on a sight makes it usual, 0 for at once.</param>
    /// <param name="mayLearn">True when this sight may make one that is there usual.</param>
    public void Take(long key, long at, long usualFrom, bool mayLearn)
    {
        var slot = Find(key);
        if (slot < 0 || at - _cells[slot + 1] >= Memory)
        {
            slot = slot < 0 ? Free() : slot;
            (_cells[slot], _cells[slot + 1], _cells[slot + 2]) = (key, at, usualFrom);
            return;
        }

        _cells[slot + 1] = Math.Max(_cells[slot + 1], at);
        _cells[slot + 2] = mayLearn && at >= _cells[slot + 2] ? 0 : _cells[slot + 2];
    }

    private int Find(long key)
    {
        for (var slot = 0; slot < Cells; slot += Width)
        {
            if (_cells[slot] == key)
            {
                return slot;
            }
        }

        return -1;
    }

    private int Free()
    {
        var oldest = 0;
        for (var slot = 0; slot < Cells; slot += Width)
        {
            if (_cells[slot] == 0)
            {
                return slot;
            }

            oldest = _cells[slot + 1] < _cells[oldest + 1] ? slot : oldest;
        }

        return oldest;
    }
}
