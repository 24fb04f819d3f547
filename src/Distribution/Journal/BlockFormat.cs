using System.Buffers.Binary;
using Sekisho.Domain.Events;

namespace Sekisho.Distribution.Journal;

/// <summary>
/// The bytes of one journal block, before encryption. Pure.
/// <code>
/// byte  0      version, 1
/// bytes 1-8    position of the first event, int64 little endian
/// bytes 9-16   arrival time of the first event, Unix ms, int64 little endian
/// bytes 17-20  number of events, int32 little endian
/// bytes 21-    the events, each:
///   byte         kind: 1 message, 2 authentication, 3 refusal, 4 tick, 5 device changed, 6 message with place, 7 authentication with user,
///                8 SIM fact, 9 traffic fact, 10 exception changed, 11 prior
///   varint       arrival time, ms after the event before (0 for the first)
///   text         correlation id
///   1 message          text field, text device, varint epoch, time device time, text sequence, text mode, text source, varint size,
///                      bytes payload, bytes transient, text message id
///   2 authentication   text field, text device, text outcome, text source, text client
///   3 refusal          text reason, text source, text device, text field, varint count, varint bytes, text detail
///   4 tick             nothing
///   5 device changed   text field, text device, text state, text reason
///   6 message          text place, text path, then as 1
///   7 authentication   text user, then as 2
///   8 SIM fact         text field, text device, text provider, time from, time to, count uplink, count downlink, text address, text session,
///                      text cell, text site
///   9 traffic fact     text field, text device, time from, time to, varint accepted, varint repeated, varint failed, varint requests,
///                      varint retries, varint handshakes, count up, count down
///   10 exception       text field, text id, varint in force (0 or 1), text kind, text scope, text condition, text subject, text group,
///                      text value, time until, text by, text reason
///   11 prior           text field, text metric, varint version, varint n, n × float64 little endian
///   16 script          text field, text script, varint version, varint in force (0 or 1), text effect, bytes source, text by, text reason
///   17 script's report text field, text script, varint version, bytes result, text fault, varint by chance (0 or 1)
///   18 command held    text field, text device, text command, text name, text sender, text bound, text pointer, text value, text allowed,
///                      varint numbers there (1 measured, 2 low, 4 high), those as float64 little endian
///
/// varint   unsigned LEB128, at most 10 bytes
/// text     varint 0 for null, else length + 1, then UTF-8
/// bytes    varint length, then the bytes
/// count    varint 0 for null, else the number + 1
/// time     varint 0 for null, else zigzag(Unix ms) + 1
/// </code>
/// </summary>
internal static class BlockFormat
{
    /// <summary>Bytes before the first event.</summary>
    public const int HeaderSize = 21;

    /// <summary>The version that is written.</summary>
    public const byte Version = 1;

    // A kind byte, a varint and an empty text: what an event takes at least.
    private const int SmallestEvent = 3;

    private const byte Message = 1;
    private const byte Authentication = 2;
    private const byte Refusal = 3;
    private const byte Tick = 4;
    private const byte DeviceChanged = 5;
    private const byte PlacedMessage = 6;
    private const byte UserAuthentication = 7;
    private const byte SimFact = 8;
    private const byte TrafficFact = 9;
    private const byte ExceptionChanged = 10;
    private const byte Prior = 11;
    private const byte ScriptChanged = 16;
    private const byte ScriptReport = 17;
    private const byte CommandHeld = 18;

    /// <summary>Most numbers of a prior.</summary>
    public const int MostNumbers = 64;

    /// <summary>Writes a block of events that are numbered without gaps and whose arrival times never fall.</summary>
    public static void Encode(ReadOnlySpan<GatewayEvent> events, BlockWriter to)
    {
        to.Clear();
        var first = events[0].ArrivedAt.ToUnixTimeMilliseconds();
        var header = to.Reserve(HeaderSize);
        header[0] = Version;
        BinaryPrimitives.WriteInt64LittleEndian(header[1..], events[0].Position);
        BinaryPrimitives.WriteInt64LittleEndian(header[9..], first);
        BinaryPrimitives.WriteInt32LittleEndian(header[17..], events.Length);
        var before = first;
        foreach (var item in events)
        {
            var at = item.ArrivedAt.ToUnixTimeMilliseconds();
            to.Byte(Kind(item));
            to.Number((ulong)(at - before));
            to.Text(item.CorrelationId);
            Body(item, to);
            before = at;
        }
    }

    /// <summary>Reads a block.</summary>
    /// <exception cref="JournalFormatException">The bytes are no block of this version.</exception>
    public static GatewayEvent[] Decode(ReadOnlySpan<byte> data)
    {
        if (data.Length < HeaderSize || data[0] != Version)
        {
            throw new JournalFormatException(data.Length < HeaderSize ? "it is cut short" : $"version {data[0]} is unknown");
        }

        var position = BinaryPrimitives.ReadInt64LittleEndian(data[1..]);
        var arrived = BinaryPrimitives.ReadInt64LittleEndian(data[9..]);
        var count = BinaryPrimitives.ReadInt32LittleEndian(data[17..]);
        var from = new BlockReader(data[HeaderSize..]);
        if (position < 1 || position > long.MaxValue - int.MaxValue || count < 1 || count > from.Left / SmallestEvent)
        {
            throw new JournalFormatException("its header is impossible");
        }

        var events = new GatewayEvent[count];
        for (var i = 0; i < count; i++)
        {
            var kind = from.Byte();
            var at = from.After(ref arrived);
            events[i] = Read(kind, position + i, at, from.Required(), ref from);
        }

        return from.Left == 0 ? events : throw new JournalFormatException("bytes follow its last event");
    }

    private static byte Kind(GatewayEvent item) => item switch
    {
        MessageEvent { Place: null, Path: null } => Message,
        MessageEvent => PlacedMessage,
        AuthenticationEvent { UserId: null } => Authentication,
        AuthenticationEvent => UserAuthentication,
        RefusalEvent => Refusal,
        TickEvent => Tick,
        DeviceChangedEvent => DeviceChanged,
        SimFactEvent => SimFact,
        TrafficFactEvent => TrafficFact,
        ExceptionChangedEvent => ExceptionChanged,
        PriorEvent => Prior,
        ScriptChangedEvent => ScriptChanged,
        ScriptReportEvent => ScriptReport,
        CommandHeldEvent => CommandHeld,
        _ => throw new NotSupportedException($"The journal has no layout for {item.GetType().Name}."),
    };

    private static void Body(GatewayEvent item, BlockWriter to)
    {
        switch (item)
        {
            case MessageEvent m:
                if (Kind(m) == PlacedMessage)
                {
                    to.Text(m.Place);
                    to.Text(m.Path);
                }

                to.Text(m.FieldId);
                to.Text(m.DeviceId);
                to.Number((uint)m.Epoch);
                to.Time(m.DeviceTime);
                to.Text(m.Sequence);
                to.Text(m.Mode);
                to.Text(m.Source);
                to.Number((uint)m.Size);
                to.Bytes(m.Payload.Span);
                to.Bytes(m.Transient.Span);
                to.Text(m.MessageId);
                break;
            case AuthenticationEvent a:
                if (a.UserId is not null)
                {
                    to.Text(a.UserId);
                }

                to.Text(a.FieldId);
                to.Text(a.DeviceId);
                to.Text(a.Outcome);
                to.Text(a.Source);
                to.Text(a.Client);
                break;
            case RefusalEvent r:
                to.Text(r.Reason);
                to.Text(r.Source);
                to.Text(r.DeviceId);
                to.Text(r.FieldId);
                to.Number((uint)r.Count);
                to.Number((ulong)r.Bytes);
                to.Text(r.Detail);
                break;
            case DeviceChangedEvent d:
                to.Text(d.FieldId);
                to.Text(d.DeviceId);
                to.Text(d.State);
                to.Text(d.Reason);
                break;
            default:
                FactFormat.Write(item, to);
                break;
        }
    }

    private static GatewayEvent Read(byte kind, long position, DateTimeOffset at, string correlation, ref BlockReader from) => kind switch
    {
        Message => ReadMessage(null, null, position, at, correlation, ref from),
        PlacedMessage => ReadMessage(from.Text(), from.Text(), position, at, correlation, ref from),
        Authentication => ReadAuthentication(null, position, at, correlation, ref from),
        UserAuthentication => ReadAuthentication(from.Required(), position, at, correlation, ref from),
        Refusal => new RefusalEvent
        {
            Position = position,
            ArrivedAt = at,
            CorrelationId = correlation,
            Reason = from.Required(),
            Source = from.Required(),
            DeviceId = from.Text(),
            FieldId = from.Text(),
            Count = from.Integer(),
            Bytes = from.Long(),
            Detail = from.Text(),
        },
        Tick => new TickEvent { Position = position, ArrivedAt = at, CorrelationId = correlation },
        DeviceChanged => new DeviceChangedEvent
        {
            Position = position,
            ArrivedAt = at,
            CorrelationId = correlation,
            FieldId = from.Required(),
            DeviceId = from.Required(),
            State = from.Required(),
            Reason = from.Required(),
        },
        SimFact => FactFormat.ReadSim(position, at, correlation, ref from),
        TrafficFact => FactFormat.ReadTraffic(position, at, correlation, ref from),
        ExceptionChanged => FactFormat.ReadException(position, at, correlation, ref from),
        Prior => FactFormat.ReadPrior(position, at, correlation, ref from),
        ScriptChanged => FactFormat.ReadScriptChange(position, at, correlation, ref from),
        ScriptReport => FactFormat.ReadScriptReport(position, at, correlation, ref from),
        CommandHeld => FactFormat.ReadCommandHeld(position, at, correlation, ref from),
        _ => throw new JournalFormatException($"kind {kind} is unknown"),
    };

    private static MessageEvent ReadMessage(string? place, string? path, long position, DateTimeOffset at, string correlation, ref BlockReader from) => new()
    {
        Position = position,
        ArrivedAt = at,
        CorrelationId = correlation,
        FieldId = from.Required(),
        DeviceId = from.Required(),
        Epoch = from.Integer(),
        DeviceTime = from.Time(),
        Sequence = from.Text(),
        Mode = from.Text(),
        Source = from.Required(),
        Size = from.Integer(),
        Payload = from.Bytes(),
        Transient = from.Bytes(),
        MessageId = from.Required(),
        Place = place,
        Path = path,
    };

    private static AuthenticationEvent ReadAuthentication(string? user, long position, DateTimeOffset at, string correlation, ref BlockReader from) => new()
    {
        Position = position,
        ArrivedAt = at,
        CorrelationId = correlation,
        FieldId = from.Required(),
        DeviceId = from.Required(),
        Outcome = from.Required(),
        Source = from.Required(),
        Client = from.Text(),
        UserId = user,
    };
}

/// <summary>The bytes of a journal block are not what this version writes.</summary>
internal sealed class JournalFormatException(string what, Exception? inner = null)
    : Exception($"A block of the journal cannot be read: {what}. Start the version of Sekisho that wrote it, or restore a backup.", inner);
