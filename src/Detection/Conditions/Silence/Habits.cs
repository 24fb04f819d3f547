namespace Sekisho.Detection.Conditions.Silence;

/// <summary>
/// The longer silences of a subject that ended well, by local hour and place: a car that parks underground every night, a school that is closed
/// at weekends. At most <see cref="Most"/>, no older than <see cref="Memory"/>; when there are more, the shortest goes. In a slice of state cells:
/// <code>
/// one cell each, 0 for none   bits 0-19 place (hash, 0 unknown)   bits 20-37 duration, minutes   bits 38-63 start, minutes since 1970
/// </code>
/// One lane at a time.
/// </summary>
internal readonly ref struct Habits(Span<long> cells)
{
    /// <summary>Silences kept.</summary>
    public const int Most = 24;

    /// <summary>Milliseconds for which one counts: five weeks.</summary>
    public const long Memory = 35 * Day;

    /// <summary>So many on the same day of the week are enough, whatever the others were.</summary>
    public const int Weeks = 3;

    private const long Minute = 60_000;
    private const long Day = 86_400_000;
    private const int DayMinutes = 24 * 60;

    // How far apart two silences may begin to be of one kind.
    private const int Near = 180;
    private const int PlaceBits = 20;
    private const int DurationBits = 18;
    private const long LongestMinutes = (1 << DurationBits) - 1;

    private readonly Span<long> _cells = cells;

    /// <summary>A place in few bits; never 0 for one that is known.</summary>
    public static long PlaceOf(string? place) => place is null ? 0 : Math.Max(1, (long)(StableHash.Of("place", place) & ((1 << PlaceBits) - 1)));

    /// <summary>
    /// How long a silence that begins now here usually is, milliseconds; 0 when nothing is usual. On this day of the week at this hour when that
    /// happened often enough, the longest of them; else what four of five at this hour stay below.
    /// </summary>
    /// <param name="cells">The cells.</param>
    /// <param name="start">When it began.</param>
    /// <param name="place">Where.</param>
    /// <param name="least">So many at this hour make a habit.</param>
    /// <param name="zone">Zone of the hours.</param>
    public static long Usual(ReadOnlySpan<long> cells, long start, long place, int least, TimeZoneInfo zone)
    {
        Span<int> lengths = stackalloc int[Most];
        var (found, onDay, longest) = (0, 0, 0);
        var minute = LocalMinute(start, zone);
        foreach (var cell in cells)
        {
            if (cell == 0 || start - (StartOf(cell) * Minute) > Memory || (place != 0 && PlaceOf(cell) != 0 && PlaceOf(cell) != place))
            {
                continue;
            }

            var then = LocalMinute(StartOf(cell) * Minute, zone);
            if (Apart(minute, then, DayMinutes) > Near)
            {
                continue;
            }

            var length = (int)((cell >> PlaceBits) & LongestMinutes);
            lengths[found++] = length;
            if (Apart(minute, then, 7 * DayMinutes) <= Near)
            {
                (onDay, longest) = (onDay + 1, Math.Max(longest, length));
            }
        }

        if (onDay >= Weeks)
        {
            return longest * Minute;
        }

        if (found < least)
        {
            return 0;
        }

        lengths[..found].Sort();
        return lengths[((found * 4) - 1) / 5] * Minute;
    }

    /// <summary>Keeps one.</summary>
    public void Add(long start, long length, long place)
    {
        var slot = 0;
        for (var i = 0; i < _cells.Length; i++)
        {
            if (_cells[i] == 0)
            {
                slot = i;
                break;
            }

            slot = Rank(_cells[i], start) < Rank(_cells[slot], start) ? i : slot;
        }

        var minutes = Math.Clamp(length / Minute, 1, LongestMinutes);
        if (_cells[slot] == 0 || Rank(_cells[slot], start) < minutes)
        {
            _cells[slot] = (long)((ulong)(start / Minute) << (PlaceBits + DurationBits)) | (minutes << PlaceBits) | place;
        }
    }

    // What is too old counts less than anything.
    private static long Rank(long cell, long now) => now - (StartOf(cell) * Minute) > Memory ? -1 : (cell >> PlaceBits) & LongestMinutes;

    private static long StartOf(long cell) => (long)((ulong)cell >> (PlaceBits + DurationBits));

    private static long PlaceOf(long cell) => cell & ((1 << PlaceBits) - 1);

    private static int LocalMinute(long at, TimeZoneInfo zone) =>
        (int)(((at + (long)zone.GetUtcOffset(DateTimeOffset.FromUnixTimeMilliseconds(at)).TotalMilliseconds) / Minute) % (7 * DayMinutes));

    private static int Apart(int one, int other, int round)
    {
        var distance = Math.Abs(one - other) % round;
        return Math.Min(distance, round - distance);
    }
}
