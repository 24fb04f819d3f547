using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Sekisho.Distribution.Mapping;

/// <summary>
/// Takes marked properties out of a message that is known to be valid JSON: what is kept is copied byte for byte (without white space around the
/// marked parts), transient values go into an object keyed by their pointer, dropped ones nowhere. One thread at a time.
/// </summary>
internal sealed class PayloadRewriter
{
    private static readonly JsonReaderOptions Options = new() { MaxDepth = 1024 };
    private readonly ArrayBufferWriter<byte> _kept = new(4096);
    private readonly ArrayBufferWriter<byte> _transient = new(1024);
    private readonly List<string> _path = [];

    /// <summary>Splits a message.</summary>
    /// <returns>The payload, and the transient object (empty when nothing is transient).</returns>
    public (byte[] Payload, byte[] Transient) Split(ReadOnlySpan<byte> message, MappingNode root)
    {
        _kept.ResetWrittenCount();
        _transient.ResetWrittenCount();
        _path.Clear();
        var reader = new Utf8JsonReader(message, Options);
        reader.Read();
        Copy(ref reader, message, root, _kept);
        if (_transient.WrittenCount == 0)
        {
            return (_kept.WrittenSpan.ToArray(), []);
        }

        _transient.Write("}"u8);
        return (_kept.WrittenSpan.ToArray(), _transient.WrittenSpan.ToArray());
    }

    // The reader stands on the first token of a value and is left on its last.
    private void Copy(ref Utf8JsonReader reader, ReadOnlySpan<byte> message, MappingNode? node, ArrayBufferWriter<byte> to)
    {
        var start = (int)reader.TokenStartIndex;
        if (node is null || !node.Cuts || reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
        {
            reader.Skip();
            to.Write(message[start..(int)reader.BytesConsumed]);
            return;
        }

        var inObject = reader.TokenType == JsonTokenType.StartObject;
        to.Write(inObject ? "{"u8 : "["u8);
        var first = true;
        for (var index = 0; reader.Read() && reader.TokenType is not (JsonTokenType.EndObject or JsonTokenType.EndArray); index++)
        {
            var name = ReadOnlySpan<byte>.Empty;
            MappingNode? child;
            if (inObject)
            {
                name = message.Slice((int)reader.TokenStartIndex, reader.ValueSpan.Length + 2);
                child = reader.ValueIsEscaped ? node.Property(Encoding.UTF8.GetBytes(reader.GetString()!)) : node.Property(reader.ValueSpan);
                _path.Add(child is null ? "" : reader.GetString()!);
                reader.Read();
            }
            else
            {
                child = node.Element(index);
                _path.Add(child is null ? "" : index.ToString(System.Globalization.CultureInfo.InvariantCulture));
            }

            var act = child?.Act ?? MappingAct.None;
            if ((act & MappingAct.Dropped) != 0)
            {
                reader.Skip();
            }
            else if ((act & MappingAct.Transient) != 0 && ReferenceEquals(to, _kept))
            {
                Move(ref reader, message, child!);
            }
            else
            {
                if (!first)
                {
                    to.Write(","u8);
                }

                first = false;
                if (inObject)
                {
                    to.Write(name);
                    to.Write(":"u8);
                }

                Copy(ref reader, message, child, to);
            }

            _path.RemoveAt(_path.Count - 1);
        }

        to.Write(inObject ? "}"u8 : "]"u8);
    }

    private void Move(ref Utf8JsonReader reader, ReadOnlySpan<byte> message, MappingNode node)
    {
        var pointer = new StringBuilder();
        foreach (var segment in _path)
        {
            pointer.Append('/').Append(Pointer.Escape(segment));
        }

        _transient.Write(_transient.WrittenCount == 0 ? "{\""u8 : ",\""u8);
        _transient.Write(JsonEncodedText.Encode(pointer.ToString(), JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
        _transient.Write("\":"u8);
        Copy(ref reader, message, node, _transient);
    }
}
