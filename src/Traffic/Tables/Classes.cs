using System.Numerics;
using System.Runtime.CompilerServices;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Tables;

/// <summary>Classes of <see cref="Tally.SizeBounds"/> and <see cref="Tally.GapBounds"/> by table instead of comparisons.</summary>
internal static class Classes
{
    private const int MaxTabled = 1519;

    private static readonly byte[] ByLength = MakeLengths();

    // Between two powers of two lies at most one bound of the gaps: the logarithm says which, a comparison on which side. Constants lie in the program itself, at an address that the code knows.
    private static ReadOnlySpan<byte> ByLogarithm =>
    [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4,
        4, 4, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    ];

    private static ReadOnlySpan<long> BoundByClass => [1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000, 60_000_000_000, 600_000_000_000, long.MaxValue];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int OfSize(int length) => ByLength[Math.Min((uint)length, MaxTabled)];

    /// <summary>Class of a gap in nanoseconds; what went back in time counts as no gap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int OfGap(long gap)
    {
        gap = Math.Max(gap, 1);
        var least = ByLogarithm[BitOperations.Log2((ulong)gap) & 63];
        return least + (gap > BoundByClass[least & 7] ? 1 : 0);
    }

    private static byte[] MakeLengths()
    {
        var table = new byte[MaxTabled + 1];
        for (var length = 0; length <= MaxTabled; length++)
        {
            table[length] = (byte)Tally.SizeBounds.Count(bound => length > bound);
        }

        return table;
    }
}
