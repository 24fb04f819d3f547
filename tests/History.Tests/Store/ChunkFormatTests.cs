using System.Text;
using Sekisho.Domain.Events;
using Sekisho.History.Store;
using Sekisho.Storage;

namespace Sekisho.History.Tests.Store;

public class ChunkFormatTests
{
    private static readonly MessageEvent[] Golden =
    [
        new()
        {
            Position = 300, ArrivedAt = Samples.Start, CorrelationId = "0123456789abcdef0123456789abcdef", FieldId = "car", DeviceId = "d1", Epoch = 1,
            DeviceTime = Samples.Start.AddSeconds(-1).ToOffset(TimeSpan.FromHours(9)), Sequence = "7", Mode = "on", Source = "192.0.2.1", Size = 9,
            Payload = "{\"a\":1}"u8.ToArray(), Transient = "{\"t\":1}"u8.ToArray(), MessageId = "ffeeddccbbaa99887766554433221100",
        },
        new()
        {
            Position = 302, ArrivedAt = Samples.Start.AddMilliseconds(5), CorrelationId = "0123456789abcdef0123456789abcdef", FieldId = "car", DeviceId = "d1", Epoch = 1,
            Source = "192.0.2.1", Size = 200, Payload = "{}"u8.ToArray(), MessageId = "not-hex",
        },
    ];

    [Fact]
    public void The_bytes_are_those_of_the_first_version()
    {
        const string Expected =
            "01" + "02" + "ac02" + "8080b8e5a867" // version, two messages, position 300, arrival
            + "c7" + "00" + "00" + "026431" + "02" + "ffd9c409" + "b808" + "0137" + "026f6e" + "093139322e302e322e31"
            + "0123456789abcdef0123456789abcdef" + "ffeeddccbbaa99887766554433221100" + "09" + "07" + "7b2261223a317d"
            + "38" + "02" + "0a" + "02" + "076e6f742d686578" + "c801" + "02" + "7b7d";
        Assert.Equal(Expected, Convert.ToHexStringLower(new ChunkEncoder().Encode(Golden)));
        Assert.Equal(Golden.Select(m => m.Stored().Content()), ChunkDecoder.Decode(Convert.FromHexString(Expected), "car").Select(m => m.Content()));
    }

    [Fact]
    public void Whatever_is_written_reads_back_the_same_without_transient_properties()
    {
        var random = new Random(7);
        var encoder = new ChunkEncoder();
        for (var round = 0; round < 300; round++)
        {
            var messages = Messages(random, random.Next(1, 60));
            var bytes = encoder.Encode(messages).ToArray();
            Assert.Equal(messages.Select(m => m.Stored().Content()), ChunkDecoder.Decode(bytes, "car").Select(m => m.Content()));
        }
    }

    [Theory]
    [InlineData("0001-01-01T00:00:00Z")]
    [InlineData("9999-12-31T23:59:59.9999999Z")]
    [InlineData("0001-01-01T14:00:00+14:00")]
    [InlineData("9999-12-31T09:59:59-14:00")]
    public void The_first_and_last_device_times_survive(string time)
    {
        var at = DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture);
        var message = Golden[0] with { DeviceTime = at };
        var read = Assert.Single(ChunkDecoder.Decode(new ChunkEncoder().Encode([message]).ToArray(), "car"));
        Assert.Equal(at, read.DeviceTime);
        Assert.Equal(at.Offset, read.DeviceTime!.Value.Offset);
    }

    [Fact]
    public void Changed_and_cut_bytes_give_a_storage_fault_or_other_messages_but_nothing_else()
    {
        var random = new Random(11);
        var encoder = new ChunkEncoder();
        for (var round = 0; round < 4000; round++)
        {
            var bytes = encoder.Encode(Messages(random, random.Next(1, 5))).ToArray();
            if (random.Next(3) == 0)
            {
                bytes = bytes[..random.Next(bytes.Length)];
            }

            for (var i = random.Next(1, 6); i > 0 && bytes.Length > 0; i--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            try
            {
                Assert.NotEmpty(ChunkDecoder.Decode(bytes, "car"));
            }
            catch (StorageException)
            {
                // What cannot be read is said to be damaged.
            }
        }
    }

    [Fact]
    public void A_chunk_cut_anywhere_is_damaged()
    {
        var bytes = new ChunkEncoder().Encode(Golden).ToArray();
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.Throws<StorageException>(() => ChunkDecoder.Decode(bytes.AsMemory(0, length), "car"));
        }

        Assert.Throws<StorageException>(() => ChunkDecoder.Decode(bytes.Append((byte)0).ToArray(), "car"));
    }

    [Fact]
    public void A_huge_count_costs_no_memory()
    {
        Assert.Throws<StorageException>(() => ChunkDecoder.Decode(Convert.FromHexString("01ffffffffffffffff7f" + "00"), "car"));
    }

    private static MessageEvent[] Messages(Random random, int count)
    {
        var position = random.NextInt64(1, 1L << 30);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            position += random.Next(1, 4);
            return Samples.Message(position, "d" + random.Next(3), second: 0) with
            {
                ArrivedAt = Samples.Start.AddMilliseconds(random.Next(-100_000, 100_000)),
                CorrelationId = random.Next(4) switch { 0 => "", 1 => "ABC", _ => Samples.Hex(random.Next(3)) },
                Epoch = random.Next(-5, 1000),
                DeviceTime = random.Next(2) == 0 ? null : Samples.Start.AddTicks(random.NextInt64(-1L << 50, 1L << 50)).ToOffset(TimeSpan.FromMinutes(random.Next(-840, 841))),
                Sequence = random.Next(2) == 0 ? null : new string('号', random.Next(5)),
                Mode = random.Next(2) == 0 ? null : "オフ",
                Source = random.Next(2) == 0 ? "192.0.2.1" : "2001:db8::1",
                Size = random.Next(1 << 20),
                Payload = Encoding.UTF8.GetBytes(new string('x', random.Next(0, 300))),
                MessageId = random.Next(4) == 0 ? "0123456789ABCDEF0123456789ABCDEF" : Samples.Hex(position),
            };
        })];
    }
}
