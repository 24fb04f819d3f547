namespace Sekisho.Detection.Conditions.Network;

/// <summary>
/// What else than networks is usual for a subject: the clients it authenticates with, at most <see cref="MostClients"/>, and the hours of the day
/// at which it is heard. One lane at a time.
/// <code>
/// 6 cells     24 hours of 16 bits each: local day of the last sight, in days since 1970; 0 for never
/// then        per client: hash (0 for none; one that says nothing is 1), last sight
/// </code>
/// </summary>
internal readonly ref struct UsualUse(Span<long> cells)
{
    /// <summary>Most clients kept; the one unseen for longest makes room.</summary>
    public const int MostClients = 6;

    /// <summary>Length of the state.</summary>
    public const int Cells = HourCells + (MostClients * 2);

    private const int HourCells = 6;
    private const int DayBits = 16;
    private const long Hour = 3_600_000;

    // An hour counts for five weeks.
    private const long MemoryDays = 35;

    private readonly Span<long> _cells = cells;

    /// <summary>True when clients are known and this is none of them.</summary>
    public bool IsNewClient(ulong client) => _cells[HourCells] != 0 && FindClient(Key(client)) < 0;

    /// <summary>True when it was not heard at this hour, nor at those beside it, on any day of the last weeks.</summary>
    public bool IsQuietHour(long local)
    {
        for (var hour = (local / Hour) - 1; hour <= (local / Hour) + 1; hour++)
        {
            var day = (_cells[(int)(hour % 24) / 4] >> Shift(hour)) & ((1 << DayBits) - 1);
            if (day != 0 && (local / (24 * Hour)) - day <= MemoryDays)
            {
                return false;
            }
        }

        return true;
    }

    public void TakeHour(long local)
    {
        var hour = local / Hour;
        ref var cell = ref _cells[(int)(hour % 24) / 4];
        cell = (cell & ~(((1L << DayBits) - 1) << Shift(hour))) | ((hour / 24) << Shift(hour));
    }

    public void TakeClient(ulong client, long at)
    {
        var slot = FindClient(Key(client));
        for (var free = HourCells; slot < 0 && free < Cells; free += 2)
        {
            slot = _cells[free] == 0 ? free : -1;
        }

        if (slot < 0)
        {
            slot = HourCells;
            for (var other = HourCells; other < Cells; other += 2)
            {
                slot = _cells[other + 1] < _cells[slot + 1] ? other : slot;
            }
        }

        (_cells[slot], _cells[slot + 1]) = (Key(client), at);
    }

    private static long Key(ulong client) => client == 0 ? 1 : (long)client;

    private static int Shift(long hour) => (int)(hour % 4) * DayBits;

    private int FindClient(long key)
    {
        for (var slot = HourCells; slot < Cells; slot += 2)
        {
            if (_cells[slot] == key)
            {
                return slot;
            }
        }

        return -1;
    }
}
