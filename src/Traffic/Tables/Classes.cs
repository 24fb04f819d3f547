using System.Numerics;
using System.Runtime.CompilerServices;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Tables;

/// <summary>Classes of <see cref="Tally.SizeBounds"/> and <see cref="Tally.GapBounds"/> by table instead of comparisons.</summary>
internal static class Classes
{
    private const int MaxTabled = 1519;
    private const int NanosecondsPerMicrosecond = 1000;

    private static readonly byte[] ByLength = MakeLengths();

    // Between two powers of two lies at most one bound of the gaps: the logarithm says which, a comparison on which side.
    private static readonly byte[] ByLogarithm = new byte[64];
    private static readonly long[] BoundByLogarithm = MakeBounds(ByLogarithm);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int OfSize(int length) => ByLength[Math.Min((uint)length, MaxTabled)];

    /// <summary>Class of a gap in nanoseconds; what went back in time counts as no gap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int OfGap(long gap)
    {
        gap = Math.Max(gap, 1);
        var log = BitOperations.Log2((ulong)gap);
        return ByLogarithm[log] + (gap > BoundByLogarithm[log] ? 1 : 0);
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

    private static long[] MakeBounds(byte[] classes)
    {
        var bounds = new long[64];
        for (var log = 0; log < 64; log++)
        {
            var from = 1L << Math.Min(log, 62);
            classes[log] = (byte)Tally.GapBounds.Count(bound => from > bound * NanosecondsPerMicrosecond);
            bounds[log] = classes[log] < Tally.GapBounds.Count ? Tally.GapBounds[classes[log]] * NanosecondsPerMicrosecond : long.MaxValue;
        }

        return bounds;
    }
}
