using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Intervals;
using Sekisho.Traffic.Tests.Intervals;
using static Sekisho.Traffic.Tests.Intervals.Watch;

namespace Sekisho.Traffic.Tests.Flows;

/// <summary>Begin, answer, end and failure of connections.</summary>
public class ConnectionTests
{
    private static readonly Host A = Host.Of(1);
    private static readonly Host B = Host.Of(2);

    [Fact]
    public void Signals_are_counted_and_a_connection_that_carried_data_has_not_failed()
    {
        using var watch = new Watch();
        watch.See(
            Up(0, Host.Syn, 10),
            Down(1, Host.Syn | Host.Ack, 20),
            Up(2, Host.Ack, 11),
            Up(3, Host.Ack, 11, 100),
            Down(4, Host.Fin | Host.Ack, 21),
            Up(5, Host.Fin | Host.Ack, 111),
            Down(6, Host.Rst, 22));
        watch.End();
        var flow = Assert.Single(watch.Flows);
        Assert.Equal((1u, 1u, 2u, 1u), (flow.Syns, flow.SynAcks, flow.Fins, flow.Resets));
        Assert.Equal((1, 0), Connections(watch, A));
        Assert.Equal((0, 0), Connections(watch, B));
    }

    [Fact]
    public void A_connection_that_is_reset_before_any_data_has_failed_once_and_for_the_client()
    {
        foreach (var answer in (ReadOnlySpan<PacketHeader[]>)
            [
                [Down(1, Host.Rst | Host.Ack, 0)],
                [Down(1, Host.Rst | Host.Ack, 0), Down(2, Host.Rst, 0)],
                [Down(1, Host.Syn | Host.Ack, 20), Up(2, Host.Rst, 11)],
                [Down(1, Host.Syn | Host.Ack, 20), Up(2, Host.Ack, 11), Down(3, Host.Rst, 21), Down(4000, Host.Rst, 21)],
            ])
        {
            using var watch = new Watch();
            watch.See(Up(0, Host.Syn, 10)).See(answer);
            Silence(watch, 60);
            Assert.Equal((1, 1), Connections(watch, A));
            Assert.Equal((0, 0), Connections(watch, B));
        }
    }

    [Fact]
    public void A_begin_without_answer_has_failed_after_its_time_and_once()
    {
        using var watch = new Watch();
        watch.See(Up(500, Host.Syn, 10), Up(1_500, Host.Syn, 10), Up(3_500, Host.Syn, 10));
        Silence(watch, 60);
        Assert.Equal((1, 1), Connections(watch, A));

        // Told in the interval in which the time was over, though the device was silent then.
        Assert.Equal([0, 1], watch.Intervals.Take(2).Select(i => i.Devices.Where(d => d.Mac == A.Mac).Sum(d => d.ConnectionsFailed)));
        Assert.Equal(3u, watch.Flows.Sum(f => f.Syns));

        // A late repetition is still the same attempt; another number is another one.
        watch.See(Up(70_000, Host.Syn, 10));
        Silence(watch, 90);
        Assert.Equal((1, 1), Connections(watch, A));
        watch.See(Up(100_000, Host.Syn, 77));
        Silence(watch, 150);
        Assert.Equal((2, 2), Connections(watch, A));
    }

    [Theory]
    [InlineData(Host.Ack, 0, false)]
    [InlineData(Host.Ack, 100, false)]
    [InlineData(0, 100, false)]
    [InlineData(0, 0, true)]
    public void On_a_mirror_of_one_side_an_acknowledgement_of_the_client_tells_of_the_answer(byte flags, int payload, bool failed)
    {
        using var watch = new Watch();
        watch.See(Up(0, Host.Syn, 10), Up(100, flags, 11, payload));
        Silence(watch, 60);
        Assert.Equal((1, failed ? 1 : 0), Connections(watch, A));
    }

    [Fact]
    public void An_attempt_given_up_for_a_new_one_between_the_same_ports_has_failed()
    {
        using var watch = new Watch();
        watch.See(Up(0, Host.Syn, 10), Up(2000, Host.Syn, 500), Down(2001, Host.Syn | Host.Ack, 20), Up(2002, Host.Ack, 501), Up(2003, Host.Ack, 501, 10));
        Silence(watch, 60);
        Assert.Equal((2, 1), Connections(watch, A));
    }

    [Fact]
    public void The_same_ports_used_again_are_a_new_connection()
    {
        using var watch = new Watch();
        for (var i = 0; i < 5; i++)
        {
            watch.See(
                Up(i * 3000, Host.Syn, 10 + ((uint)i * 1000)),
                Down((i * 3000) + 1, Host.Syn | Host.Ack, 20),
                Up((i * 3000) + 2, Host.Ack, 11 + ((uint)i * 1000), 10),
                Up((i * 3000) + 3, Host.Rst, 21 + ((uint)i * 1000)));
        }

        watch.See(Up(20_000, Host.Syn, 9), Down(20_001, Host.Rst | Host.Ack, 0));
        Silence(watch, 60);
        Assert.Equal((6, 1), Connections(watch, A));
    }

    [Fact]
    public void Who_called_before_may_be_called_back_from_the_same_ports()
    {
        using var watch = new Watch();
        watch.See(Up(0, Host.Syn, 10), Down(1, Host.Rst | Host.Ack, 0), Down(2000, Host.Syn, 70), Up(2001, Host.Rst | Host.Ack, 0));
        Silence(watch, 60);
        Assert.Equal((1, 1), Connections(watch, A));
        Assert.Equal((1, 1), Connections(watch, B));
        Assert.Equal(B.Mac, watch.Flows.Single(f => f.Protocol == 6).ClientMac);
    }

    [Fact]
    public void A_scan_fails_once_for_each_port_whether_its_flows_stay_or_are_put_out()
    {
        foreach (var memory in (ReadOnlySpan<int>)[0, 8])
        {
            using var watch = new Watch(new ObservationSettings { FlowMemory = memory });
            for (var port = 1; port <= 1000; port++)
            {
                watch.See(A.Tcp(B, 40_000, port, Start + (port * Millisecond), Host.Syn, 10));
            }

            Silence(watch, 600);
            Assert.Equal((1000, 1000), Connections(watch, A));
        }
    }

    [Fact]
    public void The_time_for_an_answer_can_be_set()
    {
        using var watch = new Watch(new ObservationSettings { UnansweredSeconds = 40 });
        watch.See(Up(0, Host.Syn, 10));
        Silence(watch, 20);
        Assert.Equal((1, 0), Connections(watch, A));
        Silence(watch, 60);
        Assert.Equal((1, 1), Connections(watch, A));
    }

    // Another host speaks on, so that intervals go by.
    private static void Silence(Watch watch, int untilSecond)
    {
        var last = watch.Intervals.Count * 10;
        for (var second = last; second <= untilSecond; second += 10)
        {
            watch.See(Host.Of(9).Udp(Host.Of(8), 123, 123, Start + (second * Second)));
        }

        watch.End();
    }

    private static (long Begun, long Failed) Connections(Watch watch, Host host) =>
        (watch.Devices.Where(d => d.Mac == host.Mac).Sum(d => d.ConnectionsBegun), watch.Devices.Where(d => d.Mac == host.Mac).Sum(d => d.ConnectionsFailed));

    private static PacketHeader Up(long milliseconds, byte flags, uint sequence, int payload = 0) => A.Tcp(B, 40_000, 502, Start + (milliseconds * Millisecond), flags, sequence, payload);

    private static PacketHeader Down(long milliseconds, byte flags, uint sequence, int payload = 0) => B.Tcp(A, 502, 40_000, Start + (milliseconds * Millisecond), flags, sequence, payload);
}
