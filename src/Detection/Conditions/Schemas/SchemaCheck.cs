using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Sekisho.Detection.Conditions.Files;

namespace Sekisho.Detection.Conditions.Schemas;

/// <summary>
/// Checks UTF-8 JSON against a schema in one pass, up to the first thing that is wrong. Every one of several members with one name must follow
/// the schema. Never throws, and allocates nothing as long as nobody asks for the place. One use.
/// </summary>
/// <param name="place">Receives the way to what is wrong, innermost last; null when nobody asks.</param>
internal ref struct SchemaCheck(List<string>? place)
{
    private const int Deepest = 64;
    private const int Short = 256;
    private readonly List<string>? _place = place;
    private string? _keyword;
    private string? _expected;

    /// <summary>The keyword that is not kept to; "json" for what is no JSON or deeper than 64 levels.</summary>
    public readonly string Keyword => _keyword ?? "";

    /// <summary>What it demands, as the schema writes it.</summary>
    public readonly string Expected => _expected ?? "";

    /// <summary>True when the document follows the schema.</summary>
    public bool Follows(ReadOnlySpan<byte> json, SchemaNode schema)
    {
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = Deepest });
            return reader.Read() && Value(ref reader, schema) && !reader.Read();
        }
        catch (JsonException)
        {
            // Falls through.
        }
        catch (InvalidOperationException)
        {
            // A text that is no UTF-8, or holds half a surrogate pair.
        }

        _place?.Clear();
        return Wrong("json", "");
    }

    private bool Value(ref Utf8JsonReader reader, SchemaNode schema)
    {
        var (isType, number) = (false, 0.0);
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                isType = (schema.Types & JsonTypes.Object) != 0;
                break;
            case JsonTokenType.StartArray:
                isType = (schema.Types & JsonTypes.Array) != 0;
                break;
            case JsonTokenType.String:
                isType = (schema.Types & JsonTypes.Text) != 0;
                break;
            case JsonTokenType.Number:
                number = double.Parse(reader.ValueSpan, NumberStyles.Float, CultureInfo.InvariantCulture);
                isType = (schema.Types & JsonTypes.Number) != 0 || ((schema.Types & JsonTypes.Integer) != 0 && Math.Floor(number) == number);
                break;
            case JsonTokenType.Null:
                isType = (schema.Types & JsonTypes.Null) != 0;
                break;
            default:
                isType = (schema.Types & JsonTypes.Boolean) != 0;
                break;
        }

        if (!isType)
        {
            return Wrong(schema.Types == JsonTypes.None ? "false" : "type", schema.Types);
        }

        if (schema.Values is { } values && !IsOneOf(ref reader, values, number))
        {
            return Wrong(schema.ValuesKeyword, values);
        }

        return reader.TokenType switch
        {
            JsonTokenType.StartObject => Object(ref reader, schema),
            JsonTokenType.StartArray => Array(ref reader, schema),
            JsonTokenType.String => Text(ref reader, schema),
            JsonTokenType.Number => Number(number, schema),
            _ => true,
        };
    }

    private bool Object(ref Utf8JsonReader reader, SchemaNode schema)
    {
        var seen = 0UL;
        var members = schema.Members;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var index = 0;
            while (index < members.Count && !reader.ValueTextEquals(members[index].Utf8))
            {
                index++;
            }

            var isNamed = index < members.Count && !ReferenceEquals(members[index].Schema, SchemaReader.Unnamed);
            seen |= index < members.Count ? 1UL << index : 0;
            var name = reader.ValueSpan;
            reader.Read();
            var demanded = isNamed ? members[index].Schema : schema.Additional;
            if (demanded is null)
            {
                reader.Skip();
            }
            else if (!isNamed && demanded.Types == JsonTypes.None)
            {
                Note(name);
                return Wrong("additionalProperties", "false");
            }
            else if (!Value(ref reader, demanded))
            {
                Note(name);
                return false;
            }
        }

        var missing = schema.Required & ~seen;
        return missing == 0 || Wrong("required", members[System.Numerics.BitOperations.TrailingZeroCount(missing)].Name);
    }

    private bool Array(ref Utf8JsonReader reader, SchemaNode schema)
    {
        var count = 0;
        for (; reader.Read() && reader.TokenType != JsonTokenType.EndArray; count++)
        {
            if (schema.Items is not { } items)
            {
                reader.Skip();
            }
            else if (!Value(ref reader, items))
            {
                _place?.Add(count.ToString(CultureInfo.InvariantCulture));
                return false;
            }
        }

        return count < schema.MinItems ? Wrong("minItems", schema.MinItems)
            : count <= schema.MaxItems || Wrong("maxItems", schema.MaxItems);
    }

    private bool Text(ref Utf8JsonReader reader, SchemaNode schema)
    {
        if (schema.MinLength == 0 && schema.MaxLength == int.MaxValue && schema.Pattern is null && !schema.IsDateTime)
        {
            return true;
        }

        var raw = reader.ValueSpan.Length;
        var rented = raw <= Short ? null : ArrayPool<char>.Shared.Rent(raw);
        try
        {
            var room = rented is null ? stackalloc char[Short] : rented;
            var text = room[..reader.CopyString(room)];
            var length = 0;
            foreach (var character in text)
            {
                length += char.IsLowSurrogate(character) ? 0 : 1;
            }

            return length < schema.MinLength ? Wrong("minLength", schema.MinLength)
                : length > schema.MaxLength ? Wrong("maxLength", schema.MaxLength)
                : schema.Pattern is { } pattern && !pattern.IsMatch(text) ? Wrong("pattern", pattern.ToString())
                : !schema.IsDateTime || DateTimeText.IsOne(text) || Wrong("format", "date-time");
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<char>.Shared.Return(rented, clearArray: true);
            }
        }
    }

    private bool Number(double number, SchemaNode schema) =>
        number < schema.Minimum ? Wrong("minimum", schema.Minimum.Value)
        : number > schema.Maximum ? Wrong("maximum", schema.Maximum.Value)
        : number <= schema.ExclusiveMinimum ? Wrong("exclusiveMinimum", schema.ExclusiveMinimum.Value)
        : !(number >= schema.ExclusiveMaximum) || Wrong("exclusiveMaximum", schema.ExclusiveMaximum.Value);

    private static bool IsOneOf(ref Utf8JsonReader reader, IReadOnlyList<SchemaScalar> values, double number)
    {
        for (var i = 0; i < values.Count; i++)
        {
            var value = values[i];
            var equals = reader.TokenType switch
            {
                JsonTokenType.String => value.Type == JsonTypes.Text && reader.ValueTextEquals(value.Utf8),
                JsonTokenType.Number => value.Type == JsonTypes.Number && value.Number.Equals(number),
                JsonTokenType.True => value is { Type: JsonTypes.Boolean, Number: 1 },
                JsonTokenType.False => value is { Type: JsonTypes.Boolean, Number: 0 },
                JsonTokenType.Null => value.Type == JsonTypes.Null,
                _ => false,
            };
            if (equals)
            {
                return true;
            }
        }

        return false;
    }

    private readonly void Note(ReadOnlySpan<byte> name)
    {
        if (_place is null)
        {
            return;
        }

        Span<byte> room = stackalloc byte[64];
        var text = Encoding.UTF8.GetString(room[..JsonText.Unescape(name, room)]);
        var shown = new string([.. text.Select(c => char.IsControl(c) || c == '\ufffd' ? '?' : c)]);
        _place.Add(shown.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal));
    }

    private bool Wrong(string keyword, string expected)
    {
        (_keyword, _expected) = (keyword, expected);
        return false;
    }

    private bool Wrong(string keyword, double expected) => Wrong(keyword, _place is null ? "" : expected.ToString("R", CultureInfo.InvariantCulture));

    private bool Wrong(string keyword, JsonTypes types) => Wrong(keyword, _place is null ? "" : TypeNames(types));

    private bool Wrong(string keyword, IReadOnlyList<SchemaScalar> values) => Wrong(keyword, _place is null ? "" : string.Join(", ", values.Select(v => v.Written)));

    private static string TypeNames(JsonTypes types)
    {
        var names = new List<string>();
        foreach (var (type, name) in new[]
        {
            (JsonTypes.Object, "object"), (JsonTypes.Array, "array"), (JsonTypes.Text, "string"), (JsonTypes.Number, "number"), (JsonTypes.Integer, "integer"), (JsonTypes.Boolean, "boolean"),
            (JsonTypes.Null, "null"),
        })
        {
            if ((types & type) != 0)
            {
                names.Add(name);
            }
        }

        return string.Join(", ", names);
    }
}
