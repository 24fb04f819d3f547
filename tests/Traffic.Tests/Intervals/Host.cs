using System.Net;
using Sekisho.Traffic.Headers;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Tests.Intervals;

/// <summary>An end of the tests' traffic: makes headers as the parser would.</summary>
internal readonly record struct Host(ulong Mac, NetAddress Address)
{
    public const ulong BroadcastMac = 0xFFFF_FFFF_FFFF;
    public const byte Fin = 1;
    public const byte Syn = 2;
    public const byte Rst = 4;
    public const byte Ack = 16;

    /// <summary>10.0.0.0 and a number, with a MAC of the same number.</summary>
    public static Host Of(int number) => new(0x0200_0000_0000UL + (uint)number, NetAddress.FromIPv4(0x0A00_0000u + (uint)number));

    public static Host Of(int mac, string address) => new(0x0200_0000_0000UL + (uint)mac, At(address));

    /// <summary>Everybody on the link, at an address.</summary>
    public static Host Broadcast(string address = "255.255.255.255") => new(BroadcastMac, At(address));

    public static Host Multicast(string address) => new(0x0100_5E00_0000 + (At(address).Low & 0x7F_FFFF), At(address));

    public static NetAddress At(string address) => NetAddress.FromIPv6(IPAddress.Parse(address).MapToIPv6().GetAddressBytes());

    public PacketHeader Udp(Host to, int from, int port, long time, int length = 100) => Ip(to, 17, time, length) with
    {
        SourcePort = (ushort)from,
        DestinationPort = (ushort)port,
        PayloadLength = length - 42,
        Marks = MarksOf(to) | PacketMarks.HasPorts,
    };

    public PacketHeader Tcp(Host to, int from, int port, long time, byte flags = Ack, uint sequence = 1, int payload = 0) => Ip(to, 6, time, 54 + payload) with
    {
        SourcePort = (ushort)from,
        DestinationPort = (ushort)port,
        TcpFlags = flags,
        Sequence = sequence,
        PayloadLength = payload,
        Marks = MarksOf(to) | PacketMarks.HasPorts,
    };

    public PacketHeader Icmp(Host to, int type, int code, long time) => Ip(to, Address.IsIPv4 ? (byte)1 : (byte)58, time, 98) with
    {
        SourcePort = (ushort)type,
        DestinationPort = (ushort)code,
        PayloadLength = 56,
    };

    public PacketHeader Fragment(Host to, uint identification, bool later, int from, int port, long time, byte protocol = 17) => Ip(to, protocol, time, 1514) with
    {
        SourcePort = later ? (ushort)0 : (ushort)from,
        DestinationPort = later ? (ushort)0 : (ushort)port,
        Identification = identification,
        PayloadLength = 1472,
        Marks = MarksOf(to) | PacketMarks.Fragment | (later ? PacketMarks.LaterFragment : PacketMarks.HasPorts),
    };

    public PacketHeader Arp(Host to, int operation, long time) => Frame(to, 0x0806, time, 60) with
    {
        Source = Address,
        Destination = to.Address,
        SourcePort = (ushort)operation,
        Marks = MarksOf(to) | PacketMarks.Arp,
    };

    /// <summary>A frame without IP.</summary>
    public PacketHeader Frame(Host to, int etherType, long time, int length = 60) => new()
    {
        Timestamp = time,
        SourceMac = Mac,
        DestinationMac = to.Mac,
        WireLength = length,
        EtherType = (ushort)etherType,
        Vlan = 0xFFFF,
        InnerVlan = 0xFFFF,
        Marks = MarksOf(to),
    };

    public PacketHeader Ip(Host to, byte protocol, long time, int length) => Frame(to, Address.IsIPv4 ? 0x0800 : 0x86DD, time, length) with
    {
        Source = Address,
        Destination = to.Address,
        Protocol = protocol,
        IpVersion = Address.IsIPv4 ? (byte)4 : (byte)6,
        HopLimit = 64,
    };

    private static PacketMarks MarksOf(Host to) =>
        to.Mac == BroadcastMac ? PacketMarks.Broadcast : (to.Mac >> 40 & 1) != 0 ? PacketMarks.Multicast : PacketMarks.None;
}
