using Sekisho.Traffic.Headers;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Records;

/// <summary>
/// One direction of a flow record in one interval, in the form in which tables of flows and devices know a packet: <see cref="Header"/> is what all packets of it have in common,
/// its time that of the first, its <see cref="PacketHeader.WireLength"/> the mean.
/// </summary>
/// <param name="Header">Addresses, ports, flags.</param>
/// <param name="Packets">How many packets it stands for.</param>
/// <param name="Bytes">Their bytes, an Ethernet header each counted, as those of frames are.</param>
/// <param name="Last">Time of the last, in nanoseconds since 1970.</param>
/// <param name="IsReverse">Whether it is the other direction of a record of both.</param>
public readonly record struct FlowUpdate(PacketHeader Header, long Packets, long Bytes, long Last, bool IsReverse)
{
    private const int EthernetHeader = 14;

    // Longer records are spread over so many intervals, the rest goes into the last one: a record of forged times may not make millions.
    private const int MostIntervals = 10_000;
    private const long Most = long.MaxValue / 32;

    /// <summary>
    /// Spreads a record evenly over the intervals that it touches, both directions. Sums are kept to the packet and to the byte; multiplied by the exporter's sampling.
    /// Times rise within the updates of one record, but records come in any order. Bytes without packets, which some logs have, are those of one packet.
    /// </summary>
    /// <param name="record">The record.</param>
    /// <param name="interval">Length of intervals in nanoseconds, counted from 1970.</param>
    public static IEnumerable<FlowUpdate> Of(FlowRecord record, long interval)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(interval, 1);
        var there = HeaderOf(record);
        var back = record.ReversePackets > 0 || record.ReverseBytes > 0 ? HeaderOf(record.Reverse()) : default;
        var first = record.Start / interval;
        var slices = Math.Min((record.End / interval) - first + 1, MostIntervals);
        var (packets, bytes) = Scaled(record.Packets, record.Bytes, record.Sampling);
        var (reversePackets, reverseBytes) = Scaled(record.ReversePackets ?? 0, record.ReverseBytes ?? 0, record.Sampling);
        for (long slice = 0; slice < slices; slice++)
        {
            var from = slice == 0 ? record.Start : (first + slice) * interval;
            var to = slice == slices - 1 ? record.End : ((first + slice + 1) * interval) - 1;
            if (Slice(there, packets, bytes, slice, slices, from, to, isReverse: false) is { } update)
            {
                yield return update;
            }

            if (Slice(back, reversePackets, reverseBytes, slice, slices, from, to, isReverse: true) is { } reply)
            {
                yield return reply;
            }
        }
    }

    private static (long Packets, long Bytes) Scaled(long packets, long bytes, int sampling) => (Scaled(packets == 0 && bytes > 0 ? 1 : packets, sampling), Scaled(bytes, sampling));

    // What comes from outside may be anything; fourteen bytes for each packet still have room above.
    private static long Scaled(long count, int sampling) => count > Most / Math.Max(sampling, 1) ? Most : Math.Max(count, 0) * Math.Max(sampling, 1);

    private static FlowUpdate? Slice(PacketHeader header, long packets, long bytes, long slice, long slices, long from, long to, bool isReverse)
    {
        var part = Share(packets, slice, slices);
        if (part == 0)
        {
            return null;
        }

        // Bytes go with the packets, so that no interval has bytes without a packet.
        var before = packets - Remaining(packets, slice, slices);
        var partBytes = (long)(((Int128)bytes * (before + part) / packets) - ((Int128)bytes * before / packets)) + (EthernetHeader * part);
        header.Timestamp = from;
        header.WireLength = (int)Math.Clamp(partBytes / part, EthernetHeader, 65_535 + EthernetHeader);

        // A connection begins once and ends once.
        if (slice > 0)
        {
            header.TcpFlags &= unchecked((byte)~Layer4.Syn);
        }

        if (before + part < packets)
        {
            header.TcpFlags &= unchecked((byte)~(Layer4.Fin | Layer4.Reset));
        }

        return new(header, part, partBytes, to, isReverse);
    }

    private static long Share(long packets, long slice, long slices) => Remaining(packets, slice, slices) - Remaining(packets, slice + 1, slices);

    // What is left from a slice on; rounded up, so that the first slice has the first packet.
    private static long Remaining(long packets, long slice, long slices) => packets - (long)((((Int128)packets * slice) + slices - 1) / slices);

    private static PacketHeader HeaderOf(FlowRecord record) => new()
    {
        Source = record.Source,
        Destination = record.Destination,
        SourceMac = record.SourceMac,
        DestinationMac = record.DestinationMac,
        EtherType = (ushort)record.EtherType,
        SourcePort = (ushort)record.SourcePort,
        DestinationPort = (ushort)record.DestinationPort,
        Vlan = (ushort)record.Vlan,
        InnerVlan = HeaderParser.NoVlan,
        Protocol = (byte)record.Protocol,
        TcpFlags = (byte)record.TcpFlags,
        IpVersion = record.EtherType switch { Layer4.EtherTypeIPv4 => 4, Layer4.EtherTypeIPv6 => 6, _ => 0 },
        Marks = Marks(record),
    };

    private static PacketMarks Marks(FlowRecord record) =>
        (record.Protocol is Layer4.Tcp or Layer4.Udp or 132 ? PacketMarks.HasPorts : PacketMarks.None) | (record.DestinationMac != 0 ? GroupOf(record.DestinationMac) : GroupOf(record.Destination));

    private static PacketMarks GroupOf(ulong mac) => mac == 0xFFFF_FFFF_FFFF ? PacketMarks.Broadcast : (mac >> 40 & 1) != 0 ? PacketMarks.Multicast : PacketMarks.None;

    private static PacketMarks GroupOf(NetAddress address) =>
        address == NetAddress.FromIPv4(uint.MaxValue) ? PacketMarks.Broadcast
        : address.IsIPv4 ? (uint)address.Low >> 28 == 0xE ? PacketMarks.Multicast : PacketMarks.None
        : address.High >> 56 == 0xFF ? PacketMarks.Multicast : PacketMarks.None;
}
