using System.Buffers;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Sekisho.Response.Notification.Webhooks;

/// <summary>
/// A body of a webhook: a JSON object with places such as {{device}} in its texts. It is read as JSON when it is stored and written as JSON when it is filled, so a value is
/// always the inside of a text, whatever it contains; and what a value contains is not looked at for places again. Pure.
/// </summary>
internal static partial class BodyTemplate
{
    /// <summary>Characters, at most.</summary>
    public const int Longest = 16_384;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 32, AllowDuplicateProperties = false };

    /// <summary>Everything that is wrong with a template, as keys of texts with the value they name; empty when it can be used.</summary>
    /// <param name="text">The template.</param>
    /// <param name="places">Names that may stand in it.</param>
    public static IReadOnlyList<(string Key, string Value)> Check(string text, IReadOnlyCollection<string> places)
    {
        if (text.Length > Longest)
        {
            return [("webhook.fault.template-long", $"{Longest}")];
        }

        try
        {
            using var document = JsonDocument.Parse(text, Strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                return [("webhook.fault.template-object", "")];
            }

            var faults = new List<(string, string)>();
            Check(document.RootElement, places, faults);
            return [.. faults.Distinct()];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Half a surrogate pair is found only when the text is taken.
            return [("webhook.fault.template-json", "")];
        }
    }

    /// <summary>The body with values in its places.</summary>
    public static byte[] Fill(string template, IReadOnlyDictionary<string, string> values)
    {
        using var document = JsonDocument.Parse(template, Strict);
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            Write(json, document.RootElement, values);
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>A text with values in its places, each passed through <paramref name="escape"/>.</summary>
    public static string Fill(string text, IReadOnlyDictionary<string, string> values, Func<string, string> escape) =>
        Place().Replace(text, place => escape(values[place.Groups[1].Value]));

    /// <summary>What is wrong with the places of one text.</summary>
    public static IEnumerable<(string Key, string Value)> CheckText(string text, IReadOnlyCollection<string> places)
    {
        foreach (Match place in Place().Matches(text))
        {
            if (!places.Contains(place.Groups[1].Value))
            {
                yield return ("webhook.fault.place", place.Groups[1].Value);
            }
        }

        if (Place().Replace(text, "").Contains("{{", StringComparison.Ordinal))
        {
            yield return ("webhook.fault.braces", text.Length > 60 ? text[..60] : text);
        }
    }

    private static void Check(JsonElement value, IReadOnlyCollection<string> places, List<(string, string)> faults)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                faults.AddRange(CheckText(value.GetString()!, places));
                break;
            case JsonValueKind.Array:
                foreach (var item in value.EnumerateArray())
                {
                    Check(item, places, faults);
                }

                break;
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                {
                    if (member.Name.Contains("{{", StringComparison.Ordinal))
                    {
                        faults.Add(("webhook.fault.place-in-name", member.Name.Length > 60 ? member.Name[..60] : member.Name));
                    }

                    Check(member.Value, places, faults);
                }

                break;
            default:
                break;
        }
    }

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

    [GeneratedRegex(@"\{\{([^{}]{0,60})\}\}", RegexOptions.CultureInvariant)]
    private static partial Regex Place();
}
