using System.Runtime.CompilerServices;

namespace Sekisho.Traffic.Tables;

/// <summary>Finds the number of an entry by its hash: open addressing with linear probing over slots of eight bytes (the hash above, the entry's number plus one below, 0 where empty). One caller at a time.</summary>
/// <remarks>A slot's place is the top bits of its hash, so that doubling reads and writes straight through memory (some milliseconds for a million entries) and never touches an entry. At most five eighths are in use. Removal moves later slots back: there are no tombstones, and a look-up stays short whatever came and went.</remarks>
internal sealed unsafe class SlotIndex : IDisposable
{
    private const int SmallestBits = 10;

    private NativeBlock _block;
    private int _bits;
    private int _count;

    public SlotIndex()
    {
        _bits = SmallestBits;
        _block = new NativeBlock((long)sizeof(ulong) << _bits);
        Refresh();
    }

    /// <summary>Begin of the slots, for look-ups that are spread over steps; holds until the next <see cref="Insert"/>.</summary>
    public ulong* Slots { get; private set; }

    /// <summary>A hash shifted right by this is its place.</summary>
    public int Shift { get; private set; }

    /// <summary>Mask of a place.</summary>
    public uint Mask { get; private set; }

    /// <summary>Bytes that the index for so many entries takes at most, while it grows to that size.</summary>
    public static long BytesFor(long entries)
    {
        var bits = SmallestBits;
        while (entries * 8 > (5L << bits))
        {
            bits++;
        }

        return ((long)sizeof(ulong) << bits) * 3 / 2;
    }

    /// <summary>The number of the entry after <paramref name="place"/> with this hash, or -1; the place moves behind it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Next(uint hash, ref uint place)
    {
        while (true)
        {
            var slot = Slots[place];
            place = (place + 1) & Mask;
            if (slot == 0)
            {
                return -1;
            }

            if ((uint)(slot >> 32) == hash)
            {
                return (int)(uint)slot - 1;
            }
        }
    }

    /// <summary>Adds an entry that is not in it.</summary>
    public void Insert(uint hash, int entry)
    {
        if ((_count + 1L) * 8 > 5L << _bits)
        {
            Grow();
        }

        Put(((ulong)hash << 32) | (uint)(entry + 1));
        _count++;
    }

    /// <summary>Takes an entry out that is in it.</summary>
    public void Remove(uint hash, int entry)
    {
        var wanted = ((ulong)hash << 32) | (uint)(entry + 1);
        var hole = hash >> Shift;
        while (Slots[hole] != wanted)
        {
            hole = (hole + 1) & Mask;
        }

        for (var next = (hole + 1) & Mask; Slots[next] != 0; next = (next + 1) & Mask)
        {
            var home = (uint)(Slots[next] >> 32) >> Shift;
            if (((next - home) & Mask) >= ((next - hole) & Mask))
            {
                Slots[hole] = Slots[next];
                hole = next;
            }
        }

        Slots[hole] = 0;
        _count--;
    }

    public void Dispose() => _block.Dispose();

    private void Put(ulong slot)
    {
        var place = (uint)(slot >> 32) >> Shift;
        while (Slots[place] != 0)
        {
            place = (place + 1) & Mask;
        }

        Slots[place] = slot;
    }

    private void Grow()
    {
        var old = _block;
        var from = Slots;
        var count = 1u << _bits;
        _bits++;
        _block = new NativeBlock((long)sizeof(ulong) << _bits);
        Refresh();
        for (var i = 0u; i < count; i++)
        {
            if (from[i] != 0)
            {
                Put(from[i]);
            }
        }

        old.Dispose();
    }

    private void Refresh()
    {
        Slots = (ulong*)_block.Start;
        Shift = 32 - _bits;
        Mask = (1u << _bits) - 1;
    }
}
