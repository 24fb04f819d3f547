namespace Sekisho.Detection.Conditions.Silence;

/// <summary>
/// How far apart messages of each operating mode usually are at most: after one with the engine off, hours; with the engine on, minutes. For up to
/// <see cref="Modes"/> modes; the one not heard for longest makes room. In a slice of state cells:
/// <code>cell 0 slot of the present mode   then per mode: hash of its name, usual longest distance (milliseconds), distances seen</code>
/// One lane at a time.
/// </summary>
internal readonly ref struct Paces(Span<long> cells)
{
    /// <summary>Modes kept.</summary>
    public const int Modes = 3;

    /// <summary>Length of the state.</summary>
    public const int Cells = 1 + (Modes * Width);

    /// <summary>Distances after which it is known.</summary>
    public const int Enough = 5;

    private const int Width = 3;

    // Up to here nothing is far more than usual.
    private const long Least = 900_000;
    private const long MostSeen = 1000;
    private readonly Span<long> _cells = cells;

    /// <summary>Usual longest distance in the present mode, and how many it rests on.</summary>
    public static (long Longest, long Seen) Of(ReadOnlySpan<long> cells) => (cells[(int)cells[0] + 2], cells[(int)cells[0] + 3]);

    /// <summary>Usual longest distance in a mode (null: the present one); 0 when nothing is known.</summary>
    public static long In(ReadOnlySpan<long> cells, string? mode)
    {
        if (mode is null)
        {
            return Of(cells).Longest;
        }

        for (var i = 0; i < Modes * Width; i += Width)
        {
            if (cells[i + 1] == Hash(mode))
            {
                return cells[i + 2];
            }
        }

        return 0;
    }

    /// <summary>Learns how long it took from the last message to this one. What is far more than usual moves it only so far.</summary>
    public void Learn(long distance)
    {
        var slot = (int)_cells[0];
        var (longest, seen) = (_cells[slot + 2], _cells[slot + 3]);
        _cells[slot + 2] = longest == 0 ? distance : Math.Max(Math.Min(distance, Math.Max(4 * longest, Least)), longest - (longest / 16));
        _cells[slot + 3] = Math.Min(seen + 1, MostSeen);
    }

    /// <summary>The mode that a message states; without one the mode stays.</summary>
    public void Enter(string? mode)
    {
        if (mode is null)
        {
            return;
        }

        var hash = Hash(mode);
        var slot = 0;
        for (var i = 0; i < Modes * Width; i += Width)
        {
            if (_cells[i + 1] == hash)
            {
                _cells[0] = i;
                return;
            }

            slot = _cells[i + 1] == 0 || (_cells[i + 3] < _cells[slot + 3] && _cells[slot + 1] != 0) ? i : slot;
            if (_cells[i + 1] == 0)
            {
                break;
            }
        }

        (_cells[slot + 1], _cells[slot + 2], _cells[slot + 3], _cells[0]) = (hash, 0, 0, slot);
    }

    private static long Hash(string mode)
    {
        var hash = StableHash.Start;
        foreach (var c in mode)
        {
            hash = StableHash.Add(hash, char.ToLowerInvariant(c));
        }

        return hash == 0 ? 1 : (long)hash;
    }
}
