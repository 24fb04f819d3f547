using System.Net;
using Sekisho.Traffic.Intervals;
using Sekisho.Traffic.Tests.Intervals;
using Sekisho.Wire.Features;
using static Sekisho.Traffic.Tests.Intervals.Watch;

namespace Sekisho.Traffic.Tests.Devices;

/// <summary>How many others a device speaks with, and how many ports it calls.</summary>
public class PeerTests(ITestOutputHelper output)
{
    private static readonly Host A = Host.Of(1);

    [Fact]
    public void Up_to_32_peers_and_ports_are_counted_exactly_and_each_once()
    {
        foreach (var count in (int[])[0, 1, 2, 31, 32])
        {
            using var watch = new Watch();
            watch.See(A.Arp(Host.Broadcast("10.0.0.1"), 1, Start));
            for (var round = 0; round < 3; round++)
            {
                for (var i = 0; i < count; i++)
                {
                    watch.See(
                        A.Udp(Host.Of(100 + i), 40_000 + round, 1000 + i, Start + round),
                        Host.Of(100 + i).Udp(A, 1000 + i, 40_000 + round, Start + round),
                        A.Udp(new Host(Host.Of(5).Mac, NetAddress.FromIPv4(0x0808_0000u + (uint)i)), 40_000 + round, 1000, Start + round));
                }
            }

            var device = Device(watch.End(), A);
            Assert.Equal((count, count, count), (device.PeersLocal, device.PeersBeyond, device.PortsCalled));

            // Who is called has one peer, and calls nobody.
            Assert.All(watch.Intervals[0].Devices.Where(d => d.Mac != A.Mac), d => Assert.Equal((1, 0, 0), (d.PeersLocal, d.PeersBeyond, d.PortsCalled)));
        }
    }

    [Theory]
    [InlineData(33)]
    [InlineData(60)]
    [InlineData(150)]
    [InlineData(300)]
    [InlineData(500)]
    [InlineData(2_000)]
    [InlineData(20_000)]
    [InlineData(65_535)]
    public void Beyond_32_the_estimate_has_the_standard_error_of_its_theory(int count)
    {
        const int Seeds = 60;
        var errors = new List<double>();
        for (var seed = 0UL; seed < Seeds; seed++)
        {
            var counter = default(Sekisho.Traffic.Devices.DistinctCount);
            using var table = new Sekisho.Traffic.Devices.DeviceTable(0, new Sekisho.Traffic.Devices.LocalNetworks([]), seed * 0x9E37_79B9);
            for (var i = 0; i < count; i++)
            {
                var address = NetAddress.FromIPv4(0x0A00_0000u + (uint)i);
                counter.Add(table.HashOf(address.High, address.Low));
            }

            errors.Add((counter.Estimate() / (double)count) - 1);
        }

        var mean = errors.Average();
        var deviation = Math.Sqrt(errors.Average(e => e * e));
        output.WriteLine($"{count}: mean {mean:P1}, standard error {deviation:P1}, largest {errors.Max(Math.Abs):P1}");

        // The theory says 1.04 / √128 = 9.2 %; of sixty tries the standard error itself is known to a tenth.
        Assert.InRange(deviation, 0, 0.105);
        Assert.InRange(mean, -0.035, 0.035);
        Assert.InRange(errors.Max(Math.Abs), 0, 0.35);
    }

    [Fact]
    public void A_scan_of_addresses_and_of_ports_is_seen_in_the_counts_of_the_device()
    {
        using var watch = new Watch();
        for (var i = 0; i < 5000; i++)
        {
            watch.See(A.Tcp(Host.Of(100 + i), 40_000, 1 + i, Start + i, Host.Syn));
        }

        var device = Device(watch.End(), A);
        Assert.InRange(device.PeersLocal, 3500, 6500);
        Assert.InRange(device.PortsCalled, 3500, 6500);
    }

    [Fact]
    public void A_peer_met_by_IP_and_by_ARP_is_one()
    {
        var b = Host.Of(2);
        var interval = Of(A.Udp(b, 40_000, 502, Start), A.Arp(b, 1, Start), b.Arp(A, 2, Start), b.Udp(A, 502, 40_000, Start));
        Assert.All(interval.Devices, d => Assert.Equal((1, 0), (d.PeersLocal, d.PeersBeyond)));
    }

    [Fact]
    public void A_peer_without_IP_is_known_by_its_MAC_and_a_group_is_no_peer()
    {
        var interval = Of(
            A.Frame(Host.Of(2), 0x8892, Start),
            A.Frame(Host.Of(2), 0x88A4, Start),
            A.Frame(Host.Of(3), 0x8892, Start),
            A.Frame(Host.Multicast("224.0.0.1"), 0x88CC, Start),
            A.Arp(Host.Broadcast("10.0.0.9"), 1, Start),
            A.Udp(Host.Broadcast("10.255.255.255"), 138, 138, Start),
            A.Udp(Host.Multicast("224.0.0.251"), 5353, 5353, Start),
            A.Udp(Host.Of(4) with { Address = Host.At("255.255.255.255") }, 67, 68, Start));
        Assert.Equal((2, 0), (Device(interval, A).PeersLocal, Device(interval, A).PeersBeyond));
    }

    [Theory]
    [InlineData("10.255.0.1", true)]
    [InlineData("172.16.0.1", true)]
    [InlineData("172.31.255.255", true)]
    [InlineData("172.32.0.1", false)]
    [InlineData("192.168.255.1", true)]
    [InlineData("192.169.0.1", false)]
    [InlineData("169.254.9.9", true)]
    [InlineData("8.8.8.8", false)]
    [InlineData("203.0.113.200", true)]
    [InlineData("203.0.114.1", false)]
    [InlineData("fe80::1", true)]
    [InlineData("fd12:3456::1", true)]
    [InlineData("2001:db8:1::9", true)]
    [InlineData("2001:db8:2::9", false)]
    public void Private_and_given_networks_are_local_and_all_else_is_beyond(string address, bool local)
    {
        var settings = new ObservationSettings { LocalNetworks = [IPNetwork.Parse("203.0.113.0/24"), IPNetwork.Parse("2001:db8:1::/48")] };
        using var watch = new Watch(settings);
        watch.See((A with { Address = Host.At(address.Contains(':', StringComparison.Ordinal) ? "fd00::1" : "10.0.0.1") }).Udp(Host.Of(2, address), 40_000, 1, Start));
        var device = Device(watch.End(), A);
        Assert.Equal(local ? (1, 0) : (0, 1), (device.PeersLocal, device.PeersBeyond));
    }

    [Fact]
    public void The_same_port_of_two_transports_counts_twice_and_an_answer_calls_none()
    {
        var b = Host.Of(2);
        var interval = Of(
            A.Udp(b, 40_000, 53, Start),
            A.Tcp(b, 40_000, 53, Start, Host.Syn),
            A.Ip(b, 132, Start, 100) with { SourcePort = 40_000, DestinationPort = 53, Marks = Sekisho.Traffic.Headers.PacketMarks.HasPorts },
            A.Icmp(b, 8, 0, Start),
            b.Udp(A, 53, 40_000, Start));
        Assert.Equal((3, 0), (Device(interval, A).PortsCalled, Device(interval, b).PortsCalled));
    }

    private static DeviceFeatures Device(IntervalFeatures interval, Host host) => interval.Devices.Single(d => d.Mac == host.Mac);
}
