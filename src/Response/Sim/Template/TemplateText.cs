using System.Text;
using System.Text.Json;

namespace Sekisho.Response.Sim.Template;

/// <summary>Texts with places such as {sim}. Pure.</summary>
internal static class TemplateText
{
    /// <summary>Names of the places in a text; null when its braces do not fit.</summary>
    public static IReadOnlyList<string>? Places(string text)
    {
        var places = new List<string>();
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] == '}')
            {
                return null;
            }

            if (text[at] != '{')
            {
                continue;
            }

            var end = text.IndexOf('}', at);
            if (end <= at + 1 || !text[(at + 1)..end].All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
            {
                return null;
            }

            places.Add(text[(at + 1)..end]);
            at = end;
        }

        return places;
    }

    /// <summary>The text with values in its places, each passed through <paramref name="escape"/>.</summary>
    public static string Fill(string text, IReadOnlyDictionary<string, string> values, Func<string, string> escape)
    {
        var filled = new StringBuilder(text.Length + 64);
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] != '{')
            {
                filled.Append(text[at]);
                continue;
            }

            var end = text.IndexOf('}', at);
            filled.Append(escape(values[text[(at + 1)..end]]));
            at = end;
        }

        return filled.ToString();
    }

    /// <summary>The body with values in the places of its texts. Values cannot leave their text: the JSON is written anew.</summary>
    public static byte[] Fill(JsonElement body, IReadOnlyDictionary<string, string> values)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            Write(json, body, values);
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>All texts of a body.</summary>
    public static IEnumerable<string> TextsOf(JsonElement body) => body.ValueKind switch
    {
        JsonValueKind.String => [body.GetString()!],
        JsonValueKind.Array => body.EnumerateArray().SelectMany(TextsOf),
        JsonValueKind.Object => body.EnumerateObject().SelectMany(m => TextsOf(m.Value)),
        _ => [],
    };

    private static void Write(Utf8JsonWriter json, JsonElement value, IReadOnlyDictionary<string, string> values)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                json.WriteStringValue(Fill(value.GetString()!, values, v => v));
                break;
            case JsonValueKind.Array:
                json.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                {
                    Write(json, item, values);
                }

                json.WriteEndArray();
                break;
            case JsonValueKind.Object:
                json.WriteStartObject();
                foreach (var member in value.EnumerateObject())
                {
                    json.WritePropertyName(member.Name);
                    Write(json, member.Value, values);
                }

                json.WriteEndObject();
                break;
            default:
                value.WriteTo(json);
                break;
        }
    }
}
