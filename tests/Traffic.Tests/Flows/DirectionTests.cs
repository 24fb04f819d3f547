using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Tests.Intervals;
using Sekisho.Wire.Features;
using static Sekisho.Traffic.Tests.Intervals.Watch;

namespace Sekisho.Traffic.Tests.Flows;

/// <summary>What belongs to one flow, and who of its ends is the client.</summary>
public class DirectionTests
{
    private static readonly Host A = Host.Of(1);
    private static readonly Host B = Host.Of(2);

    [Fact]
    public void Both_directions_are_one_flow_whoever_has_the_smaller_address()
    {
        foreach (var (client, server) in (ReadOnlySpan<(Host, Host)>)[(A, B), (B, A), (Host.Of(3, "fd00::1"), Host.Of(4, "fd00::2")), (Host.Of(3, "fd00::2"), Host.Of(4, "fd00::1"))])
        {
            var flow = FlowOf(client.Udp(server, 40_000, 502, Start, 80), server.Udp(client, 502, 40_000, Start + Second, 90), client.Udp(server, 40_000, 502, Start + (2 * Second), 80));
            Assert.Equal((client.Mac, server.Mac, client.Address, server.Address), (flow.ClientMac, flow.ServerMac, flow.Client, flow.Server));
            Assert.Equal((40_000, 502, 17, "modbus"), (flow.ClientPort, flow.ServerPort, flow.Protocol, flow.Service));
            Assert.Equal((2, 160, 1, 90), (flow.Up.Packets, flow.Up.Bytes, flow.Down.Packets, flow.Down.Bytes));
            Assert.Equal((Start / Millisecond, (Start + (2 * Second)) / Millisecond), (flow.FirstSeen, flow.LastSeen));
            Assert.Equal(client.Address.IsIPv4 ? 0x0800 : 0x86DD, flow.EtherType);
        }
    }

    [Fact]
    public void The_same_address_on_both_ends_is_told_apart_by_port()
    {
        var flow = FlowOf(A.Udp(A, 40_000, 502, Start), A.Udp(A, 502, 40_000, Start + 1), A.Udp(A, 502, 40_000, Start + 2));
        Assert.Equal((40_000, 502, 1, 2), (flow.ClientPort, flow.ServerPort, flow.Up.Packets, flow.Down.Packets));
    }

    [Fact]
    public void A_VLAN_tag_on_one_direction_changes_nothing()
    {
        var flow = FlowOf(A.Udp(B, 40_000, 502, Start), B.Udp(A, 502, 40_000, Start + 1) with { Vlan = 100 }, B.Udp(A, 502, 40_000, Start + 2) with { Vlan = 100, InnerVlan = 7 });
        Assert.Equal((1, 2), (flow.Up.Packets, flow.Down.Packets));
    }

    [Fact]
    public void A_mirror_that_shows_one_side_only_still_gives_flows_and_devices()
    {
        var up = Of(A.Tcp(B, 40_000, 1883, Start, Host.Syn, 9), A.Tcp(B, 40_000, 1883, Start + 1, Host.Ack, 10), A.Tcp(B, 40_000, 1883, Start + 2, Host.Ack, 10, payload: 20));
        var flow = Assert.Single(up.Flows);
        Assert.Equal((A.Mac, B.Mac, 3, 0, "mqtt"), (flow.ClientMac, flow.ServerMac, flow.Up.Packets, flow.Down.Packets, flow.Service));
        Assert.Equal(A.Mac, Assert.Single(up.Devices).Mac);

        var down = Of(B.Tcp(A, 1883, 40_000, Start, Host.Syn | Host.Ack, 9), B.Tcp(A, 1883, 40_000, Start + 1, Host.Ack, 10, payload: 20));
        flow = Assert.Single(down.Flows);
        Assert.Equal((A.Mac, B.Mac, 0, 2, "mqtt"), (flow.ClientMac, flow.ServerMac, flow.Up.Packets, flow.Down.Packets, flow.Service));
        Assert.Equal(B.Mac, Assert.Single(down.Devices).Mac);
    }

    [Fact]
    public void Other_protocols_ports_and_versions_of_IP_are_other_flows()
    {
        var interval = Of(
            A.Udp(B, 40_000, 502, Start),
            A.Udp(B, 40_001, 502, Start),
            A.Udp(B, 502, 40_000, Start),
            A.Tcp(B, 40_000, 502, Start),
            A.Ip(B, 50, Start, 100),
            A.Ip(B, 132, Start, 100) with { SourcePort = 40_000, DestinationPort = 502, Marks = PacketMarks.HasPorts },
            A.Ip(B, 70, Start, 100),
            A.Frame(B, 0x88CC, Start),
            A.Frame(B, 0x8892, Start));
        Assert.Equal(9, interval.Flows.Count);
        Assert.Equal(["", "", "modbus", "modbus", "modbus", "modbus", "esp", "lldp", "profinet"], interval.Flows.Select(f => f.Service).Order(Comparer<string>.Create(ByLabel)));
    }

    [Fact]
    public void Frames_without_IP_are_flows_between_MACs()
    {
        var flow = FlowOf(A.Frame(B, 0x8892, Start), B.Frame(A, 0x8892, Start + 1));
        Assert.Equal((A.Mac, B.Mac, 0x8892, 0, "profinet", 1, 1), (flow.ClientMac, flow.ServerMac, flow.EtherType, flow.Protocol, flow.Service, flow.Up.Packets, flow.Down.Packets));
        Assert.True(flow.Client.IsNone && flow.Server.IsNone);
    }

    [Theory]
    [InlineData(0x0800)]
    [InlineData(0x86DD)]
    public void A_frame_whose_IP_header_is_broken_has_no_addresses(int etherType)
    {
        var flow = FlowOf(A.Frame(B, etherType, Start) with { Marks = PacketMarks.Malformed });
        Assert.Equal((A.Mac, B.Mac, default, default(NetAddress)), (flow.ClientMac, flow.ServerMac, flow.Client, flow.Server));
    }

    [Fact]
    public void A_begin_that_was_seen_decides_whatever_the_ports_are()
    {
        Assert.Equal(A.Mac, FlowOf(A.Tcp(B, 502, 40_000, Start, Host.Syn)).ClientMac);
        Assert.Equal(B.Mac, FlowOf(A.Tcp(B, 40_000, 502, Start, Host.Syn | Host.Ack)).ClientMac);

        // Also when packets of the connection before it went by first.
        var flow = FlowOf(B.Tcp(A, 502, 40_000, Start), B.Tcp(A, 502, 40_000, Start + 1, Host.Syn), A.Tcp(B, 40_000, 502, Start + 2, Host.Syn | Host.Ack));
        Assert.Equal((B.Mac, 502, 2, 1), (flow.ClientMac, flow.ClientPort, flow.Up.Packets, flow.Down.Packets));
    }

    [Theory]
    [InlineData(502, 40_000, false)]
    [InlineData(40_000, 502, true)]
    [InlineData(40_000, 40_001, true)]
    [InlineData(5683, 5683, true)]
    [InlineData(443, 51_820, false)]
    [InlineData(51_820, 443, true)]
    [InlineData(502, 47_808, false)]
    [InlineData(47_808, 40_000, false)]
    public void Without_a_begin_the_port_of_a_service_decides_and_else_who_spoke_first(int from, int to, bool senderIsClient)
    {
        Assert.Equal(senderIsClient ? A.Mac : B.Mac, FlowOf(A.Udp(B, from, to, Start)).ClientMac);
        Assert.Equal(senderIsClient ? A.Mac : B.Mac, FlowOf(A.Udp(B, from, to, Start), B.Udp(A, to, from, Start + 1)).ClientMac);
    }

    [Fact]
    public void Who_calls_everybody_is_the_client()
    {
        Assert.Equal(A.Mac, FlowOf(A.Udp(Host.Broadcast(), 3610, 40_000, Start)).ClientMac);
        Assert.Equal(A.Mac, FlowOf(A.Udp(Host.Multicast("224.0.0.251"), 5353, 5353, Start)).ClientMac);
    }

    [Fact]
    public void An_echo_and_its_answer_are_one_flow_and_who_asks_is_the_client()
    {
        foreach (var (ask, answer, a, b) in (ReadOnlySpan<(int, int, Host, Host)>)[(8, 0, A, B), (8, 0, B, A), (13, 14, A, B), (128, 129, Host.Of(5, "fd00::5"), Host.Of(6, "fd00::6"))])
        {
            foreach (var flow in (ReadOnlySpan<FlowFeatures>)[FlowOf(a.Icmp(b, ask, 0, Start), b.Icmp(a, answer, 0, Start + 1)), FlowOf(b.Icmp(a, answer, 0, Start), a.Icmp(b, ask, 0, Start + 1))])
            {
                Assert.Equal((a.Mac, b.Mac, ask, 0, 1, 1), (flow.ClientMac, flow.ServerMac, flow.ClientPort, flow.ServerPort, flow.Up.Packets, flow.Down.Packets));
            }
        }

        Assert.Equal(2, Of(A.Icmp(B, 3, 1, Start), A.Icmp(B, 3, 3, Start)).Flows.Count);
    }

    [Fact]
    public void The_MACs_of_a_flow_are_those_it_was_last_seen_with()
    {
        var moved = B with { Mac = 0x0200_0000_0099 };
        var flow = FlowOf(A.Udp(B, 40_000, 502, Start), A.Udp(moved, 40_000, 502, Start + 1));
        Assert.Equal((A.Mac, moved.Mac), (flow.ClientMac, flow.ServerMac));
    }

    private static int ByLabel(string a, string b) => Rank(a).CompareTo(Rank(b));

    private static int Rank(string label) => label switch { "" => 0, "modbus" => 1, "esp" => 2, "lldp" => 3, _ => 4 };
}
