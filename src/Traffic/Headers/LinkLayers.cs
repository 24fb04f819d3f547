using System.Runtime.CompilerServices;

namespace Sekisho.Traffic.Headers;

/// <summary>Link layers of wires and of the kernel.</summary>
internal static class LinkLayers
{
    public const int EthernetSize = 14;

    private const int MacSize = 6;
    private const ulong GroupBit = 1UL << 40;

    /// <summary>Whether a destination is the broadcast address or another group.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PacketMarks GroupMarks(ulong destination) =>
        (destination & GroupBit) == 0 ? PacketMarks.None : destination == HeaderParser.BroadcastMac ? PacketMarks.Broadcast : PacketMarks.Multicast;

    /// <summary>Sets the two MACs of a frame in place of those of a frame around it.</summary>
    public static void SetMacs(ulong destination, ulong source, ref PacketHeader header)
    {
        header.DestinationMac = destination;
        header.SourceMac = source;
        header.Vlan = HeaderParser.NoVlan;
        header.InnerVlan = HeaderParser.NoVlan;
        header.EtherType = 0;
        header.Marks = (header.Marks & ~(PacketMarks.Broadcast | PacketMarks.Multicast)) | GroupMarks(destination);
    }

    public static void Ethernet(Layer layer, ref PacketHeader header)
    {
        if (!layer.Has(EthernetSize, ref header))
        {
            // Both addresses are worth having without the type.
            if (layer.Length >= 2 * MacSize && !layer.Entering)
            {
                SetMacs(layer.Mac(0), layer.Mac(MacSize), ref header);
            }

            return;
        }

        layer = layer.Enter(ref header);
        SetMacs(layer.Mac(0), layer.Mac(MacSize), ref header);
        EtherTypes.Read(layer.U16(2 * MacSize), layer.Skip(EthernetSize), ref header);
    }

    public static void Fddi(Layer layer, ref PacketHeader header)
    {
        const int Size = 13;
        if (!layer.Has(Size, ref header))
        {
            return;
        }

        SetMacs(layer.Mac(1), layer.Mac(1 + MacSize), ref header);

        // Frame control: only LLC frames carry anything (0b01 in bits 5 and 4).
        if ((layer[0] & 0x30) == 0x10)
        {
            EtherTypes.Llc(layer.Skip(Size), ref header);
        }
    }

    public static void LinuxCooked(Layer layer, ref PacketHeader header)
    {
        const int Size = 16;
        if (layer.Has(Size, ref header))
        {
            Cooked(layer.U16(0), layer.U16(2), layer.U16(4) == MacSize ? layer.Mac(6) : 0, layer.U16(14), layer.Skip(Size), ref header);
        }
    }

    public static void LinuxCooked2(Layer layer, ref PacketHeader header)
    {
        const int Size = 20;
        if (layer.Has(Size, ref header))
        {
            Cooked(layer[10], layer.U16(8), layer[11] == MacSize ? layer.Mac(12) : 0, layer.U16(0), layer.Skip(Size), ref header);
        }
    }

    private static void Cooked(int packetType, int hardware, ulong source, ushort protocol, Layer layer, ref PacketHeader header)
    {
        const int RadiotapHardware = 803;
        const ushort Llc = 4;
        header.SourceMac = source;
        header.Marks |= packetType switch
        {
            1 => PacketMarks.Broadcast,
            2 => PacketMarks.Multicast,
            _ => PacketMarks.None,
        };
        if (hardware == RadiotapHardware)
        {
            Wireless.Radiotap(layer, ref header);
        }
        else if (protocol == Llc)
        {
            EtherTypes.Llc(layer, ref header);
        }
        else if (protocol >= EtherTypes.Lowest)
        {
            EtherTypes.Read(protocol, layer, ref header);
        }
        else
        {
            header.EtherType = protocol;
            header.Marks |= PacketMarks.Unknown;
        }
    }

    public static void Loopback(Layer layer, bool bigEndian, ref PacketHeader header)
    {
        const int Size = 4;
        if (!layer.Has(Size, ref header))
        {
            return;
        }

        // The family is small, so the byte order of the capturing host shows.
        var family = layer.U32(0);
        if (!bigEndian && family > 0xFFFF)
        {
            family = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(family);
        }

        switch (family)
        {
            case 2:
                InternetLayer.IPv4(layer.Skip(Size), ref header);
                break;

            // Linux and Windows, NetBSD and OpenBSD, FreeBSD, macOS.
            case 10 or 23 or 24 or 28 or 30:
                InternetLayer.IPv6(layer.Skip(Size), ref header);
                break;
            default:
                header.Marks |= PacketMarks.Unknown;
                break;
        }
    }

    /// <summary>The log of netfilter: attributes in the byte order of the capturing host, one of them the packet.</summary>
    public static void Nflog(Layer layer, ref PacketHeader header)
    {
        const int Size = 4;
        const int AttributeSize = 4;
        const int Payload = 9;
        const int HardwareAddress = 8;
        if (!layer.Has(Size, ref header))
        {
            return;
        }

        int family = layer[0];
        layer = layer.Skip(Size);
        while (layer.Wire > 0)
        {
            if (!layer.Has(AttributeSize, ref header))
            {
                return;
            }

            // An attribute is at least its own header and at most the frame, which tells the byte order nearly always; types are below 256.
            var swapped = layer.U16Little(2) > 0xFF;
            int size = swapped ? layer.U16(0) : layer.U16Little(0);
            int type = swapped ? layer.U16(2) : layer.U16Little(2);
            if (size < AttributeSize || size > layer.Wire)
            {
                header.Marks |= PacketMarks.Malformed;
                return;
            }

            if (type == HardwareAddress && size >= 16 && layer.Length >= 16 && layer.U16(4) == MacSize)
            {
                header.SourceMac = layer.Mac(8);
            }
            else if (type == Payload)
            {
                var packet = layer.Resize(size).Skip(AttributeSize);
                switch (family)
                {
                    case 2:
                        InternetLayer.IPv4(packet, ref header);
                        break;
                    case 10:
                        InternetLayer.IPv6(packet, ref header);
                        break;
                    default:
                        header.Marks |= PacketMarks.Unknown;
                        break;
                }

                return;
            }

            layer = layer.Skip((size + 3) & ~3);
        }
    }
}
