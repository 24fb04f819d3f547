using System.Runtime.CompilerServices;
using Sekisho.Traffic.Devices;
using Sekisho.Traffic.Tables;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Intervals;

/// <summary>Who a flow of records is: that of <see cref="Flows.FlowKey"/>.</summary>
internal readonly record struct FlowId(NetAddress A, NetAddress B, ulong Word, uint Hash)
{
    public override int GetHashCode() => (int)Hash;
}

/// <summary>Who a device is: its MAC, or its address behind a router.</summary>
internal readonly record struct DeviceId(ulong Mac, NetAddress Behind, uint Hash)
{
    public static DeviceId Of(ulong mac, in NetAddress behind, ulong seed) => new(mac, behind, (uint)(Tables.Hash.Of(seed, mac, behind.High, behind.Low) >> 32));

    public override int GetHashCode() => (int)Hash;
}

/// <summary>Sums that stop at the largest number instead of going round: an exporter may tell anything.</summary>
internal static class Saturating
{
    public static void Add(ref long sum, long more) => sum = more > long.MaxValue - sum ? long.MaxValue : sum + more;

    public static uint Narrow(long count) => (uint)Math.Min(count, uint.MaxValue);
}

/// <summary>Packets and bytes of one direction. Of sizes the mean is known only, of gaps nothing.</summary>
internal struct RecordTally
{
    public long Packets;
    public long Bytes;
    private Sizes _sizes;

    public void Add(long packets, long bytes, int meanLength)
    {
        Saturating.Add(ref Packets, packets);
        Saturating.Add(ref Bytes, bytes);
        Saturating.Add(ref _sizes[Classes.OfSize(meanLength)], packets);
    }

    public void Add(in RecordTally other)
    {
        Saturating.Add(ref Packets, other.Packets);
        Saturating.Add(ref Bytes, other.Bytes);
        for (var i = 0; i < Sizes.Count; i++)
        {
            Saturating.Add(ref _sizes[i], other._sizes[i]);
        }
    }

    public readonly Tally ToTally()
    {
        if (Packets == 0)
        {
            return Tally.None;
        }

        var sizes = new uint[Sizes.Count];
        for (var i = 0; i < Sizes.Count; i++)
        {
            sizes[i] = Saturating.Narrow(_sizes[i]);
        }

        return new Tally { Packets = Packets, Bytes = Bytes, Sizes = sizes, Gaps = new uint[Sizes.Count] };
    }

    [InlineArray(Count)]
    private struct Sizes
    {
        public const int Count = 8;

        private long _first;
    }
}

/// <summary>A flow in one interval.</summary>
internal sealed class FlowSum
{
    public ulong MacA;
    public ulong MacB;
    public long First = long.MaxValue;
    public long Last;
    public int Client;
    public RecordTally FromA;
    public RecordTally FromB;
    public uint Syns;
    public uint SynAcks;
    public uint Fins;
    public uint Resets;
}

/// <summary>A device in one interval.</summary>
internal sealed class DeviceSum
{
    /// <summary>Whether it sent in this interval.</summary>
    public bool Spoke;

    /// <summary>In nanoseconds since 1970.</summary>
    public long First = long.MaxValue;
    public long Last;
    public RecordTally Sent;
    public RecordTally Received;
    public long Broadcasts;
    public long Multicasts;
    public long Dhcp;
    public long Begun;
    public long Failed;
    public DistinctCount PeersLocal;
    public DistinctCount PeersBeyond;
    public DistinctCount Ports;
}
