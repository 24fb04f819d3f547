using System.Runtime.CompilerServices;

namespace Sekisho.Traffic.Headers;

/// <summary>Tunnels that have a header of their own: GRE with what it carries, VXLAN, GENEVE.</summary>
internal static class Tunnels
{
    private const ushort VxlanPort = 4789;
    private const ushort OldVxlanPort = 8472;
    private const ushort GenevePort = 6081;
    private const ushort GreInUdpPort = 4754;

    /// <summary>UDP ports behind which is read on; <see cref="IsUdpTunnel"/> asks for one of them.</summary>
    public static ReadOnlySpan<ushort> UdpPorts => [VxlanPort, OldVxlanPort, GenevePort, GreInUdpPort];

    /// <summary>Whether datagrams to this port carry frames.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsUdpTunnel(ushort port) => port is VxlanPort or OldVxlanPort or GenevePort or GreInUdpPort;

    public static void InUdp(ushort port, Layer layer, ref PacketHeader header)
    {
        switch (port)
        {
            case GenevePort:
                Geneve(layer, ref header);
                break;
            case GreInUdpPort:
                Gre(layer, ref header);
                break;
            default:
                Vxlan(layer, ref header);
                break;
        }
    }

    /// <summary>RFC 7348. Datagrams without its mark are something else on the same port.</summary>
    private static void Vxlan(Layer layer, ref PacketHeader header)
    {
        const int Size = 8;
        const byte HasIdentifier = 0x08;
        if (layer.Wire >= Size && layer.Has(Size, ref header) && (layer[0] & HasIdentifier) != 0 && layer.TryDescend(Size, out var inner))
        {
            LinkLayers.Ethernet(inner, ref header);
        }
    }

    /// <summary>RFC 8926.</summary>
    private static void Geneve(Layer layer, ref PacketHeader header)
    {
        const int FixedSize = 8;
        if (layer.Wire < FixedSize || !layer.Has(FixedSize, ref header) || layer[0] >> 6 != 0)
        {
            return;
        }

        var size = FixedSize + ((layer[0] & 0x3F) * 4);
        if (layer.Has(size, ref header) && layer.TryDescend(size, out var inner))
        {
            Payload(layer.U16(2), inner, ref header);
        }
    }

    /// <summary>RFC 2784 and 2890 (version 0), RFC 2637 (version 1).</summary>
    public static void Gre(Layer layer, ref PacketHeader header)
    {
        const int FixedSize = 4;
        const int Checksum = 0x8000;
        const int Routing = 0x4000;
        const int Key = 0x2000;
        const int Sequence = 0x1000;
        const int Acknowledgement = 0x0080;
        const int Version = 0x0007;
        const ushort Erspan = 0x88BE;
        const ushort Erspan3 = 0x22EB;
        if (!layer.Has(FixedSize, ref header))
        {
            return;
        }

        int flags = layer.U16(0);
        var protocol = layer.U16(2);
        if ((flags & Version) > 1)
        {
            header.Marks |= PacketMarks.Malformed;
            return;
        }

        var size = FixedSize;
        size += (flags & (Checksum | Routing)) != 0 ? 4 : 0;
        size += (flags & Key) != 0 ? 4 : 0;
        size += (flags & Sequence) != 0 ? 4 : 0;
        size += (flags & Version) == 1 && (flags & Acknowledgement) != 0 ? 4 : 0;
        if (!layer.Has(size, ref header))
        {
            return;
        }

        if ((flags & Routing) != 0 && !SkipRouting(layer, ref size, ref header))
        {
            return;
        }

        header.PayloadLength = Math.Max(layer.Wire - size, 0);

        // An acknowledgement of PPTP carries nothing.
        if (header.PayloadLength == 0 || !layer.TryDescend(size, out var inner))
        {
            return;
        }

        switch (protocol)
        {
            case Erspan:
                MirrorII(inner, numbered: (flags & Sequence) != 0, ref header);
                break;
            case Erspan3:
                MirrorIII(inner, ref header);
                break;
            default:
                Payload(protocol, inner, ref header);
                break;
        }
    }

    // Source routes of RFC 1701: entries of four bytes and more, an empty one ends them.
    private static bool SkipRouting(Layer layer, ref int size, ref PacketHeader header)
    {
        while (true)
        {
            if (!layer.Has(size + 4, ref header))
            {
                return false;
            }

            var last = layer.U16(size) == 0 && layer[size + 3] == 0;
            size += 4 + layer[size + 3];
            if (last)
            {
                return true;
            }
        }
    }

    private static void Payload(ushort protocol, Layer inner, ref PacketHeader header)
    {
        switch (protocol)
        {
            case EtherTypes.TransparentEthernet:
                LinkLayers.Ethernet(inner, ref header);
                break;
            case EtherTypes.Ppp:
                PointToPoint.Ppp(inner, ref header);
                break;

            // Access points of Aruba that hand all frames to their controller.
            case >= 0x8200 and <= 0x8370:
                Wireless.Wlan(inner, padded: false, ref header);
                break;
            default:
                EtherTypes.Read(protocol, inner, ref header);
                break;
        }
    }

    /// <summary>A mirror port's frames, type I without a header and type II with one (draft-foschiano-erspan).</summary>
    private static void MirrorII(Layer layer, bool numbered, ref PacketHeader header)
    {
        const int Size = 8;
        if (!numbered)
        {
            LinkLayers.Ethernet(layer, ref header);
        }
        else if (layer.Has(Size, ref header))
        {
            LinkLayers.Ethernet(layer.Skip(Size), ref header);
        }
    }

    /// <summary>A mirror port's frames, type III.</summary>
    private static void MirrorIII(Layer layer, ref PacketHeader header)
    {
        const int FixedSize = 12;
        const int SubheaderSize = 8;
        if (!layer.Has(FixedSize, ref header))
        {
            return;
        }

        var size = FixedSize + ((layer[11] & 1) != 0 ? SubheaderSize : 0);
        var kind = (layer.U16(10) >> 10) & 0x1F;
        if (!layer.Has(size, ref header))
        {
            return;
        }

        switch (kind)
        {
            case 0:
                LinkLayers.Ethernet(layer.Skip(size), ref header);
                break;
            case 2:
                InternetLayer.Any(layer.Skip(size), ref header);
                break;
            default:
                header.Marks |= PacketMarks.Unknown;
                break;
        }
    }
}
