using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Headers;

/// <summary>What the headers of layers 2 to 4 of one frame say, innermost where there are tunnels. A value of a batch that is written again and again: <see cref="HeaderParser"/> sets every field.</summary>
public struct PacketHeader
{
    /// <summary>When the frame was seen, in nanoseconds since 1970.</summary>
    public long Timestamp;

    /// <summary>Addresses of layer 3 (of ARP: sender and target); none without IP.</summary>
    public NetAddress Source;

    /// <summary>See <see cref="Source"/>.</summary>
    public NetAddress Destination;

    /// <summary>The low 48 bits are the MAC; 0 where the link has none.</summary>
    public ulong SourceMac;

    /// <summary>See <see cref="SourceMac"/>.</summary>
    public ulong DestinationMac;

    /// <summary>Outer addresses where the frame is tunnelled (GRE, VXLAN, IP in IP); else none.</summary>
    public NetAddress TunnelSource;

    /// <summary>See <see cref="TunnelSource"/>.</summary>
    public NetAddress TunnelDestination;

    /// <summary>Bytes on the wire.</summary>
    public int WireLength;

    /// <summary>Sequence number of TCP.</summary>
    public uint Sequence;

    /// <summary>Acknowledgement number of TCP.</summary>
    public uint Acknowledgement;

    /// <summary>Identification of IPv4, or of the fragment header of IPv6; 0 without.</summary>
    public uint Identification;

    /// <summary>Bytes above layer 4 by the length fields of the headers, not by what was captured.</summary>
    public int PayloadLength;

    /// <summary>What is special about the frame.</summary>
    public PacketMarks Marks;

    /// <summary>EtherType after all tags; for 802.3 frames with LLC the DSAP (below 0x0600).</summary>
    public ushort EtherType;

    /// <summary>Port of TCP, UDP, SCTP; for ICMP, ICMPv6 and IGMP the type as source port and the code as destination port; for ARP the operation as source port.</summary>
    public ushort SourcePort;

    /// <summary>See <see cref="SourcePort"/>.</summary>
    public ushort DestinationPort;

    /// <summary>Outer VLAN identifier, 0xFFFF without tag.</summary>
    public ushort Vlan;

    /// <summary>Inner VLAN identifier of QinQ, 0xFFFF without.</summary>
    public ushort InnerVlan;

    /// <summary>Protocol of layer 4 (IANA); 0 without IP.</summary>
    public byte Protocol;

    /// <summary>Flags of TCP as they stand in the header.</summary>
    public byte TcpFlags;

    /// <summary>4, 6, or 0 without IP.</summary>
    public byte IpVersion;

    /// <summary>TTL of IPv4, hop limit of IPv6.</summary>
    public byte HopLimit;
}

/// <summary>What is special about a frame.</summary>
[Flags]
public enum PacketMarks : ushort
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>A header contradicts itself (a length smaller than its header, an unknown version).</summary>
    Malformed = 1,

    /// <summary>The captured bytes end before the headers do.</summary>
    Truncated = 2,

    /// <summary>Above layer 2 a protocol that is not known here.</summary>
    Unknown = 4,

    /// <summary>A fragment, first or later.</summary>
    Fragment = 8,

    /// <summary>A fragment that is not the first: without ports.</summary>
    LaterFragment = 16,

    /// <summary>ARP.</summary>
    Arp = 32,

    /// <summary>Addresses and ports are those inside a tunnel.</summary>
    Tunnelled = 64,

    /// <summary>Destination is the broadcast address of layer 2.</summary>
    Broadcast = 128,

    /// <summary>Destination is a group address of layer 2 other than the broadcast address.</summary>
    Multicast = 256,

    /// <summary>Ports of TCP, UDP, SCTP, DCCP or UDP-Lite are set; not with ICMP, IGMP and ARP, whose types stand in their place.</summary>
    HasPorts = 512,
}
