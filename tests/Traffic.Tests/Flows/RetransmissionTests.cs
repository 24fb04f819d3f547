using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Tests.Intervals;
using static Sekisho.Traffic.Tests.Intervals.Watch;

namespace Sekisho.Traffic.Tests.Flows;

/// <summary>Segments that were sent again, by sequence number and time alone.</summary>
public class RetransmissionTests
{
    private static readonly Host A = Host.Of(1);
    private static readonly Host B = Host.Of(2);

    [Fact]
    public void A_segment_that_ends_where_one_ended_before_was_sent_again()
    {
        Assert.Equal(0u, Up((100, 50), (150, 50), (200, 50)));
        Assert.Equal(1u, Up((100, 50), (100, 50), (150, 50)));
        Assert.Equal(1u, Up((100, 50), (150, 50), (100, 50)));
        Assert.Equal(3u, Up((100, 50), (150, 50), (100, 50), (150, 50), (120, 80)));
        Assert.Equal(1u, Up((100, 50), (150, 50), (100, 100)));

        // Partly new, so it is none.
        Assert.Equal(0u, Up((100, 50), (120, 50)));
    }

    [Fact]
    public void Each_direction_counts_its_own()
    {
        var interval = Of(
            Segment(A, B, 0, 100, 50),
            Segment(B, A, 1, 100, 50),
            Segment(B, A, 2, 100, 50),
            Segment(A, B, 3, 100, 50),
            Segment(A, B, 4, 100, 50));
        var flow = Assert.Single(interval.Flows);
        Assert.Equal((2u, 1u), (flow.RetransmissionsUp, flow.RetransmissionsDown));
        Assert.Equal((2, 1), (interval.Devices.Single(d => d.Mac == A.Mac).Retransmissions, interval.Devices.Single(d => d.Mac == B.Mac).Retransmissions));
    }

    [Fact]
    public void Numbers_that_wrap_around_are_followed()
    {
        Assert.Equal(0u, Up((uint.MaxValue - 49, 50), (0, 50), (50, 50)));
        Assert.Equal(0u, Up((uint.MaxValue - 9, 50), (40, 50)));
        Assert.Equal(1u, Up((uint.MaxValue - 49, 50), (0, 50), (uint.MaxValue - 49, 50)));
        Assert.Equal(1u, Up((uint.MaxValue - 9, 50), (uint.MaxValue - 9, 50), (40, 50)));
    }

    [Fact]
    public void Numbers_further_back_than_any_window_are_new_ones()
    {
        // Another connection whose begin was not seen, and after it its own repetition.
        Assert.Equal(1u, Up((3_000_000_000, 50), (1_000_000_000, 50), (1_000_000_050, 50), (1_000_000_050, 50)));
        Assert.Equal(1u, Up((3_000_000_000, 50), (3_000_000_000 - (1 << 30), 50)));
    }

    [Fact]
    public void Acknowledgements_and_keep_alives_are_not_segments_sent_again()
    {
        Assert.Equal(0u, Up((100, 50), (150, 0), (150, 0), (150, 0)));

        // A keep-alive repeats the last byte, or nothing before the next.
        Assert.Equal(0u, Up((100, 50), (149, 1), (149, 1), (149, 0)));

        // A byte further back is one.
        Assert.Equal(1u, Up((100, 50), (120, 1)));
    }

    [Fact]
    public void Segments_that_overtook_each_other_and_frames_that_a_mirror_shows_twice_are_none()
    {
        Assert.Equal(0u, FlowOf(At(0, 100, 50), At(1, 200, 50), At(2, 150, 50)).RetransmissionsUp);
        Assert.Equal(0u, FlowOf(At(0, 100, 50), At(3, 100, 50)).RetransmissionsUp);
        Assert.Equal(1u, FlowOf(At(0, 100, 50), At(4, 100, 50)).RetransmissionsUp);

        static PacketHeader At(long milliseconds, uint sequence, int payload) => A.Tcp(B, 40_000, 502, Start + (milliseconds * Millisecond), Host.Ack, sequence, payload);
    }

    [Fact]
    public void A_new_connection_between_the_same_ports_begins_with_new_numbers()
    {
        var flow = FlowOf(
            A.Tcp(B, 40_000, 502, Start, Host.Syn, 5000),
            B.Tcp(A, 502, 40_000, Start + Millisecond, Host.Syn | Host.Ack, 9000),
            Segment(A, B, 1, 5001, 50),
            Segment(B, A, 1, 9001, 50),
            A.Tcp(B, 40_000, 502, Start + (2 * Second), Host.Fin | Host.Ack, 5051),
            B.Tcp(A, 502, 40_000, Start + (2 * Second), Host.Fin | Host.Ack, 9051),
            A.Tcp(B, 40_000, 502, Start + (3 * Second), Host.Syn, 4000),
            B.Tcp(A, 502, 40_000, Start + (3 * Second) + Millisecond, Host.Syn | Host.Ack, 8000),
            Segment(A, B, 4, 4001, 50),
            Segment(B, A, 4, 8001, 50),
            Segment(A, B, 5, 4001, 50));
        Assert.Equal((1u, 0u), (flow.RetransmissionsUp, flow.RetransmissionsDown));
        Assert.Equal((2u, 2u, 2u), (flow.Syns, flow.SynAcks, flow.Fins));
    }

    [Fact]
    public void What_was_sent_is_remembered_over_the_borders_of_intervals()
    {
        using var watch = new Watch();
        watch.See(Segment(A, B, 0, 100, 50), Segment(A, B, 10, 150, 50), Segment(A, B, 20, 100, 50)).End();
        Assert.Equal([0u, 0u, 1u], watch.Flows.Select(f => f.RetransmissionsUp));
    }

    [Fact]
    public void A_FIN_with_data_sent_again_counts_and_one_without_does_not()
    {
        var flow = FlowOf(
            A.Tcp(B, 40_000, 502, Start, Host.Fin | Host.Ack, 100, payload: 50),
            A.Tcp(B, 40_000, 502, Start + Second, Host.Fin | Host.Ack, 100, payload: 50),
            A.Tcp(B, 40_000, 502, Start + (2 * Second), Host.Fin | Host.Ack, 150));
        Assert.Equal((3u, 1u), (flow.Fins, flow.RetransmissionsUp));
    }

    private static uint Up(params (uint Sequence, int Payload)[] segments)
    {
        var packets = new PacketHeader[segments.Length];
        for (var i = 0; i < packets.Length; i++)
        {
            packets[i] = Segment(A, B, i, segments[i].Sequence, segments[i].Payload);
        }

        return FlowOf(packets).RetransmissionsUp;
    }

    private static PacketHeader Segment(Host from, Host to, int seconds, uint sequence, int payload) =>
        from.Tcp(to, from == A ? 40_000 : 502, from == A ? 502 : 40_000, Start + (seconds * Second), Host.Ack, sequence, payload);
}
