using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Sekisho.Domain.Events;
using Sekisho.Storage;

namespace Sekisho.History.Store;

/// <summary>
/// How events beside messages lie in the store, before encryption. What comes often is short: ticks, and the traffic of a minute.
/// <code>
/// byte       version, 1
/// varint     events, n (at least 1)
/// varint     position of the first event
/// svarint    arrival of the first event, Unix ms
/// n times:
///   byte     kind: 0 tick, 1 traffic, 2 other; with 16 when the correlation id is that of the event before
///   varint   position - position before (0 for the first)
///   svarint  arrival - arrival before, ms (0 for the first)
///   text     correlation id                 unless 16 or a tick
///   traffic: text device, svarint from - arrival, svarint to - arrival, varints accepted, repeated and failed bytes, requests, retries,
///            handshakes, bytes of the wire up + 1, down + 1 (0 where they are not counted)
///   other:   bytes, JSON of the event, its kind as "$event" first
///
/// varint, svarint, text, bytes as in <see cref="ChunkFormat"/>
/// </code>
/// </summary>
internal static class EventFormat
{
    /// <summary>The version byte.</summary>
    public const byte Version = 1;

    /// <summary>Bytes of an event at least.</summary>
    public const int LeastPerEvent = 3;

    private const byte Tick = 0;
    private const byte Traffic = 1;
    private const byte Other = 2;
    private const byte SameCorrelation = 16;
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { AddKinds } },
    };

    /// <summary>The bytes of events of one field in order of position, at least one.</summary>
    public static byte[] Encode(IReadOnlyList<GatewayEvent> events)
    {
        using var bytes = new MemoryStream();
        Span<byte> head = [Version];
        bytes.Write(head);
        Varint(bytes, (ulong)events.Count);
        var (position, arrival, correlation) = (events[0].Position, events[0].ArrivedAt.ToUnixTimeMilliseconds(), "");
        Varint(bytes, (ulong)position);
        Signed(bytes, arrival);
        foreach (var one in events)
        {
            var at = one.ArrivedAt.ToUnixTimeMilliseconds();
            var kind = one switch { TickEvent => Tick, TrafficFactEvent => Traffic, _ => Other };
            var isSame = kind != Tick && one.CorrelationId == correlation;
            bytes.WriteByte((byte)(kind | (isSame ? SameCorrelation : 0)));
            Varint(bytes, (ulong)(one.Position - position));
            Signed(bytes, at - arrival);
            if (kind != Tick && !isSame)
            {
                Text(bytes, one.CorrelationId);
                correlation = one.CorrelationId;
            }

            if (one is TrafficFactEvent traffic)
            {
                Write(bytes, traffic, at);
            }
            else if (kind == Other)
            {
                // A repeat is the message that was kept before, so its content is not kept twice.
                Bytes(bytes, JsonSerializer.SerializeToUtf8Bytes(one is MessageEvent repeat ? repeat with { Payload = default, Transient = default } : one, Json));
            }

            (position, arrival) = (one.Position, at);
        }

        return bytes.ToArray();
    }

    /// <summary>The events in order.</summary>
    /// <param name="data">What <see cref="Encode"/> made.</param>
    /// <param name="fieldId">Field of the block.</param>
    /// <exception cref="StorageException">The bytes are no block of a known version.</exception>
    public static IReadOnlyList<GatewayEvent> Decode(ReadOnlySpan<byte> data, string fieldId)
    {
        try
        {
            return Read(data, fieldId);
        }
        catch (Exception e) when (e is OverflowException or ArgumentException or IndexOutOfRangeException or JsonException or NotSupportedException)
        {
            throw Damaged(e);
        }
    }

    private static GatewayEvent[] Read(ReadOnlySpan<byte> data, string fieldId)
    {
        var at = 0;
        if (data[at++] != Version)
        {
            throw Damaged(null);
        }

        var count = Store.Varint.Read(data, ref at);
        if (count == 0 || count > (ulong)data.Length / LeastPerEvent)
        {
            throw Damaged(null);
        }

        var events = new GatewayEvent[count];
        var (position, arrival, correlation) = (checked((long)Store.Varint.Read(data, ref at)), Store.Varint.ReadSigned(data, ref at), "");
        for (var i = 0; i < events.Length; i++)
        {
            var kind = data[at++];
            position = checked(position + (long)Store.Varint.Read(data, ref at));
            arrival = checked(arrival + Store.Varint.ReadSigned(data, ref at));
            if (kind is Traffic or Other)
            {
                correlation = Text(data, ref at);
            }

            events[i] = (kind & ~SameCorrelation) switch
            {
                Tick => new TickEvent { Position = position, ArrivedAt = DateTimeOffset.FromUnixTimeMilliseconds(arrival), CorrelationId = "" },
                Traffic => ReadTraffic(data, ref at, fieldId, position, arrival, correlation),
                Other => ReadOther(data, ref at) with { Position = position },
                _ => throw Damaged(null),
            };
        }

        return at == data.Length ? events : throw Damaged(null);
    }

    private static void Write(MemoryStream bytes, TrafficFactEvent fact, long arrival)
    {
        Text(bytes, fact.DeviceId);
        Signed(bytes, fact.From.ToUnixTimeMilliseconds() - arrival);
        Signed(bytes, fact.To.ToUnixTimeMilliseconds() - arrival);
        foreach (var number in (ReadOnlySpan<long>)[fact.AcceptedBytes, fact.RepeatedBytes, fact.FailedBytes, fact.Requests, fact.Retries, fact.Handshakes, fact.WireUp + 1 ?? 0, fact.WireDown + 1 ?? 0])
        {
            Varint(bytes, (ulong)number);
        }
    }

    private static TrafficFactEvent ReadTraffic(ReadOnlySpan<byte> data, ref int at, string fieldId, long position, long arrival, string correlation)
    {
        var device = Text(data, ref at);
        var from = DateTimeOffset.FromUnixTimeMilliseconds(checked(arrival + Store.Varint.ReadSigned(data, ref at)));
        var to = DateTimeOffset.FromUnixTimeMilliseconds(checked(arrival + Store.Varint.ReadSigned(data, ref at)));
        Span<long> numbers = stackalloc long[8];
        foreach (ref var number in numbers)
        {
            number = checked((long)Store.Varint.Read(data, ref at));
        }

        return new TrafficFactEvent
        {
            Position = position,
            ArrivedAt = DateTimeOffset.FromUnixTimeMilliseconds(arrival),
            CorrelationId = correlation,
            FieldId = fieldId,
            DeviceId = device,
            From = from,
            To = to,
            AcceptedBytes = numbers[0],
            RepeatedBytes = numbers[1],
            FailedBytes = numbers[2],
            Requests = checked((int)numbers[3]),
            Retries = checked((int)numbers[4]),
            Handshakes = checked((int)numbers[5]),
            WireUp = numbers[6] == 0 ? null : numbers[6] - 1,
            WireDown = numbers[7] == 0 ? null : numbers[7] - 1,
        };
    }

    private static GatewayEvent ReadOther(ReadOnlySpan<byte> data, ref int at)
    {
        var length = checked((int)Store.Varint.Read(data, ref at));
        var json = data.Slice(at, length);
        at += length;
        return JsonSerializer.Deserialize<GatewayEvent>(json, Json) ?? throw Damaged(null);
    }

    // The names are on disk: they never change.
    private static void AddKinds(JsonTypeInfo info)
    {
        if (info.Type == typeof(GatewayEvent))
        {
            info.PolymorphismOptions = new JsonPolymorphismOptions
            {
                TypeDiscriminatorPropertyName = "$event",
                DerivedTypes =
                {
                    new JsonDerivedType(typeof(MessageEvent), "message"),
                    new JsonDerivedType(typeof(AuthenticationEvent), "authentication"),
                    new JsonDerivedType(typeof(RefusalEvent), "refusal"),
                    new JsonDerivedType(typeof(DeviceChangedEvent), "device"),
                    new JsonDerivedType(typeof(SimFactEvent), "sim"),
                    new JsonDerivedType(typeof(ExceptionChangedEvent), "exception"),
                    new JsonDerivedType(typeof(PriorEvent), "prior"),
                    new JsonDerivedType(typeof(ScriptChangedEvent), "script"),
                    new JsonDerivedType(typeof(ScriptReportEvent), "script-report"),
                    new JsonDerivedType(typeof(CommandHeldEvent), "command-held"),
                },
            };
        }
    }

    private static StorageException Damaged(Exception? inner) =>
        new("A kept block of events cannot be read: it is cut short, changed, or was written by a newer version of Sekisho. Restore it from a backup.", inner);

    private static void Varint(MemoryStream bytes, ulong value)
    {
        Span<byte> room = stackalloc byte[Store.Varint.Most];
        var length = 0;
        Store.Varint.Write(room, ref length, value);
        bytes.Write(room[..length]);
    }

    private static void Signed(MemoryStream bytes, long value)
    {
        Span<byte> room = stackalloc byte[Store.Varint.Most];
        var length = 0;
        Store.Varint.WriteSigned(room, ref length, value);
        bytes.Write(room[..length]);
    }

    private static void Text(MemoryStream bytes, string text) => Bytes(bytes, Encoding.UTF8.GetBytes(text));

    private static void Bytes(MemoryStream bytes, ReadOnlySpan<byte> content)
    {
        Varint(bytes, (ulong)content.Length);
        bytes.Write(content);
    }

    private static string Text(ReadOnlySpan<byte> data, ref int at)
    {
        var length = checked((int)Store.Varint.Read(data, ref at));
        var text = Strict.GetString(data.Slice(at, length));
        at += length;
        return text;
    }
}
