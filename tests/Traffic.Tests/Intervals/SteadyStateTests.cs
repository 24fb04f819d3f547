using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Intervals;
using static Sekisho.Traffic.Tests.Intervals.Watch;

namespace Sekisho.Traffic.Tests.Intervals;

/// <summary>The way of a packet through the tables asks for no managed memory.</summary>
public class SteadyStateTests
{
    [Fact]
    public void A_million_packets_of_known_flows_cost_no_memory()
    {
        const int Packets = 1_000_000;
        var traffic = Traffic();
        using var observation = new Observation(new ObservationSettings());

        // The first interval makes the flows and the devices, and compiles what runs.
        _ = Send(observation, traffic, Start, 3 * traffic.Length);
        observation.Flush();
        Assert.Equal(0, Send(observation, traffic, Start + (10 * Second), Packets));
        Assert.Equal(Packets, observation.Flush().State.Packets);
    }

    [Fact]
    public void New_flows_in_a_full_table_cost_no_memory_either()
    {
        const int Packets = 500_000;
        var random = new Random(730);
        var traffic = new PacketHeader[100_000];
        for (var i = 0; i < traffic.Length; i++)
        {
            traffic[i] = Host.Of(random.Next(1, 3000)).Tcp(Host.Of(random.Next(1, 3000)), random.Next(65_536), random.Next(65_536), 0, (byte)random.Next(32), (uint)random.Next(), random.Next(1400));
        }

        using var observation = new Observation(new ObservationSettings { FlowMemory = 1, DeviceMemory = 1 });
        _ = Send(observation, traffic, Start, traffic.Length);
        observation.Flush();
        Assert.Equal(0, Send(observation, traffic, Start + (10 * Second), Packets));
        var state = observation.Flush().State;
        Assert.True(state.FlowsEvicted > 300_000 && state.DevicesEvicted > 10_000, $"{state.FlowsEvicted} flows and {state.DevicesEvicted} devices put out");
    }

    // Bytes that were asked for while so many packets went in, all in one interval.
    private static long Send(Observation observation, PacketHeader[] traffic, long start, int packets)
    {
        var batch = new PacketHeader[32];
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var sent = 0; sent < packets;)
        {
            var count = Math.Min(batch.Length, packets - sent);
            for (var i = 0; i < count; i++, sent++)
            {
                batch[i] = traffic[sent % traffic.Length];
                batch[i].Timestamp = start + (sent * 9_000L);
            }

            if (observation.Add(batch.AsSpan(0, count)) != count)
            {
                return -1;
            }
        }

        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    // Of every kind that the tables treat in a way of its own.
    private static PacketHeader[] Traffic()
    {
        var traffic = new List<PacketHeader>();
        for (var i = 0; i < 500; i++)
        {
            var (a, b) = (Host.Of(1 + (i % 100)), Host.Of(200 + (i % 7)));
            var router = new Host(Host.Of(300).Mac, Wire.Features.NetAddress.FromIPv4(0xC0A8_0700u + (uint)(i % 50)));
            traffic.AddRange(
                a.Udp(b, 40_000 + i, 502, 0),
                b.Udp(a, 502, 40_000 + i, 0),
                a.Tcp(b, 40_000 + i, 1883, 0, Host.Syn, 1),
                b.Tcp(a, 1883, 40_000 + i, 0, Host.Syn | Host.Ack, 1),
                a.Tcp(b, 40_000 + i, 1883, 0, Host.Ack, 2, 100),
                a.Tcp(b, 40_000 + i, 1883, 0, Host.Ack, 2, 100),
                b.Tcp(a, 1883, 40_000 + i, 0, Host.Fin | Host.Ack, 2),
                a.Tcp(b, 40_000 + i, 1883, 0, Host.Rst, 102),
                a.Arp(Host.Broadcast("10.0.0.9"), 1, 0),
                a.Arp(b, 2, 0),
                a.Udp(Host.Broadcast(), 68, 67, 0, 342),
                a.Icmp(b, 8, 0, 0),
                b.Icmp(a, 0, 0, 0),
                a.Frame(Host.Multicast("224.0.0.1"), 0x88CC, 0),
                a.Fragment(b, (uint)i, later: false, 40_000, 2049, 0),
                a.Fragment(b, (uint)i, later: true, 0, 0, 0),
                router.Udp(b, 40_000, 502, 0) with { HopLimit = 63 },
                Host.Of(400 + i).Udp(router, 502, 40_000, 0));
        }

        return [.. traffic];
    }
}
