namespace Sekisho.Traffic.Headers;

/// <summary>IPv4 (RFC 791) and IPv6 (RFC 8200).</summary>
internal static class InternetLayer
{
    public const int IPv4Size = 20;
    public const int IPv6Size = 40;

    /// <summary>More fragments, or an offset, in the second word of IPv4.</summary>
    public const int FragmentMask = 0x3FFF;

    private const int OffsetMask = 0x1FFF;
    private const byte HopByHop = 0;
    private const byte Routing = 43;
    private const byte Fragment = 44;
    private const byte Authentication = 51;
    private const byte NoNext = 59;
    private const byte Destination = 60;
    private const byte Mobility = 135;
    private const byte Identity = 139;
    private const byte Shim = 140;

    /// <summary>The version tells which.</summary>
    public static void Any(Layer layer, ref PacketHeader header)
    {
        if (!layer.Has(1, ref header))
        {
            return;
        }

        switch (layer[0] >> 4)
        {
            case 4:
                IPv4(layer, ref header);
                break;
            case 6:
                IPv6(layer, ref header);
                break;
            default:
                header.Marks |= PacketMarks.Malformed;
                break;
        }
    }

    public static void IPv4(Layer layer, ref PacketHeader header)
    {
        if (!layer.Has(IPv4Size, ref header))
        {
            return;
        }

        var size = (layer[0] & 0x0F) * 4;
        int total = layer.U16(2);

        // A card that cuts segments itself hands over a length of 0.
        if (total == 0)
        {
            total = layer.Wire;
        }

        if (layer[0] >> 4 != 4 || size < IPv4Size || total < size)
        {
            header.Marks |= PacketMarks.Malformed;
            return;
        }

        total = Limit(total, layer, ref header);
        layer = layer.Enter(ref header);
        var fragment = layer.U16(6);
        header.EtherType = EtherTypes.IPv4;
        header.IpVersion = 4;
        header.Identification = layer.U16(4);
        header.HopLimit = layer[8];
        header.Protocol = layer[9];
        header.Source = layer.IPv4(12);
        header.Destination = layer.IPv4(16);
        header.PayloadLength = Math.Max(total - size, 0);
        layer = layer.Resize(total);
        if (!layer.Has(size, ref header))
        {
            return;
        }

        MarkFragment((fragment & FragmentMask) != 0, (fragment & OffsetMask) != 0, ref header);
        if ((fragment & OffsetMask) == 0)
        {
            TransportLayer.Read(header.Protocol, layer.Skip(size), ref header);
        }
    }

    public static void IPv6(Layer layer, ref PacketHeader header)
    {
        if (!layer.Has(IPv6Size, ref header))
        {
            return;
        }

        if (layer[0] >> 4 != 6)
        {
            header.Marks |= PacketMarks.Malformed;
            return;
        }

        layer = layer.Enter(ref header);
        int length = layer.U16(4);
        header.EtherType = EtherTypes.IPv6;
        header.IpVersion = 6;
        header.Protocol = layer[6];
        header.HopLimit = layer[7];
        header.Source = layer.IPv6(8);
        header.Destination = layer.IPv6(24);
        layer = layer.Skip(IPv6Size);

        // 0 is a jumbogram (RFC 2675), a card that cuts segments itself, or a packet that ends here.
        if (length == 0 && header.Protocol != NoNext)
        {
            length = layer.Wire;
        }

        length = Limit(length, layer, ref header);
        layer = layer.Resize(length);
        header.PayloadLength = length;
        Extensions(layer, ref header);
    }

    /// <summary>Walks from header to header; <see cref="PacketHeader.Protocol"/> names the one that follows.</summary>
    private static void Extensions(Layer layer, ref PacketHeader header)
    {
        const int UnitSize = 8;
        while (header.Protocol is HopByHop or Routing or Fragment or Destination or Authentication or Mobility or Identity or Shim)
        {
            if (!layer.Has(UnitSize, ref header))
            {
                return;
            }

            var next = layer[0];

            // A message of Mobile IPv6 is what the packet is about when nothing follows it.
            if (header.Protocol is Mobility or Identity or Shim && next == NoNext)
            {
                return;
            }

            var size = header.Protocol switch
            {
                Fragment => UnitSize,
                Authentication => (layer[1] + 2) * 4,
                _ => (layer[1] + 1) * UnitSize,
            };
            if (header.Protocol == Fragment)
            {
                var fragment = layer.U16(2);
                header.Identification = layer.U32(4);
                MarkFragment((fragment & 0xFFF9) != 0, (fragment & 0xFFF8) != 0, ref header);
            }

            if (!layer.Has(size, ref header))
            {
                return;
            }

            header.Protocol = next;
            layer = layer.Skip(size);
            header.PayloadLength = layer.Wire;
            if ((header.Marks & PacketMarks.LaterFragment) != 0)
            {
                return;
            }
        }

        TransportLayer.Read(header.Protocol, layer, ref header);
    }

    // A packet is no longer than what carries it, except that the first fragment of a tunnel carries the begin only.
    private static int Limit(int length, Layer layer, ref PacketHeader header)
    {
        if (length <= layer.Wire)
        {
            return length;
        }

        if ((header.Marks & PacketMarks.Fragment) == 0)
        {
            header.Marks |= PacketMarks.Malformed;
        }

        return layer.Wire;
    }

    private static void MarkFragment(bool fragment, bool later, ref PacketHeader header) =>
        header.Marks |= (fragment ? PacketMarks.Fragment : PacketMarks.None) | (later ? PacketMarks.LaterFragment : PacketMarks.None);
}
