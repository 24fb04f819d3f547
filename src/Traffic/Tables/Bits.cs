using System.Numerics;

namespace Sekisho.Traffic.Tables;

/// <summary>One bit for each entry of a table.</summary>
internal sealed unsafe class Bits(int count) : IDisposable
{
    private readonly NativeBlock _block = new((count + 63L) / 64 * 8);

    public void Set(int entry) => ((ulong*)_block.Start)[entry >> 6] |= 1UL << entry;

    public void Clear(int entry) => ((ulong*)_block.Start)[entry >> 6] &= ~(1UL << entry);

    /// <summary>The first set bit from <paramref name="entry"/> on and below <paramref name="end"/>, or -1.</summary>
    public int Next(int entry, int end)
    {
        var words = (ulong*)_block.Start;
        while (entry < end)
        {
            var rest = words[entry >> 6] >> entry;
            if (rest != 0)
            {
                entry += BitOperations.TrailingZeroCount(rest);
                return entry < end ? entry : -1;
            }

            entry = (entry | 63) + 1;
        }

        return -1;
    }

    public void Dispose() => _block.Dispose();
}
