using System.Net;
using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Intervals;
using Sekisho.Traffic.Tests.Intervals;
using static Sekisho.Traffic.Tests.Intervals.Watch;

namespace Sekisho.Traffic.Tests.Devices;

/// <summary>Devices behind routers are known by address; what comes from beyond the site is no device.</summary>
public class RouterTests
{
    private static readonly Host A = Host.Of(1);
    private static readonly Host Router = Host.Of(254);

    [Fact]
    public void Addresses_beyond_the_site_that_a_gateway_brings_in_are_no_devices()
    {
        using var watch = new Watch();
        watch.See(Router.Arp(A, 2, Start), A.Arp(Router, 1, Start));
        for (var i = 0; i < 100; i++)
        {
            watch.See(Through($"8.8.{i}.8").Udp(A, 53, 40_000, Start + 1 + i) with { HopLimit = 57 });
        }

        var interval = watch.End();
        Assert.Equal([A.Mac, Router.Mac], interval.Devices.Select(d => d.Mac));
        Assert.Equal([Router.Address], interval.Devices[1].Addresses);
        Assert.Equal((101, 101), (interval.Devices[1].Sent.Packets, interval.Devices[0].Received.Packets));
        Assert.Equal((1, 100), (interval.Devices[0].PeersLocal, Math.Clamp(interval.Devices[0].PeersBeyond, 75, 125) == interval.Devices[0].PeersBeyond ? 100 : interval.Devices[0].PeersBeyond));
    }

    [Fact]
    public void Local_devices_behind_a_router_are_told_by_address_and_the_router_itself_apart()
    {
        using var watch = new Watch();
        watch.See(Router.Arp(A, 2, Start), A.Arp(Router, 1, Start));
        for (var round = 0; round < 10; round++)
        {
            var time = Start + (round * 10 * Second);
            for (var i = 1; i <= 6; i++)
            {
                watch.See(Through($"192.168.7.{i}").Udp(A, 40_000, 502, time + i) with { HopLimit = 63 }, A.Udp(Through($"192.168.7.{i}"), 502, 40_000, time + i + 1));
            }

            // The router's own: with a hop limit that hosts start with, and from its link-local address.
            watch.See(Through("10.0.0.254").Udp(A, 40_000, 53, time + 50), Through("fe80::254").Icmp(Host.Multicast("ff02::1"), 134, 0, time + 60));
        }

        var last = watch.End();
        var rows = last.Devices.Where(d => d.Mac == Router.Mac).ToList();
        Assert.Equal([default, .. Enumerable.Range(1, 6).Select(i => Host.At($"192.168.7.{i}"))], rows.Select(r => r.BehindRouter));
        Assert.Equal((2, 0), (rows[0].Sent.Packets, rows[0].Received.Packets));
        Assert.Equal([Router.Address, Host.At("fe80::254")], rows[0].Addresses.Order());
        Assert.All(rows.Skip(1), r =>
        {
            Assert.Equal((1, 1), (r.Sent.Packets, r.Received.Packets));
            Assert.Equal(r.BehindRouter, Assert.Single(r.Addresses));
            Assert.Equal((1, 1), (r.PeersLocal, r.PortsCalled));
        });
        Assert.Equal(7, last.Devices.Single(d => d.Mac == A.Mac).PeersLocal);

        // Whatever was told of whom, nothing was counted twice or lost.
        Assert.Equal(10 * 8, watch.Devices.Where(d => d.Mac == Router.Mac).Sum(d => d.Sent.Packets) - 1);
        Assert.Equal((10 * 6) + 1, watch.Devices.Where(d => d.Mac == Router.Mac).Sum(d => d.Received.Packets));
    }

    [Fact]
    public void A_connection_that_fails_counts_for_the_device_behind_the_router()
    {
        using var watch = new Watch();
        for (var i = 1; i <= 6; i++)
        {
            watch.See(Through($"192.168.7.{i}").Udp(A, 40_000, 502, Start + i) with { HopLimit = 63 });
        }

        watch.See(
            Through("192.168.7.6").Tcp(A, 40_000, 80, Start + 10, Host.Syn, 5) with { HopLimit = 63 },
            A.Tcp(Through("192.168.7.6"), 80, 40_000, Start + 11, Host.Rst | Host.Ack),
            Through("192.168.7.5").Tcp(A, 40_000, 80, Start + 12, Host.Syn, 5) with { HopLimit = 63 });
        watch.See(A.Udp(Host.Of(2), 123, 123, Start + (40 * Second))).End();
        foreach (var address in (string[])["192.168.7.5", "192.168.7.6"])
        {
            var rows = watch.Devices.Where(d => d.BehindRouter == Host.At(address)).ToList();
            Assert.Equal((1, 1), (rows.Sum(r => r.ConnectionsBegun), rows.Sum(r => r.ConnectionsFailed)));
        }

        Assert.Equal(0, watch.Devices.Where(d => d.BehindRouter.IsNone).Sum(d => d.ConnectionsFailed));
    }

    [Fact]
    public void A_host_with_a_few_public_addresses_is_a_device_with_these()
    {
        var device = Of(Through("203.0.113.1").Udp(A, 1, 2, Start), Through("203.0.113.2").Udp(A, 1, 2, Start), Through("203.0.113.3").Udp(A, 1, 2, Start)).Devices.Single(d => d.Mac == Router.Mac);
        Assert.Equal([Host.At("203.0.113.1"), Host.At("203.0.113.2"), Host.At("203.0.113.3")], device.Addresses);
    }

    [Fact]
    public void A_host_with_many_addresses_of_one_IPv6_network_is_no_router()
    {
        using var watch = new Watch();
        for (var i = 1; i <= 20; i++)
        {
            watch.See(Through($"2001:db8::{i:x}").Udp(Host.Of(1, "2001:db8::ffff"), 1, 2, Start + i));
        }

        var device = watch.End().Devices.Single(d => d.Mac == Router.Mac);
        Assert.Equal(8, device.Addresses.Count);
        Assert.True(device.BehindRouter.IsNone);
    }

    [Fact]
    public void What_the_settings_call_local_is_told_by_address_behind_a_router()
    {
        using var watch = new Watch(new ObservationSettings { LocalNetworks = [IPNetwork.Parse("203.0.113.0/24")] });
        for (var i = 1; i <= 6; i++)
        {
            watch.See(Through($"203.0.113.{i}").Udp(A, 40_000, 502, Start + i) with { HopLimit = 60 });
        }

        Assert.Equal([Host.At("203.0.113.4"), Host.At("203.0.113.5"), Host.At("203.0.113.6")], watch.End().Devices.Select(d => d.BehindRouter).Where(b => !b.IsNone));
    }

    [Fact]
    public void Groups_called_with_a_small_hop_limit_make_no_router()
    {
        using var watch = new Watch();
        for (var i = 1; i <= 6; i++)
        {
            var host = A with { Address = Host.At($"192.168.0.{i}") };
            watch.See(host.Ip(Host.Multicast("224.0.0.22"), 2, Start + i, 60) with { HopLimit = 1 }, host.Udp(Host.Multicast("239.255.255.250"), 40_000, 1900, Start + i) with { HopLimit = 4 });
        }

        Assert.Equal(6, Assert.Single(watch.End().Devices).Addresses.Count);
    }

    [Fact]
    public void An_address_that_was_announced_by_ARP_is_the_hosts_own_whatever_its_hop_limit()
    {
        using var watch = new Watch();
        for (var i = 1; i <= 6; i++)
        {
            var host = A with { Address = Host.At($"192.168.0.{i}") };
            watch.See(host.Arp(Host.Broadcast($"192.168.0.{i}"), 1, Start + i), host.Udp(Host.Of(2), 1, 2, Start + i) with { HopLimit = 33 });
        }

        Assert.Equal(6, Assert.Single(watch.End().Devices).Addresses.Count);
    }

    [Fact]
    public void On_a_link_without_MACs_every_local_address_is_a_device_and_no_other()
    {
        var (a, b) = (Host.Of(1) with { Mac = 0 }, Host.Of(2) with { Mac = 0 });
        var far = a with { Address = Host.At("8.8.8.8") };
        using var watch = new Watch();
        for (var i = 0; i < 3; i++)
        {
            var time = Start + (i * 10 * Second);
            watch.See(
                a.Udp(b, 40_000, 502, time),
                b.Udp(a, 502, 40_000, time + 1),
                a.Udp(far, 40_000, 53, time + 2),
                far.Udp(a, 53, 40_000, time + 3),
                a.Udp(a with { Address = Host.At("224.0.0.251") }, 5353, 5353, time + 4));
        }

        watch.End();
        foreach (var interval in watch.Intervals)
        {
            Assert.Equal([a.Address, b.Address], interval.Devices.Select(d => d.BehindRouter).Where(x => !x.IsNone));
            var one = interval.Devices.Single(d => d.BehindRouter == a.Address);
            Assert.Equal((3, 1, 1), (one.Sent.Packets, one.PeersLocal, one.PeersBeyond));
            Assert.Equal(2, one.Received.Packets);

            // What comes from beyond has a row of the link itself, without an address.
            Assert.Equal((0, 1), (interval.Devices.Single(d => d.BehindRouter.IsNone).Addresses.Count, interval.Devices.Single(d => d.BehindRouter.IsNone).Sent.Packets));
        }
    }

    [Fact]
    public void Of_a_tunnel_the_outer_addresses_make_devices_and_the_inner_ones_flows()
    {
        var interval = Of(A.Udp(Host.Of(2), 40_000, 502, Start) with
        {
            Source = Host.At("172.16.9.1"),
            Destination = Host.At("172.16.9.2"),
            TunnelSource = A.Address,
            TunnelDestination = Host.Of(2).Address,
            Marks = PacketMarks.HasPorts | PacketMarks.Tunnelled,
        });
        Assert.Equal([A.Address], Assert.Single(interval.Devices).Addresses);
        Assert.Equal(Host.At("172.16.9.1"), Assert.Single(interval.Flows).Client);
    }

    private static Host Through(string address) => new(Router.Mac, Host.At(address));
}
