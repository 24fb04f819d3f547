namespace Sekisho.Traffic.Headers;

/// <summary>What an EtherType or an LLC header announces.</summary>
internal static class EtherTypes
{
    public const ushort IPv4 = 0x0800;
    public const ushort Arp = 0x0806;
    public const ushort TransparentEthernet = 0x6558;
    public const ushort Vlan = 0x8100;
    public const ushort IPv6 = 0x86DD;
    public const ushort Ppp = 0x880B;
    public const ushort Mpls = 0x8847;
    public const ushort MplsMulticast = 0x8848;
    public const ushort PppoeDiscovery = 0x8863;
    public const ushort PppoeSession = 0x8864;

    /// <summary>The lowest EtherType: below are lengths of IEEE 802.3.</summary>
    public const ushort Lowest = 0x0600;

    /// <summary>The highest length of IEEE 802.3.</summary>
    public const ushort HighestLength = 1500;

    /// <summary>The VLAN identifier in a tag.</summary>
    public const ushort VlanMask = 0x0FFF;

    private const ushort ProviderVlan = 0x88A8;
    private const ushort OldProviderVlan = 0x9100;
    private const ushort OtherProviderVlan = 0x9200;
    private const ushort VnTag = 0x8926;
    private const ushort BridgePortTag = 0x893F;
    private const byte Snap = 0xAA;
    private const byte UnnumberedInformation = 0x03;

    /// <summary>Reads what follows an EtherType, the tags first.</summary>
    public static void Read(ushort type, Layer layer, ref PacketHeader header)
    {
        while (true)
        {
            var tag = type switch
            {
                Vlan or ProviderVlan or OldProviderVlan or OtherProviderVlan => 4,
                VnTag => 6,
                BridgePortTag => 8,
                _ => 0,
            };
            if (tag == 0)
            {
                break;
            }

            SetType(type, layer, ref header);
            if (!layer.Has(tag, ref header))
            {
                return;
            }

            if (tag == 4 && !layer.Entering)
            {
                SetVlan((ushort)(layer.U16(0) & VlanMask), ref header);
            }

            type = layer.U16(tag - 2);
            layer = layer.Skip(tag);
        }

        if (type < Lowest && layer.Entering)
        {
            header.Marks |= PacketMarks.Unknown;
            return;
        }

        if (type < Lowest)
        {
            Length(type, layer, ref header);
            return;
        }

        SetType(type, layer, ref header);
        switch (type)
        {
            case IPv4:
                InternetLayer.IPv4(layer, ref header);
                break;
            case IPv6:
                InternetLayer.IPv6(layer, ref header);
                break;
            case Arp:
                ReadArp(layer, ref header);
                break;
            case Mpls or MplsMulticast:
                PointToPoint.LabelStack(layer, ref header);
                break;
            case PppoeSession:
                PointToPoint.Pppoe(layer, ref header);
                break;
            case PppoeDiscovery:
                header.PayloadLength = layer.Wire;
                break;
            default:
                Other(type, layer, ref header);
                break;
        }
    }

    /// <summary>A frame of IEEE 802.3, whose header gives a length in place of a type.</summary>
    private static void Length(ushort length, Layer layer, ref PacketHeader header)
    {
        if (length > HighestLength)
        {
            header.EtherType = length;
            header.Marks |= PacketMarks.Unknown;
            return;
        }

        if (length > layer.Wire)
        {
            header.Marks |= PacketMarks.Malformed;
        }

        Llc(layer.Resize(Math.Min(length, layer.Wire)), ref header);
    }

    /// <summary>LLC of IEEE 802.2, with SNAP.</summary>
    public static void Llc(Layer layer, ref PacketHeader header)
    {
        if (!layer.Has(3, ref header))
        {
            return;
        }

        var service = layer[0];
        if (service == Snap && layer[1] == Snap && layer[2] == UnnumberedInformation)
        {
            header.EtherType = Snap;
            if (!layer.Has(8, ref header))
            {
                return;
            }

            // RFC 1042, and IEEE 802.1H for what RFC 1042 could not carry.
            if (layer.U32(2) is 0x0300_0000 or 0x0300_00F8 && layer.U16(6) >= Lowest)
            {
                Read(layer.U16(6), layer.Skip(8), ref header);
                return;
            }

            header.PayloadLength = Math.Max(layer.Wire - 8, 0);

            // Cisco's discovery and spanning trees are known.
            if (layer.U32(2) != 0x0300_000C)
            {
                header.Marks |= PacketMarks.Unknown;
            }

            return;
        }

        header.EtherType = service;
        var size = (layer[2] & 3) == 3 ? 3 : 4;
        header.PayloadLength = Math.Max(layer.Wire - size, 0);

        // Null, spanning tree, ISO routing, NetBIOS, IPX (with and without LLC): known, and nothing above layer 2 is read of them.
        if ((service & 0xFE) is not (0x00 or 0x42 or 0xFE or 0xF0 or 0xE0))
        {
            header.Marks |= PacketMarks.Unknown;
        }
    }

    private static void ReadArp(Layer layer, ref PacketHeader header)
    {
        const int FixedSize = 8;
        const int AddressSize = 4;
        if (!layer.Has(FixedSize, ref header))
        {
            return;
        }

        layer = layer.Enter(ref header);
        header.EtherType = Arp;
        header.Marks |= PacketMarks.Arp;
        header.SourcePort = layer.U16(6);
        int hardware = layer[4];
        int protocol = layer[5];
        if (!layer.Has(FixedSize + (2 * (hardware + protocol)), ref header) || layer.U16(2) != IPv4 || protocol != AddressSize)
        {
            return;
        }

        header.Source = layer.IPv4(FixedSize + hardware);
        header.Destination = layer.IPv4(FixedSize + hardware + AddressSize + hardware);
    }

    // Behind a tunnel the type of the outer frame stands until something inside is read.
    private static void SetType(ushort type, Layer layer, ref PacketHeader header)
    {
        if (!layer.Entering)
        {
            header.EtherType = type;
        }
    }

    private static void SetVlan(ushort identifier, ref PacketHeader header)
    {
        if (header.Vlan == HeaderParser.NoVlan)
        {
            header.Vlan = identifier;
        }
        else if (header.InnerVlan == HeaderParser.NoVlan)
        {
            header.InnerVlan = identifier;
        }
    }

    private static void Other(ushort type, Layer layer, ref PacketHeader header)
    {
        if (!layer.Entering)
        {
            header.PayloadLength = layer.Wire;
        }

        // Wake-on-LAN, RARP, IPX, EAPOL, PROFINET, HomePlug, EtherCAT, GOOSE, slow protocols, LLDP, sampled values, MACsec, PTP, CFM, loopback: known, and without layer 3.
        if (type is not (0x0842 or 0x8035 or 0x8137 or 0x888E or 0x8892 or 0x887B or 0x88E1 or 0x88A4 or 0x88B8 or 0x8809 or 0x88CC or 0x88BA or 0x88E5 or 0x88F7 or 0x8902 or 0x9000))
        {
            header.Marks |= PacketMarks.Unknown;
        }
    }
}
