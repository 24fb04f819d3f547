using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Labels;
using Sekisho.Traffic.Tests.Intervals;
using static Sekisho.Traffic.Tests.Intervals.Watch;

namespace Sekisho.Traffic.Tests.Labels;

/// <summary>What flows are called. The numbers come from the registries of IANA and from the protocols' own specifications, not from the list under test.</summary>
public class ServiceLabelTests
{
    private const int Tcp = 6;
    private const int Udp = 17;
    private static readonly Host A = Host.Of(1);
    private static readonly Host B = Host.Of(2);

    public static TheoryData<string, int, int[]> Known => new()
    {
        { "modbus", Tcp, [502] },
        { "echonet-lite", Udp, [3610] },
        { "echonet-lite", Tcp, [3610] },
        { "slmp", Tcp, [5007, 45_237] },
        { "slmp", Udp, [5010, 45_237] },
        { "bacnet", Udp, [47_808, 47_809] },
        { "s7", Tcp, [102] },
        { "ethernet-ip", Tcp, [44_818] },
        { "ethernet-ip", Udp, [44_818] },
        { "ethernet-ip-io", Udp, [2222] },
        { "opc-ua", Tcp, [4840] },
        { "dnp3", Tcp, [20_000] },
        { "dnp3", Udp, [20_000] },
        { "knx", Udp, [3671] },
        { "knx", Tcp, [3671] },
        { "mqtt", Tcp, [1883] },
        { "mqtts", Tcp, [8883] },
        { "coap", Udp, [5683] },
        { "coaps", Udp, [5684] },
        { "lwm2m-bootstrap", Udp, [5783] },
        { "ws-discovery", Udp, [3702] },
        { "onvif", Tcp, [8899] },
        { "rtsp", Tcp, [554, 8554] },
        { "rtsps", Tcp, [322] },
        { "ntp", Udp, [123] },
        { "dns", Udp, [53] },
        { "dns", Tcp, [53] },
        { "dns-tls", Tcp, [853] },
        { "mdns", Udp, [5353] },
        { "llmnr", Udp, [5355] },
        { "ssdp", Udp, [1900] },
        { "dhcp", Udp, [67, 68] },
        { "dhcpv6", Udp, [546, 547] },
        { "ptp", Udp, [319, 320] },
        { "snmp", Udp, [161] },
        { "snmptrap", Udp, [162] },
        { "syslog", Udp, [514] },
        { "syslog-tls", Tcp, [6514] },
        { "iec-104", Tcp, [2404] },
        { "synchrophasor", Tcp, [4712] },
        { "dlms", Tcp, [4059] },
        { "fins", Udp, [9600] },
        { "profinet-cm", Udp, [34_964] },
        { "hart-ip", Udp, [5094] },
        { "ff-hse", Udp, [1089, 1090, 1091] },
        { "ads", Tcp, [48_898] },
        { "niagara-fox", Tcp, [1911] },
        { "cc-link-ie-basic", Udp, [61_450] },
        { "fl-net", Udp, [55_000, 55_003] },
        { "lonworks", Udp, [1628, 1629] },
        { "matter", Udp, [5540] },
        { "amqp", Tcp, [5672] },
        { "amqps", Tcp, [5671] },
        { "mqtt-sn", Udp, [1884] },
        { "dds", Udp, [7400, 7401] },
        { "sip", Udp, [5060] },
        { "sips", Tcp, [5061] },
        { "stun", Udp, [3478] },
        { "rtmp", Tcp, [1935] },
        { "http", Tcp, [80, 8080] },
        { "https", Tcp, [443] },
        { "quic", Udp, [443] },
        { "ssh", Tcp, [22] },
        { "telnet", Tcp, [23] },
        { "ftp", Tcp, [21] },
        { "tftp", Udp, [69] },
        { "smtp", Tcp, [25, 587] },
        { "smb", Tcp, [445] },
        { "ldap", Tcp, [389] },
        { "kerberos", Udp, [88] },
        { "radius", Udp, [1812, 1813] },
        { "netflow", Udp, [2055] },
        { "ipfix", Udp, [4739] },
        { "sflow", Udp, [6343] },
        { "ike", Udp, [500, 4500] },
        { "openvpn", Udp, [1194] },
        { "wireguard", Udp, [51_820] },
        { "rdp", Tcp, [3389] },
        { "vnc", Tcp, [5900] },
        { "postgresql", Tcp, [5432] },
        { "mysql", Tcp, [3306] },
        { "dicom", Tcp, [104, 11_112] },
        { "hl7", Tcp, [2575] },
        { "tr-069", Tcp, [7547] },
        { "bgp", Tcp, [179] },
        { "lorawan-forwarder", Udp, [1700] },
    };

    [Theory]
    [MemberData(nameof(Known))]
    public void A_flow_to_a_known_port_has_its_label_from_whichever_side_it_is_seen_first(string label, int protocol, int[] ports)
    {
        foreach (var port in ports)
        {
            // 40001 is no server's port.
            Assert.Equal(label, FlowOf(Packet(A, B, 40_001, port)).Service);
            var answered = FlowOf(Packet(B, A, port, 40_001), Packet(A, B, 40_001, port));
            Assert.Equal((label, A.Mac, port), (answered.Service, answered.ClientMac, answered.ServerPort));
            Assert.Contains(label, ServiceTable.Labels);
        }

        PacketHeader Packet(Host from, Host to, int source, int target) => protocol == Tcp ? from.Tcp(to, source, target, Start) : from.Udp(to, source, target, Start);
    }

    [Fact]
    public void At_least_fifty_protocols_have_a_label_that_the_uplink_can_carry()
    {
        Assert.True(Known.Select(k => k.Data.Item1).Distinct().Count() >= 50);
        Assert.True(ServiceTable.Labels.Count >= 150);
        Assert.Equal(ServiceTable.Labels.Distinct(), ServiceTable.Labels);
        Assert.All(ServiceTable.Labels, l => Assert.Matches("^[a-z0-9-]{1,32}$", l));
    }

    [Theory]
    [InlineData(0x0806, "arp")]
    [InlineData(0x8892, "profinet")]
    [InlineData(0x88A4, "ethercat")]
    [InlineData(0x88B8, "goose")]
    [InlineData(0x88BA, "sampled-values")]
    [InlineData(0x88CC, "lldp")]
    [InlineData(0x888E, "eapol")]
    [InlineData(0x88F7, "ptp")]
    [InlineData(0x890F, "cc-link-ie")]
    [InlineData(0x88CD, "sercos")]
    [InlineData(0x88AB, "powerlink")]
    [InlineData(0x0042, "stp")]
    [InlineData(0x0082, "bacnet-ethernet")]
    [InlineData(0x1234, "")]
    [InlineData(0, "")]
    public void A_frame_without_IP_is_called_by_its_EtherType(int etherType, string label) => Assert.Equal(label, FlowOf(A.Frame(B, etherType, Start)).Service);

    [Theory]
    [InlineData(2, "igmp")]
    [InlineData(47, "gre")]
    [InlineData(50, "esp")]
    [InlineData(89, "ospf")]
    [InlineData(112, "vrrp")]
    [InlineData(200, "")]
    [InlineData(0, "")]
    public void A_protocol_without_ports_is_called_by_its_number(byte protocol, string label) => Assert.Equal(label, FlowOf(A.Ip(B, protocol, Start, 100)).Service);

    [Fact]
    public void Messages_of_control_are_called_by_their_protocol()
    {
        Assert.Equal("icmp", FlowOf(A.Icmp(B, 8, 0, Start)).Service);
        Assert.Equal("icmpv6", FlowOf(Host.Of(1, "fe80::1").Icmp(Host.Of(2, "fe80::2"), 135, 0, Start)).Service);
    }

    [Fact]
    public void Unknown_ports_have_no_label()
    {
        foreach (var port in (int[])[0, 1, 2, 9, 12_345, 40_002, 65_535])
        {
            Assert.Equal("", FlowOf(A.Udp(B, 40_001, port, Start)).Service);
            Assert.Equal("", FlowOf(A.Tcp(B, 40_001, port, Start)).Service);
        }

        // Of the other transport.
        Assert.Equal("", FlowOf(A.Udp(B, 40_001, 22, Start)).Service);
        Assert.Equal("", FlowOf(A.Tcp(B, 40_001, 47_900, Start)).Service);
    }

    [Theory]
    [InlineData(44_818)]
    [InlineData(47_808)]
    [InlineData(51_820)]
    [InlineData(51_826)]
    [InlineData(5000)]
    [InlineData(1883)]
    public void A_port_that_a_client_got_by_chance_is_not_taken_for_a_service(int chance)
    {
        // The begin was seen, or its answer.
        Assert.Equal("", FlowOf(A.Tcp(B, chance, 12_345, Start, Host.Syn)).Service);
        Assert.Equal("", FlowOf(B.Tcp(A, 12_345, chance, Start, Host.Syn | Host.Ack)).Service);
        Assert.Equal("", FlowOf(A.Tcp(B, chance, 12_345, Start, Host.Syn), B.Tcp(A, 12_345, chance, Start + 1, Host.Syn | Host.Ack), A.Tcp(B, chance, 12_345, Start + 2)).Service);
        Assert.Equal("https", FlowOf(A.Tcp(B, chance, 443, Start, Host.Syn)).Service);
        Assert.Equal("https", FlowOf(B.Tcp(A, 443, chance, Start, Host.Syn | Host.Ack)).Service);

        // Not seen: the port that systems do not give out decides.
        Assert.Equal("dns", FlowOf(A.Udp(B, chance, 53, Start)).Service);
        if (chance >= 32_768)
        {
            Assert.Equal("https", FlowOf(B.Tcp(A, 443, chance, Start)).Service);
            Assert.Equal("dns", FlowOf(B.Udp(A, 53, chance, Start)).Service);
        }
    }

    [Fact]
    public void CoAP_is_called_LwM2M_where_the_other_end_speaks_from_a_port_of_its_clients()
    {
        Assert.Equal("coap", FlowOf(A.Udp(B, 40_001, 5683, Start)).Service);
        Assert.Equal("lwm2m", FlowOf(A.Udp(B, 56_830, 5683, Start)).Service);
        Assert.Equal("lwm2m", FlowOf(A.Udp(B, 56_839, 5684, Start)).Service);
        Assert.Equal("coaps", FlowOf(A.Udp(B, 56_840, 5684, Start)).Service);
        Assert.Equal("lwm2m", FlowOf(A.Udp(B, 5683, 5683, Start)).Service);
        Assert.Equal("lwm2m", FlowOf(B.Udp(A, 5683, 56_830, Start)).Service);
    }

    [Fact]
    public void A_stream_between_unknown_ports_with_the_shape_of_RTP_is_called_so()
    {
        Assert.Equal("rtp", FlowOf(Stream(100, 20, 200, 20_002, 30_004)).Service);
        Assert.Equal("", FlowOf(Stream(40, 20, 200, 20_002, 30_004)).Service);
        Assert.Equal("", FlowOf(Stream(60, 150, 200, 20_002, 30_004)).Service);
        Assert.Equal("", FlowOf(Stream(100, 20, 200, 20_003, 30_005)).Service);
        Assert.Equal("", FlowOf(Stream(100, 20, 200, 1000, 30_004)).Service);
        Assert.Equal("modbus", FlowOf(Stream(100, 20, 200, 20_002, 502)).Service);

        // Lengths all over the place.
        var packets = Stream(100, 20, 200, 20_002, 30_004);
        for (var i = 0; i < packets.Length; i++)
        {
            packets[i].WireLength = ((int[])[60, 200, 600, 1500])[i % 4];
        }

        Assert.Equal("", FlowOf(packets).Service);
    }

    private static PacketHeader[] Stream(int count, int milliseconds, int length, int from, int to) =>
        [.. Enumerable.Range(0, count).Select(i => A.Udp(B, from, to, Start + (i * milliseconds * Millisecond), length))];
}
