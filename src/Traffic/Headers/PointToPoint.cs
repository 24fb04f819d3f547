namespace Sekisho.Traffic.Headers;

/// <summary>PPP, PPP over Ethernet, and MPLS with its pseudo-wires.</summary>
internal static class PointToPoint
{
    public static void Pppoe(Layer layer, ref PacketHeader header)
    {
        const int Size = 6;
        const byte VersionAndType = 0x11;
        if (!layer.Has(Size, ref header))
        {
            return;
        }

        if (layer[0] != VersionAndType)
        {
            header.Marks |= PacketMarks.Malformed;
            return;
        }

        int length = layer.U16(4);
        layer = layer.Skip(Size);
        if (length > layer.Wire)
        {
            header.Marks |= PacketMarks.Malformed;
        }

        Ppp(layer.Resize(Math.Min(length, layer.Wire)), ref header);
    }

    public static void Ppp(Layer layer, ref PacketHeader header)
    {
        if (!layer.Has(1, ref header))
        {
            return;
        }

        if (!layer.Entering && header.EtherType == 0)
        {
            header.EtherType = EtherTypes.Ppp;
        }

        // Address and control may be left out, and so may the high byte of the protocol (RFC 1661, 6.5 and 6.6).
        if (layer[0] == 0xFF)
        {
            if (!layer.Has(3, ref header))
            {
                return;
            }

            layer = layer.Skip(2);
        }

        int protocol;
        if ((layer[0] & 1) == 1)
        {
            protocol = layer[0];
            layer = layer.Skip(1);
        }
        else
        {
            if (!layer.Has(2, ref header))
            {
                return;
            }

            protocol = layer.U16(0);
            layer = layer.Skip(2);
        }

        switch (protocol)
        {
            case 0x0021:
                InternetLayer.IPv4(layer, ref header);
                break;
            case 0x0057:
                InternetLayer.IPv6(layer, ref header);
                break;
            case 0x0281 or 0x0283:
                LabelStack(layer, ref header);
                break;

            // Link and network control protocols: known, and nothing above layer 2 in them.
            case >= 0x8000:
                if (!layer.Entering)
                {
                    header.PayloadLength = layer.Wire;
                }

                break;
            default:
                header.Marks |= PacketMarks.Unknown;
                break;
        }
    }

    /// <summary>Labels of MPLS, and what the first bits behind them announce (RFC 4928, RFC 4385).</summary>
    public static void LabelStack(Layer layer, ref PacketHeader header)
    {
        const int Size = 4;
        const int BottomOfStack = 0x100;
        while (true)
        {
            if (!layer.Has(Size, ref header))
            {
                return;
            }

            var bottom = (layer.U32(0) & BottomOfStack) != 0;
            layer = layer.Skip(Size);
            if (bottom)
            {
                break;
            }
        }

        if (!layer.Has(1, ref header))
        {
            return;
        }

        switch (layer[0] >> 4)
        {
            case 4:
                InternetLayer.IPv4(layer, ref header);
                break;
            case 6:
                InternetLayer.IPv6(layer, ref header);
                break;
            case 0 when layer.TryDescend(Size, out var inner):
                LinkLayers.Ethernet(inner, ref header);
                break;
            default:
                header.Marks |= PacketMarks.Unknown;
                break;
        }
    }
}
