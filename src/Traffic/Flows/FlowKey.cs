using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Labels;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Flows;

/// <summary>Who a packet's flow is: protocol and two ends, the smaller first, so that both directions meet. VLAN tags and MACs are no part of it (mirror ports tag one direction only, routed frames are seen twice); without IP the ends are the MACs.</summary>
/// <remarks>
/// ICMP has no ports: type and code stand in their place, not turned with the ends, and the reply to a request takes the request's type, so that an echo and its answer are one flow.
/// A later fragment belongs to the flow of the first one where <see cref="FragmentTable"/> still knows it, else to a flow of its ends with port 0.
/// </remarks>
[StructLayout(LayoutKind.Sequential, Size = 64)]
internal struct FlowKey
{
    /// <summary>In the word of a flow without IP.</summary>
    public const ulong WithoutIp = 2;

    private const ulong PlainPorts = (1UL << IpProtocol.Tcp) | (1UL << IpProtocol.Udp);

    public NetAddress A;
    public NetAddress B;

    /// <summary>From the top: port of A 16, port of B 16, EtherType 16, protocol 8, whether the ends are MACs (2), and a 1.</summary>
    public ulong Word;

    public uint Hash;

    /// <summary>0 where A sent the packet, 1 where B did.</summary>
    public int Direction;

    /// <summary>Reads the key of a packet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Read(in PacketHeader header, FragmentTable fragments, ulong seed)
    {
        // Protocols above 63 that alias with TCP or UDP carry no ports, and are as well served by the short way.
        var isPlain = (header.Marks & PacketMarks.Fragment) == 0 && ((PlainPorts >> header.Protocol) & 1) != 0;
        if (isPlain && header.IpVersion == 4 && header.Source.IsIPv4 && header.Destination.IsIPv4)
        {
            OrderIPv4((uint)header.Source.Low, (uint)header.Destination.Low, header.SourcePort, header.DestinationPort, header.Protocol);
        }
        else if (isPlain && header.IpVersion != 0)
        {
            Order(header.Source, header.Destination, header.SourcePort, header.DestinationPort, header.IpVersion == 4 ? IpProtocol.EtherTypeV4 : IpProtocol.EtherTypeV6, header.Protocol);
        }
        else
        {
            ReadOther(header, fragments);
        }

        Hash = HashOf(seed, A, B, Word);
    }

    // As Order: an end is an address and a port in one number.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void OrderIPv4(uint source, uint destination, uint sourcePort, uint destinationPort, byte protocol)
    {
        var from = ((ulong)source << 16) | sourcePort;
        var to = ((ulong)destination << 16) | destinationPort;
        var (a, b) = (Math.Min(from, to), Math.Max(from, to));
        A = NetAddress.FromIPv4((uint)(a >> 16));
        B = NetAddress.FromIPv4((uint)(b >> 16));
        Word = (a << 48) | ((b & 0xFFFF) << 32) | ((ulong)IpProtocol.EtherTypeV4 << 16) | ((ulong)protocol << 8) | 1;
        Direction = (int)Bit(from > to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint HashOf(ulong seed, in NetAddress a, in NetAddress b, ulong word) => (uint)(Tables.Hash.Of(seed, a.High, a.Low, b.High, b.Low, word) >> 32);

    // Without branches: which end is the smaller is as good as random.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private void Order(in NetAddress source, in NetAddress destination, uint sourcePort, uint destinationPort, int etherType, byte protocol)
    {
        ulong sh = source.High, sl = source.Low, dh = destination.High, dl = destination.Low;
        var turned = Bit(sh > dh) | (Bit(sh == dh) & (Bit(sl > dl) | (Bit(sl == dl) & Bit(sourcePort > destinationPort))));
        var mask = (ulong)-turned;
        var high = (sh ^ dh) & mask;
        var low = (sl ^ dl) & mask;
        var port = (sourcePort ^ destinationPort) & (uint)mask;
        A = new NetAddress(sh ^ high, sl ^ low);
        B = new NetAddress(dh ^ high, dl ^ low);
        Word = ((ulong)(sourcePort ^ port) << 48) | ((ulong)(destinationPort ^ port) << 32) | ((ulong)(uint)etherType << 16) | ((ulong)protocol << 8) | 1;
        Direction = (int)turned;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ReadOther(in PacketHeader header, FragmentTable fragments)
    {
        if (header.IpVersion == 0)
        {
            Order(new NetAddress(0, header.SourceMac), new NetAddress(0, header.DestinationMac), 0, 0, header.EtherType, 0);
            Word |= WithoutIp;
            return;
        }

        var etherType = header.IpVersion == 4 ? IpProtocol.EtherTypeV4 : IpProtocol.EtherTypeV6;
        uint source = header.SourcePort, destination = header.DestinationPort;
        if ((header.Marks & PacketMarks.Fragment) != 0)
        {
            fragments.Follow(header, ref source, ref destination);
        }

        if (header.Protocol is not (IpProtocol.Icmp or IpProtocol.IcmpV6 or IpProtocol.Igmp))
        {
            Order(header.Source, header.Destination, source, destination, etherType, header.Protocol);
            return;
        }

        Order(header.Source, header.Destination, 0, 0, etherType, header.Protocol);
        Word |= ((ulong)RequestOf(header.Protocol, source) << 48) | ((ulong)destination << 32);
    }

    /// <summary>Whether a packet of ICMP is the answer to a request.</summary>
    public static bool IsReply(in PacketHeader header) => header.Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6 && RequestOf(header.Protocol, header.SourcePort) != header.SourcePort;

    private static uint RequestOf(byte protocol, uint type) => (protocol, type) switch
    {
        (IpProtocol.Icmp, 0) => 8,
        (IpProtocol.Icmp, 14) => 13,
        (IpProtocol.Icmp, 16) => 15,
        (IpProtocol.Icmp, 18) => 17,
        (IpProtocol.IcmpV6, 129) => 128,
        _ => type,
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Bit(bool condition) => condition ? 1 : 0;
}
