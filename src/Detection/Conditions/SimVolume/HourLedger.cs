using System.Numerics;

namespace Sekisho.Detection.Conditions.SimVolume;

/// <summary>
/// What a SIM was billed and what the gateway saw, by the hour (UTC), for the newest hours. Which minutes of an hour were billed is kept in bits,
/// so that nothing is counted twice. In a slice of state cells:
/// <code>
/// cell 0  newest hour + 1; 0 before the first
/// then per hour   billed, uplink in the low 32 bits and downlink in the high ones   seen, the same
///                 bits 0-59 minutes billed, bit 60 void: not to be compared, bit 61 a fact reaches into it from the hour before
/// </code>
/// An hour with 4 GiB or more in a direction is void. One lane at a time.
/// </summary>
internal readonly ref struct HourLedger(Span<long> cells)
{
    public const long Hour = 3_600_000;

    private const int Width = 3;
    private const long Minutes = (1L << 60) - 1;
    private const long VoidBit = 1L << 60;
    private const long CrossedBit = 1L << 61;
    private readonly Span<long> _cells = cells;

    /// <summary>Oldest hour kept.</summary>
    public long Oldest => _cells[0] - Count;

    private int Count => (_cells.Length - 1) / Width;

    public static int CellsFor(int hours) => 1 + (hours * Width);

    /// <summary>Makes an hour the newest, when it is later than that.</summary>
    public void Move(long hour)
    {
        if (hour < _cells[0])
        {
            return;
        }

        if (_cells[0] == 0 || hour - _cells[0] >= Count)
        {
            _cells[1..].Clear();
        }
        else
        {
            for (var next = _cells[0]; next <= hour; next++)
            {
                _cells.Slice(At(next), Width).Clear();
            }
        }

        _cells[0] = hour + 1;
    }

    public void AddSeen(long hour, long up, long down)
    {
        if (Has(hour))
        {
            Add(At(hour), 1, up, down);
        }
    }

    /// <summary>These hours are not to be compared.</summary>
    public void Void(long from, long to)
    {
        for (var hour = Math.Max(from, Oldest); hour <= Math.Min(to, _cells[0] - 1); hour++)
        {
            _cells[At(hour) + 2] |= VoidBit;
        }
    }

    /// <summary>Counts what was billed over some minutes (since 1970, the end exclusive), spread evenly, as far as those minutes were not billed before.</summary>
    /// <returns>How many of them were not.</returns>
    public int AddBilled(long from, long to, long up, long down)
    {
        var (fresh, isVoid) = (0, false);
        var first = Math.Max(from / 60, Oldest);
        for (var hour = first; hour * 60 < to; hour++)
        {
            var bits = Fresh(hour, from, to);
            fresh += BitOperations.PopCount((ulong)bits);
            isVoid |= bits != 0 && (_cells[At(hour) + 2] & VoidBit) != 0;
        }

        for (var hour = first; fresh > 0 && hour * 60 < to; hour++)
        {
            var (at, bits) = (At(hour), Fresh(hour, from, to));
            var share = BitOperations.PopCount((ulong)bits);
            Add(at, 0, (long)((Int128)up * share / (to - from)), (long)((Int128)down * share / (to - from)));
            _cells[at + 2] |= bits | (hour * 60 > from ? CrossedBit : 0);

            // Nobody knows which part of it belongs to the hour that is void.
            _cells[at + 2] |= isVoid && bits != 0 ? VoidBit : 0;
        }

        return fresh;
    }

    /// <summary>What was billed and seen in the hours that are comparable, up to the newest one that was billed.</summary>
    /// <param name="cells">The cells.</param>
    /// <param name="hours">So many hours.</param>
    public static Compared Sum(ReadOnlySpan<long> cells, int hours)
    {
        var count = (cells.Length - 1) / Width;
        var newest = cells[0] - 1;
        while (newest > cells[0] - 1 - count && newest >= 0 && (cells[At(newest, count) + 2] & Minutes) == 0)
        {
            newest--;
        }

        var sum = default(Compared);
        for (var hour = Math.Max(0, Math.Max(newest - hours + 1, cells[0] - count)); hour <= newest; hour++)
        {
            var at = At(hour, count);
            var (billed, seen, bits) = (cells[at], cells[at + 1], cells[at + 2]);
            if ((bits & Minutes) == 0 || (bits & VoidBit) != 0)
            {
                continue;
            }

            sum = new Compared(
                sum.Minutes + BitOperations.PopCount((ulong)(bits & Minutes)),
                sum.BilledUp + (uint)billed,
                sum.BilledDown + (long)((ulong)billed >> 32),
                sum.SeenUp + (uint)seen,
                sum.SeenDown + (long)((ulong)seen >> 32),
                sum.Minutes == 0 ? (bits & CrossedBit) != 0 : sum.IsCut);
        }

        return sum;
    }

    private static int At(long hour, int count) => 1 + ((int)(hour % count) * Width);

    private int At(long hour) => At(hour, Count);

    private bool Has(long hour) => hour >= Math.Max(0, Oldest) && hour < _cells[0];

    private long Fresh(long hour, long from, long to)
    {
        if (!Has(hour))
        {
            return 0;
        }

        var (begin, end) = (Math.Max(0, from - (hour * 60)), Math.Min(60, to - (hour * 60)));
        var all = (1L << (int)end) - (1L << (int)begin);
        return all & ~_cells[At(hour) + 2];
    }

    private void Add(int at, int which, long up, long down)
    {
        var cell = (ulong)_cells[at + which];
        var (newUp, newDown) = ((uint)cell + up, (long)(cell >> 32) + down);
        if (newUp > uint.MaxValue || newDown > uint.MaxValue)
        {
            _cells[at + 2] |= VoidBit;
            (newUp, newDown) = (Math.Min(newUp, uint.MaxValue), Math.Min(newDown, uint.MaxValue));
        }

        _cells[at + which] = (long)(((ulong)newDown << 32) | (ulong)newUp);
    }
}

/// <summary>Sums over hours.</summary>
/// <param name="Minutes">Minutes that were billed.</param>
/// <param name="BilledUp">Bytes billed from the device.</param>
/// <param name="BilledDown">Bytes billed to the device.</param>
/// <param name="SeenUp">Bytes seen from the device, headers included.</param>
/// <param name="SeenDown">Bytes seen to the device, the same.</param>
/// <param name="IsCut">The first hour has a share of a fact that began before it: that share is a guess.</param>
internal readonly record struct Compared(int Minutes, long BilledUp, long BilledDown, long SeenUp, long SeenDown, bool IsCut);
