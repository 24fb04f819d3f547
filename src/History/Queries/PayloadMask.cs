using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Sekisho.History.Queries;

/// <summary>
/// Replaces sensitive properties of a payload by "***". Marks are JSON pointers (RFC 6901) in which "*" stands for every element of an array.
/// Works on the stream of tokens, so that a name that stands twice is masked twice. Immutable; any thread.
/// </summary>
internal sealed class PayloadMask
{
    /// <summary>What stands in place of a masked value.</summary>
    public const string Mask = "***";

    private const int Depth = 1000;
    private readonly Node _root = new();
    private readonly bool _empty;

    /// <summary>A mask for these pointers; without any it changes nothing.</summary>
    public PayloadMask(IReadOnlyList<string> pointers)
    {
        _empty = pointers.Count == 0;
        foreach (var pointer in pointers)
        {
            var node = _root;
            foreach (var segment in pointer.Split('/').Skip(1))
            {
                var name = segment.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
                node = node.Children.TryGetValue(name, out var known) ? known : node.Children[name] = new Node();
            }

            node.Masked = true;
        }
    }

    /// <summary>The payload with marked values replaced. What is no JSON is replaced whole when there are marks.</summary>
    public ReadOnlyMemory<byte> Apply(ReadOnlyMemory<byte> payload)
    {
        if (_empty)
        {
            return payload;
        }

        var output = new ArrayBufferWriter<byte>(payload.Length + 64);
        try
        {
            using var writer = new Utf8JsonWriter(output, new JsonWriterOptions { MaxDepth = Depth });
            var reader = new Utf8JsonReader(payload.Span, new JsonReaderOptions { MaxDepth = Depth });
            reader.Read();
            Copy(payload.Span, ref reader, writer, [_root]);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a property's name is no valid text, so that no mark can be compared with it.
            return Encoding.UTF8.GetBytes($"\"{Mask}\"");
        }

        return output.WrittenMemory;
    }

    private static void Copy(ReadOnlySpan<byte> payload, ref Utf8JsonReader reader, Utf8JsonWriter writer, IReadOnlyList<Node> active)
    {
        if (active.Any(n => n.Masked))
        {
            reader.Skip();
            writer.WriteStringValue(Mask);
            return;
        }

        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                writer.WriteStartObject();
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    var name = reader.GetString()!;
                    writer.WritePropertyName(name);
                    reader.Read();
                    Copy(payload, ref reader, writer, Below(active, name, element: false));
                }

                writer.WriteEndObject();
                break;
            case JsonTokenType.StartArray:
                writer.WriteStartArray();
                for (var i = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; i++)
                {
                    Copy(payload, ref reader, writer, Below(active, i.ToString(System.Globalization.CultureInfo.InvariantCulture), element: true));
                }

                writer.WriteEndArray();
                break;
            default:
                // As written: a number keeps its digits, a text its escapes.
                writer.WriteRawValue(payload[(int)reader.TokenStartIndex..(int)reader.BytesConsumed], skipInputValidation: true);
                break;
        }
    }

    private static List<Node> Below(IReadOnlyList<Node> active, string name, bool element)
    {
        var below = new List<Node>();
        foreach (var node in active)
        {
            if (node.Children.TryGetValue(name, out var child))
            {
                below.Add(child);
            }

            if (element && node.Children.TryGetValue("*", out var each))
            {
                below.Add(each);
            }
        }

        return below;
    }

    private sealed class Node
    {
        public Dictionary<string, Node> Children { get; } = [];

        public bool Masked { get; set; }
    }
}
