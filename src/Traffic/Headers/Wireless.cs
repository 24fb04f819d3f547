namespace Sekisho.Traffic.Headers;

/// <summary>IEEE 802.11: the addresses of all frames, what is above in data frames that are not protected.</summary>
internal static class Wireless
{
    private const int Management = 0;
    private const int Control = 1;
    private const int Data = 2;
    private const int FullSize = 24;

    public static void Radiotap(Layer layer, ref PacketHeader header)
    {
        const int FixedSize = 8;
        const byte PaddedFlag = 0x20;
        if (!layer.Has(FixedSize, ref header))
        {
            return;
        }

        int size = layer.U16Little(2);
        if (layer[0] != 0 || size < FixedSize)
        {
            header.Marks |= PacketMarks.Malformed;
            return;
        }

        if (!layer.Has(size, ref header))
        {
            return;
        }

        // Words of presence follow each other while their highest bit is set; the first names time (8 bytes, aligned) and flags.
        var present = layer[4];
        var offset = FixedSize;
        while ((layer[offset - 1] & 0x80) != 0 && offset + 4 <= size)
        {
            offset += 4;
        }

        if ((present & 1) != 0)
        {
            offset = ((offset + 7) & ~7) + 8;
        }

        Wlan(layer.Skip(size), padded: (present & 2) != 0 && offset < size && (layer[offset] & PaddedFlag) != 0, ref header);
    }

    public static void Wlan(Layer layer, bool padded, ref PacketHeader header)
    {
        const int ShortestSize = 10;
        if (!layer.Has(ShortestSize, ref header))
        {
            return;
        }

        var kind = (layer[0] >> 2) & 3;
        var subtype = layer[0] >> 4;
        if ((layer[0] & 3) != 0)
        {
            header.Marks |= PacketMarks.Malformed;
            return;
        }

        if (kind == Control)
        {
            layer = layer.Enter(ref header);
            LinkLayers.SetMacs(layer.Mac(4), layer.Length >= 16 && HasTransmitter(subtype) ? layer.Mac(10) : 0, ref header);
            return;
        }

        if (!layer.Has(FullSize, ref header))
        {
            return;
        }

        if (kind == Management)
        {
            layer = layer.Enter(ref header);
            LinkLayers.SetMacs(layer.Mac(4), layer.Mac(10), ref header);
        }
        else if (kind == Data)
        {
            DataFrame(layer, subtype, padded, ref header);
        }
        else
        {
            header.Marks |= PacketMarks.Unknown;
        }
    }

    private static bool HasTransmitter(int subtype) => subtype is 8 or 9 or 10 or 11 or 14 or 15;

    private static void DataFrame(Layer layer, int subtype, bool padded, ref PacketHeader header)
    {
        const int ToDistribution = 1;
        const int FromDistribution = 2;
        const int Protected = 0x40;
        const int HighThroughput = 0x80;
        var flags = layer[1];
        var size = FullSize;
        var destination = (flags & ToDistribution) != 0 ? layer.Mac(16) : layer.Mac(4);
        var source = (flags & FromDistribution) == 0 ? layer.Mac(10) : layer.Mac(16);
        if ((flags & (ToDistribution | FromDistribution)) == (ToDistribution | FromDistribution))
        {
            size += 6;
            if (!layer.Has(size, ref header))
            {
                return;
            }

            source = layer.Mac(FullSize);
        }

        layer = layer.Enter(ref header);
        LinkLayers.SetMacs(destination, source, ref header);
        var aggregated = false;
        if ((subtype & 8) != 0)
        {
            if (!layer.Has(size + 2, ref header))
            {
                return;
            }

            aggregated = (layer[size] & 0x80) != 0;
            size += (flags & HighThroughput) != 0 ? 6 : 2;
        }

        // A later fragment has no header of its own above.
        var later = (layer[22] & 0x0F) != 0;
        if ((subtype & 4) != 0 || (flags & Protected) != 0 || later)
        {
            return;
        }

        layer = layer.Skip(padded ? (size + 3) & ~3 : size);
        if (aggregated)
        {
            if (!layer.Has(LinkLayers.EthernetSize, ref header))
            {
                return;
            }

            LinkLayers.SetMacs(layer.Mac(0), layer.Mac(6), ref header);
            int length = layer.U16(12);
            layer = layer.Skip(LinkLayers.EthernetSize);
            if (length > layer.Wire)
            {
                header.Marks |= PacketMarks.Malformed;
            }

            layer = layer.Resize(Math.Min(length, layer.Wire));
        }

        EtherTypes.Llc(layer, ref header);
    }
}
