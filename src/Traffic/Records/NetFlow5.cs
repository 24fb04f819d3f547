using System.Buffers.Binary;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Records;

/// <summary>
/// A record of NetFlow v5, 48 bytes: source 4, destination 4, next hop 4, interfaces 2 + 2, packets 4, bytes 4, first 4, last 4 (uptime in milliseconds),
/// source port 2, destination port 2, padding 1, TCP flags 1, protocol 1, type of service 1, autonomous systems 2 + 2, masks 1 + 1, padding 2.
/// </summary>
internal static class NetFlow5
{
    internal static FlowRecord Read(ReadOnlySpan<byte> record, NetAddress exporter, long exported, uint uptime, int sampling)
    {
        var protocol = record[38];
        var control = Layer4.IsControl(protocol);
        int sourcePort = BinaryPrimitives.ReadUInt16BigEndian(record[32..]);
        int destinationPort = BinaryPrimitives.ReadUInt16BigEndian(record[34..]);
        var start = At(BinaryPrimitives.ReadUInt32BigEndian(record[24..]), exported, uptime);
        return new()
        {
            Start = start,
            End = Math.Max(start, At(BinaryPrimitives.ReadUInt32BigEndian(record[28..]), exported, uptime)),
            Source = NetAddress.FromIPv4(BinaryPrimitives.ReadUInt32BigEndian(record)),
            Destination = NetAddress.FromIPv4(BinaryPrimitives.ReadUInt32BigEndian(record[4..])),
            EtherType = Layer4.EtherTypeIPv4,
            Protocol = protocol,
            SourcePort = control ? destinationPort >> 8 : sourcePort,
            DestinationPort = control ? destinationPort & 0xFF : destinationPort,
            Packets = BinaryPrimitives.ReadUInt32BigEndian(record[16..]),
            Bytes = BinaryPrimitives.ReadUInt32BigEndian(record[20..]),
            TcpFlags = record[37],
            Exporter = exporter,
            Sampling = Math.Max(sampling, 1),
        };
    }

    // The uptime begins anew after 49.7 days; flows that are told are younger.
    private static long At(uint moment, long exported, uint uptime) => Math.Max(exported - (unchecked((int)(uptime - moment)) * 1_000_000L), 0);
}
