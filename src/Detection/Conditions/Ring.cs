namespace Sekisho.Detection.Conditions;

/// <summary>
/// The last few times and journal positions, in a slice of state cells: next slot, number taken, then pairs of time and position.
/// One lane at a time.
/// </summary>
internal readonly ref struct Ring(Span<long> cells)
{
    private const int Header = 2;
    private readonly Span<long> _cells = cells;

    public int Count => (int)_cells[1];

    private int Capacity => (_cells.Length - Header) / 2;

    public static int CellsFor(int capacity) => Header + (2 * capacity);

    /// <summary>Time of the entry pushed last; 0 when empty.</summary>
    public long Newest => Count == 0 ? 0 : _cells[Header + (2 * (int)((_cells[0] + Capacity - 1) % Capacity))];

    public void Push(long time, long position)
    {
        var slot = Header + (2 * (int)_cells[0]);
        _cells[slot] = time;
        _cells[slot + 1] = position;
        _cells[0] = (_cells[0] + 1) % Capacity;
        _cells[1] = Math.Min(_cells[1] + 1, Capacity);
    }

    /// <summary>How many entries lie nearer than <paramref name="width"/> to <paramref name="time"/>, before or after, and how far the farthest of them is.</summary>
    public int Within(long time, long width, out long span)
    {
        span = 0;
        var found = 0;
        for (var i = 0; i < Count; i++)
        {
            var distance = Math.Abs(time - _cells[Header + (2 * i)]);
            if (distance < width)
            {
                found++;
                span = Math.Max(span, distance);
            }
        }

        return found;
    }

    public void Clear() => _cells.Clear();

    public void CopyFrom(Ring other) => other._cells.CopyTo(_cells);

    /// <summary>Positions of the entries, oldest first, at most 32, the newest of them.</summary>
    public long[] Positions()
    {
        var take = Math.Min(Count, 32);
        var result = new long[take];
        for (var i = 0; i < take; i++)
        {
            var slot = (int)((_cells[0] + Capacity - take + i) % Capacity);
            result[i] = _cells[Header + (2 * slot) + 1];
        }

        return result;
    }
}
