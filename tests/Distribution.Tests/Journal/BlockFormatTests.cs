using System.Text;
using Sekisho.Distribution.Journal;
using Sekisho.Domain.Events;
using Sekisho.Tests.Support;

namespace Sekisho.Distribution.Tests.Journal;

public class BlockFormatTests
{
    private static readonly DateTimeOffset Noon = new(2026, 4, 1, 12, 0, 0, TimeSpan.Zero);

    internal static readonly GatewayEvent[] OneOfEach =
    [
        new MessageEvent
        {
            Position = 7, ArrivedAt = Noon, CorrelationId = "c1", FieldId = "cars", DeviceId = "d1", Epoch = 3, DeviceTime = Noon.AddSeconds(-1), Sequence = "42", Mode = "on",
            Source = "192.0.2.1", Size = 20, Payload = "{\"a\":\"温度\"}"u8.ToArray(), Transient = "{\"/b\":1}"u8.ToArray(), MessageId = "00ff",
        },
        new AuthenticationEvent { Position = 8, ArrivedAt = Noon.AddMilliseconds(5), CorrelationId = "c2", FieldId = "cars", DeviceId = "d1", Outcome = "bound", Source = "::1", Client = null },
        new RefusalEvent { Position = 9, ArrivedAt = Noon.AddMilliseconds(5), CorrelationId = "", Reason = "malformed", Source = "other", Count = int.MaxValue, Bytes = long.MaxValue, Detail = "x" },
        new TickEvent { Position = 10, ArrivedAt = Noon.AddSeconds(1), CorrelationId = "" },
        new DeviceChangedEvent { Position = 11, ArrivedAt = Noon.AddDays(1), CorrelationId = "c3", FieldId = "cars", DeviceId = "d1", State = "suspended", Reason = "理由" },
    ];

    [Fact]
    public void Version_1_has_exactly_these_bytes()
    {
        // What is on disk today must stay readable for ever.
        const string golden =
            "010700000000000000002EEA489D010000050000000100036331056361727303643103B1A8D18EA967033432036F6E0A3139322E302E322E31140E7B" +
            "2261223A22E6B8A9E5BAA6227D087B222F62223A317D05303066660205036332056361727303643106626F756E64043A3A31000300010A6D616C666F" +
            "726D6564066F746865720000FFFFFFFF07FFFFFFFFFFFFFFFF7F027804E307010598B0992903633305636172730364310A73757370656E64656407E7" +
            "9086E794B1";
        Assert.Equal(golden, Convert.ToHexString(Encode(OneOfEach)));
        Assert.Equal(21, BlockFormat.HeaderSize);
        Same(OneOfEach, BlockFormat.Decode(Convert.FromHexString(golden)));
    }

    [Fact]
    public void Every_kind_of_event_comes_back_as_it_was() => Same(OneOfEach, BlockFormat.Decode(Encode(OneOfEach)));

    [Fact]
    public void Changed_and_cut_blocks_give_events_or_the_one_declared_exception()
    {
        var random = Fuzz.Source(1);
        var block = Encode(OneOfEach);
        var rounds = Fuzz.Rounds(20_000);
        for (var i = 0; i < rounds; i++)
        {
            var changed = random.Next(4) == 0 ? block[..random.Next(block.Length)] : (byte[])block.Clone();
            for (var n = random.Next(4); n > 0 && changed.Length > 0; n--)
            {
                changed[random.Next(changed.Length)] = (byte)random.Next(256);
            }

            try
            {
                BlockFormat.Decode(changed);
            }
            catch (JournalFormatException)
            {
            }
        }
    }

    private static byte[] Encode(ReadOnlySpan<GatewayEvent> events)
    {
        var writer = new BlockWriter();
        BlockFormat.Encode(events, writer);
        return writer.Written.ToArray();
    }

    private static void Same(ReadOnlySpan<GatewayEvent> expected, GatewayEvent[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < actual.Length; i++)
        {
            Assert.Equal(Text(expected[i]), Text(actual[i]));
        }
    }

    private static string Text(GatewayEvent item) => item is MessageEvent m
        ? (m with { Payload = default, Transient = default }) + Encoding.UTF8.GetString(m.Payload.Span) + Encoding.UTF8.GetString(m.Transient.Span)
        : item.ToString();
}
