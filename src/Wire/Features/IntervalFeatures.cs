namespace Sekisho.Wire.Features;

/// <summary>What a traffic sensor saw in one interval (10 s unless told otherwise), from headers of layers 2 to 4 alone. Times are milliseconds since 1970 by the sensor's clock.</summary>
/// <param name="Sequence">Number of the interval since the sensor was set up, one more for each; a gap is a loss, a repeat a replay.</param>
/// <param name="Start">Begin of the interval.</param>
/// <param name="Length">Length of the interval in milliseconds.</param>
/// <param name="Devices">Each device that sent or received in it, or of which a connection was found to have failed, in order of <see cref="DeviceFeatures.Mac"/> and address.</param>
/// <param name="Flows">Each flow with packets in it.</param>
/// <param name="State">What the sensor says about itself.</param>
public sealed record IntervalFeatures(
    long Sequence, long Start, int Length, IReadOnlyList<DeviceFeatures> Devices, IReadOnlyList<FlowFeatures> Flows, SensorState State);

/// <summary>One device in one interval: by MAC on the mirrored segment, by address behind a router (then the MAC is the router's).</summary>
public sealed record DeviceFeatures
{
    /// <summary>The low 48 bits are the MAC; 0 where the link has none.</summary>
    public required ulong Mac { get; init; }

    /// <summary>The address behind a router that this device is known by; none for a device of the segment.</summary>
    public NetAddress BehindRouter { get; init; }

    /// <summary>Addresses that the device used as a source, at most eight, newest last.</summary>
    public required IReadOnlyList<NetAddress> Addresses { get; init; }

    /// <summary>When the device was first and last seen, in milliseconds since 1970.</summary>
    public required long FirstSeen { get; init; }

    /// <summary>See <see cref="FirstSeen"/>.</summary>
    public required long LastSeen { get; init; }

    /// <summary>What it sent.</summary>
    public required Tally Sent { get; init; }

    /// <summary>What was sent to it, broadcast and multicast apart.</summary>
    public required Tally Received { get; init; }

    /// <summary>Broadcast frames sent.</summary>
    public long Broadcasts { get; init; }

    /// <summary>Multicast frames sent.</summary>
    public long Multicasts { get; init; }

    /// <summary>ARP requests sent.</summary>
    public long ArpRequests { get; init; }

    /// <summary>ARP replies sent.</summary>
    public long ArpReplies { get; init; }

    /// <summary>ARP announcements sent (sender and target address equal).</summary>
    public long ArpAnnouncements { get; init; }

    /// <summary>Frames of DHCP sent, by port and size only.</summary>
    public long DhcpExchanges { get; init; }

    /// <summary>TCP connections that the device began (SYN without ACK).</summary>
    public long ConnectionsBegun { get; init; }

    /// <summary>Of these, how many ended without data: reset at once, or unanswered.</summary>
    public long ConnectionsFailed { get; init; }

    /// <summary>TCP segments sent again.</summary>
    public long Retransmissions { get; init; }

    /// <summary>Different peers on local networks and beyond, counted exactly up to 32, then estimated.</summary>
    public int PeersLocal { get; init; }

    /// <summary>See <see cref="PeersLocal"/>.</summary>
    public int PeersBeyond { get; init; }

    /// <summary>Different destination ports that the device called, counted as <see cref="PeersLocal"/>.</summary>
    public int PortsCalled { get; init; }
}

/// <summary>Packets and bytes of one direction in one interval.</summary>
public sealed record Tally
{
    /// <summary>Bounds of <see cref="Sizes"/>: a frame belongs to the first bound that it does not exceed, in bytes on the wire; the last class has none.</summary>
    public static readonly IReadOnlyList<int> SizeBounds = [64, 128, 256, 512, 1024, 1280, 1518];

    /// <summary>Bounds of <see cref="Gaps"/> in microseconds, as <see cref="SizeBounds"/>.</summary>
    public static readonly IReadOnlyList<long> GapBounds = [1_000, 10_000, 100_000, 1_000_000, 10_000_000, 60_000_000, 600_000_000];

    /// <summary>Nothing.</summary>
    public static readonly Tally None = new() { Sizes = new uint[8], Gaps = new uint[8] };

    /// <summary>Frames.</summary>
    public long Packets { get; init; }

    /// <summary>Bytes on the wire, layer 2 headers counted, without frame check sequence.</summary>
    public long Bytes { get; init; }

    /// <summary>Frames by size, 8 classes.</summary>
    public required IReadOnlyList<uint> Sizes { get; init; }

    /// <summary>Gaps between a frame and the one before it in this direction, 8 classes.</summary>
    public required IReadOnlyList<uint> Gaps { get; init; }
}

/// <summary>One flow in one interval: two ends and a protocol, both directions together. VLAN tags are no part of it.</summary>
public sealed record FlowFeatures
{
    /// <summary>MAC of the side that began the flow (or spoke first, when the begin was not seen).</summary>
    public required ulong ClientMac { get; init; }

    /// <summary>MAC of the other side.</summary>
    public required ulong ServerMac { get; init; }

    /// <summary>Address of the side that began; none for frames without IP.</summary>
    public NetAddress Client { get; init; }

    /// <summary>Address of the other side.</summary>
    public NetAddress Server { get; init; }

    /// <summary>EtherType: 0x0800 and 0x86DD for IP; for frames of 802.3 with LLC the DSAP.</summary>
    public required int EtherType { get; init; }

    /// <summary>Protocol of layer 4 (IANA), 0 without IP.</summary>
    public int Protocol { get; init; }

    /// <summary>Port of the side that began; for ICMP the type.</summary>
    public int ClientPort { get; init; }

    /// <summary>Port that was called; for ICMP the code.</summary>
    public int ServerPort { get; init; }

    /// <summary>Label by port and shape, for example "mqtt"; empty for unknown.</summary>
    public required string Service { get; init; }

    /// <summary>When the flow was first and last seen, in milliseconds since 1970.</summary>
    public required long FirstSeen { get; init; }

    /// <summary>See <see cref="FirstSeen"/>.</summary>
    public required long LastSeen { get; init; }

    /// <summary>From client to server.</summary>
    public required Tally Up { get; init; }

    /// <summary>From server to client.</summary>
    public required Tally Down { get; init; }

    /// <summary>TCP flags seen in the interval, of both directions: SYN, SYN+ACK, FIN, RST counted.</summary>
    public uint Syns { get; init; }

    /// <summary>See <see cref="Syns"/>.</summary>
    public uint SynAcks { get; init; }

    /// <summary>See <see cref="Syns"/>.</summary>
    public uint Fins { get; init; }

    /// <summary>See <see cref="Syns"/>.</summary>
    public uint Resets { get; init; }

    /// <summary>Segments sent again, from client and from server.</summary>
    public uint RetransmissionsUp { get; init; }

    /// <summary>See <see cref="RetransmissionsUp"/>.</summary>
    public uint RetransmissionsDown { get; init; }
}

/// <summary>What a sensor says about itself with each interval.</summary>
public sealed record SensorState
{
    /// <summary>Share of one core that the sensor used in the interval, 0 to the number of cores.</summary>
    public double Cpu { get; init; }

    /// <summary>Resident memory in bytes.</summary>
    public long Memory { get; init; }

    /// <summary>Frames read in the interval.</summary>
    public long Packets { get; init; }

    /// <summary>Bytes on the wire of these.</summary>
    public long Bytes { get; init; }

    /// <summary>Frames that the kernel dropped because the ring was full.</summary>
    public long KernelDrops { get; init; }

    /// <summary>Frames with a header that contradicts itself, and frames cut before their headers ended.</summary>
    public long Malformed { get; init; }

    /// <summary>See <see cref="Malformed"/>.</summary>
    public long Truncated { get; init; }

    /// <summary>Frames of protocols that the sensor does not know, above layer 2.</summary>
    public long Unknown { get; init; }

    /// <summary>Flows and devices in the tables now, and how many they hold.</summary>
    public int FlowsHeld { get; init; }

    /// <summary>See <see cref="FlowsHeld"/>.</summary>
    public int FlowsLimit { get; init; }

    /// <summary>See <see cref="FlowsHeld"/>.</summary>
    public int DevicesHeld { get; init; }

    /// <summary>See <see cref="FlowsHeld"/>.</summary>
    public int DevicesLimit { get; init; }

    /// <summary>Flows put out of the table for want of room in the interval.</summary>
    public long FlowsEvicted { get; init; }

    /// <summary>Flows with packets in the interval that are not among <see cref="IntervalFeatures.Flows"/> because they would be too many.</summary>
    public long FlowsOmitted { get; init; }

    /// <summary>Devices put out of the table for want of room in the interval.</summary>
    public long DevicesEvicted { get; init; }

    /// <summary>Bytes sent to the gateway since the last report, and intervals waiting on disk.</summary>
    public long UplinkBytes { get; init; }

    /// <summary>See <see cref="UplinkBytes"/>.</summary>
    public int Waiting { get; init; }

    /// <summary>Intervals lost since the sensor was set up because the buffer on disk was full.</summary>
    public long Lost { get; init; }

    /// <summary>Offset of the sensor's clock from the gateway's in milliseconds by the last answer (positive: the sensor is ahead); null before the first.</summary>
    public double? ClockOffset { get; init; }
}
