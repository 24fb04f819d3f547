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

    /// <summary>Kinds that came later; a block of the earlier ones stays what it was.</summary>
    internal static readonly GatewayEvent[] OneOfEachFact =
    [
        new MessageEvent
        {
            Position = 1, ArrivedAt = Noon, CorrelationId = "c1", FieldId = "cars", DeviceId = "d1", Epoch = 1, Source = "::1", Size = 2, Payload = "{}"u8.ToArray(), MessageId = "00ff",
            Place = "hall-2", Path = "a>b",
        },
        new AuthenticationEvent { Position = 2, ArrivedAt = Noon, CorrelationId = "c2", FieldId = "cars", DeviceId = "d1", Outcome = "bound", Source = "::1", Client = "app/1", UserId = "u1" },
        new SimFactEvent
        {
            Position = 3, ArrivedAt = Noon, CorrelationId = "c3", FieldId = "cars", DeviceId = "d1", Provider = "carrier", From = Noon.AddHours(-1), To = Noon, UplinkBytes = 0, DownlinkBytes = long.MaxValue,
            Address = "203.0.113.9", Session = "attached", Cell = "440-10-77", Site = null,
        },
        new TrafficFactEvent
        {
            Position = 4, ArrivedAt = Noon, CorrelationId = "", FieldId = "cars", DeviceId = "d1", From = Noon.AddMinutes(-1), To = Noon, AcceptedBytes = 1000, RepeatedBytes = 200, FailedBytes = 30, Requests = 4, Retries = 2,
            Handshakes = 1, WireUp = 5000, WireDown = null,
        },
        new ExceptionChangedEvent
        {
            Position = 5, ArrivedAt = Noon, CorrelationId = "c5", FieldId = "cars", ExceptionId = "x1", InForce = true, Kind = "learn", Scope = "device", ConditionKey = "foreign", Subject = "d1", Group = null,
            Value = "192.0.2.0/24", Until = Noon.AddDays(30), By = "anna", Reason = "自宅",
        },
        new ExceptionChangedEvent { Position = 6, ArrivedAt = Noon, CorrelationId = "c6", FieldId = null, ExceptionId = "x1", InForce = false, Kind = "learn", By = "anna" },
        new PriorEvent { Position = 7, ArrivedAt = Noon.AddSeconds(1), CorrelationId = "", FieldId = "cars", Metric = "size/tag", Version = 3, Numbers = [0.5, -1, double.MaxValue] },
    ];

    private static readonly GatewayEvent[] OneOfEachScript =
    [
        new ScriptChangedEvent
        {
            Position = 1, ArrivedAt = Noon, CorrelationId = "c1", FieldId = "cars", ScriptId = "doors", Version = 2, InForce = true, Effect = "shadow", Source = "return {}"u8.ToArray(), By = "anna", Reason = "試す",
        },
        new ScriptChangedEvent { Position = 2, ArrivedAt = Noon, CorrelationId = "", FieldId = "cars", ScriptId = "doors", Version = 2, InForce = false, Effect = "act", By = "anna" },
        new ScriptReportEvent { Position = 3, ArrivedAt = Noon, CorrelationId = "", FieldId = "cars", ScriptId = "doors", Version = 2, Result = "[{},{}]"u8.ToArray() },
        new ScriptReportEvent { Position = 4, ArrivedAt = Noon, CorrelationId = "", FieldId = "cars", ScriptId = "doors", Version = 2, Fault = "too long", Chance = true },
    ];

    private static readonly GatewayEvent[] OneOfEachCommand =
    [
        new CommandHeldEvent
        {
            Position = 1, ArrivedAt = Noon, CorrelationId = "c1", FieldId = "cars", DeviceId = "d1", CommandId = "c0", Name = "set-dose", Sender = "key:cloud", Bound = "argument", Argument = "/dose",
            Value = "50", Allowed = "0 – 5", Measured = 50, Low = 0, High = 5,
        },
        new CommandHeldEvent { Position = 2, ArrivedAt = Noon, CorrelationId = "", FieldId = "cars", DeviceId = "d1", CommandId = "c1", Name = "open", Sender = "account:hanako", Bound = "no-list", Value = "–", Allowed = "–" },
    ];

    [Fact]
    public void Held_commands_have_exactly_these_bytes()
    {
        const string golden =
            "010100000000000000002EEA489D0100000200000012000363310563617273036431036330097365742D646F73650A6B65793A636C6F756409617267" +
            "756D656E74062F646F7365033530083020E2809320350700000000000049400000000000000000000000000000144012000105636172730364310363" +
            "31056F70656E0F6163636F756E743A68616E616B6F086E6F2D6C6973740004E2809304E2809300";
        Assert.Equal(golden, Convert.ToHexString(Encode(OneOfEachCommand)));
        Same(OneOfEachCommand, BlockFormat.Decode(Convert.FromHexString(golden)));
    }

    [Fact]
    public void Scripts_and_their_reports_have_exactly_these_bytes()
    {
        const string golden =
            "010100000000000000002EEA489D010000040000001000036331056361727306646F6F7273020107736861646F770972657475726E207B7D05616E6E" +
            "6107E8A9A6E38199100001056361727306646F6F72730200046163740005616E6E6100110001056361727306646F6F727302075B7B7D2C7B7D5D0000" +
            "110001056361727306646F6F7273020009746F6F206C6F6E6701";
        Assert.Equal(golden, Convert.ToHexString(Encode(OneOfEachScript)));
        Same(OneOfEachScript, BlockFormat.Decode(Convert.FromHexString(golden)));
    }

    [Fact]
    public void Later_kinds_have_exactly_these_bytes()
    {
        const string golden =
            "010100000000000000002EEA489D0100000700000006000363310768616C6C2D3204613E62056361727303643101000000043A3A3102027B7D000530" +
            "3066660700036332037531056361727303643106626F756E64043A3A31066170702F3108000363330563617273036431086361727269657281FE998B" +
            "A96781B8D18EA96701808080808080808080010C3230332E302E3131332E390961747461636865640A3434302D31302D373700090001056361727303" +
            "6431C18ECA8EA96781B8D18EA967E807C8011E0402018927000A00036335056361727303783101066C6561726E0764657669636508666F726569676E" +
            "036431000D3139322E302E322E302F323481D8C7B6BC6705616E6E6107E887AAE5AE850A000363360003783100066C6561726E00000000000005616E" +
            "6E61000BE8070105636172730973697A652F7461670303000000000000E03F000000000000F0BFFFFFFFFFFFFFEF7F";
        Assert.Equal(golden, Convert.ToHexString(Encode(OneOfEachFact)));
        Same(OneOfEachFact, BlockFormat.Decode(Convert.FromHexString(golden)));
    }

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
    public void Every_kind_of_event_comes_back_as_it_was()
    {
        Same(OneOfEach, BlockFormat.Decode(Encode(OneOfEach)));
        Same(OneOfEachFact, BlockFormat.Decode(Encode(OneOfEachFact)));
        Assert.Equal(
            typeof(GatewayEvent).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(GatewayEvent))).Select(t => t.Name).Order(StringComparer.Ordinal),
            OneOfEach.Concat(OneOfEachFact).Concat(OneOfEachScript).Concat(OneOfEachCommand).Select(e => e.GetType().Name).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Changed_and_cut_blocks_give_events_or_the_one_declared_exception()
    {
        var random = Fuzz.Source(1);
        byte[][] blocks = [Encode(OneOfEach), Encode(OneOfEachFact), Encode(OneOfEachScript), Encode(OneOfEachCommand)];
        var rounds = Fuzz.Rounds(40_000);
        for (var i = 0; i < rounds; i++)
        {
            var block = blocks[i % blocks.Length];
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

    private static string Text(GatewayEvent item) => item switch
    {
        MessageEvent m => (m with { Payload = default, Transient = default }) + Encoding.UTF8.GetString(m.Payload.Span) + Encoding.UTF8.GetString(m.Transient.Span),
        PriorEvent p => (p with { Numbers = [] }) + string.Join(' ', p.Numbers),
        ScriptChangedEvent c => (c with { Source = default }) + Encoding.UTF8.GetString(c.Source.Span),
        ScriptReportEvent r => (r with { Result = default }) + Encoding.UTF8.GetString(r.Result.Span),
        _ => item.ToString(),
    };
}
