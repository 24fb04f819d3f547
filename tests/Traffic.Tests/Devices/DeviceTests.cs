using Sekisho.Traffic.Tests.Intervals;
using Sekisho.Wire.Features;
using static Sekisho.Traffic.Tests.Intervals.Watch;

namespace Sekisho.Traffic.Tests.Devices;

/// <summary>Who is a device, and what is told of it.</summary>
public class DeviceTests
{
    private static readonly Host A = Host.Of(1);
    private static readonly Host B = Host.Of(2);

    [Fact]
    public void A_device_is_who_sends_and_carries_the_addresses_it_used()
    {
        var interval = Of(
            A.Udp(B, 40_000, 502, Start, 80),
            (A with { Address = Host.At("fe80::1") }).Icmp(Host.Multicast("ff02::1"), 135, 0, Start + Second),
            B.Arp(A, 2, Start + (2 * Second)));
        Assert.Equal([A.Mac, B.Mac], interval.Devices.Select(d => d.Mac));
        Assert.Equal([A.Address, Host.At("fe80::1")], interval.Devices[0].Addresses);
        Assert.Equal([B.Address], interval.Devices[1].Addresses);
        Assert.All(interval.Devices, d => Assert.True(d.BehindRouter.IsNone));
        Assert.Equal((2, 178, 1, 60), (interval.Devices[0].Sent.Packets, interval.Devices[0].Sent.Bytes, interval.Devices[0].Received.Packets, interval.Devices[0].Received.Bytes));
    }

    [Fact]
    public void Of_more_than_eight_addresses_the_newest_are_kept_newest_last()
    {
        using var watch = new Watch();
        for (var i = 1; i <= 10; i++)
        {
            watch.See((A with { Address = Host.At($"192.168.0.{i}") }).Udp(B, 40_000, 502, Start + i));
        }

        watch.See((A with { Address = Host.At("192.168.0.5") }).Udp(B, 40_001, 502, Start + 20));
        Assert.Equal(Expected(3, 4, 6, 7, 8, 9, 10, 5), Device(watch.End(), A).Addresses);

        // They stay over intervals; the last one used goes last.
        watch.See((A with { Address = Host.At("192.168.0.6") }).Udp(B, 40_000, 502, Start + (10 * Second)));
        Assert.Equal(Expected(3, 4, 7, 8, 9, 10, 5, 6), Device(watch.End(), A).Addresses);

        static IEnumerable<NetAddress> Expected(params int[] numbers) => numbers.Select(n => Host.At($"192.168.0.{n}"));
    }

    [Fact]
    public void Addresses_that_stand_for_none_or_many_are_not_those_of_a_device()
    {
        var device = Device(
            Of(
                (A with { Address = Host.At("0.0.0.0") }).Udp(Host.Broadcast(), 68, 67, Start, 342),
                (A with { Address = Host.At("::") }).Icmp(Host.Multicast("ff02::1"), 135, 0, Start),
                (A with { Address = Host.At("224.0.0.1") }).Udp(B, 1, 1, Start),
                (A with { Address = Host.At("0.0.0.0") }).Arp(B, 1, Start),
                A.Frame(B, 0x88CC, Start)),
            A);
        Assert.Empty(device.Addresses);
        Assert.Equal(5, device.Sent.Packets);
    }

    [Fact]
    public void Who_is_only_written_to_is_no_device_until_it_speaks_and_then_has_what_it_received()
    {
        using var watch = new Watch();
        watch.See(A.Udp(B, 40_000, 502, Start), A.Udp(B, 40_000, 502, Start + (10 * Second)));
        Assert.Equal([A.Mac], watch.End().Devices.Select(d => d.Mac));
        watch.See(B.Udp(A, 502, 40_000, Start + (20 * Second)));
        var device = Device(watch.End(), B);
        Assert.Equal((2, 1), (device.Received.Packets, device.Sent.Packets));
        Assert.Equal((Start / Millisecond, (Start + (20 * Second)) / Millisecond), (device.FirstSeen, device.LastSeen));
        watch.See(A.Udp(B, 40_000, 502, Start + (30 * Second)));
        Assert.Equal((1, 0), (Device(watch.End(), B).Received.Packets, Device(watch.Intervals[^1], B).Sent.Packets));
    }

    [Fact]
    public void A_group_is_no_device_whether_it_receives_or_sends()
    {
        var interval = Of(
            A.Udp(Host.Broadcast(), 40_000, 3610, Start),
            A.Udp(Host.Multicast("224.0.0.251"), 5353, 5353, Start),
            (A with { Mac = 0x0100_5E00_0001 }).Udp(B, 40_000, 502, Start),
            (A with { Mac = Host.BroadcastMac }).Udp(B, 40_001, 502, Start));
        Assert.Equal([A.Mac], interval.Devices.Select(d => d.Mac));
        Assert.Equal((1, 1, 2), (interval.Devices[0].Broadcasts, interval.Devices[0].Multicasts, interval.Devices[0].Sent.Packets));
    }

    [Fact]
    public void After_a_broadcast_the_unicast_packets_of_the_same_flow_are_received_by_their_receiver()
    {
        // A server of DHCP answers some to all and some to one, always to 255.255.255.255.
        var everybody = Host.Broadcast();
        var interval = Of(
            A.Frame(B, 0x88CC, Start),
            B.Frame(A, 0x88CC, Start),
            A.Udp(everybody, 67, 68, Start, 342),
            A.Udp(everybody with { Mac = B.Mac }, 67, 68, Start + 1, 342),
            A.Udp(everybody with { Mac = B.Mac }, 67, 68, Start + 2, 342));
        Assert.Equal(3, Device(interval, B).Received.Packets);
    }

    [Fact]
    public void First_and_last_seen_are_those_of_the_first_and_last_packet_sent_or_received()
    {
        using var watch = new Watch();
        watch.See(A.Udp(B, 40_000, 502, Start + Second), B.Udp(A, 502, 40_000, Start + (2 * Second)), A.Udp(B, 40_000, 502, Start + (25 * Second)), B.Frame(A, 0x88CC, Start + (28 * Second)));
        var device = Device(watch.End(), A);
        Assert.Equal(((Start + Second) / Millisecond, (Start + (28 * Second)) / Millisecond), (device.FirstSeen, device.LastSeen));
        Assert.Equal((Start + (2 * Second)) / Millisecond, Device(watch.Intervals[0], A).LastSeen);
    }

    [Fact]
    public void Requests_replies_and_announcements_of_ARP_are_counted_apart()
    {
        var everybody = Host.Broadcast();
        var device = Device(
            Of(
                A.Arp(everybody with { Address = B.Address }, 1, Start),
                A.Arp(everybody with { Address = Host.At("10.0.0.9") }, 1, Start),
                (A with { Address = Host.At("0.0.0.0") }).Arp(everybody with { Address = A.Address }, 1, Start),
                A.Arp(B, 2, Start),
                A.Arp(everybody with { Address = A.Address }, 1, Start),
                A.Arp(everybody with { Address = A.Address }, 2, Start),

                // Of another protocol than IPv4, so without addresses; and an operation that is neither.
                A.Arp(everybody, 1, Start) with { Source = default, Destination = default },
                A.Arp(B, 2, Start) with { Source = default, Destination = default },
                A.Arp(B, 9, Start)),
            A);
        Assert.Equal((4, 2, 2), (device.ArpRequests, device.ArpReplies, device.ArpAnnouncements));
        Assert.Equal(9, device.Sent.Packets);
        Assert.Equal(A.Address, Assert.Single(device.Addresses));
    }

    [Fact]
    public void Messages_of_DHCP_are_known_by_port_and_size()
    {
        var nobody = A with { Address = Host.At("0.0.0.0") };
        var (six, server) = (Host.Of(1, "fe80::1"), Host.Of(3, "fe80::3"));
        var interval = Of(
            nobody.Udp(Host.Broadcast(), 68, 67, Start, 342),
            B.Udp(A, 67, 68, Start, 342),
            A.Udp(B, 68, 67, Start, 342),
            B.Udp(A with { Address = Host.At("10.0.0.77") }, 67, 67, Start, 342),
            six.Udp(Host.Multicast("ff02::1:2"), 546, 547, Start, 120),
            server.Udp(six, 547, 546, Start, 150),

            // Too short, other ports, other protocol.
            A.Udp(B, 68, 67, Start, 100),
            A.Udp(B, 40_000, 69, Start, 342),
            A.Tcp(B, 68, 67, Start, payload: 300));
        Assert.Equal([3, 2, 1], interval.Devices.Select(d => d.DhcpExchanges));
    }

    [Fact]
    public void An_address_that_moves_to_another_MAC_belongs_to_both_in_turn()
    {
        var moved = A with { Mac = 0x0200_0000_0077 };
        var interval = Of(A.Udp(B, 40_000, 502, Start), A.Udp(B, 40_000, 502, Start + 1), moved.Udp(B, 40_000, 502, Start + 2), B.Udp(moved, 502, 40_000, Start + 3));
        Assert.Equal((2, 0), (Device(interval, A).Sent.Packets, Device(interval, A).Received.Packets));
        Assert.Equal((1, 1), (Device(interval, moved).Sent.Packets, Device(interval, moved).Received.Packets));
        Assert.Equal(A.Address, Assert.Single(Device(interval, moved).Addresses));
    }

    [Fact]
    public void What_belongs_to_an_interval_begins_anew_with_the_next()
    {
        using var watch = new Watch();
        watch.See(
            A.Tcp(B, 40_000, 502, Start, Host.Syn, 1),
            B.Tcp(A, 502, 40_000, Start + 1, Host.Rst, 0),
            A.Arp(Host.Broadcast("10.0.0.9"), 1, Start + 2),
            A.Udp(Host.Multicast("224.0.0.251"), 5353, 5353, Start + 3),
            A.Udp(Host.At("8.8.8.8") is var far ? new Host(B.Mac, far) : B, 40_000, 53, Start + 4));
        var first = Device(watch.End(), A);
        Assert.Equal((1, 1, 1, 1, 1), (first.ConnectionsBegun, first.ConnectionsFailed, first.ArpRequests, first.Broadcasts, first.Multicasts));
        Assert.Equal((1, 1, 3), (first.PeersLocal, first.PeersBeyond, first.PortsCalled));
        watch.See(A.Frame(B, 0x88CC, Start + (10 * Second)));
        var second = Device(watch.End(), A);
        Assert.Equal((0, 0, 0, 0, 0), (second.ConnectionsBegun, second.ConnectionsFailed, second.ArpRequests, second.Broadcasts, second.Multicasts));
        Assert.Equal((1, 0, 0, 1), (second.PeersLocal, second.PeersBeyond, second.PortsCalled, second.Sent.Packets));
        Assert.Equal(first.FirstSeen, second.FirstSeen);
    }

    private static DeviceFeatures Device(IntervalFeatures interval, Host host) => interval.Devices.Single(d => d.Mac == host.Mac);
}
