using Sekisho.Traffic.Intervals;
using Sekisho.Traffic.Records;
using Sekisho.Wire.Features;
using static Sekisho.Traffic.Tests.Records.Bytes;

namespace Sekisho.Traffic.Tests.Intervals;

public sealed class RecordIntervalsTests : IDisposable
{
    private const long Begin = 1_700_000_000 * Second;
    private const int Syn = 2;
    private const int Acknowledgement = 16;

    private static readonly FlowRecord s_record = new()
    {
        Start = Begin,
        End = Begin + (5 * Second),
        SourceMac = 1,
        DestinationMac = 2,
        Source = Address("10.0.0.1"),
        Destination = Address("10.0.0.2"),
        EtherType = 0x0800,
        Protocol = 6,
        SourcePort = 40000,
        DestinationPort = 1883,
        Packets = 60,
        Bytes = 6001,
        ReversePackets = 6,
        ReverseBytes = 300,
        TcpFlags = 0x1B,
        ReverseTcpFlags = 0x13,
    };

    private readonly RecordIntervals _intervals = new(new() { OpenSeconds = 60 });
    private readonly List<IntervalFeatures> _told = [];

    public void Dispose() => _intervals.Dispose();

    [Fact]
    public void A_record_becomes_a_flow_and_two_devices()
    {
        Add(s_record);

        var interval = Assert.Single(Ended());
        Assert.Equal((6, Begin / 1_000_000, 10_000), (interval.Sequence, interval.Start, interval.Length));
        Assert.Equal((66, 6301 + (66 * 14)), (interval.State.Packets, interval.State.Bytes));
        var flow = Assert.Single(interval.Flows);
        Assert.Equal((1UL, 2UL, "10.0.0.1", "10.0.0.2", 0x0800, 6, 40000, 1883, "mqtt"), (flow.ClientMac, flow.ServerMac, $"{flow.Client}", $"{flow.Server}", flow.EtherType, flow.Protocol, flow.ClientPort, flow.ServerPort, flow.Service));
        Assert.Equal((Begin / 1_000_000, (Begin / 1_000_000) + 5000), (flow.FirstSeen, flow.LastSeen));
        Assert.Equal((60, 6001 + 840, 6, 300 + 84), (flow.Up.Packets, flow.Up.Bytes, flow.Down.Packets, flow.Down.Bytes));
        Assert.Equal((1u, 1u, 2u, 0u), (flow.Syns, flow.SynAcks, flow.Fins, flow.Resets));
        Assert.Equal([0, 60, 0, 0, 0, 0, 0, 0], flow.Up.Sizes.Select(s => (int)s));
        Assert.Equal([6, 0, 0, 0, 0, 0, 0, 0], flow.Down.Sizes.Select(s => (int)s));
        Assert.Equal(
            [(1UL, "10.0.0.1", 60L, 6L, 1L, 0L, 1, 1), (2UL, "10.0.0.2", 6, 60, 0, 0, 1, 0)],
            interval.Devices.Select(d => (d.Mac, $"{Assert.Single(d.Addresses)}", d.Sent.Packets, d.Received.Packets, d.ConnectionsBegun, d.ConnectionsFailed, d.PeersLocal, d.PortsCalled)));
        Assert.Equal((flow.Up.Bytes, flow.Down.Bytes), (interval.Devices[0].Sent.Bytes, interval.Devices[0].Received.Bytes));
    }

    [Fact]
    public void A_record_over_many_intervals_is_spread_evenly_and_begins_and_ends_once()
    {
        Add(s_record with { Start = Begin + Second, End = Begin + (59 * Second) });

        Assert.Equal(Enumerable.Repeat(11L, 6), Ended().Select(i => i.State.Packets));
        Assert.Equal(6301 + (66 * 14), _told.Sum(i => i.State.Bytes));
        Assert.Equal([1, 0, 0, 0, 0, 0], _told.Select(i => (int)i.Flows[0].Syns));
        Assert.Equal([0, 0, 0, 0, 0, 2], _told.Select(i => (int)i.Flows[0].Fins));
        Assert.Equal([1, 0, 0, 0, 0, 0], _told.Select(i => (int)i.Devices[0].ConnectionsBegun));
        Assert.All(_told, i => Assert.Equal((Begin + Second) / 1_000_000, i.Flows[0].FirstSeen));
        Assert.Equal((0, 0, 0), (_intervals.Shortened, _intervals.Late, _intervals.Ahead));
    }

    [Fact]
    public void An_end_on_the_border_belongs_to_the_interval_that_begins_there()
    {
        Add(s_record with { Start = Begin, End = Begin + (10 * Second) - 1 });
        Add(s_record with { Start = Begin, End = Begin + (10 * Second) });
        Add(s_record with { Start = Begin + (20 * Second), End = Begin + (20 * Second) });

        Assert.Equal([(0L, 66L + 33), (10, 33), (20, 66)], Ended().Select(i => ((i.Start * 1_000_000 / Second) - (Begin / Second), i.State.Packets)));
    }

    [Fact]
    public void What_is_told_already_goes_into_the_open_intervals()
    {
        Pass(Begin);
        Pass(Begin + (100 * Second));
        var now = Begin + (100 * Second);

        // Open are those from 40 s on.
        Assert.True(_intervals.Add(s_record with { End = Begin + (60 * Second) - 1 }, now));
        Assert.True(_intervals.Add(s_record with { End = Begin + (10 * Second) }, now));
        Assert.True(_intervals.Add(s_record with { Start = now, End = now + (3600 * Second) }, now));

        Assert.Equal([(40L, 33L + 66), (50, 33), (100, 66)], Ended().Where(i => i.State.Packets > 0).Select(i => ((i.Start * 1_000_000 / Second) - (Begin / Second), i.State.Packets)));
        Assert.Equal((1, 1, 1, 3), (_intervals.Shortened, _intervals.Late, _intervals.Ahead, _intervals.Records));
        Assert.All(_told.SelectMany(i => i.Flows), f => Assert.True(f.FirstSeen <= f.LastSeen));
    }

    [Fact]
    public void An_interval_is_told_when_it_was_open_long_enough_and_also_without_records()
    {
        for (var second = 0; second < 200; second++)
        {
            Pass(Begin + (second * Second));
        }

        Assert.Equal(Enumerable.Range(-6, 19).Select(i => (Begin / 1_000_000) + (i * 10_000L)), _told.Select(i => i.Start));
        Assert.Equal(Enumerable.Range(0, 19).Select(i => (long)i), _told.Select(i => i.Sequence));
        Assert.All(_told, i => Assert.Equal((0, 0), (i.Devices.Count, i.Flows.Count)));
    }

    [Fact]
    public void A_leap_of_the_time_leaves_out_intervals_that_hold_nothing()
    {
        Add(s_record);
        Add(s_record with { Start = Begin + (86_400 * Second), End = Begin + (86_400 * Second) });

        Assert.Equal([(0L, 66L), (86_400, 66)], Ended().Where(i => i.State.Packets > 0).Select(i => ((i.Start * 1_000_000 / Second) - (Begin / Second), i.State.Packets)));
        Assert.True(_told.Count <= 8, $"{_told.Count}");
    }

    [Fact]
    public void A_clock_that_is_set_back_ends_the_open_intervals_and_a_small_step_does_not()
    {
        Add(s_record);
        Assert.False(_intervals.IsOver(Begin - (59 * Second)));
        Assert.True(_intervals.IsOver(Begin - (3600 * Second)));
        Pass(Begin - (3600 * Second));

        Assert.Equal(66, _told.Sum(i => i.State.Packets));
        Assert.True(_intervals.Add(s_record with { Start = Begin - (3600 * Second), End = Begin - (3600 * Second) }, Begin - (3600 * Second)));
        Assert.Equal((Begin / 1_000_000) - 3_600_000, Assert.Single(Ended()[^1..]).Start);
    }

    [Fact]
    public void Without_a_MAC_local_addresses_are_devices_and_others_are_not()
    {
        // The request comes first, in a record of its own, when the server is not known yet.
        var up = s_record with { SourceMac = 0, DestinationMac = 0, ReversePackets = null, ReverseBytes = null };
        Add(up);
        Add(up with { Source = up.Destination, Destination = up.Source, SourcePort = 1883, DestinationPort = 40000, Packets = 6, Bytes = 300 });
        Add(up with { Destination = Address("198.51.100.7"), DestinationPort = 443 });
        Add(up with { Source = Address("198.51.100.7"), Destination = up.Source, SourcePort = 443, DestinationPort = 40000 });
        Add(up with { Destination = Address("10.0.0.77"), TcpFlags = Syn });
        Add(up with { Source = Address("fd00::5"), Destination = Address("fd00::6"), EtherType = 0x86DD, Protocol = 17, DestinationPort = 5683 });
        Add(up with { Protocol = 17, Destination = Address("224.0.0.251"), SourcePort = 5353, DestinationPort = 5353 });

        var interval = Assert.Single(Ended());
        Assert.Equal(
            [(0UL, "10.0.0.1", 240L, 66L), (0, "10.0.0.2", 6, 60), (0, "fd00::5", 60, 0)],
            interval.Devices.Select(d => (d.Mac, $"{d.BehindRouter}", d.Sent.Packets, d.Received.Packets)));
        Assert.Equal([1, 0, 0], interval.Devices.Select(d => d.PeersBeyond));
        Assert.Equal(60, interval.Devices[0].Multicasts);
        Assert.Equal(2, interval.Devices[0].PeersLocal);
        Assert.Equal(60L * 6 + 6, interval.State.Packets);
        Assert.Equal("coap", Assert.Single(interval.Flows, f => f.EtherType == 0x86DD).Service);
    }

    [Fact]
    public void Where_only_the_MAC_of_the_sender_is_told_the_receiver_is_known_by_what_it_sends()
    {
        var up = s_record with { DestinationMac = 0, ReversePackets = null, ReverseBytes = null };
        Add(up);
        Add(up with { SourceMac = 2, Source = up.Destination, Destination = up.Source, SourcePort = 1883, DestinationPort = 40000, Packets = 6 });
        Add(up with { Start = Begin + (20 * Second), End = Begin + (20 * Second) });

        Ended();
        Assert.Equal([(1UL, 60L, 6L), (2, 6, 60)], _told[0].Devices.Select(d => (d.Mac, d.Sent.Packets, d.Received.Packets)));
        Assert.Equal([(1UL, 60L, 0L), (2, 0, 60)], _told[^1].Devices.Select(d => (d.Mac, d.Sent.Packets, d.Received.Packets)));
    }

    [Theory]
    [InlineData(40000, 1883, 0x1A, true)]
    [InlineData(1883, 40000, 0x12, false)]
    [InlineData(40000, 31999, 0x18, true)]
    [InlineData(31999, 40000, 0x18, false)]
    [InlineData(31999, 40000, 0x02, true)]
    public void The_client_of_a_record_of_one_direction_is_found_by_SYN_and_ports(int from, int to, int flags, bool sender)
    {
        Add(s_record with { SourcePort = from, DestinationPort = to, TcpFlags = flags, ReversePackets = null, ReverseBytes = null });

        var flow = Assert.Single(Assert.Single(Ended()).Flows);
        Assert.Equal(sender ? ("10.0.0.1", from, to) : ("10.0.0.2", to, from), ($"{flow.Client}", flow.ClientPort, flow.ServerPort));
        Assert.Equal(sender ? 60 : 0, flow.Up.Packets);
        Assert.Equal(((flags & Syn) != 0 && sender ? 1u : 0, (flags & Syn) != 0 && !sender ? 1u : 0), (flow.Syns, flow.SynAcks));
    }

    [Theory]
    [InlineData(1883, 40000, 0x1B, 0x1B)]
    [InlineData(31999, 40000, 0x14, 0x02)]
    public void A_record_of_both_directions_that_begins_with_the_server_is_turned(int from, int to, int flags, int reverse)
    {
        Add(s_record with { SourcePort = from, DestinationPort = to, TcpFlags = flags, ReverseTcpFlags = reverse });

        var interval = Assert.Single(Ended());
        Assert.Equal(("10.0.0.2", to, from, 6L, 60L), Assert.Single(interval.Flows) is { } f ? ($"{f.Client}", f.ClientPort, f.ServerPort, f.Up.Packets, f.Down.Packets) : default);
        Assert.Equal([0L, 1], interval.Devices.Select(d => d.ConnectionsBegun));
        Assert.Equal([0L, reverse == Syn ? 1 : 0], interval.Devices.Select(d => d.ConnectionsFailed));
    }

    [Fact]
    public void An_echo_and_its_answer_are_one_flow()
    {
        var asked = s_record with { Protocol = 1, SourcePort = 8, DestinationPort = 0, ReversePackets = null, ReverseBytes = null };
        Add(asked with { Source = asked.Destination, Destination = asked.Source, SourcePort = 0 });
        Add(asked);

        var flow = Assert.Single(Assert.Single(Ended()).Flows);
        Assert.Equal(("10.0.0.1", 8, 0, 60L, 60L), ($"{flow.Client}", flow.ClientPort, flow.ServerPort, flow.Up.Packets, flow.Down.Packets));
    }

    [Theory]
    [InlineData(Syn, 0, null, 1)]
    [InlineData(Syn, 4 | Acknowledgement, null, 1)]
    [InlineData(Syn | 4, Syn | Acknowledgement, null, 1)]
    [InlineData(Syn, Syn | Acknowledgement, null, 0)]
    [InlineData(Syn | Acknowledgement, 0, null, 0)]
    [InlineData(Acknowledgement, 0, null, 0)]
    [InlineData(Syn | Acknowledgement, Syn | Acknowledgement, true, 1)]
    [InlineData(Syn, 0, false, 0)]
    [InlineData(0, 0, true, 0)]
    public void A_connection_has_failed_where_it_was_begun_and_never_answered_or_the_log_says_so(int flags, int reverse, bool? told, int failed)
    {
        Add(s_record with { TcpFlags = flags, ReverseTcpFlags = reverse, ConnectionFailed = told, ReversePackets = reverse == 0 ? 0 : 1, End = Begin + (15 * Second) });

        Ended();
        Assert.Equal(failed, _told.Sum(i => i.Devices.Where(d => d.Mac == 1).Sum(d => d.ConnectionsFailed)));
        Assert.Equal((flags & Syn) != 0 ? 1 : 0, _told.Sum(i => i.Devices.Where(d => d.Mac == 1).Sum(d => d.ConnectionsBegun)));
        Assert.Equal(0, _told.Sum(i => i.Devices.Where(d => d.Mac == 2).Sum(d => d.ConnectionsFailed + d.ConnectionsBegun)));
    }

    [Fact]
    public void A_record_without_packets_and_bytes_is_counted_as_empty_and_bytes_alone_are_those_of_a_packet()
    {
        Add(s_record with { Packets = 0, Bytes = 0, ReversePackets = 0, ReverseBytes = 0 });
        Add(s_record with { Packets = 0, Bytes = 700, ReversePackets = 0, ReverseBytes = 0 });

        Assert.Equal((1, 714), Assert.Single(Ended()) is { } i ? (i.State.Packets, i.State.Bytes) : default);
        Assert.Equal((1, 1), (_intervals.Empty, _intervals.Records));
    }

    [Fact]
    public void Sampling_multiplies()
    {
        Add(s_record with { Sampling = 100 });

        Assert.Equal((6600, 630_100 + (6600 * 14)), Assert.Single(Ended()) is { } i ? (i.State.Packets, i.State.Bytes) : default);
    }

    private void Add(FlowRecord record)
    {
        while (!_intervals.Add(record, record.End))
        {
            _told.Add(_intervals.Flush());
        }
    }

    private void Pass(long now)
    {
        while (_intervals.IsOver(now))
        {
            _told.Add(_intervals.Flush());
        }
    }

    /// <summary>All intervals; those before the first record, which are empty, left out.</summary>
    private List<IntervalFeatures> Ended()
    {
        while (_intervals.HoldsAny)
        {
            _told.Add(_intervals.Flush());
        }

        _told.RemoveAll(i => i.Start < Begin / 1_000_000 && i.State.Packets == 0);
        return _told;
    }
}
