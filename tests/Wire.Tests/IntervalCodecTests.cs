using System.Text.Json;
using Sekisho.Tests.Support;
using Sekisho.Wire.Bytes;
using Sekisho.Wire.Features;

namespace Sekisho.Wire.Tests;

public class IntervalCodecTests(ITestOutputHelper output)
{
    // The small interval below, body not compressed: taken from the first version, never to change.
    private const string Golden =
        "490100be010780f4a3d9a134904e7d8080c014b96087ad4b01020304e0068080046c80200509068050070801b717028180809089100102818080508994"
        + "a0b50b01fe80000000000000000000000000000101046d717474020001000102000203ff887ad00fd08c01d00f0300ac020003000000010800020000"
        + "00000000000000000000000100020003000400050006000700080009000a000b000c000100010201801006d08603db0e00c801d08c0103ac02030001"
        + "0802000000000000010203040506";

    private static readonly IntervalFeatures Small = new(
        7,
        1_795_752_000_000,
        10_000,
        [
            new DeviceFeatures
            {
                Mac = 0x0080_9200_0001,
                Addresses = [NetAddress.FromIPv4(0xC0A8_0A0A), NetAddress.FromIPv6([0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])],
                FirstSeen = 1_795_751_000_000,
                LastSeen = 1_795_752_009_000,
                Sent = new Tally { Packets = 3, Bytes = 300, Sizes = [1, 2, 0, 0, 0, 0, 0, 0], Gaps = [0, 0, 0, 2, 0, 0, 0, 0] },
                Received = Tally.None,
                Broadcasts = 1,
                Multicasts = 2,
                ArpRequests = 3,
                ArpReplies = 4,
                ArpAnnouncements = 5,
                DhcpExchanges = 6,
                ConnectionsBegun = 7,
                ConnectionsFailed = 8,
                Retransmissions = 9,
                PeersLocal = 10,
                PeersBeyond = 11,
                PortsCalled = 12,
            },
            new DeviceFeatures
            {
                Mac = 0x0080_9200_0002,
                BehindRouter = NetAddress.FromIPv4(0x0A00_0001),
                Addresses = [],
                FirstSeen = 1_795_752_001_000,
                LastSeen = 1_795_752_001_000,
                Sent = Tally.None,
                Received = Tally.None,
            },
        ],
        [
            new FlowFeatures
            {
                ClientMac = 0x0080_9200_0001,
                ServerMac = 0x0080_9200_0002,
                Client = NetAddress.FromIPv4(0xC0A8_0A0A),
                Server = NetAddress.FromIPv4(0x0A00_0001),
                EtherType = 0x0800,
                Protocol = 6,
                ClientPort = 50_000,
                ServerPort = 1883,
                Service = "mqtt",
                FirstSeen = 1_795_752_000_100,
                LastSeen = 1_795_752_009_000,
                Up = new Tally { Packets = 3, Bytes = 300, Sizes = [1, 2, 0, 0, 0, 0, 0, 0], Gaps = [0, 0, 0, 2, 0, 0, 0, 0] },
                Down = Tally.None,
                Syns = 1,
                SynAcks = 2,
                Fins = 3,
                Resets = 4,
                RetransmissionsUp = 5,
                RetransmissionsDown = 6,
            },
        ],
        Factory.State());

    [Fact]
    public void The_bytes_of_version_1_never_change()
    {
        Assert.Equal(Golden, Convert.ToHexStringLower(IntervalCodec.Message(packing: 0, Body(Small).Length, Body(Small))));
        Assert.Equal(Text(Small), Text(Decoded(Convert.FromHexString(Golden))));
    }

    [Fact]
    public void What_is_written_is_read_again()
    {
        foreach (var interval in (IntervalFeatures[])[Small, Small with { Devices = [], Flows = [] }, Small with { State = new SensorState() }, Factory.Interval(1, 80_000), Factory.Interval(2, 1_400_000)])
        {
            Assert.Equal(Text(interval), Text(Decoded(IntervalCodec.Encode(interval))));
        }
    }

    [Fact]
    public void An_interval_of_108_devices_with_8_flows_is_small()
    {
        foreach (var (load, most) in ((double, int)[])[(80_000, 20_000), (1_400_000, 30_000), (80_000 * Factory.Devices, 40_000)])
        {
            var intervals = Enumerable.Range(0, 5).Select(i => Factory.Interval(i, load)).ToArray();
            var size = intervals.Average(i => IntervalCodec.Encode(i).Length);
            var observed = intervals.Average(i => i.Flows.Sum(f => f.Up.Bytes + f.Down.Bytes));
            output.WriteLine($"{load / 1000:F0} kbit/s: {intervals.Average(i => i.Flows.Count):F0} flows, body {intervals.Average(i => Body(i).Length):F0}, message {size:F0} bytes, {size / observed:P2} of what was observed");
            Assert.True(size < most, $"{size} bytes");
        }
    }

    [Fact]
    public void A_body_that_grows_beyond_what_is_allowed_is_refused_before_it_grows()
    {
        var zeros = new byte[64 * 1024 * 1024];
        var packed = new byte[1024];
        Assert.True(System.IO.Compression.BrotliEncoder.TryCompress(zeros, packed, out var size, 5, 24));
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.False(IntervalCodec.TryDecode(IntervalCodec.Message(1, zeros.Length, packed.AsSpan(0, size)), WireLimits.Default, out _, out var fault));
        Assert.Equal("a number is larger than allowed", fault);
        Assert.False(IntervalCodec.TryDecode(IntervalCodec.Message(1, 1000, packed.AsSpan(0, size)), WireLimits.Default, out _, out fault));
        Assert.Equal("the body cannot be decompressed to its stated size", fault);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200_000);
    }

    [Fact]
    public void More_devices_or_flows_than_allowed_are_refused()
    {
        var message = IntervalCodec.Encode(Factory.Interval(1, 80_000));
        Assert.False(IntervalCodec.TryDecode(message, WireLimits.Default with { Devices = 107 }, out _, out _));
        Assert.False(IntervalCodec.TryDecode(message, WireLimits.Default with { Flows = 100 }, out _, out _));
        Assert.True(IntervalCodec.TryDecode(message, WireLimits.Default with { Devices = 108 }, out _, out _));
    }

    [Fact]
    public void Values_that_break_their_own_rules_are_not_written()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => IntervalCodec.Encode(Small with { Sequence = -1 }));
        Assert.Throws<ArgumentException>(() => IntervalCodec.Encode(Small with { Flows = [Small.Flows[0] with { Service = "日本" }] }));
        Assert.Throws<ArgumentException>(() => IntervalCodec.Encode(Small with { Devices = [Small.Devices[0] with { Addresses = [.. Enumerable.Range(0, 9).Select(i => NetAddress.FromIPv4((uint)i + 1))] }] }));
        Assert.Throws<ArgumentException>(() => IntervalCodec.Encode(Small with { Devices = [Small.Devices[0] with { Sent = new Tally { Sizes = [1], Gaps = [] } }] }));
    }

    [Fact]
    public void Whatever_bytes_come_nothing_is_thrown_and_what_is_read_can_be_written()
    {
        var random = Fuzz.Source(41);
        byte[][] seeds = [Body(Small), Body(Factory.Interval(1, 20_000))];
        var (read, refused) = (0, 0);
        for (var round = 0; round < Fuzz.Rounds(4_000); round++)
        {
            var seed = seeds[round % 8 == 0 ? 1 : 0];
            var bytes = seed.AsSpan(0, random.Next(5) == 0 ? random.Next(seed.Length) : seed.Length).ToArray();
            for (var i = random.Next(4); i > 0 && bytes.Length > 0; i--)
            {
                bytes[random.Next(bytes.Length)] = random.Next(3) == 0 ? (byte)0xFF : (byte)random.Next(256);
            }

            // Once as the body, so that the reader of columns is met, once as the whole message.
            foreach (var message in (byte[][])[IntervalCodec.Message(0, bytes.Length, bytes), bytes, IntervalCodec.Message(1, bytes.Length, bytes)])
            {
                if (IntervalCodec.TryDecode(message, WireLimits.Default, out var interval, out var fault))
                {
                    read++;
                    Assert.Null(fault);
                    IntervalCodec.Encode(interval);
                }
                else
                {
                    refused++;
                    Assert.NotEmpty(fault);
                }
            }
        }

        Assert.True(read > 500 && refused > 2_000, $"{read} read, {refused} refused");
    }

    [Fact]
    public void A_batch_keeps_its_intervals_in_order()
    {
        byte[][] messages = [.. Enumerable.Range(1, 3).Select(i => IntervalCodec.Encode(Small with { Sequence = i }))];
        var batch = IntervalBatch.Encode(messages);
        Assert.Equal("4201" + "03", Convert.ToHexStringLower(batch.AsSpan(0, 3)));
        Assert.True(IntervalBatch.TryDecode(batch, WireLimits.Default, out var places, out _));
        Assert.Equal([1, 2, 3], places.Select(p => Decoded(batch[p]).Sequence));
        Assert.False(IntervalBatch.TryDecode(batch, WireLimits.Default with { Intervals = 2 }, out _, out _));
    }

    [Fact]
    public void Whatever_bytes_come_as_a_batch_nothing_is_thrown_and_no_place_lies_outside()
    {
        var random = Fuzz.Source(42);
        var seed = IntervalBatch.Encode([IntervalCodec.Encode(Small), IntervalCodec.Encode(Small)]);
        for (var round = 0; round < Fuzz.Rounds(20_000); round++)
        {
            var bytes = seed.AsSpan(0, random.Next(3) == 0 ? random.Next(seed.Length) : seed.Length).ToArray();
            for (var i = random.Next(3); i > 0 && bytes.Length > 0; i--)
            {
                bytes[random.Next(Math.Min(bytes.Length, 12))] = (byte)random.Next(256);
            }

            if (IntervalBatch.TryDecode(bytes, WireLimits.Default, out var places, out _))
            {
                Assert.All(places, p => Assert.InRange(p.End.Value, p.Start.Value, bytes.Length));
            }
        }
    }

    [Fact]
    public void A_size_beyond_all_bounds_is_a_fault_and_no_exception()
    {
        byte[] bytes = [(byte)'B', IntervalBatch.Version, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, 0, 0];
        Assert.False(IntervalBatch.TryDecode(bytes, WireLimits.Default, out var places, out var fault));
        Assert.Equal((null, "the message ends early"), (places, fault));
    }

    private static byte[] Body(IntervalFeatures interval)
    {
        using var body = new ByteWriter(1024);
        BodyWriter.Write(interval, body);
        return body.Written.ToArray();
    }

    private static IntervalFeatures Decoded(byte[] message)
    {
        Assert.True(IntervalCodec.TryDecode(message, WireLimits.Default, out var interval, out var fault), fault);
        return interval;
    }

    private static string Text(IntervalFeatures interval) => JsonSerializer.Serialize(interval);
}
