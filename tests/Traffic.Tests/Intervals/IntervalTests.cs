using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Intervals;
using Sekisho.Wire.Features;
using static Sekisho.Traffic.Tests.Intervals.Watch;

namespace Sekisho.Traffic.Tests.Intervals;

/// <summary>Where intervals begin and end.</summary>
public class IntervalTests
{
    private static readonly Host A = Host.Of(1);
    private static readonly Host B = Host.Of(2);

    [Theory]
    [InlineData(10_000)]
    [InlineData(1_000)]
    [InlineData(7_000)]
    public void Intervals_begin_at_multiples_of_their_length_and_a_packet_on_a_border_belongs_to_the_next(int length)
    {
        using var watch = new Watch(new ObservationSettings { IntervalLength = length, FirstSequence = 41 });
        var border = Start / Millisecond / length * length;
        long[] times = [border + length - 1, border + length, border + (2 * length) - 1, border + (5 * length)];
        foreach (var time in times)
        {
            watch.See(At(time * Millisecond));
        }

        watch.See(At(((times[^1] + length) * Millisecond) - 1)).End();
        Assert.Equal([border, border + length, border + (5 * length)], watch.Intervals.Select(i => i.Start));
        Assert.Equal([41, 42, 43], watch.Intervals.Select(i => i.Sequence));
        Assert.Equal([1, 2, 2], watch.Intervals.Select(i => i.State.Packets));
        Assert.All(watch.Intervals, i => Assert.Equal(length, i.Length));
    }

    [Fact]
    public void A_batch_is_taken_up_to_the_border()
    {
        using var observation = new Observation(new ObservationSettings());
        var batch = new PacketHeader[100];
        for (var i = 0; i < batch.Length; i++)
        {
            batch[i] = At(Start + (i * 200 * Millisecond));
        }

        Assert.Equal(50, observation.Add(batch));
        Assert.Equal(0, observation.Add(batch.AsSpan(50)));
        Assert.Equal(50, observation.Flush().State.Packets);
        Assert.Equal(50, observation.Add(batch.AsSpan(50)));
        Assert.Equal(0, observation.Add([]));
        Assert.Equal(50, observation.Flush().State.Packets);
    }

    [Fact]
    public void A_late_packet_counts_for_the_open_interval_and_a_later_one_is_a_clock_that_was_set_back()
    {
        using var watch = new Watch();
        watch.See(At(Start + Second), At(Start - Second), At(Start - (60 * Second)), At(Start + (2 * Second)));
        Assert.Empty(watch.Intervals);
        watch.See(At(Start - (60 * Second) - 1)).End();
        Assert.Equal([Start / Millisecond, (Start - (70 * Second)) / Millisecond], watch.Intervals.Select(i => i.Start));
        Assert.Equal([4, 1], watch.Intervals.Select(i => i.State.Packets));
        Assert.Equal([0, 1], watch.Intervals.Select(i => i.Sequence));
    }

    [Fact]
    public void After_a_clock_was_set_back_or_forward_by_years_counting_goes_on_and_old_flows_leave()
    {
        const long Year = 365 * 86_400 * Second;
        using var watch = new Watch();
        watch.See(A.Tcp(B, 40_000, 502, Start, Host.Syn), At(Start));
        foreach (var time in (long[])[Start - (20 * Year), Start - (20 * Year) + (10 * Second), Start + (50 * Year), Start])
        {
            watch.See(Host.Of(3).Udp(Host.Of(4), 1, 2, time));
            Assert.InRange(watch.Intervals[^1].State.FlowsHeld, 0, 2);
        }

        var last = watch.End();
        Assert.Equal((1, 1, 1), (last.State.Packets, last.State.FlowsHeld, last.Flows.Count));
        Assert.Equal([0, 1, 2, 3, 4], watch.Intervals.Select(i => i.Sequence));
        Assert.Equal(1, watch.Devices.Where(d => d.Mac == A.Mac).Sum(d => d.ConnectionsFailed));
    }

    [Fact]
    public void Times_at_both_ends_of_what_a_number_holds_are_no_error()
    {
        foreach (var (first, then) in (ReadOnlySpan<(long, long)>)[(long.MinValue, -1), (long.MinValue, 0), (0, long.MinValue), (long.MaxValue, 0), (-1, long.MaxValue)])
        {
            using var watch = new Watch();
            watch.See(A.Udp(B, 1, 2, first), B.Udp(A, 2, 1, first), A.Fragment(B, 7, later: false, 3, 4, first));
            watch.See(A.Fragment(B, 7, later: true, 0, 0, then), Host.Of(3).Udp(Host.Of(4), 1, 2, then));
            Assert.Equal((2, 2), (watch.End().State.Packets, watch.Intervals.Count));

            // Older than a minute, so the first fragment is forgotten.
            Assert.Contains(watch.Intervals[1].Flows, f => (f.Client, f.ClientPort, f.ServerPort) == (A.Address, 0, 0));
        }
    }

    [Fact]
    public void An_interval_without_packets_is_told_when_the_source_says_that_its_time_is_over()
    {
        using var observation = new Observation(new ObservationSettings());
        Assert.False(observation.IsOpen);
        Assert.False(observation.IsOver(Start + Second));
        Assert.True(observation.IsOpen);
        Assert.False(observation.IsOver(Start + (10 * Second) - 1));
        Assert.True(observation.IsOver(Start + (10 * Second)));
        var empty = observation.Flush(new SensorState { KernelDrops = 3, Waiting = 2 });
        Assert.Equal((0, Start / Millisecond, 0, 3, 2), (empty.Sequence, empty.Start, empty.State.Packets, empty.State.KernelDrops, empty.State.Waiting));
        Assert.Empty(empty.Flows);
        Assert.Empty(empty.Devices);

        Assert.False(observation.IsOver(Start + (10 * Second)));
        Assert.Equal(1, observation.Add([At(Start + (12 * Second))]));
        Assert.True(observation.IsOver(Start + (25 * Second)));
        var next = observation.Flush();
        Assert.Equal((1, (Start + (10 * Second)) / Millisecond, 1), (next.Sequence, next.Start, next.State.Packets));

        // The clock was set back.
        Assert.False(observation.IsOver(Start + (30 * Second)));
        Assert.False(observation.IsOver(Start - (30 * Second)));
        Assert.True(observation.IsOver(Start - (31 * Second)));
    }

    [Fact]
    public void Nothing_can_be_told_before_an_interval_is_open_and_the_tables_stay_as_they_are()
    {
        using var watch = new Watch();
        Assert.Throws<InvalidOperationException>(() => watch.Observation.Flush());
        watch.See(At(Start)).End();
        Assert.Throws<InvalidOperationException>(() => watch.Observation.Flush());
        watch.See(At(Start + (10 * Second))).End();
        Assert.Equal([0, 1], watch.Intervals.Select(i => i.Sequence));
        Assert.Equal(Start / Millisecond, watch.Intervals[1].Flows[0].FirstSeen);
    }

    [Fact]
    public void What_was_told_stays_as_it_was_while_the_next_intervals_go_by()
    {
        using var watch = new Watch();
        watch.See(A.Udp(B, 40_000, 502, Start, 90));
        var first = watch.End();
        for (var i = 1; i < 100; i++)
        {
            watch.See(A.Udp(B, 40_000 + (i % 7), 502, Start + (i * 10 * Second), 100 + i));
        }

        Assert.Equal((40_000, 90), (first.Flows[0].ClientPort, first.Flows[0].Up.Bytes));
        Assert.Equal(90, first.Devices[0].Sent.Bytes);
        Assert.Throws<ArgumentOutOfRangeException>(() => first.Flows[1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => first.Flows[-1]);
    }

    [Fact]
    public void What_an_interval_tells_passes_over_the_wire_unchanged()
    {
        using var watch = new Watch();
        watch.See(A.Tcp(B, 40_000, 502, Start, Host.Syn), B.Tcp(A, 502, 40_000, Start + 1, Host.Syn | Host.Ack), A.Arp(Host.Broadcast("10.0.0.2"), 1, Start + 2), A.Frame(B, 0x88CC, Start + 3));
        var interval = watch.End();
        Assert.True(IntervalCodec.TryDecode(IntervalCodec.Encode(interval), WireLimits.Default, out var read, out var fault), fault);
        Assert.Equal(System.Text.Json.JsonSerializer.Serialize(interval), System.Text.Json.JsonSerializer.Serialize(read));
    }

    private static PacketHeader At(long time) => A.Udp(B, 40_000, 502, time);
}
