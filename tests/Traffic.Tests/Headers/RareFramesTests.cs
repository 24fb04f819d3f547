using Sekisho.Traffic.Headers;
using static Sekisho.Traffic.Tests.Headers.Frames;

namespace Sekisho.Traffic.Tests.Headers;

/// <summary>Link layers, tunnels and headers that most networks never see.</summary>
public class RareFramesTests
{
    private const string Usual = "192.0.2.1:1 198.51.100.7:2 17 0";
    private const string Usual6 = "2001:db8::1:1 2001:db8::2:2 17 0";

    private static readonly byte[] Datagram = Of(IPv4(17, 8), Udp(1, 2, 0));
    private static readonly byte[] Datagram6 = Of(IPv6(17, 8), Udp(1, 2, 0));
    private static readonly byte[] Inner = Of([0x06, 0, 0, 0, 0, 0x0B, 0x06, 0, 0, 0, 0, 0x0A, 0x08, 0x00], Datagram);
    private static readonly byte[] Snap = [0xAA, 0xAA, 3, 0, 0, 0, 0x08, 0];
    private static readonly byte[] Addresses = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 3];

    /// <summary>Name, link, frame, what is read of it; "from inside" with the MACs of <see cref="Inner"/>.</summary>
    public static TheoryData<string, LinkType, byte[], string> Known => new()
    {
        { "raw IPv4", LinkType.Raw, Datagram, Usual },
        { "raw IPv6", LinkType.RawOld, Datagram6, Usual6 },
        { "raw, of OpenBSD", LinkType.RawOpenBsd, Datagram, Usual },
        { "IPv4 alone", LinkType.IPv4, Datagram, Usual },
        { "IPv6 alone", LinkType.IPv6, Datagram6, Usual6 },
        { "loopback of a little host", LinkType.Null, Of([2, 0, 0, 0], Datagram), Usual },
        { "loopback of a big host", LinkType.Null, Of([0, 0, 0, 30], Datagram6), Usual6 },
        { "loopback of OpenBSD", LinkType.Loop, Of([0, 0, 0, 24], Datagram6), Usual6 },
        { "PPP", LinkType.Ppp, Of([0xFF, 0x03, 0x00, 0x21], Datagram), Usual },
        { "PPP with short fields", LinkType.Ppp, Of([0x57], Datagram6), Usual6 },
        { "PPP with labels", LinkType.Ppp, Of([0x02, 0x81, 0, 1, 0x01, 64], Datagram), Usual },
        { "cooked", LinkType.LinuxSll, Of([0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0], Datagram), Usual },
        { "cooked, broadcast", LinkType.LinuxSll, Of([0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 6], Arp(1)), "192.0.2.1:1 192.0.2.9:0 0 0 Arp, Broadcast" },
        { "cooked, second version", LinkType.LinuxSll2, Of([0x86, 0xDD, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0], Datagram6), Usual6 },
        { "cooked with a tag", LinkType.LinuxSll, Of([0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x81, 0], Tag(7, 0x0800), Datagram), Usual + " vlan 7" },
        { "log of netfilter", LinkType.Nflog, Of([2, 0, 0, 0], [5, 0, 10, 0, 0, 0, 0, 0], [(byte)(4 + Datagram.Length), 0, 9, 0], Datagram), Usual },
        { "log of netfilter of a big host", LinkType.Nflog, Of([10, 0, 0, 0], [0, (byte)(4 + Datagram6.Length), 0, 9], Datagram6), Usual6 },
        { "FDDI", LinkType.Fddi, Of([0x50], Addresses[..12], Snap, Datagram), Usual },
        { "802.11 from the access point", LinkType.Wlan, Of([0x08, 0x02, 0, 0], Addresses, [0, 0], Snap, Datagram), Usual },
        { "802.11 with quality of service", LinkType.Wlan, Of([0x88, 0x01, 0, 0], Addresses, [0, 0, 0, 0], Snap, Datagram), Usual },
        { "802.11 between access points", LinkType.Wlan, Of([0x08, 0x03, 0, 0], Addresses, [0, 0, 2, 0, 0, 0, 0, 4], Snap, Datagram), Usual },
        { "802.11 with a protected frame", LinkType.Wlan, Of([0x08, 0x41, 0, 0], Addresses, [0, 0], Snap, Datagram), ":::0 :::0 0 0" },
        { "802.11 with an aggregate", LinkType.Wlan, Of([0x88, 0x02, 0, 0], Addresses, [0, 0, 0x80, 0], Inner[..12], [0, (byte)(8 + Datagram.Length)], Snap, Datagram), Usual + " from inside" },
        { "a beacon", LinkType.Wlan, Of([0x80, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], Addresses[..12], [0, 0], new byte[12]), ":::0 :::0 0 0 Broadcast" },
        { "an acknowledgement", LinkType.Wlan, Of([0xD4, 0, 0, 0], Addresses[..6], new byte[4]), ":::0 :::0 0 0" },
        { "radiotap", LinkType.Radiotap, Of([0, 0, 9, 0, 2, 0, 0, 0, 0], [0x08, 0x02, 0, 0], Addresses, [0, 0], Snap, Datagram), Usual },
        { "radiotap with time and padding", LinkType.Radiotap, Of([0, 0, 17, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x20], [0x88, 0x02, 0, 0], Addresses, [0, 0, 0, 0, 0, 0], Snap, Datagram), Usual },
        { "802.3 with SNAP", LinkType.Ethernet, Of(Ethernet((ushort)(8 + Datagram.Length)), Snap, Datagram), Usual },
        { "a spanning tree", LinkType.Ethernet, Of(Ethernet(38), [0x42, 0x42, 3], new byte[43]), ":::0 :::0 0 35" },
        { "LLDP", LinkType.Ethernet, Of(Ethernet(0x88CC), new byte[46]), ":::0 :::0 0 46" },
        { "an unknown type", LinkType.Ethernet, Of(Ethernet(0x1234), new byte[46]), ":::0 :::0 0 46 Unknown" },
        { "an old provider's tag", LinkType.Ethernet, Of(Ethernet(0x9100), Tag(5, 0x9200), Tag(6, 0x8100), Tag(7, 0x0800), Datagram), Usual + " vlan 5 6" },
        { "a tag of a virtual interface", LinkType.Ethernet, Of(Ethernet(0x8926), [0, 0, 0, 0, 0x81, 0], Tag(9, 0x0800), Datagram), Usual + " vlan 9" },
        { "discovery of PPPoE", LinkType.Ethernet, Of(Ethernet(0x8863), [0x11, 9, 0, 0, 0, 0]), ":::0 :::0 0 6" },
        { "link control in PPPoE", LinkType.Ethernet, Of(Ethernet(0x8864), [0x11, 0, 0, 1, 0, 6, 0xC0, 0x21, 9, 0, 0, 4]), ":::0 :::0 0 4" },
        { "PPPoE of another version", LinkType.Ethernet, Of(Ethernet(0x8864), [0x21, 0, 0, 1, 0, 30, 0, 0x21], Datagram), ":::0 :::0 0 0 Malformed" },
        { "a pseudo-wire", LinkType.Ethernet, Of(Ethernet(0x8847), [0, 1, 0, 64, 0, 2, 1, 64, 0, 0, 0, 0], Inner), Usual + " from inside Tunnelled" },
        { "IPv4 with options", LinkType.Ethernet, Of(Ethernet(0x0800), [0x46, .. IPv4(17, 12)[1..]], [1, 1, 1, 0], Udp(1, 2, 0)), Usual },
        { "a first fragment", LinkType.Ethernet, Of(Ethernet(0x0800), IPv4(17, 16, fragment: 0x2000), Udp(1, 2, 100), new byte[8]), "192.0.2.1:1 198.51.100.7:2 17 8 Fragment" },
        { "IPv4 shorter than its header", LinkType.Ethernet, Of(Ethernet(0x0800), [0x4F, .. Datagram[1..]]), ":::0 :::0 0 0 Malformed" },
        { "IPv4 longer than the frame", LinkType.Ethernet, Of(Ethernet(0x0800), IPv4(17, 100), Udp(1, 2, 92), new byte[4]), "192.0.2.1:1 198.51.100.7:2 17 4 Malformed" },
        { "TCP shorter than its header", LinkType.Ethernet, Of(Ethernet(0x0800), IPv4(6, 20), [.. Tcp(1, 2)[..12], 0x40, .. Tcp(1, 2)[13..]]), "192.0.2.1:1 198.51.100.7:2 6 4 Malformed" },
        { "UDP shorter than its header", LinkType.Ethernet, Of(Ethernet(0x0800), IPv4(17, 8), [0, 1, 0, 2, 0, 7, 0, 0]), "192.0.2.1:1 198.51.100.7:2 17 0 Malformed" },
        { "SCTP", LinkType.Ethernet, Of(Ethernet(0x0800), IPv4(132, 28), [0, 1, 0, 2], new byte[24]), "192.0.2.1:1 198.51.100.7:2 132 16" },
        { "ICMP", LinkType.Ethernet, Of(Ethernet(0x0800), IPv4(1, 12), [8, 3], new byte[10]), "192.0.2.1:8 198.51.100.7:3 1 4" },
        { "IGMP", LinkType.Ethernet, Of([1, 0, 0x5E, 0, 0, 1], Ethernet(0x0800)[6..], IPv4(2, 8), [0x16, 0], new byte[6]), "192.0.2.1:22 198.51.100.7:0 2 0 Multicast" },
        { "ICMPv6 behind hop-by-hop", LinkType.Ethernet, Of(Ethernet(0x86DD), IPv6(0, 16), [58, 0, 5, 2, 0, 0, 1, 0], [143, 0], new byte[6]), "2001:db8::1:143 2001:db8::2:0 58 0" },
        { "routing, authentication, destination", LinkType.Ethernet, Of(Ethernet(0x86DD), IPv6(43, 48), [51, 0, 0, 0, 0, 0, 0, 0], [60, 4], new byte[22], [17, 0, 1, 0, 0, 0, 0, 0], Udp(1, 2, 0)), "2001:db8::1:1 2001:db8::2:2 17 0" },
        { "a first fragment of IPv6", LinkType.Ethernet, Of(Ethernet(0x86DD), IPv6(44, 16), [17, 0, 0, 1, 0, 0, 0, 9], Udp(1, 2, 100)), Usual6 + " Fragment" },
        { "a later fragment of IPv6", LinkType.Ethernet, Of(Ethernet(0x86DD), IPv6(44, 16), [17, 0, 0, 8, 0, 0, 0, 9], Udp(1, 2, 100)), "2001:db8::1:0 2001:db8::2:0 17 8 Fragment, LaterFragment" },
        { "a fragment that is whole", LinkType.Ethernet, Of(Ethernet(0x86DD), IPv6(44, 16), [17, 0, 0, 0, 0, 0, 0, 9], Udp(1, 2, 0)), Usual6 },
        { "a message of Mobile IPv6", LinkType.Ethernet, Of(Ethernet(0x86DD), IPv6(135, 8), [59, 0, 5, 0, 0, 0, 0, 0]), "2001:db8::1:0 2001:db8::2:0 135 8" },
        { "nothing behind IPv6", LinkType.Ethernet, Of(Ethernet(0x86DD), IPv6(59, 0)), "2001:db8::1:0 2001:db8::2:0 59 0" },
        { "an unknown protocol", LinkType.Ethernet, Of(Ethernet(0x0800), IPv4(200, 4), new byte[4]), "192.0.2.1:0 198.51.100.7:0 200 4 Unknown" },
        { "ESP", LinkType.Ethernet, Of(Ethernet(0x0800), IPv4(50, 16), new byte[16]), "192.0.2.1:0 198.51.100.7:0 50 16" },
        { "IPv6 in IPv4", LinkType.Ethernet, Of(Ethernet(0x0800), IPv4(41, Datagram6.Length), Datagram6), Usual6 + " Tunnelled 192.0.2.1" },
        { "IPv4 in IPv6", LinkType.Ethernet, Of(Ethernet(0x86DD), IPv6(4, Datagram.Length), Datagram), Usual + " Tunnelled 2001:db8::1" },
        { "a tunnel cut before what is inside", LinkType.Ethernet, Of(Ethernet(0x0800), IPv4(41, 20), Datagram6[..20]), "192.0.2.1:0 198.51.100.7:0 41 20 Malformed" },
        { "GRE", LinkType.Ethernet, Of(Ethernet(0x86DD), IPv6(47, 4 + Datagram.Length), [0, 0, 8, 0], Datagram), Usual + " Tunnelled 2001:db8::1" },
        { "GRE with all fields", LinkType.Ethernet, Of(Ethernet(0x86DD), IPv6(47, 16 + Inner.Length), [0xB0, 0, 0x65, 0x58], new byte[12], Inner), Usual + " from inside Tunnelled 2001:db8::1" },
        { "GRE with source routes", LinkType.Ethernet, Of(Ethernet(0x86DD), IPv6(47, 20 + Datagram.Length), [0x40, 0, 8, 0, 0, 0, 0, 0, 8, 0, 0, 4, 1, 2, 3, 4, 0, 0, 0, 0], Datagram), Usual + " Tunnelled 2001:db8::1" },
        { "GRE of another version", LinkType.Ethernet, Of(Ethernet(0x86DD), IPv6(47, 4 + Datagram.Length), [0, 3, 8, 0], Datagram), "2001:db8::1:0 2001:db8::2:0 47 32 Malformed" },
        { "GRE with an unknown type", LinkType.Ethernet, Of(Ethernet(0x86DD), IPv6(47, 8), [0, 0, 0x12, 0x34, 1, 2, 3, 4]), "2001:db8::1:0 2001:db8::2:0 47 4 Unknown" },
        { "PPTP", LinkType.Ethernet, Of(Ethernet(0x86DD), IPv6(47, 20 + Datagram.Length), [0x30, 0x81, 0x88, 0x0B, 0, 30, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0xFF, 3, 0, 0x21], Datagram), Usual + " Tunnelled 2001:db8::1" },
        { "a mirror in GRE, type I", LinkType.Ethernet, Of(Ethernet(0x86DD), IPv6(47, 4 + Inner.Length), [0, 0, 0x88, 0xBE], Inner), Usual + " from inside Tunnelled 2001:db8::1" },
        { "a mirror in GRE, type II", LinkType.Ethernet, Of(Ethernet(0x86DD), IPv6(47, 16 + Inner.Length), [0x10, 0, 0x88, 0xBE, 0, 0, 0, 1], [0x10, 0, 0, 0, 0, 0, 0, 0], Inner), Usual + " from inside Tunnelled 2001:db8::1" },
        { "a mirror in GRE, type III", LinkType.Ethernet, Of(Ethernet(0x86DD), IPv6(47, 28 + Inner.Length), [0x10, 0, 0x22, 0xEB, 0, 0, 0, 1], [0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], new byte[8], Inner), Usual + " from inside Tunnelled 2001:db8::1" },
        { "an access point's frame in GRE", LinkType.Ethernet, Of(Ethernet(0x86DD), IPv6(47, 36 + Datagram.Length), [0, 0, 0x82, 0x40], [0x08, 0x02, 0, 0], Inner[..12], Inner[6..12], [0, 0], Snap, Datagram), Usual + " from inside Tunnelled 2001:db8::1" },
        { "VXLAN, old port", LinkType.Ethernet, Of(Ethernet(0x86DD), IPv6(17, 16 + Inner.Length), Udp(9, 8472, 8 + Inner.Length), [8, 0, 0, 0, 0, 0, 1, 0], Inner), Usual + " from inside Tunnelled 2001:db8::1" },
        { "no VXLAN on its port", LinkType.Ethernet, Of(Ethernet(0x86DD), IPv6(17, 16 + Inner.Length), Udp(9, 4789, 8 + Inner.Length), new byte[8], Inner), $"2001:db8::1:9 2001:db8::2:4789 17 {8 + Inner.Length}" },
        { "GENEVE with options", LinkType.Ethernet, Of(Ethernet(0x86DD), IPv6(17, 20 + Inner.Length), Udp(9, 6081, 12 + Inner.Length), [1, 0, 0x65, 0x58, 0, 0, 1, 0, 0, 0, 0, 0], Inner), Usual + " from inside Tunnelled 2001:db8::1" },
        { "GENEVE with IP", LinkType.Ethernet, Of(Ethernet(0x86DD), IPv6(17, 16 + Datagram.Length), Udp(9, 6081, 8 + Datagram.Length), [0, 0, 8, 0, 0, 0, 1, 0], Datagram), Usual + " Tunnelled 2001:db8::1" },
    };

    [Theory]
    [MemberData(nameof(Known))]
    public void What_rare_frames_say_is_read(string kind, LinkType link, byte[] frame, string expected)
    {
        HeaderParser.Parse(frame, link, frame.Length, 7, out var header);

        const PacketMarks Shown = ~PacketMarks.HasPorts;
        var text = $"{header.Source}:{header.SourcePort} {header.Destination}:{header.DestinationPort} {header.Protocol} {header.PayloadLength}"
            + (header.Vlan == 0xFFFF ? "" : $" vlan {header.Vlan}" + (header.InnerVlan == 0xFFFF ? "" : $" {header.InnerVlan}"))
            + (header.SourceMac == 0x06000000000A && header.DestinationMac == 0x06000000000B ? " from inside" : "")
            + ((header.Marks & Shown) == PacketMarks.None ? "" : $" {header.Marks & Shown}")
            + (header.TunnelSource.IsNone ? "" : $" {header.TunnelSource}");
        Assert.Equal((kind, expected), (kind, text));
    }

    [Theory]
    [InlineData(0x02, 0x020000000001UL, 0x020000000003UL)]
    [InlineData(0x01, 0x020000000003UL, 0x020000000002UL)]
    [InlineData(0x00, 0x020000000001UL, 0x020000000002UL)]
    public void The_ways_to_and_from_the_access_point_say_which_addresses_of_802_11_are_the_ends(byte ways, ulong destination, ulong source)
    {
        var frame = Of([0x08, ways, 0, 0], Addresses, [0, 0], Snap, Datagram);
        HeaderParser.Parse(frame, LinkType.Wlan, frame.Length, 0, out var header);
        Assert.Equal((destination, source), (header.DestinationMac, header.SourceMac));
    }

    [Fact]
    public void Ports_of_a_cut_frame_are_read_where_four_bytes_are_there()
    {
        var frame = Of(Ethernet(0x0800), IPv4(6, 120), Tcp(50000, 443), new byte[100]);
        for (var length = 34; length < 54; length++)
        {
            HeaderParser.Parse(frame.AsSpan(0, length), LinkType.Ethernet, frame.Length, 0, out var header);
            Assert.Equal("192.0.2.1", header.Source.ToString());
            Assert.True(header.Marks.HasFlag(PacketMarks.Truncated), $"{length} bytes");
            Assert.Equal(length >= 38 ? (50000, 443, true) : (0, 0, false), (header.SourcePort, header.DestinationPort, header.Marks.HasFlag(PacketMarks.HasPorts)));
            Assert.Equal(length >= 48 ? 0x18 : 0, header.TcpFlags);
        }
    }

    [Fact]
    public void Padding_of_a_short_frame_is_no_payload()
    {
        var frame = Of(Ethernet(0x0800), IPv4(6, 20), Tcp(1, 2), new byte[6]);
        HeaderParser.Parse(frame, LinkType.Ethernet, frame.Length, 0, out var header);
        Assert.Equal((0, 60), (header.PayloadLength, header.WireLength));
    }

    [Fact]
    public void Payload_is_counted_by_lengths_and_not_by_what_was_captured()
    {
        var frame = Of(Ethernet(0x0800), IPv4(6, 1020), Tcp(1, 2));
        HeaderParser.Parse(frame, LinkType.Ethernet, 1054, 0, out var header);
        Assert.Equal((1000, PacketMarks.HasPorts), (header.PayloadLength, header.Marks));
    }

    [Fact]
    public void A_length_of_zero_from_a_card_that_cuts_segments_stands_for_the_whole_frame()
    {
        var ip = IPv4(6, 520);
        ip[2] = ip[3] = 0;
        var frame = Of(Ethernet(0x0800), ip, Tcp(1, 2), new byte[500]);
        HeaderParser.Parse(frame, LinkType.Ethernet, frame.Length, 0, out var header);
        Assert.Equal((500, PacketMarks.HasPorts), (header.PayloadLength, header.Marks));
    }

    [Fact]
    public void Tunnels_in_tunnels_are_followed_to_the_limit()
    {
        for (var depth = 1; depth <= HeaderParser.TunnelLimit + 2; depth++)
        {
            var frame = Datagram;
            for (var i = 0; i < depth; i++)
            {
                frame = Of(IPv4(4, frame.Length), frame);
            }

            HeaderParser.Parse(frame, LinkType.Raw, frame.Length, 0, out var header);
            Assert.Equal(depth <= HeaderParser.TunnelLimit ? 17 : 4, header.Protocol);
        }
    }

    [Fact]
    public void Many_tags_and_labels_are_passed_without_end()
    {
        var frame = Of([Ethernet(0x8100), .. Enumerable.Repeat(Tag(1, 0x8100), 10_000), Tag(1, 0x8847), new byte[40_000], [0, 0, 1, 0], Datagram]);
        HeaderParser.Parse(frame, LinkType.Ethernet, frame.Length, 0, out var header);
        Assert.Equal((1, 1, 2), (header.Vlan, header.InnerVlan, header.DestinationPort));
    }

    [Fact]
    public void A_link_layer_that_is_not_read_is_counted_as_unknown()
    {
        HeaderParser.Parse(Datagram, (LinkType)163, Datagram.Length, 0, out var header);
        Assert.Equal((PacketMarks.Unknown, Datagram.Length), (header.Marks, header.WireLength));
    }
}
