namespace Sekisho.Traffic.Headers;

/// <summary>What IP carries: TCP, UDP, SCTP, the control protocols, and the begin of tunnels.</summary>
internal static class TransportLayer
{
    public const byte Tcp = 6;
    public const byte Udp = 17;
    public const int TcpSize = 20;
    public const int UdpSize = 8;

    private const byte Icmp = 1;
    private const byte Igmp = 2;
    private const byte IPv4 = 4;
    private const byte Dccp = 33;
    private const byte IPv6 = 41;
    private const byte Gre = 47;
    private const byte IcmpV6 = 58;
    private const byte Sctp = 132;
    private const byte UdpLite = 136;
    private const byte Mpls = 137;
    private const int PortsSize = 4;

    public static void Read(byte protocol, Layer layer, ref PacketHeader header)
    {
        switch (protocol)
        {
            case Tcp:
                ReadTcp(layer, ref header);
                break;
            case Udp:
                ReadUdp(layer, ref header);
                break;
            case Icmp or IcmpV6 or Igmp:
                ReadControl(layer, ref header);
                break;
            case Sctp or Dccp:
                if (ReadPorts(layer, ref header))
                {
                    _ = layer.Has(12, ref header);
                    header.PayloadLength = Math.Max(layer.Wire - 12, 0);
                }

                break;
            case UdpLite:
                if (ReadPorts(layer, ref header))
                {
                    _ = layer.Has(UdpSize, ref header);
                    header.PayloadLength = Math.Max(layer.Wire - UdpSize, 0);
                }

                break;
            case IPv4:
                if (layer.TryDescend(0, out var inner4))
                {
                    InternetLayer.IPv4(inner4, ref header);
                }

                break;
            case IPv6:
                if (layer.TryDescend(0, out var inner6))
                {
                    InternetLayer.IPv6(inner6, ref header);
                }

                break;
            case Mpls:
                if (layer.TryDescend(0, out var labels))
                {
                    PointToPoint.LabelStack(labels, ref header);
                }

                break;
            case Gre:
                Tunnels.Gre(layer, ref header);
                break;
            default:
                if (!IsKnown(protocol))
                {
                    header.Marks |= PacketMarks.Unknown;
                }

                break;
        }
    }

    private static void ReadTcp(Layer layer, ref PacketHeader header)
    {
        if (!ReadPorts(layer, ref header))
        {
            return;
        }

        if (layer.Length >= 8)
        {
            header.Sequence = layer.U32(4);
        }

        if (layer.Length >= 12)
        {
            header.Acknowledgement = layer.U32(8);
        }

        if (layer.Length >= 14)
        {
            header.TcpFlags = layer[13];
        }

        var size = layer.Length >= 13 ? (layer[12] >> 4) * 4 : TcpSize;
        header.PayloadLength = Math.Max(layer.Wire - size, 0);
        if (size < TcpSize)
        {
            header.Marks |= PacketMarks.Malformed;
        }
        else
        {
            _ = layer.Has(size, ref header);
        }
    }

    private static void ReadUdp(Layer layer, ref PacketHeader header)
    {
        if (!ReadPorts(layer, ref header) || !layer.Has(UdpSize, ref header))
        {
            return;
        }

        int length = layer.U16(4);

        // 0 stands for the whole of a jumbogram of IPv6 (RFC 2675, 4).
        if (length == 0 && header.IpVersion == 6)
        {
            length = layer.Wire;
        }

        if (length < UdpSize)
        {
            header.Marks |= PacketMarks.Malformed;
            header.PayloadLength = 0;
            return;
        }

        if (length > layer.Wire && (header.Marks & PacketMarks.Fragment) == 0)
        {
            header.Marks |= PacketMarks.Malformed;
        }

        layer = layer.Resize(Math.Min(length, layer.Wire)).Skip(UdpSize);
        header.PayloadLength = layer.Wire;
        if (Tunnels.IsUdpTunnel(header.DestinationPort))
        {
            Tunnels.InUdp(header.DestinationPort, layer, ref header);
        }
    }

    // Type and code; the headers of these protocols are told as 8 bytes, which is what all messages have in common.
    private static void ReadControl(Layer layer, ref PacketHeader header)
    {
        const int Size = 8;
        if (!layer.Has(2, ref header))
        {
            return;
        }

        header.SourcePort = layer[0];
        header.DestinationPort = layer[1];
        header.PayloadLength = Math.Max(layer.Wire - Size, 0);
        _ = layer.Has(Math.Min(Size, layer.Wire), ref header);
    }

    private static bool ReadPorts(Layer layer, ref PacketHeader header)
    {
        if (!layer.Has(PortsSize, ref header))
        {
            return false;
        }

        header.SourcePort = layer.U16(0);
        header.DestinationPort = layer.U16(2);
        header.Marks |= PacketMarks.HasPorts;
        return true;
    }

    // EGP, IGP, RSVP, ESP, AH, mobility of IPv4, no next header, EIGRP, OSPF, Ethernet in IP, PIM, IP compression, VRRP, L2TP, IS-IS, HIP, Shim6 and mobility of IPv6: known, and read no further.
    private static bool IsKnown(byte protocol) => protocol is 8 or 9 or 46 or 50 or 51 or 55 or 59 or 88 or 89 or 97 or 103 or 108 or 112 or 115 or 124 or 135 or 139 or 140;
}
