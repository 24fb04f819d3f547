using Sekisho.Traffic.Headers;
using static Sekisho.Traffic.Tests.Headers.Frames;

namespace Sekisho.Traffic.Tests.Headers;

public class HeaderParserTests
{
    private const byte Tcp6 = 6;
    private const byte Udp17 = 17;

    /// <summary>Frames of many kinds: name, frame, what is read of it.</summary>
    public static TheoryData<string, byte[], string> Known => new()
    {
        { "IPv4 with TCP", Of(Ethernet(0x0800), IPv4(Tcp6, 25), Tcp(50000, 443), new byte[5]), "192.0.2.1:50000 198.51.100.7:443 6 5" },
        { "IPv6 with UDP", Of(Ethernet(0x86DD), IPv6(Udp17, 12), Udp(5353, 53, 4), new byte[4]), "2001:db8::1:5353 2001:db8::2:53 17 4" },
        { "one tag", Of(Ethernet(0x8100), Tag(0x2064, 0x0800), IPv4(Udp17, 8), Udp(1, 2, 0)), "192.0.2.1:1 198.51.100.7:2 17 0 vlan 100" },
        { "two tags", Of(Ethernet(0x88A8), Tag(200, 0x8100), Tag(100, 0x0800), IPv4(Udp17, 8), Udp(1, 2, 0)), "192.0.2.1:1 198.51.100.7:2 17 0 vlan 200 100" },
        { "ARP", Of(Ethernet(0x0806), Arp(2)), "192.0.2.1:2 192.0.2.9:0 0 0" },
        { "MPLS", Of(Ethernet(0x8847), [0, 1, 0x01, 64], IPv4(Udp17, 8), Udp(1, 2, 0)), "192.0.2.1:1 198.51.100.7:2 17 0" },
        { "PPPoE", Of(Ethernet(0x8864), [0x11, 0, 0, 1, 0, 30, 0, 0x21], IPv4(Udp17, 8), Udp(1, 2, 0)), "192.0.2.1:1 198.51.100.7:2 17 0" },
        { "options before the ports", Of(Ethernet(0x86DD), IPv6(0, 16), [17, 0, 1, 4, 0, 0, 0, 0], Udp(1, 2, 0)), "2001:db8::1:1 2001:db8::2:2 17 0" },
    };

    [Theory]
    [MemberData(nameof(Known))]
    public void What_the_headers_say_is_read(string kind, byte[] frame, string expected)
    {
        HeaderParser.Parse(frame, LinkType.Ethernet, frame.Length, 7, out var header);

        Assert.Equal(PacketMarks.None, header.Marks & (PacketMarks.Malformed | PacketMarks.Truncated | PacketMarks.Unknown));
        Assert.Equal((frame.Length, 7L, 0x020000000001UL, 0x020000000002UL), (header.WireLength, header.Timestamp, header.SourceMac, header.DestinationMac));
        var vlan = header.Vlan == 0xFFFF ? "" : $" vlan {header.Vlan}" + (header.InnerVlan == 0xFFFF ? "" : $" {header.InnerVlan}");
        Assert.Equal((kind, expected), (kind, $"{header.Source}:{header.SourcePort} {header.Destination}:{header.DestinationPort} {header.Protocol} {header.PayloadLength}{vlan}"));
    }

    [Fact]
    public void Flags_and_numbers_of_TCP_are_read()
    {
        var frame = Of(Ethernet(0x0800), IPv4(Tcp6, 20), Tcp(1, 2, flags: 0x12));
        HeaderParser.Parse(frame, LinkType.Ethernet, frame.Length, 0, out var header);
        Assert.Equal((0x12, 100u, 200u, 64), (header.TcpFlags, header.Sequence, header.Acknowledgement, (int)header.HopLimit));
    }

    [Fact]
    public void A_tunnel_shows_what_is_inside_and_between_whom_it_runs()
    {
        var inner = Of(Ethernet(0x0800), IPv4(Udp17, 8), Udp(7, 8, 0));
        var frame = Of(Ethernet(0x86DD), IPv6(Udp17, 16 + inner.Length), Udp(40000, 4789, 8 + inner.Length), [8, 0, 0, 0, 0, 0, 1, 0], inner);
        HeaderParser.Parse(frame, LinkType.Ethernet, frame.Length, 0, out var header);
        Assert.Equal(("192.0.2.1", 7, "2001:db8::1"), (header.Source.ToString(), header.SourcePort, header.TunnelSource.ToString()));
        Assert.True(header.Marks.HasFlag(PacketMarks.Tunnelled));
    }

    [Fact]
    public void A_later_fragment_has_addresses_and_no_ports()
    {
        var frame = Of(Ethernet(0x0800), IPv4(Udp17, 16, fragment: 185), new byte[16]);
        HeaderParser.Parse(frame, LinkType.Ethernet, frame.Length, 0, out var header);
        Assert.Equal(PacketMarks.Fragment | PacketMarks.LaterFragment, header.Marks);
        Assert.Equal(0x1234u, header.Identification);
        Assert.Equal(("192.0.2.1", 0, 0), (header.Source.ToString(), header.SourcePort, header.DestinationPort));
    }

    [Fact]
    public void A_frame_without_bytes_is_cut()
    {
        HeaderParser.Parse([], LinkType.Ethernet, 60, 1, out var header);
        Assert.True(header.Marks.HasFlag(PacketMarks.Truncated));
        Assert.Equal(60, header.WireLength);
    }

    [Theory]
    [MemberData(nameof(Known))]
    public void A_frame_cut_before_its_headers_end_says_so(string kind, byte[] frame, string expected)
    {
        Assert.NotEmpty(kind + expected);
        for (var length = 0; length < 14; length++)
        {
            HeaderParser.Parse(frame.AsSpan(0, length), LinkType.Ethernet, frame.Length, 0, out var header);
            Assert.True(header.Marks.HasFlag(PacketMarks.Truncated), $"{length} bytes");
        }
    }
}
