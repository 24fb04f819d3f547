using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Records;

/// <summary>One record of a flow as an exporter or a log tells it: NetFlow, IPFIX, Zeek. It sums up what happened between <see cref="Start"/> and <see cref="End"/>.</summary>
public sealed record FlowRecord
{
    /// <summary>Value of <see cref="Vlan"/> without a tag.</summary>
    public const int NoVlan = 0xFFFF;

    /// <summary>First packet, in nanoseconds since 1970.</summary>
    public required long Start { get; init; }

    /// <summary>Last packet, in nanoseconds since 1970, not before <see cref="Start"/>.</summary>
    public required long End { get; init; }

    /// <summary>The low 48 bits are the MAC; 0 where the exporter does not tell it.</summary>
    public ulong SourceMac { get; init; }

    /// <summary>See <see cref="SourceMac"/>.</summary>
    public ulong DestinationMac { get; init; }

    /// <summary>Where the packets came from; of a record of both directions the side that began.</summary>
    public NetAddress Source { get; init; }

    /// <summary>Where the packets went to.</summary>
    public NetAddress Destination { get; init; }

    /// <summary>EtherType: 0x0800 and 0x86DD for IP.</summary>
    public int EtherType { get; init; }

    /// <summary>Protocol of layer 4 (IANA).</summary>
    public int Protocol { get; init; }

    /// <summary>Port of the source; for ICMP and ICMPv6 the type.</summary>
    public int SourcePort { get; init; }

    /// <summary>Port of the destination; for ICMP and ICMPv6 the code.</summary>
    public int DestinationPort { get; init; }

    /// <summary>Packets from source to destination.</summary>
    public long Packets { get; init; }

    /// <summary>Bytes from source to destination from layer 3 on, as all these exporters count.</summary>
    public long Bytes { get; init; }

    /// <summary>Packets from destination to source; null where the record tells one direction only.</summary>
    public long? ReversePackets { get; init; }

    /// <summary>Bytes from destination to source; null where the record tells one direction only.</summary>
    public long? ReverseBytes { get; init; }

    /// <summary>TCP flags that were seen from source to destination, or-ed.</summary>
    public int TcpFlags { get; init; }

    /// <summary>TCP flags that were seen from destination to source, or-ed.</summary>
    public int ReverseTcpFlags { get; init; }

    /// <summary>VLAN identifier, or <see cref="NoVlan"/>.</summary>
    public int Vlan { get; init; } = NoVlan;

    /// <summary>Who told it; none for a log.</summary>
    public NetAddress Exporter { get; init; }

    /// <summary>One of how many packets the exporter looked at; the counts are not multiplied by it.</summary>
    public int Sampling { get; init; } = 1;

    /// <summary>Whether the connection was refused, unanswered, or ended before any data; null where the teller does not say.</summary>
    public bool? ConnectionFailed { get; init; }

    /// <summary>Label of the service where the teller has one; else empty.</summary>
    public string Service { get; init; } = "";

    /// <summary>
    /// The record of a flow that was seen as packets, from when it was first seen. Its bytes count Ethernet headers, those of a record begin at layer 3: 14 bytes per frame are taken off,
    /// so that tags, tunnels and the padding of short frames remain counted.
    /// </summary>
    internal static FlowRecord From(FlowFeatures flow)
    {
        const int EthernetHeader = 14;
        const long Millisecond = 1_000_000;
        return new()
        {
            Start = flow.FirstSeen * Millisecond,
            End = flow.LastSeen * Millisecond,
            SourceMac = flow.ClientMac,
            DestinationMac = flow.ServerMac,
            Source = flow.Client,
            Destination = flow.Server,
            EtherType = flow.EtherType,
            Protocol = flow.Protocol,
            SourcePort = flow.ClientPort,
            DestinationPort = flow.ServerPort,
            Packets = flow.Up.Packets,
            Bytes = Math.Max(flow.Up.Bytes - (EthernetHeader * flow.Up.Packets), 0),
            ReversePackets = flow.Down.Packets,
            ReverseBytes = Math.Max(flow.Down.Bytes - (EthernetHeader * flow.Down.Packets), 0),
            TcpFlags = Flags(flow.Syns > 0, acknowledged: flow.SynAcks > 0, flow.Fins > 0, flow.Resets > 0),
            ReverseTcpFlags = Flags(flow.SynAcks > 0, acknowledged: flow.SynAcks > 0, flow.Fins > 0, flow.Resets > 0),
            Service = flow.Service,
        };
    }

    /// <summary>
    /// The records of an interval that was seen as packets, one for each flow; what the interval left out (<see cref="SensorState.FlowsOmitted"/>) is not among them. A record tells of this interval only, so one of a flow that
    /// is older begins with the interval: a collector that sums up records of one flow then finds each time once.
    /// </summary>
    public static IEnumerable<FlowRecord> Of(IntervalFeatures interval)
    {
        ArgumentNullException.ThrowIfNull(interval);
        return interval.Flows.Select(flow => From(flow.FirstSeen >= interval.Start ? flow : flow with { FirstSeen = Math.Min(interval.Start, flow.LastSeen) }));
    }

    /// <summary>The record with its two sides exchanged. Only for one of both directions.</summary>
    internal FlowRecord Reverse() => this with
    {
        SourceMac = DestinationMac,
        DestinationMac = SourceMac,
        Source = Destination,
        Destination = Source,
        SourcePort = Layer4.IsControl(Protocol) ? SourcePort : DestinationPort,
        DestinationPort = Layer4.IsControl(Protocol) ? DestinationPort : SourcePort,
        Packets = ReversePackets ?? 0,
        Bytes = ReverseBytes ?? 0,
        ReversePackets = Packets,
        ReverseBytes = Bytes,
        TcpFlags = ReverseTcpFlags,
        ReverseTcpFlags = TcpFlags,
    };

    // The features do not tell which side ended the flow, so both are said to have.
    private static int Flags(bool syn, bool acknowledged, bool fin, bool reset) =>
        (fin ? Layer4.Fin : 0) | (syn ? Layer4.Syn : 0) | (reset ? Layer4.Reset : 0) | (acknowledged ? Layer4.Acknowledgement : 0);
}

/// <summary>Numbers of layers 3 and 4.</summary>
internal static class Layer4
{
    internal const int Icmp = 1;
    internal const int Tcp = 6;
    internal const int Udp = 17;
    internal const int IcmpV6 = 58;

    internal const int Fin = 1;
    internal const int Syn = 2;
    internal const int Reset = 4;
    internal const int Acknowledgement = 16;

    internal const int EtherTypeIPv4 = 0x0800;
    internal const int EtherTypeIPv6 = 0x86DD;

    internal static bool IsControl(int protocol) => protocol is Icmp or IcmpV6;
}
