using Sekisho.Traffic.Tests.Intervals;
using static Sekisho.Traffic.Tests.Intervals.Watch;

namespace Sekisho.Traffic.Tests.Flows;

/// <summary>Fragments of a datagram lie in its flow.</summary>
public class FragmentTests
{
    private static readonly Host A = Host.Of(1);
    private static readonly Host B = Host.Of(2);

    [Fact]
    public void Later_fragments_belong_to_the_flow_of_their_first_one()
    {
        foreach (var (a, b) in (ReadOnlySpan<(Host, Host)>)[(A, B), (B, A), (Host.Of(3, "fd00::1"), Host.Of(4, "fd00::2"))])
        {
            // Two datagrams in each other's midst, all in one batch and in batches of their own.
            var packets = new[]
            {
                a.Fragment(b, 7, later: false, 40_000, 2049, Start),
                a.Fragment(b, 8, later: false, 40_001, 2049, Start + 1),
                a.Fragment(b, 7, later: true, 0, 0, Start + 2),
                a.Fragment(b, 8, later: true, 0, 0, Start + 3),
                a.Fragment(b, 7, later: true, 0, 0, Start + (8 * Second)),
                b.Fragment(a, 7, later: false, 2049, 40_000, Start + (8 * Second)),
                b.Fragment(a, 7, later: true, 0, 0, Start + (8 * Second)),
            };
            Assert.Equal([(40_000, 3, 2), (40_001, 2, 0)], Of(packets).Flows.Select(f => (f.ClientPort, (int)f.Up.Packets, (int)f.Down.Packets)).Order());
            using var watch = new Watch();
            foreach (var packet in packets)
            {
                watch.See(packet);
            }

            Assert.Equal(2, watch.End().Flows.Count);
        }
    }

    [Fact]
    public void Later_fragments_of_an_echo_belong_to_its_flow()
    {
        var flow = FlowOf(
            A.Fragment(B, 7, later: false, 8, 0, Start, protocol: 1),
            A.Fragment(B, 7, later: true, 0, 0, Start + 1, protocol: 1),
            B.Fragment(A, 9, later: false, 0, 0, Start + 2, protocol: 1),
            B.Fragment(A, 9, later: true, 0, 0, Start + 3, protocol: 1));
        Assert.Equal((8, 0, 2, 2), (flow.ClientPort, flow.ServerPort, flow.Up.Packets, flow.Down.Packets));
    }

    [Fact]
    public void Fragments_without_their_first_one_are_a_flow_of_their_own_and_call_no_port()
    {
        var interval = Of(
            A.Fragment(B, 7, later: true, 0, 0, Start),
            A.Fragment(B, 8, later: false, 40_000, 2049, Start + 1),
            A.Fragment(B, 9, later: true, 0, 0, Start + 2));
        Assert.Equal([(0, 0, 2), (40_000, 2049, 1)], interval.Flows.Select(f => (f.ClientPort, f.ServerPort, (int)f.Up.Packets)).Order());
        Assert.Equal(1, interval.Devices.Single(d => d.Mac == A.Mac).PortsCalled);
    }

    [Fact]
    public void A_first_fragment_is_forgotten_after_a_minute()
    {
        using var watch = new Watch();
        watch.See(A.Fragment(B, 7, later: false, 40_000, 2049, Start), A.Fragment(B, 7, later: true, 0, 0, Start + (60 * Second)), A.Fragment(B, 7, later: true, 0, 0, Start + (61 * Second))).End();
        Assert.Equal([2049, 2049, 0], watch.Flows.Select(f => f.ServerPort));
    }

    [Fact]
    public void A_flood_of_first_fragments_puts_older_ones_out_and_mixes_none_up()
    {
        using var watch = new Watch();
        for (var i = 0u; i < 20_000; i++)
        {
            watch.See(Host.Of((int)i % 50).Fragment(B, i, later: false, 20_000 + ((int)i % 1000), 9, Start));
        }

        for (var i = 0u; i < 20_000; i++)
        {
            watch.See(Host.Of((int)i % 50).Fragment(B, i, later: true, 0, 0, Start + Second));
        }

        var flows = watch.End().Flows;
        Assert.Equal(40_000, flows.Sum(f => f.Up.Packets + f.Down.Packets));
        var followed = 20_000 - flows.Where(f => f.ServerPort == 0).Sum(f => f.Up.Packets);
        Assert.InRange(followed, 500, 1024);
    }

    [Fact]
    public void The_begin_of_TCP_in_a_first_fragment_counts_and_its_later_fragments_are_no_segments()
    {
        var flow = FlowOf(
            A.Fragment(B, 7, later: false, 40_000, 80, Start, protocol: 6) with { TcpFlags = Host.Ack, Sequence = 100 },
            A.Fragment(B, 7, later: true, 0, 0, Start + Second, protocol: 6),
            A.Fragment(B, 8, later: false, 40_000, 80, Start + (2 * Second), protocol: 6) with { TcpFlags = Host.Ack, Sequence = 100 },
            A.Fragment(B, 8, later: true, 0, 0, Start + (3 * Second), protocol: 6));
        Assert.Equal((4, 1u, 80), (flow.Up.Packets, flow.RetransmissionsUp, flow.ServerPort));
    }
}
