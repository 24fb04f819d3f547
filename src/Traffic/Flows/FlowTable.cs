using System.Runtime.CompilerServices;
using Sekisho.Traffic.Tables;

namespace Sekisho.Traffic.Flows;

/// <summary>The flows, at most as many as the memory limit holds. Entries lie one after the other and never move; when all are taken a new flow needs one to leave (<see cref="Victim"/>). One caller at a time.</summary>
/// <remarks>
/// A flow takes 192 bytes, its share of the index 13 to 26 (39 while the index doubles), a quarter of a byte in bit sets: at most 232 bytes, nothing else grows with flows.
/// Who leaves is chosen by a clock hand: of the eight entries before it the one that was silent longest, where a flow that had an answer counts as a minute younger.
/// So a scan mostly puts out its own flows, and each packet costs the same whether the table is full or not.
/// </remarks>
internal sealed unsafe class FlowTable : IDisposable
{
    private const int Looked = 8;
    private const uint AnsweredBonus = 56;
    private const int SmallestSweep = 4096;
    private const int SweepsForAll = 6;

    private readonly NativeBlock _memory;
    private readonly SlotIndex _index = new();
    private readonly ulong _seed;
    private int _used;
    private int _free = -1;
    private int _hand;
    private int _sweep;

    public FlowTable(long memory, ulong seed)
    {
        _seed = seed;
        Capacity = CapacityFor(memory);
        _memory = new NativeBlock((long)Capacity * FlowEntry.Size);
        Entries = (FlowEntry*)_memory.Start;
        Touched = new Bits(Capacity);
        Pending = new Bits(Capacity);
    }

    public FlowEntry* Entries { get; }

    public SlotIndex Index => _index;

    public int Capacity { get; }

    public int Count { get; private set; }

    /// <summary>Entries below this number have been in use.</summary>
    public int Used => _used;

    public bool IsFull => Count == Capacity;

    /// <summary>Flows with a packet in this interval.</summary>
    public Bits Touched { get; }

    /// <summary>Flows whose SYN has had no answer, and perhaps some that got one.</summary>
    public Bits Pending { get; }

    public static int CapacityFor(long memory)
    {
        var capacity = memory / FlowEntry.Size;
        while (capacity > 16 && (capacity * FlowEntry.Size) + (capacity / 4) + SlotIndex.BytesFor(capacity) > memory)
        {
            capacity -= 1 + (capacity / 64);
        }

        return (int)Math.Clamp(capacity, 16, int.MaxValue / 2);
    }

    /// <summary>The flow of a key, or null.</summary>
    public FlowEntry* Find(in FlowKey key)
    {
        var place = key.Hash >> _index.Shift;
        for (var entry = _index.Next(key.Hash, ref place); entry >= 0; entry = _index.Next(key.Hash, ref place))
        {
            if (Is(Entries + entry, key))
            {
                return Entries + entry;
            }
        }

        return null;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Is(FlowEntry* entry, in FlowKey key) =>
        ((entry->Word ^ key.Word) | (entry->A.Low ^ key.A.Low) | (entry->B.Low ^ key.B.Low) | (entry->A.High ^ key.A.High) | (entry->B.High ^ key.B.High)) == 0;

    public int NumberOf(FlowEntry* entry) => (int)(entry - Entries);

    /// <summary>Makes a flow that is not in the table, which must not be full: everything but its key is zero.</summary>
    public FlowEntry* Make(in FlowKey key)
    {
        int number;
        if (_free >= 0)
        {
            number = _free;
            _free = (int)Entries[number].Age - 1;
        }
        else
        {
            number = _used++;
        }

        var entry = Entries + number;
        *entry = default;
        entry->A = key.A;
        entry->B = key.B;
        entry->Word = key.Word;
        _index.Insert(key.Hash, number);
        Count++;
        return entry;
    }

    /// <summary>The flow that should leave a full table next.</summary>
    public FlowEntry* Victim(uint now)
    {
        var best = Entries + _hand;
        var bestSilence = int.MinValue;
        for (var i = 0; i < Looked; i++)
        {
            var entry = Entries + _hand;
            _hand = _hand + 1 == Capacity ? 0 : _hand + 1;
            var silence = (int)(now - entry->Age) - ((entry->Flags & FlowFlags.Answered) != 0 ? (int)AnsweredBonus : 0);
            if (silence > bestSilence)
            {
                best = entry;
                bestSilence = silence;
            }
        }

        return best;
    }

    /// <summary>Begins a new interval for a flow.</summary>
    public static void ClearInterval(FlowEntry* entry)
    {
        entry->Flags &= ~(FlowFlags.TouchedA | FlowFlags.TouchedB | FlowFlags.SingleA | FlowFlags.SingleB | FlowFlags.Carried);
        new Span<byte>((byte*)&entry->FromA + FlowDirection.IntervalOffset, FlowDirection.Size - FlowDirection.IntervalOffset).Clear();
        new Span<byte>((byte*)&entry->FromB + FlowDirection.IntervalOffset, FlowDirection.Size - FlowDirection.IntervalOffset).Clear();
    }

    public void Remove(FlowEntry* entry)
    {
        var number = NumberOf(entry);
        _index.Remove(FlowKey.HashOf(_seed, entry->A, entry->B, entry->Word), number);
        Touched.Clear(number);
        Pending.Clear(number);
        entry->Word = 0;
        entry->Age = (uint)(_free + 1);
        _free = number;
        Count--;
    }

    /// <summary>The stretch of entries whose turn it is to be looked through for silent ones: all come by within six intervals, so that none pauses long.</summary>
    public (int From, int To) NextSweep()
    {
        var from = _sweep;
        var to = Math.Min(_used, from + Math.Max(SmallestSweep, _used / SweepsForAll));

        // Not at the next call: a table that grew meanwhile would have its newest entries looked through for ever.
        _sweep = to == _used ? 0 : to;
        return (from, to);
    }

    public void Dispose()
    {
        _index.Dispose();
        _memory.Dispose();
        Touched.Dispose();
        Pending.Dispose();
    }
}
