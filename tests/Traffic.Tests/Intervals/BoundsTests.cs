using Sekisho.Tests.Support;
using Sekisho.Traffic.Devices;
using Sekisho.Traffic.Flows;
using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Intervals;
using Sekisho.Traffic.Tables;
using Sekisho.Wire.Features;
using static Sekisho.Traffic.Tests.Intervals.Watch;

namespace Sekisho.Traffic.Tests.Intervals;

/// <summary>Tables that are full: counted, never an error, and the totals stay exact.</summary>
public class BoundsTests(ITestOutputHelper output)
{
    private static readonly Host A = Host.Of(1);
    private static readonly Host B = Host.Of(2);

    [Fact]
    public void A_scan_of_two_million_flows_costs_no_more_than_the_table_and_steady_flows_stay()
    {
        const int Scan = 2_000_000;
        const int Steady = 100;
        using var watch = new Watch(new ObservationSettings { FlowMemory = 1, Seed = 5 });

        // Flows in use first, one after the other in the table, which is the worst that can be for them; a packet in each about every second.
        for (var i = 0; i < Steady; i++)
        {
            watch.See(A.Udp(B, 20_001 + i, 502, Start - Second), B.Udp(A, 502, 20_001 + i, Start - Second));
        }

        long sent = 0;
        for (var i = 0; i < Scan; i++)
        {
            var time = Start + (i * 30_000L);
            watch.See(Host.Of(3).Tcp(new Host(B.Mac, NetAddress.FromIPv4(0x0B00_0000u + (uint)i)), 40_000, 23, time, Host.Syn));
            if (i % 333 == 0)
            {
                var port = 20_001 + (i / 333 % Steady);
                watch.See(A.Udp(B, port, 502, time), B.Udp(A, 502, port, time));
                sent++;
            }
        }

        var last = watch.End();
        var limit = last.State.FlowsLimit;
        output.WriteLine($"{limit} flows, {watch.Intervals.Sum(i => i.State.FlowsEvicted)} put out");
        Assert.InRange(limit, (1 << 20) / 240, (1 << 20) / FlowEntry.Size);
        Assert.All(watch.Intervals, i => Assert.InRange(i.State.FlowsHeld, 1, limit));
        Assert.Equal(limit, last.State.FlowsHeld);
        Assert.Equal(Scan + (2 * sent) + (2 * Steady), watch.Intervals.Sum(i => i.State.Packets));

        // Devices lose nothing of it: what was sent, begun and failed is exact.
        Assert.Equal(Scan, watch.Devices.Where(d => d.Mac == Host.Of(3).Mac).Sum(d => d.Sent.Packets));
        Assert.Equal(Scan, watch.Devices.Where(d => d.Mac == Host.Of(3).Mac).Sum(d => d.ConnectionsBegun));
        Assert.Equal(sent + Steady, watch.Devices.Where(d => d.Mac == A.Mac).Sum(d => d.Sent.Packets));

        // Every new flow above the limit put one out. The hand meets neighbours in use, and puts out one of eight of them in its first round; then they stand apart, each among flows of the scan.
        var kept = last.Flows.Count(f => f.Client == A.Address && f.FirstSeen == (Start - Second) / Millisecond);
        var again = watch.Intervals.Sum(i => i.State.FlowsEvicted) - (Scan + Steady - limit);
        output.WriteLine($"{kept} of {Steady} flows in use were never put out, {again} times one was");
        Assert.InRange(kept, 80, Steady);
        Assert.InRange(again, 0, 40);
    }

    [Fact]
    public void Two_hundred_thousand_MACs_cost_no_more_than_the_table_and_devices_in_use_stay()
    {
        const int Flood = 200_000;
        using var watch = new Watch(new ObservationSettings { DeviceMemory = 1, FlowMemory = 1, Seed = 6 });
        watch.See(A.Udp(B, 40_000, 502, Start), B.Udp(A, 502, 40_000, Start));
        long sent = 1;
        for (var i = 0; i < Flood; i++)
        {
            var time = Start + (i * 100_000L);
            var stranger = Host.Of(1000 + i);
            if (i % 2 == 0)
            {
                watch.See(stranger.Udp(B, 40_000, 502, time));
            }
            else
            {
                watch.See(Host.Of(3).Udp(stranger, 40_000, 502, time));
            }

            if (i % 1000 == 0)
            {
                watch.See(A.Udp(B, 40_000, 502, time), B.Udp(A, 502, 40_000, time));
                sent++;
            }
        }

        var last = watch.End();
        output.WriteLine($"{last.State.DevicesLimit} devices, {watch.Intervals.Sum(i => i.State.DevicesEvicted)} put out");
        Assert.InRange(last.State.DevicesLimit, 1000, (1 << 20) / DeviceEntry.Size);
        Assert.Equal(last.State.DevicesLimit, last.State.DevicesHeld);
        Assert.Equal(Flood + (2 * sent), watch.Intervals.Sum(i => i.State.Packets));
        Assert.InRange(watch.Intervals.Sum(i => i.State.DevicesEvicted), Flood + 3 - last.State.DevicesLimit, Flood + 3 - last.State.DevicesLimit + 5);
        Assert.Equal(sent, watch.Devices.Where(d => d.Mac == A.Mac).Sum(d => d.Sent.Packets));
        Assert.Equal(Flood / 2, watch.Devices.Where(d => d.Mac == Host.Of(3).Mac).Sum(d => d.Sent.Packets));
    }

    [Fact]
    public void A_device_that_is_put_out_for_the_receiver_of_its_own_packet_comes_back()
    {
        // The sender is the one that was silent longest, and the table is full.
        using var watch = new Watch(new ObservationSettings { DeviceMemory = 0 });
        for (var i = 0; i < 64; i++)
        {
            watch.See(Host.Of(1 + i).Frame(Host.Multicast("224.0.0.1"), 0x88CC, Start + i));
        }

        watch.See(A.Udp(Host.Of(900), 40_000, 502, Start + Second), Host.Of(900).Udp(A, 502, 40_000, Start + (2 * Second)));
        var devices = watch.End().Devices;
        Assert.Equal((1, 1), (devices.Single(d => d.Mac == Host.Of(900).Mac).Sent.Packets, devices.Single(d => d.Mac == Host.Of(900).Mac).Received.Packets));
        Assert.Equal((1, 1), (devices.Single(d => d.Mac == A.Mac).Sent.Packets, devices.Single(d => d.Mac == A.Mac).Received.Packets));
        Assert.Equal(2, watch.Intervals[0].State.DevicesEvicted);
    }

    [Fact]
    public void In_a_table_that_is_much_too_small_no_packet_is_counted_for_another_device()
    {
        var random = Fuzz.Source(720);
        using var watch = new Watch(new ObservationSettings { DeviceMemory = 0, FlowMemory = 0 });
        var sent = new Dictionary<(long Start, ulong Mac), int>();
        var received = new Dictionary<ulong, int>();
        var packets = Fuzz.Rounds(60_000);
        for (var i = 0; i < packets; i++)
        {
            var (from, to) = (Host.Of(1 + random.Next(300)), Host.Of(1 + random.Next(300)));
            var time = Start + (i * 20 * Millisecond);
            watch.See(from.Udp(to, 40_000, 502, time));
            var key = (time / Millisecond / 10_000 * 10_000, from.Mac);
            sent[key] = sent.GetValueOrDefault(key) + 1;
            received[to.Mac] = received.GetValueOrDefault(to.Mac) + 1;
        }

        watch.End();
        Assert.Equal(64, watch.Intervals[0].State.DevicesLimit);
        foreach (var interval in watch.Intervals)
        {
            Assert.All(interval.Devices, d => Assert.InRange(d.Sent.Packets, 0, sent.GetValueOrDefault((interval.Start, d.Mac))));
            Assert.Equal(interval.Devices.Count, interval.Devices.Select(d => d.Mac).Distinct().Count());
        }

        Assert.All(watch.Devices.GroupBy(d => d.Mac), g => Assert.InRange(g.Sum(d => d.Received.Packets), 0, received.GetValueOrDefault(g.Key)));
        var told = watch.Devices.Sum(d => d.Sent.Packets);
        output.WriteLine($"{told} of {packets} packets were told of, the others were those of devices put out");
        Assert.InRange(told, packets / 20, packets);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(32)]
    [InlineData(100)]
    [InlineData(512)]
    public void All_that_a_table_takes_lies_within_its_limit(int mebibytes)
    {
        var memory = (long)mebibytes << 20;
        using var watch = new Watch(new ObservationSettings { FlowMemory = mebibytes, DeviceMemory = mebibytes });
        watch.See(A.Udp(B, 1, 2, Start));
        var state = watch.End().State;
        long flows = state.FlowsLimit;
        Assert.InRange((flows * FlowEntry.Size) + SlotIndex.BytesFor(flows) + (2 * ((flows / 8) + 8)), memory * 8 / 10, memory + NativeBlock.Line);
        long devices = state.DevicesLimit;
        Assert.InRange(((devices + 1) * DeviceEntry.Size) + SlotIndex.BytesFor(devices) + (devices * sizeof(int)) + (devices / 8) + 8, 0, memory + DeviceEntry.Size + NativeBlock.Line);
    }

    [Fact]
    public unsafe void Entries_have_the_size_that_they_are_said_to_have()
    {
        Assert.Equal(FlowEntry.Size, sizeof(FlowEntry));
        Assert.Equal(FlowDirection.Size, sizeof(FlowDirection));
        Assert.Equal(DeviceEntry.Size, sizeof(DeviceEntry));
        Assert.Equal(64, sizeof(FlowKey));
    }

    [Fact]
    public void Flows_leave_after_their_time_of_silence()
    {
        var settings = new ObservationSettings();
        foreach (var (packets, seconds) in (ReadOnlySpan<(PacketHeader[], int)>)
            [
                ([A.Udp(B, 1, 2, Start)], settings.OtherSeconds),
                ([A.Frame(B, 0x88CC, Start)], settings.OtherSeconds),
                ([A.Tcp(B, 1, 2, Start, Host.Ack, 1, 10)], settings.TcpSeconds),
                ([A.Tcp(B, 1, 2, Start, Host.Rst)], settings.ClosedSeconds),
                ([A.Tcp(B, 1, 2, Start, Host.Fin | Host.Ack), B.Tcp(A, 2, 1, Start, Host.Fin | Host.Ack)], settings.ClosedSeconds),
                ([A.Tcp(B, 1, 2, Start, Host.Fin | Host.Ack)], settings.TcpSeconds),
            ])
        {
            using var watch = new Watch(settings);
            watch.See(packets);
            for (var time = Start + (10 * Second); watch.Intervals.Count == 0 || watch.Intervals[^1].State.FlowsHeld > 0; time += 10 * Second)
            {
                Assert.False(watch.Observation.IsOver(time - 1));
                watch.End();
            }

            Assert.Equal(seconds + 10, watch.Intervals.Count * 10);
        }
    }

    [Fact]
    public void Silent_flows_and_devices_leave_while_new_ones_come_all_the_time()
    {
        using var watch = new Watch(new ObservationSettings { DeviceSeconds = 120 });
        for (var i = 0; i < 600; i++)
        {
            var time = Start + (i * 10 * Second);
            watch.See(Host.Of(2 * i).Udp(Host.Of((2 * i) + 1), 1, 2, time), Host.Of(2 * i).Udp(Host.Of((2 * i) + 1), 3, 4, time));
        }

        watch.End();
        Assert.InRange(watch.Intervals.Max(i => i.State.FlowsHeld), 24, 28);
        Assert.InRange(watch.Intervals.Max(i => i.State.DevicesHeld), 24, 28);
    }

    [Fact]
    public void Devices_leave_after_their_time_of_silence_and_are_new_when_they_come_again()
    {
        using var watch = new Watch(new ObservationSettings { DeviceSeconds = 60 });
        watch.See(A.Udp(B, 1, 2, Start), Host.Of(3).Udp(Host.Of(4), 1, 2, Start));
        for (var i = 1; i <= 10; i++)
        {
            watch.See(A.Udp(B, 1, 2, Start + (i * 10 * Second)));
        }

        Assert.Equal([4, 4, 4, 4, 4, 4, 2, 2, 2, 2], watch.Intervals.Select(i => i.State.DevicesHeld));
        watch.See(Host.Of(3).Udp(Host.Of(4), 1, 2, Start + (110 * Second))).End();
        Assert.Equal((Start + (110 * Second)) / Millisecond, watch.Intervals[^1].Devices.Single(d => d.Mac == Host.Of(3).Mac).FirstSeen);
        Assert.Equal(0, watch.Intervals.Sum(i => i.State.DevicesEvicted));
    }
}
