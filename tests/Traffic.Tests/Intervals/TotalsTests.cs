using Sekisho.Tests.Support;
using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Intervals;
using Sekisho.Wire.Features;
using static Sekisho.Traffic.Tests.Intervals.Watch;

namespace Sekisho.Traffic.Tests.Intervals;

/// <summary>Whatever goes in comes out: packets, bytes and classes add up, by flow, by device and by interval.</summary>
public class TotalsTests
{
    [Theory]
    [InlineData(10_000, 32)]
    [InlineData(10_000, 1)]
    [InlineData(1_000, 7)]
    [InlineData(60_000, 500)]
    [InlineData(333, 0)]
    public void Flows_devices_and_totals_of_each_interval_are_those_of_the_packets_in_it(int intervalLength, int batch)
    {
        var random = Fuzz.Source(700 + intervalLength + batch);
        var packets = Mix(random, Fuzz.Rounds(30_000));
        using var watch = new Watch(new ObservationSettings { IntervalLength = intervalLength, Seed = (ulong)random.NextInt64() });
        for (var rest = packets.AsSpan(); rest.Length > 0;)
        {
            var size = Math.Min(rest.Length, batch == 0 ? random.Next(1, 100) : batch);
            watch.See(rest[..size]);
            rest = rest[size..];
        }

        watch.End();

        var expected = packets.GroupBy(p => p.Timestamp / Millisecond / intervalLength * intervalLength).ToList();
        Assert.Equal(expected.Select(g => g.Key), watch.Intervals.Select(i => i.Start));
        foreach (var (group, interval) in expected.Zip(watch.Intervals))
        {
            Assert.Equal((group.Count(), group.Sum(p => (long)p.WireLength)), (interval.State.Packets, interval.State.Bytes));
            Assert.Equal((interval.State.Packets, interval.State.Bytes), (interval.Flows.Sum(f => f.Up.Packets + f.Down.Packets), interval.Flows.Sum(f => f.Up.Bytes + f.Down.Bytes)));
            Assert.Equal(group.Select(KeyOf).Distinct().Count(), interval.Flows.Count);
            Assert.Equal(Rows(group, p => p.SourceMac), Rows(interval, d => d.Sent));
            Assert.All(interval.Flows, f => Assert.Equal((f.Up.Packets, f.Down.Packets), (f.Up.Sizes.Sum(s => s), f.Down.Sizes.Sum(s => s))));
        }

        // Who has not spoken yet is shown later, with what was sent to him before: so received frames add up over the whole.
        var unicast = packets.Where(p => (p.DestinationMac >> 40 & 1) == 0).ToList();
        Assert.Equal(
            unicast.GroupBy(p => p.DestinationMac).Select(g => (g.Key, (long)g.Count(), g.Sum(p => (long)p.WireLength))).Order(),
            watch.Devices.GroupBy(d => d.Mac).Select(g => (g.Key, g.Sum(d => d.Received.Packets), g.Sum(d => d.Received.Bytes))).Order());
    }

    [Fact]
    public void A_gap_belongs_to_every_packet_of_a_direction_but_its_first_in_the_class_of_its_length()
    {
        var random = Fuzz.Source(701);
        var (a, b) = (Host.Of(1), Host.Of(2));
        var counts = new uint[8];
        using var watch = new Watch();
        watch.See(a.Udp(b, 5000, 6000, Start));
        var time = Start;
        for (var i = 0; i < 5_000; i++)
        {
            // On a bound, one beyond, and anything between.
            var bound = Tally.GapBounds[random.Next(Tally.GapBounds.Count - 2)] * 1000;
            var gap = random.Next(3) switch { 0 => bound, 1 => bound + 1, _ => random.NextInt64(bound) };
            counts[Tally.GapBounds.TakeWhile(g => gap > g * 1000).Count()]++;
            watch.See(a.Udp(b, 5000, 6000, time += gap));
        }

        watch.End();
        for (var i = 0; i < 8; i++)
        {
            Assert.Equal(counts[i], watch.Flows.Sum(f => f.Up.Gaps[i]));
            Assert.Equal(counts[i], watch.Devices.Where(d => d.Mac == a.Mac).Sum(d => d.Sent.Gaps[i]));
        }
    }

    [Fact]
    public void Every_length_falls_into_the_class_of_its_bounds()
    {
        // The port tells the length.
        using var watch = new Watch();
        for (var length = 0; length < 2000; length++)
        {
            watch.See(Host.Of(1).Udp(Host.Of(2), 12_000 + length, 6000, Start, length));
        }

        Assert.Equal(2000, watch.End().Flows.Count);
        Assert.All(watch.Flows, f => Assert.Equal(1u, f.Up.Sizes[Tally.SizeBounds.Count(b => f.ClientPort - 12_000 > b)]));
    }

    [Fact]
    public void Counters_stay_exact_beyond_65536_packets_and_4_GiB()
    {
        const int Ups = 200_001;
        const int Downs = 131_072;
        const int Jumbo = 60_000;
        var (a, b) = (Host.Of(1), Host.Of(2));
        using var watch = new Watch();
        for (var i = 0; i < Ups; i++)
        {
            watch.See(a.Udp(b, 5000, 6000, Start + i, Jumbo));
            if (i < Downs)
            {
                watch.See(b.Udp(a, 6000, 5000, Start + i, 64));
            }
        }

        var flow = Assert.Single(watch.End().Flows);
        Assert.Equal((Ups, (long)Ups * Jumbo, Downs, Downs * 64L), (flow.Up.Packets, flow.Up.Bytes, flow.Down.Packets, flow.Down.Bytes));
        Assert.Equal([0, 0, 0, 0, 0, 0, 0, Ups], flow.Up.Sizes);
        Assert.Equal([Downs, 0, 0, 0, 0, 0, 0, 0], flow.Down.Sizes);
        Assert.Equal([Ups - 1, 0, 0, 0, 0, 0, 0, 0], flow.Up.Gaps);
        Assert.Equal([Downs - 1, 0, 0, 0, 0, 0, 0, 0], flow.Down.Gaps);

        // The next interval begins at nothing; what was told stays as it was.
        watch.See(a.Udp(b, 5000, 6000, Start + (10 * Second)));
        Assert.Equal((1, 100), (Assert.Single(watch.End().Flows).Up.Packets, watch.Intervals[1].Flows[0].Up.Bytes));
        Assert.Equal(Ups, watch.Intervals[0].Flows[0].Up.Packets);
    }

    [Fact]
    public void Counters_of_flags_and_repetitions_stay_exact_beyond_65536()
    {
        const int Each = 70_000;
        var (a, b) = (Host.Of(1), Host.Of(2));
        using var watch = new Watch(new ObservationSettings { IntervalLength = 3_600_000 });
        for (var i = 0; i < Each; i++)
        {
            // Far enough apart to count as sent again; a new number with each SYN.
            var time = Start + (i * 20 * Millisecond);
            watch.See(
                a.Tcp(b, 5000, 80, time, Host.Syn, (uint)i * 1000),
                b.Tcp(a, 80, 5000, time, Host.Syn | Host.Ack),
                a.Tcp(b, 5000, 80, time, Host.Ack, ((uint)i * 1000) + 1, payload: 10),
                a.Tcp(b, 5000, 80, time + (4 * Millisecond), Host.Ack, ((uint)i * 1000) + 1, payload: 10),
                b.Tcp(a, 80, 5000, time + (4 * Millisecond), Host.Fin | Host.Ack),
                b.Tcp(a, 80, 5000, time + (4 * Millisecond), Host.Rst));
        }

        var flow = Assert.Single(watch.End().Flows);
        Assert.Equal([Each, Each, Each, Each, Each, 0], (uint[])[flow.Syns, flow.SynAcks, flow.Fins, flow.Resets, flow.RetransmissionsUp, flow.RetransmissionsDown]);
        var device = watch.Devices.Single(d => d.Mac == a.Mac);
        Assert.Equal((Each, 0, Each), (device.ConnectionsBegun, device.ConnectionsFailed, device.Retransmissions));
    }

    [Fact]
    public void What_a_flow_carried_over_does_not_pass_to_the_flow_that_takes_its_place()
    {
        var (a, b) = (Host.Of(1), Host.Of(2));
        using var watch = new Watch(new ObservationSettings { FlowMemory = 0 });
        const int Each = 66_000;
        const int Flows = 16 + 3;
        for (var flow = 0; flow < Flows; flow++)
        {
            var packets = new PacketHeader[Each];
            Array.Fill(packets, a.Udp(b, 5000, 6000 + flow, Start + (flow * Second / 2)));
            watch.See(packets);
        }

        var interval = watch.End();
        Assert.Equal((16, 3), (interval.Flows.Count, interval.State.FlowsEvicted));
        Assert.All(interval.Flows, f => Assert.Equal((Each, Each * 100L), (f.Up.Packets, f.Up.Bytes)));
        Assert.Equal(Each * Flows, interval.State.Packets);
        Assert.Equal(Each * Flows, interval.Devices.Single(d => d.Mac == a.Mac).Sent.Packets);
    }

    [Fact]
    public void Frames_of_which_nothing_was_readable_are_in_the_totals_only()
    {
        var odd = new PacketHeader { Timestamp = Start, WireLength = 10, Marks = PacketMarks.Truncated };
        var interval = Of(odd, odd with { Marks = PacketMarks.Malformed | PacketMarks.Unknown });
        Assert.Equal((2, 20, 1, 1, 1), (interval.State.Packets, interval.State.Bytes, interval.State.Truncated, interval.State.Malformed, interval.State.Unknown));
        Assert.Empty(interval.Flows);
        Assert.Empty(interval.Devices);
    }

    [Fact]
    public void Flows_beyond_what_an_interval_tells_are_counted_as_left_out()
    {
        using var watch = new Watch(new ObservationSettings { FlowsPerInterval = 10 });
        for (var i = 0; i < 25; i++)
        {
            watch.See(Host.Of(1).Udp(Host.Of(2), 5000 + i, 6000, Start + i));
        }

        var interval = watch.End();
        Assert.Equal((10, 15, 25), (interval.Flows.Count, interval.State.FlowsOmitted, interval.State.FlowsHeld));
        Assert.Equal(25, interval.Devices.Single(d => d.Mac == Host.Of(1).Mac).Sent.Packets);

        // Left out once, not kept for the next.
        watch.See(Host.Of(1).Udp(Host.Of(2), 5024, 6000, Start + (10 * Second)));
        interval = watch.End();
        Assert.Equal((1, 0), (Assert.Single(interval.Flows).Up.Packets, interval.State.FlowsOmitted));
    }

    private static IEnumerable<(ulong Mac, long Packets, long Bytes)> Rows(IEnumerable<PacketHeader> packets, Func<PacketHeader, ulong> mac) =>
        packets.GroupBy(mac).Select(g => (g.Key, (long)g.Count(), g.Sum(p => (long)p.WireLength))).Order();

    private static IEnumerable<(ulong Mac, long Packets, long Bytes)> Rows(IntervalFeatures interval, Func<DeviceFeatures, Tally> tally) =>
        interval.Devices.Select(d => (d.Mac, tally(d).Packets, tally(d).Bytes)).Where(r => r.Packets > 0).Order();

    private static (string, string, int, int) KeyOf(PacketHeader p)
    {
        var one = p.IpVersion == 0 ? $"{p.SourceMac:x}" : $"{p.Source} {p.SourcePort}";
        var other = p.IpVersion == 0 ? $"{p.DestinationMac:x}" : $"{p.Destination} {p.DestinationPort}";
        return string.CompareOrdinal(one, other) < 0 ? (one, other, p.EtherType, p.Protocol) : (other, one, p.EtherType, p.Protocol);
    }

    // Talk among forty hosts, and of each to all, in order of time.
    private static PacketHeader[] Mix(Random random, int count)
    {
        Host[] hosts = [.. Enumerable.Range(1, 40).Select(i => i % 4 == 0 ? Host.Of(i, $"fd00::{i:x}") : Host.Of(i))];
        var packets = new PacketHeader[count];
        var time = Start + random.NextInt64(Second);
        for (var i = 0; i < count; i++)
        {
            time += random.Next(100) == 0 ? random.NextInt64(2 * Second) : random.NextInt64(2 * Millisecond);
            var from = hosts[random.Next(hosts.Length)];
            var family = hosts.Where(h => h.Address.IsIPv4 == from.Address.IsIPv4 && h != from).ToArray();
            var to = family[random.Next(family.Length)];
            var (client, server) = (random.Next(40_000, 40_004), random.Next(2) == 0 ? 502 : 9999);
            var (source, target) = random.Next(2) == 0 ? (client, server) : (server, client);
            var length = random.Next(60, 1515);
            packets[i] = random.Next(8) switch
            {
                0 => from.Udp(to, source, target, time, length),
                1 => from.Udp(from.Address.IsIPv4 ? Host.Broadcast() : Host.Multicast("ff02::1"), source, target, time, length),
                2 => from.Arp(to, 1, time),
                3 => from.Frame(Host.Broadcast(), 0x88CC, time, length),
                4 => from.Ip(to, 50, time, length),
                _ => from.Tcp(to, source, target, time, (byte)random.Next(32), (uint)random.Next(), length - 54 < 0 ? 0 : length - 54),
            };
        }

        return packets;
    }
}
