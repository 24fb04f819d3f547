using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Devices;

/// <summary>One device. A packet touches the first cache line only: bytes and sizes are counted in its flow and added here when the interval ends.</summary>
/// <remarks>
/// <code>
///   0  Mac 8 · SentLast 8 · ReceivedLast 8 │ gaps of what was sent 8 × 2 · of what was received 8 × 2 │ Flags 1 · counts of addresses 3
///  64  Behind 16 · First 8 · Foreign 16 · addresses 128 │ Sent 72 · Received 72 · counters 36 · three distinct counts of 132
/// what stands between bars, or right of the last one, belongs to the interval and is cleared at its end
/// </code>
/// </remarks>
[StructLayout(LayoutKind.Sequential, Size = Size)]
internal unsafe struct DeviceEntry
{
    public const int Size = 832;
    public const int MaxAddresses = 8;
    public const int MaxForeign = 4;

    /// <summary>No MAC has this value: stands in entries that are free and in entry 0.</summary>
    public const ulong NoMac = ulong.MaxValue;

    public ulong Mac;

    /// <summary>In nanoseconds since 1970.</summary>
    public long SentLast;
    public long ReceivedLast;

    /// <summary>Low 16 bits of the gaps; what they carry over goes into <see cref="DeviceTally.GapsCarried"/>.</summary>
    public fixed ushort SentGaps[8];

    /// <summary>See <see cref="SentGaps"/>.</summary>
    public fixed ushort ReceivedGaps[8];
    public DeviceFlags Flags;
    public byte AddressCount;

    /// <summary>Bit i: address i was announced by ARP from this MAC.</summary>
    public byte Announced;
    public byte ForeignCount;
    private readonly uint _unused;

    public NetAddress Behind;

    /// <summary>In nanoseconds since 1970.</summary>
    public long First;

    /// <summary>Hashes of networks and addresses that this MAC forwarded for, until it counts as a router.</summary>
    public fixed uint Foreign[MaxForeign];

    private fixed ulong _addresses[2 * MaxAddresses];

    public DeviceTally Sent;
    public DeviceTally Received;
    public uint Broadcasts;
    public uint Multicasts;
    public uint ArpRequests;
    public uint ArpReplies;
    public uint ArpAnnouncements;
    public uint Dhcp;
    public uint Begun;
    public uint Failed;
    public uint Retransmissions;
    public DistinctCount PeersLocal;
    public DistinctCount PeersBeyond;
    public DistinctCount Ports;

    /// <summary>The addresses, newest last; MaxAddresses places.</summary>
    public NetAddress* Addresses => (NetAddress*)Unsafe.AsPointer(ref _addresses[0]);

    public readonly long Last => Math.Max(SentLast, ReceivedLast);

    public int IndexOf(in NetAddress address)
    {
        for (var i = AddressCount - 1; i >= 0; i--)
        {
            if (Addresses[i] == address)
            {
                return i;
            }
        }

        return -1;
    }

    public bool IsAnnounced(in NetAddress address) => IndexOf(address) is var at and >= 0 && (Announced >> at & 1) != 0;

    /// <summary>Puts an address last; the oldest goes when there are more than eight.</summary>
    public void Note(in NetAddress address, bool announced)
    {
        var at = IndexOf(address);
        if (at >= 0)
        {
            announced |= (Announced >> at & 1) != 0;
            TakeOut(at);
        }
        else if (AddressCount == MaxAddresses)
        {
            TakeOut(0);
        }

        Addresses[AddressCount] = address;
        Announced |= (byte)(announced ? 1 << AddressCount : 0);
        AddressCount++;
    }

    public void TakeOut(int at)
    {
        for (var i = at; i < AddressCount - 1; i++)
        {
            Addresses[i] = Addresses[i + 1];
        }

        var below = (1 << at) - 1;
        Announced = (byte)((Announced & below) | (Announced >> 1 & ~below));
        AddressCount--;
    }

    /// <summary>Remembers something that this MAC forwarded for; true when it makes a router of it.</summary>
    public bool Forwarded(uint hash)
    {
        for (var i = 0; i < ForeignCount; i++)
        {
            if (Foreign[i] == hash)
            {
                return false;
            }
        }

        Foreign[ForeignCount++] = hash;
        return ForeignCount == MaxForeign;
    }

    /// <summary>Begins a new interval.</summary>
    public static void ClearInterval(DeviceEntry* entry)
    {
        new Span<byte>(entry->SentGaps, 2 * 8 * sizeof(ushort)).Clear();
        var begin = (byte*)&entry->Sent;
        new Span<byte>(begin, (int)((byte*)(entry + 1) - begin)).Clear();
    }
}

/// <summary>One direction of a device in the interval.</summary>
internal unsafe struct DeviceTally
{
    public long Bytes;
    public fixed uint Sizes[8];

    /// <summary>How often each count of the gaps has passed 65,536.</summary>
    public fixed uint GapsCarried[8];

    /// <summary>Adds packets by eight classes of size, and their bytes.</summary>
    public static void Add(DeviceTally* tally, ushort* sizes, uint bytes)
    {
        var (low, high) = Vector128.Widen(Vector128.Load(sizes));
        (Vector128.Load(tally->Sizes) + low).Store(tally->Sizes);
        (Vector128.Load(tally->Sizes + 4) + high).Store(tally->Sizes + 4);
        tally->Bytes += bytes;
    }
}

[Flags]
internal enum DeviceFlags : byte
{
    None = 0,

    /// <summary>Has sent a frame; who was only written to is no device yet.</summary>
    Spoke = 1,

    /// <summary>Forwards for others.</summary>
    Router = 2,

    /// <summary>Is known by an address behind a router.</summary>
    IsBehind = 4,
}
