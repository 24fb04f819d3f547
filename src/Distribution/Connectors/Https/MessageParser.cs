using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Sekisho.Distribution.Mapping;
using Sekisho.Domain.Events;

namespace Sekisho.Distribution.Connectors.Https;

/// <summary>What a request's messages have in common.</summary>
internal readonly record struct Sender(string FieldId, string DeviceId, int Epoch, string Source, DateTimeOffset ArrivedAt, string CorrelationId);

/// <summary>
/// Turns a request's body into message events in one pass, or says why not: the whole request or nothing. One thread at a time; used again.
/// </summary>
internal sealed class MessageParser(HttpsSettings settings)
{
    private const int MaxSequence = 64;
    private const int MaxMode = 32;
    private const int MaxPath = 128;
    private const int MaxPointer = 200;

    // Two more than a message may have, so that the batch's own level and the first level too many are still read.
    private readonly JsonReaderOptions _options = new() { MaxDepth = settings.Depth + 2 };
    private readonly int _maxMessage = settings.MessageKiB * 1024;
    private readonly KeySet _keys = new();
    private readonly PayloadRewriter _rewriter = new();
    private readonly List<GatewayEvent> _events = [];
    private readonly MappingNode?[] _nodes = new MappingNode?[settings.Depth + 1];
    private readonly int[] _indexes = new int[settings.Depth + 1];
    private readonly int[] _owners = new int[settings.Depth + 1];
    private byte[] _scratch = new byte[256];
    private int _owner;

    // What the mapping found in the present message.
    private DateTimeOffset? _time;
    private string? _sequence;
    private string? _mode;
    private string? _place;
    private string? _path;
    private bool _cut;

    /// <summary>Parses a body.</summary>
    /// <param name="body">The whole body.</param>
    /// <param name="sender">Who sent it.</param>
    /// <param name="mapping">The field's mapping.</param>
    /// <param name="fault">What is wrong, when the result is null.</param>
    public GatewayEvent[]? Parse(ReadOnlySpan<byte> body, in Sender sender, MappingNode mapping, out MessageFault? fault)
    {
        _keys.Clear();
        _events.Clear();
        _owner = 0;
        if (!Utf8.IsValid(body))
        {
            fault = new MessageFault(MessageFault.Malformed, "utf8", 0, FirstInvalid(body));
            return null;
        }

        var reader = new Utf8JsonReader(body, _options);
        try
        {
            fault = ReadAll(ref reader, body, sender, mapping);
        }
        catch (JsonException)
        {
            fault = new MessageFault(MessageFault.Malformed, "json", _events.Count, reader.BytesConsumed);
        }

        var events = fault is null ? _events.ToArray() : null;
        _events.Clear();
        return events;
    }

    private MessageFault? ReadAll(ref Utf8JsonReader reader, ReadOnlySpan<byte> body, in Sender sender, MappingNode mapping)
    {
        if (!reader.Read())
        {
            return new MessageFault(MessageFault.Malformed, "json", 0, 0);
        }

        if (reader.TokenType != JsonTokenType.StartArray)
        {
            if (ReadMessage(ref reader, body, sender, mapping) is { } fault)
            {
                return fault;
            }
        }
        else
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (_events.Count == settings.Batch)
                {
                    return new MessageFault(MessageFault.TooLarge, "batch", _events.Count, reader.TokenStartIndex);
                }

                if (ReadMessage(ref reader, body, sender, mapping) is { } fault)
                {
                    return fault;
                }
            }

            if (_events.Count == 0)
            {
                return new MessageFault(MessageFault.Unacceptable, "empty", 0, reader.TokenStartIndex);
            }
        }

        // Throws when anything but white space follows.
        reader.Read();
        return null;
    }

    private MessageFault? ReadMessage(ref Utf8JsonReader reader, ReadOnlySpan<byte> body, in Sender sender, MappingNode mapping)
    {
        var start = (int)reader.TokenStartIndex;
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return Fault(body, MessageFault.Unacceptable, "not-an-object", start);
        }

        (_time, _sequence, _mode, _place, _path, _cut) = (null, null, null, null, null, false);
        if (Walk(ref reader, body, mapping) is { } fault)
        {
            return fault;
        }

        var message = body[start..(int)reader.BytesConsumed];
        if (message.Length > _maxMessage)
        {
            return new MessageFault(MessageFault.TooLarge, "message-size", _events.Count, start);
        }

        var (payload, transient) = _cut ? _rewriter.Split(message, mapping) : (message.ToArray(), []);
        _events.Add(new MessageEvent
        {
            ArrivedAt = sender.ArrivedAt,
            CorrelationId = sender.CorrelationId,
            FieldId = sender.FieldId,
            DeviceId = sender.DeviceId,
            Epoch = sender.Epoch,
            DeviceTime = _time,
            Sequence = _sequence,
            Mode = _mode,
            Place = _place,
            Path = _path,
            Source = sender.Source,
            Size = message.Length,
            Payload = payload,
            Transient = transient,
            MessageId = MessageIds.Of(sender.DeviceId, sender.Epoch, _sequence, payload),
        });
        return null;
    }

    private MessageFault? Walk(ref Utf8JsonReader reader, ReadOnlySpan<byte> body, MappingNode mapping)
    {
        var depth = 0;
        MappingNode? current = null;
        (_nodes[0], _indexes[0], _owners[0]) = (mapping, -1, ++_owner);
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    var at = (int)reader.TokenStartIndex;
                    if (!reader.ValueIsEscaped)
                    {
                        if (!mapping.IsLenient && !_keys.Add(_owners[depth], body, at + 1, reader.ValueSpan.Length))
                        {
                            return Fault(body, MessageFault.Unacceptable, "duplicate-key", at);
                        }

                        current = _nodes[depth]?.Property(reader.ValueSpan);
                        break;
                    }

                    if (!TryUnescape(ref reader, out var name))
                    {
                        return new MessageFault(MessageFault.Malformed, "surrogate", _events.Count, at);
                    }

                    if (!mapping.IsLenient && !_keys.AddUnescaped(_owners[depth], body, name))
                    {
                        return Fault(body, MessageFault.Unacceptable, "duplicate-key", at);
                    }

                    current = _nodes[depth]?.Property(name);
                    break;

                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    if (depth-- == 0)
                    {
                        return null;
                    }

                    break;

                default:
                    var node = _indexes[depth] < 0 ? current : _nodes[depth]?.Element(_indexes[depth]++);
                    if (Value(ref reader, node) is { } fault)
                    {
                        return fault;
                    }

                    if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                    {
                        if (++depth == settings.Depth)
                        {
                            return new MessageFault(MessageFault.Malformed, "depth", _events.Count, reader.TokenStartIndex);
                        }

                        (_nodes[depth], _indexes[depth], _owners[depth]) = (node, reader.TokenType == JsonTokenType.StartArray ? 0 : -1, ++_owner);
                    }

                    break;
            }
        }

        // The reader throws at an end that comes too early; it never just stops.
        throw new JsonException();
    }

    private MessageFault? Value(ref Utf8JsonReader reader, MappingNode? node)
    {
        if (reader.TokenType == JsonTokenType.String && reader.ValueIsEscaped && !TryUnescape(ref reader, out _))
        {
            return new MessageFault(MessageFault.Malformed, "surrogate", _events.Count, reader.TokenStartIndex);
        }

        if (node is null)
        {
            return null;
        }

        var act = node.Act;
        if ((act & MappingAct.DeviceTime) != 0)
        {
            _time = DeviceTimes.Read(ref reader);
        }

        if ((act & MappingAct.Sequence) != 0)
        {
            _sequence = reader.TokenType switch
            {
                JsonTokenType.Number when reader.ValueSpan.Length <= MaxSequence => Encoding.ASCII.GetString(reader.ValueSpan),
                JsonTokenType.String when reader.GetString() is { Length: > 0 and <= MaxSequence } text => text,
                _ => null,
            };
        }

        if ((act & MappingAct.Mode) != 0)
        {
            _mode = reader.TokenType == JsonTokenType.String && reader.GetString() is { Length: > 0 and <= MaxMode } text ? text : null;
        }

        if ((act & (MappingAct.Place | MappingAct.Path)) != 0)
        {
            var text = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
            _place = (act & MappingAct.Place) == 0 ? _place : text is not null && Places.IsName(text) ? text : null;
            _path = (act & MappingAct.Path) == 0 ? _path : text is { Length: > 0 and <= MaxPath } ? text : null;
        }

        _cut |= (act & (MappingAct.Transient | MappingAct.Dropped)) != 0;
        return null;
    }

    private bool TryUnescape(ref Utf8JsonReader reader, out ReadOnlySpan<byte> text)
    {
        if (_scratch.Length < reader.ValueSpan.Length)
        {
            _scratch = new byte[reader.ValueSpan.Length];
        }

        try
        {
            text = _scratch.AsSpan(0, reader.CopyString(_scratch));
            return true;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair is no character; what receives it next might choke on it.
            text = default;
            return false;
        }
    }

    private MessageFault Fault(ReadOnlySpan<byte> body, Api.Problems.ProblemType type, string code, int offset) =>
        new(type, code, _events.Count, offset, PointerTo(body, offset));

    // Only for a fault, and only up to where the body was readable: reads again and keeps the way there.
    private string? PointerTo(ReadOnlySpan<byte> body, int offset)
    {
        var path = new List<(string? Name, int Index)>();
        var reader = new Utf8JsonReader(body, _options);
        while (reader.Read())
        {
            var property = reader.TokenType == JsonTokenType.PropertyName;
            if (property)
            {
                path[^1] = (reader.GetString(), 0);
            }
            else if (reader.TokenType is not (JsonTokenType.EndObject or JsonTokenType.EndArray) && path.Count > 0 && path[^1].Name is null)
            {
                path[^1] = (null, path[^1].Index + 1);
            }

            if (reader.TokenStartIndex >= offset)
            {
                var text = string.Concat(path.Select(p => "/" + (p.Name is null ? p.Index.ToString(CultureInfo.InvariantCulture) : Pointer.Escape(p.Name))));
                return text.Length > MaxPointer ? text[..MaxPointer] : text;
            }

            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    path.Add(("", 0));
                    break;
                case JsonTokenType.StartArray:
                    path.Add((null, -1));
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    path.RemoveAt(path.Count - 1);
                    break;
            }
        }

        return null;
    }

    private static int FirstInvalid(ReadOnlySpan<byte> body)
    {
        var at = 0;
        while (at < body.Length && Rune.DecodeFromUtf8(body[at..], out _, out var length) == System.Buffers.OperationStatus.Done)
        {
            at += length;
        }

        return at;
    }
}

/// <summary>Identities of messages, as they travel to the customer's cloud.</summary>
internal static class MessageIds
{
    private const int IdBytes = 16;

    /// <summary>
    /// With a sequence: the first 16 bytes of SHA-256 over device, epoch, sequence (each with its length) and SHA-256 of the payload, so that a
    /// repeat has the same identity. Without: random, so that nothing is taken for a repeat. 32 lower-case hex digits.
    /// </summary>
    public static string Of(string deviceId, int epoch, string? sequence, ReadOnlySpan<byte> payload)
    {
        Span<byte> id = stackalloc byte[SHA256.HashSizeInBytes];
        if (sequence is null)
        {
            RandomNumberGenerator.Fill(id[..IdBytes]);
        }
        else
        {
            Span<byte> input = stackalloc byte[512];
            var length = Write(input, 0, deviceId);
            System.Buffers.Binary.BinaryPrimitives.WriteInt32LittleEndian(input[length..], epoch);
            length = Write(input, length + sizeof(int), sequence);
            SHA256.HashData(payload, input[length..]);
            SHA256.HashData(input[..(length + SHA256.HashSizeInBytes)], id);
        }

        return Convert.ToHexStringLower(id[..IdBytes]);
    }

    // A device identifier has 16 characters and a sequence at most 64, so 512 bytes always do.
    private static int Write(Span<byte> to, int at, string text)
    {
        var count = Encoding.UTF8.GetBytes(text, to[(at + 1)..]);
        to[at] = (byte)count;
        return at + 1 + count;
    }
}
