using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Headers;

/// <summary>Reads the headers of one frame. Allocates nothing and never throws: what cannot be read is marked.</summary>
/// <remarks>
/// A hot path. TCP and UDP without options in IP, straight in Ethernet or behind one VLAN tag, is read here in one go;
/// every other frame goes layer by layer through the other classes of this folder, and a frame that contradicts itself with them.
/// </remarks>
public static class HeaderParser
{
    /// <summary>How many tunnels are followed one inside the other; the headers of a deeper one are not read.</summary>
    public const int TunnelLimit = 4;

    /// <summary>Value of <see cref="PacketHeader.Vlan"/> without a tag.</summary>
    public const ushort NoVlan = 0xFFFF;

    /// <summary>The highest MAC, which is the broadcast address.</summary>
    internal const ulong BroadcastMac = 0xFFFF_FFFF_FFFF;

    private const int TagSize = 4;

    /// <summary>Reads <paramref name="frame"/>, the captured begin of a frame of <paramref name="wireLength"/> bytes, seen <paramref name="timestamp"/> nanoseconds after the begin of 1970.</summary>
    public static void Parse(ReadOnlySpan<byte> frame, LinkType link, int wireLength, long timestamp, out PacketHeader header)
    {
        Unsafe.SkipInit(out header);
        if (link != LinkType.Ethernet || frame.Length > wireLength || !ParseUsual(frame, wireLength, ref header))
        {
            ParseAny(frame, link, wireLength, out header);
        }

        header.Timestamp = timestamp;
        header.WireLength = wireLength;
    }

    // Writes every field when it returns true; what it wrote before is without meaning when it returns false.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static bool ParseUsual(ReadOnlySpan<byte> frame, int wireLength, ref PacketHeader header)
    {
        const int ShortestUdp = LinkLayers.EthernetSize + InternetLayer.IPv4Size + TransportLayer.UdpSize;
        if (frame.Length < ShortestUdp)
        {
            return false;
        }

        ref var start = ref MemoryMarshal.GetReference(frame);
        var destination = Read64(ref start, 0) >> 16;
        var sourceAndType = Read64(ref start, 6);
        var type = (ushort)sourceAndType;
        var offset = LinkLayers.EthernetSize;
        header.Vlan = NoVlan;
        if (type == EtherTypes.Vlan)
        {
            if (frame.Length < ShortestUdp + TagSize)
            {
                return false;
            }

            header.Vlan = (ushort)(Read16(ref start, 14) & EtherTypes.VlanMask);
            type = Read16(ref start, 16);
            offset += TagSize;
        }

        int length;
        byte protocol;
        if (type == EtherTypes.IPv4)
        {
            ref var ip = ref Unsafe.Add(ref start, offset);
            length = Read16(ref ip, 2) - InternetLayer.IPv4Size;
            protocol = Unsafe.Add(ref ip, 9);
            if (ip != 0x45 || (Read16(ref ip, 6) & InternetLayer.FragmentMask) != 0)
            {
                return false;
            }

            header.Identification = Read16(ref ip, 4);
            header.HopLimit = Unsafe.Add(ref ip, 8);
            header.Source = NetAddress.FromIPv4(Read32(ref ip, 12));
            header.Destination = NetAddress.FromIPv4(Read32(ref ip, 16));
            header.IpVersion = 4;
            offset += InternetLayer.IPv4Size;
        }
        else if (type == EtherTypes.IPv6 && frame.Length >= offset + InternetLayer.IPv6Size + TransportLayer.UdpSize)
        {
            ref var ip = ref Unsafe.Add(ref start, offset);
            length = Read16(ref ip, 4);
            protocol = Unsafe.Add(ref ip, 6);
            if ((ip & 0xF0) != 0x60)
            {
                return false;
            }

            header.Identification = 0;
            header.HopLimit = Unsafe.Add(ref ip, 7);
            header.Source = new NetAddress(Read64(ref ip, 8), Read64(ref ip, 16));
            header.Destination = new NetAddress(Read64(ref ip, 24), Read64(ref ip, 32));
            header.IpVersion = 6;
            offset += InternetLayer.IPv6Size;
        }
        else
        {
            return false;
        }

        if (length > wireLength - offset)
        {
            return false;
        }

        ref var transport = ref Unsafe.Add(ref start, offset);
        var ports = Read32(ref transport, 0);
        if (protocol == TransportLayer.Tcp)
        {
            if (frame.Length < offset + TransportLayer.TcpSize)
            {
                return false;
            }

            var size = (Unsafe.Add(ref transport, 12) >> 4) * 4;
            if (size < TransportLayer.TcpSize || size > length || size > frame.Length - offset)
            {
                return false;
            }

            header.PayloadLength = length - size;
            header.Sequence = Read32(ref transport, 4);
            header.Acknowledgement = Read32(ref transport, 8);
            header.TcpFlags = Unsafe.Add(ref transport, 13);
        }
        else if (protocol == TransportLayer.Udp)
        {
            if (Read16(ref transport, 4) != length || length < TransportLayer.UdpSize || Tunnels.IsUdpTunnel((ushort)ports))
            {
                return false;
            }

            header.PayloadLength = length - TransportLayer.UdpSize;
            header.Sequence = 0;
            header.Acknowledgement = 0;
            header.TcpFlags = 0;
        }
        else
        {
            return false;
        }

        header.SourcePort = (ushort)(ports >> 16);
        header.DestinationPort = (ushort)ports;
        header.Protocol = protocol;
        header.EtherType = type;
        header.InnerVlan = NoVlan;
        header.SourceMac = sourceAndType >> 16;
        header.DestinationMac = destination;
        header.TunnelSource = default;
        header.TunnelDestination = default;
        header.Marks = PacketMarks.HasPorts | LinkLayers.GroupMarks(destination);
        return true;
    }

    /// <summary>Reads any frame layer by layer, the usual ones too; all but time and length.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void ParseAny(ReadOnlySpan<byte> frame, LinkType link, int wireLength, out PacketHeader header)
    {
        header = default;
        header.Vlan = NoVlan;
        header.InnerVlan = NoVlan;
        if (wireLength < frame.Length)
        {
            header.Marks = PacketMarks.Malformed;
            frame = frame[..Math.Max(wireLength, 0)];
        }

        var layer = new Layer(frame, wireLength);
        switch (link)
        {
            case LinkType.Ethernet:
                LinkLayers.Ethernet(layer, ref header);
                break;
            case LinkType.LinuxSll:
                LinkLayers.LinuxCooked(layer, ref header);
                break;
            case LinkType.LinuxSll2:
                LinkLayers.LinuxCooked2(layer, ref header);
                break;
            case LinkType.Raw or LinkType.RawOld or LinkType.RawOpenBsd:
                InternetLayer.Any(layer, ref header);
                break;
            case LinkType.IPv4:
                InternetLayer.IPv4(layer, ref header);
                break;
            case LinkType.IPv6:
                InternetLayer.IPv6(layer, ref header);
                break;
            case LinkType.Null:
                LinkLayers.Loopback(layer, bigEndian: false, ref header);
                break;
            case LinkType.Loop:
                LinkLayers.Loopback(layer, bigEndian: true, ref header);
                break;
            case LinkType.Ppp:
                PointToPoint.Ppp(layer, ref header);
                break;
            case LinkType.Fddi:
                LinkLayers.Fddi(layer, ref header);
                break;
            case LinkType.Wlan:
                Wireless.Wlan(layer, padded: false, ref header);
                break;
            case LinkType.Radiotap:
                Wireless.Radiotap(layer, ref header);
                break;
            case LinkType.Nflog:
                LinkLayers.Nflog(layer, ref header);
                break;
            default:
                header.Marks |= PacketMarks.Unknown;
                break;
        }
    }

    private static ushort Read16(ref byte start, int offset)
    {
        var value = Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref start, offset));
        return BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
    }

    private static uint Read32(ref byte start, int offset)
    {
        var value = Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref start, offset));
        return BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
    }

    private static ulong Read64(ref byte start, int offset)
    {
        var value = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref start, offset));
        return BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
    }
}
