using System.Net;
using Sekisho.Tests.Support;
using Sekisho.Traffic.Records;
using Sekisho.Wire.Features;
using static Sekisho.Traffic.Tests.Records.Bytes;

namespace Sekisho.Traffic.Tests.Records;

public class IpfixWriterTests
{
    private const long Now = 1_700_000_000 * Second;

    private static readonly FlowRecord s_tcp = new()
    {
        Start = Now - (5 * Second),
        End = Now - Second,
        SourceMac = 0x020000000001,
        DestinationMac = 0x020000000002,
        Source = Address("10.0.0.1"),
        Destination = Address("10.0.0.2"),
        EtherType = 0x0800,
        Protocol = 6,
        SourcePort = 40000,
        DestinationPort = 502,
        Packets = 12,
        Bytes = 1200,
        ReversePackets = 8,
        ReverseBytes = 800,
        TcpFlags = 0x1B,
        ReverseTcpFlags = 0x12,
        Vlan = 7,
    };

    private static readonly FlowRecord[] s_all =
    [
        s_tcp,
        s_tcp with { Protocol = 1, SourcePort = 8, DestinationPort = 0, TcpFlags = 0, ReverseTcpFlags = 0 },
        s_tcp with { Source = Address("2001:db8::1"), Destination = Address("2001:db8::2"), EtherType = 0x86DD, Vlan = FlowRecord.NoVlan },
        s_tcp with { Source = Address("2001:db8::1"), Destination = Address("2001:db8::2"), EtherType = 0x86DD, Protocol = 58, SourcePort = 128, DestinationPort = 3, TcpFlags = 0, ReverseTcpFlags = 0 },
        s_tcp with { Source = default, Destination = default, EtherType = 0x88A4, Protocol = 0, SourcePort = 0, DestinationPort = 0, TcpFlags = 0, ReverseTcpFlags = 0 },
    ];

    [Fact]
    public void The_bytes_of_a_message_are_these()
    {
        var message = Assert.Single(new IpfixWriter(new() { Domain = 9 }).Write([s_tcp with { ReversePackets = null, ReverseBytes = null, ReverseTcpFlags = 0 }], Now));

        var hex = Convert.ToHexString(message.Span);
        Assert.StartsWith("000A" + message.Length.ToString("X4", null) + "6553F100" + "00000000" + "00000009" + "0002", hex, StringComparison.Ordinal);
        Assert.Contains("0100" + "000E" + "00080004" + "000C0004" + "00070002" + "000B0002" + "00040001" + "00060002" + "00380006" + "00500006" + "003A0002" + "00980008" + "00990008" + "00880001" + "00020008" + "00010008", hex, StringComparison.Ordinal);
        Assert.EndsWith(
            "01000042" + "0A000001" + "0A000002" + "9C40" + "01F6" + "06" + "001B" + "020000000001" + "020000000002" + "0007" + "0000018BCFE55478" + "0000018BCFE56418" + "02" + "000000000000000C" + "00000000000004B0",
            hex, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_written_is_read_again_in_both_directions()
    {
        var read = Read(new IpfixWriter(new() { BothDirections = true }).Write(s_all, Now), out var counts);

        Assert.Equal(s_all, read.Select(r => r with { Exporter = default }));
        Assert.Equal((5L, 0L, 0L, 0L), (counts.Records, counts.Malformed, counts.LostRecords, counts.WithoutTemplate));
    }

    [Fact]
    public void By_default_each_direction_with_packets_is_a_record()
    {
        var read = Read(new IpfixWriter(new()).Write([s_tcp, s_tcp with { ReversePackets = 0, ReverseBytes = 0 }, s_tcp with { Packets = 0, Bytes = 0 }], Now), out _);

        Assert.Equal([(40000, 12L, 1200L, 0x1B), (502, 8, 800, 0x12), (40000, 12, 1200, 0x1B), (502, 8, 800, 0x12)], read.Select(r => (r.SourcePort, r.Packets, r.Bytes, r.TcpFlags)));
        Assert.All(read, r => Assert.Null(r.ReversePackets));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Messages_stay_within_their_size_and_sequence_numbers_tell_no_loss(bool bothDirections)
    {
        var random = Fuzz.Source(3);
        var records = Enumerable.Range(0, 3000).Select(i => s_all[random.Next(s_all.Length)] with { Packets = i + 1 }).ToList();
        var messages = new IpfixWriter(new() { BothDirections = bothDirections, LargestMessage = 900 }).Write(records, Now).ToList();

        var read = Read(messages, out var counts);

        Assert.All(messages, m => Assert.InRange(m.Length, 20, 900));
        Assert.True(messages.Average(m => m.Length) > 780);
        Assert.Equal(records.Sum(r => r.Packets + 8), read.Sum(r => r.Packets + (r.ReversePackets ?? 0)));
        Assert.Equal((bothDirections ? 3000L : 6000, 0L, 0L, 0L), (counts.Records, counts.Malformed, counts.LostRecords, counts.OutOfOrder));
    }

    [Fact]
    public void Templates_come_again_when_they_are_due()
    {
        var writer = new IpfixWriter(new() { TemplateRefresh = TimeSpan.FromSeconds(60) });
        int Size(long seconds) => Assert.Single(writer.Write([s_all[4] with { ReversePackets = 0 }], Now + (seconds * Second))).Length;
        var withTemplates = Size(0);

        Assert.Equal([true, true, false, true, false], ((long[])[10, 59, 60, 110, 120]).Select(seconds => Size(seconds) < withTemplates));
    }

    [Fact]
    public async Task An_exporter_sends_over_TCP_and_UDP_to_a_collector()
    {
        foreach (var overTcp in (bool[])[true, false])
        {
            var got = new List<FlowRecord>();
            var complete = new TaskCompletionSource();
            using var listener = new FlowListener(
                new() { Address = IPAddress.Loopback, Port = 0 },
                records =>
                {
                    got.AddRange(records);
                    if (got.Count == 4000)
                    {
                        complete.SetResult();
                    }
                },
                TimeProvider.System);
            using var stop = new CancellationTokenSource();
            var running = listener.RunAsync(stop.Token);
            using (var exporter = await IpfixExporter.ConnectAsync(new(IPAddress.Loopback, listener.Port), overTcp, new(), TimeProvider.System, CancellationToken.None))
            {
                Assert.InRange(await exporter.SendAsync(Enumerable.Repeat(s_tcp, 2000), CancellationToken.None), 150, 400);
                await complete.Task.WaitAsync(TimeSpan.FromSeconds(20));
            }

            Assert.Equal((0L, 0L), (listener.Counts.LostRecords, listener.Counts.Malformed));
            await stop.CancelAsync();
            await running;
        }
    }

    [Fact]
    public void A_flow_seen_as_packets_becomes_a_record()
    {
        var flow = new FlowFeatures
        {
            ClientMac = 1,
            ServerMac = 2,
            Client = Address("10.0.0.1"),
            Server = Address("10.0.0.2"),
            EtherType = 0x0800,
            Protocol = 6,
            ClientPort = 40000,
            ServerPort = 502,
            Service = "modbus",
            FirstSeen = 1000,
            LastSeen = 2000,
            Up = Tally.None with { Packets = 10, Bytes = 1140 },
            Down = Tally.None with { Packets = 5, Bytes = 570 },
            Syns = 1,
            SynAcks = 1,
        };

        var record = FlowRecord.From(flow);

        Assert.Equal((Second, 2 * Second, 10L, 1000L, 5L, 500L, 0x12, 0x12, "modbus"), (record.Start, record.End, record.Packets, record.Bytes, record.ReversePackets, record.ReverseBytes, record.TcpFlags, record.ReverseTcpFlags, record.Service));
    }

    [Fact]
    public void The_records_of_an_interval_begin_with_it_where_their_flows_are_older()
    {
        var flow = new FlowFeatures { ClientMac = 1, ServerMac = 2, EtherType = 0x0806, Service = "", FirstSeen = 1000, LastSeen = 65_000, Up = Tally.None with { Packets = 1, Bytes = 60 }, Down = Tally.None };
        var interval = new IntervalFeatures(7, 60_000, 10_000, [], [flow, flow with { FirstSeen = 61_000 }, flow with { LastSeen = 59_000 }], new());

        Assert.Equal([(60L, 65L, 46L), (61, 65, 46), (59, 59, 46)], FlowRecord.Of(interval).Select(r => (r.Start / Second, r.End / Second, r.Bytes)));
    }

    private static List<FlowRecord> Read(IEnumerable<ReadOnlyMemory<byte>> messages, out FlowCounts counts)
    {
        var decoder = new FlowDecoder();
        var records = new List<FlowRecord>();
        foreach (var message in messages)
        {
            decoder.Decode(message.Span, Datagrams, Now, records);
        }

        counts = decoder.Counts;
        return records;
    }
}
