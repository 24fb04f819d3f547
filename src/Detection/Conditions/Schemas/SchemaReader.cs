using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Sekisho.Detection.Conditions.Schemas;

/// <summary>
/// Reads a JSON schema: of draft 2020-12 the part that a message of a device needs. type, properties, required, additionalProperties, items, enum
/// and const (of texts, numbers, true, false and null), minimum, maximum, exclusiveMinimum, exclusiveMaximum, minLength, maxLength, minItems,
/// maxItems, pattern and the format date-time (RFC 3339) are checked; $schema, $comment, title, description, default and examples say nothing. Whatever else it holds is refused,
/// so that nobody believes in a check that is not made. Pure; one use.
/// </summary>
internal sealed class SchemaReader
{
    /// <summary>Longest schema, in characters.</summary>
    public const int LongestText = 20_000;

    /// <summary>Stands for members that only "required" names.</summary>
    public static readonly SchemaNode Unnamed = new();

    private const string Draft = "https://json-schema.org/draft/2020-12/schema";
    private const int Deepest = 16;
    private const int MostMembers = 64;
    private const int MostValues = 64;
    private const int LongestPattern = 256;
    private static readonly string[] TypeNames = ["object", "array", "string", "number", "integer", "boolean", "null"];

    private ParameterFault? _fault;

    /// <summary>Reads a schema.</summary>
    /// <returns>Null when it is none.</returns>
    public static SchemaNode? Read(string text, out ParameterFault? fault)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 2 * Deepest });
            var reader = new SchemaReader();
            var schema = reader.Node(document.RootElement, "", 0);
            fault = reader._fault;
            return fault is null ? schema : null;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            // Half a surrogate pair, as it stands or as an escape, is no JSON either.
            fault = new ParameterFault("schema.json");
            return null;
        }
    }

    /// <summary>What is wrong with a schema; null when nothing is.</summary>
    public static ParameterFault? Check(string text)
    {
        Read(text, out var fault);
        return fault;
    }

    private SchemaNode Node(JsonElement element, string place, int depth)
    {
        if (element.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return element.ValueKind == JsonValueKind.True ? SchemaNode.Anything : SchemaNode.Nothing;
        }

        if (element.ValueKind != JsonValueKind.Object || depth > Deepest)
        {
            return Fault(element.ValueKind == JsonValueKind.Object ? "schema.deep" : "schema.node", place);
        }

        var keywords = new Dictionary<string, JsonElement>();
        foreach (var member in element.EnumerateObject())
        {
            if (!keywords.TryAdd(member.Name, member.Value))
            {
                Fault("schema.twice", place, ("keyword", member.Name));
            }
            else if (!IsKnown(member))
            {
                Fault(member.Name == "$schema" ? "schema.draft" : "schema.keyword", place, ("keyword", Short(member.Name)));
            }
        }

        JsonElement? Given(string keyword) => keywords.TryGetValue(keyword, out var value) ? value : null;
        var members = Members(Given("properties"), Given("required"), place, depth, out var required);
        return new SchemaNode
        {
            Types = Types(Given("type"), place),
            Members = members,
            Required = required,
            Additional = Given("additionalProperties") is { } additional ? Node(additional, place + "/additionalProperties", depth + 1) : null,
            Items = Given("items") is { } items ? Node(items, place + "/items", depth + 1) : null,
            Values = Values(Given("enum"), Given("const"), place),
            ValuesKeyword = Given("const") is null ? "enum" : "const",
            Minimum = Number(Given("minimum"), "minimum", place),
            Maximum = Number(Given("maximum"), "maximum", place),
            ExclusiveMinimum = Number(Given("exclusiveMinimum"), "exclusiveMinimum", place),
            ExclusiveMaximum = Number(Given("exclusiveMaximum"), "exclusiveMaximum", place),
            MinLength = Whole(Given("minLength"), "minLength", place) ?? 0,
            MaxLength = Whole(Given("maxLength"), "maxLength", place) ?? int.MaxValue,
            MinItems = Whole(Given("minItems"), "minItems", place) ?? 0,
            MaxItems = Whole(Given("maxItems"), "maxItems", place) ?? int.MaxValue,
            Pattern = Pattern(Given("pattern"), place),
            IsDateTime = IsDateTime(Given("format"), place),
        };
    }

    private static bool IsKnown(JsonProperty member) => member.Name switch
    {
        "$schema" => member.Value.ValueKind == JsonValueKind.String && member.Value.GetString()!.TrimEnd('#') == Draft,
        "$comment" or "title" or "description" or "default" or "examples" => true,
        "type" or "properties" or "required" or "additionalProperties" or "items" or "enum" or "const" or "minimum" or "maximum" or "exclusiveMinimum" or "exclusiveMaximum" => true,
        "minLength" or "maxLength" or "minItems" or "maxItems" or "pattern" or "format" => true,
        _ => false,
    };

    private JsonTypes Types(JsonElement? given, string place)
    {
        if (given is not { } type)
        {
            return JsonTypes.Any;
        }

        var types = JsonTypes.None;
        foreach (var one in type.ValueKind == JsonValueKind.Array ? [.. type.EnumerateArray()] : new[] { type })
        {
            var index = one.ValueKind == JsonValueKind.String ? Array.IndexOf(TypeNames, one.GetString()) : -1;
            types |= index switch
            {
                0 => JsonTypes.Object,
                1 => JsonTypes.Array,
                2 => JsonTypes.Text,
                3 => JsonTypes.Number,
                4 => JsonTypes.Integer,
                5 => JsonTypes.Boolean,
                6 => JsonTypes.Null,
                _ => JsonTypes.None,
            };
            if (index < 0)
            {
                Fault("schema.type", place, ("allowed", string.Join(", ", TypeNames)));
            }
        }

        if (types == JsonTypes.None)
        {
            Fault("schema.type", place, ("allowed", string.Join(", ", TypeNames)));
        }

        return types;
    }

    private List<SchemaMember> Members(JsonElement? properties, JsonElement? required, string place, int depth, out ulong bits)
    {
        var members = new List<SchemaMember>();
        bits = 0;
        if (properties is { } given)
        {
            if (given.ValueKind != JsonValueKind.Object)
            {
                Fault("schema.value", place, ("keyword", "properties"));
                return members;
            }

            foreach (var member in given.EnumerateObject())
            {
                if (members.Exists(m => m.Name == member.Name))
                {
                    Fault("schema.twice", place + "/properties", ("keyword", Short(member.Name)));
                }

                members.Add(new SchemaMember(member.Name, Encoding.UTF8.GetBytes(member.Name), Node(member.Value, $"{place}/properties/{Short(Escaped(member.Name))}", depth + 1)));
            }
        }

        if (required is { } names && (names.ValueKind != JsonValueKind.Array || names.EnumerateArray().Any(n => n.ValueKind != JsonValueKind.String)))
        {
            Fault("schema.value", place, ("keyword", "required"));
            return members;
        }

        foreach (var name in required is { } listed ? listed.EnumerateArray().Select(n => n.GetString()!) : [])
        {
            var index = members.FindIndex(m => m.Name == name);
            if (index < 0)
            {
                index = members.Count;

                // It is named by "required" only: what its value must be, additionalProperties says.
                members.Add(new SchemaMember(name, Encoding.UTF8.GetBytes(name), Unnamed));
            }

            bits |= index < MostMembers ? 1UL << index : 0;
        }

        if (members.Count > MostMembers)
        {
            Fault("schema.many", place, ("keyword", "properties"), ("most", MostMembers.ToString(CultureInfo.InvariantCulture)));
        }

        return members;
    }

    private List<SchemaScalar>? Values(JsonElement? choices, JsonElement? only, string place)
    {
        if (choices is not null && only is not null)
        {
            Fault("schema.both", place);
        }

        if (only is { } one)
        {
            return Scalar(one) is { } scalar ? [scalar] : Wrong<List<SchemaScalar>>("schema.scalar", place, ("keyword", "const"));
        }

        if (choices is not { } given)
        {
            return null;
        }

        if (given.ValueKind != JsonValueKind.Array || given.GetArrayLength() == 0)
        {
            return Wrong<List<SchemaScalar>>("schema.value", place, ("keyword", "enum"));
        }

        if (given.GetArrayLength() > MostValues)
        {
            return Wrong<List<SchemaScalar>>("schema.many", place, ("keyword", "enum"), ("most", MostValues.ToString(CultureInfo.InvariantCulture)));
        }

        var scalars = given.EnumerateArray().Select(Scalar).ToList();
        return scalars.Contains(null) ? Wrong<List<SchemaScalar>>("schema.scalar", place, ("keyword", "enum")) : [.. scalars.OfType<SchemaScalar>()];
    }

    private static SchemaScalar? Scalar(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => new SchemaScalar(JsonTypes.Text, Encoding.UTF8.GetBytes(value.GetString()!), 0, value.GetRawText()),
        JsonValueKind.Number when value.TryGetDouble(out var number) && double.IsFinite(number) => new SchemaScalar(JsonTypes.Number, [], number, value.GetRawText()),
        JsonValueKind.True or JsonValueKind.False => new SchemaScalar(JsonTypes.Boolean, [], value.ValueKind == JsonValueKind.True ? 1 : 0, value.GetRawText()),
        JsonValueKind.Null => new SchemaScalar(JsonTypes.Null, [], 0, "null"),
        _ => null,
    };

    private double? Number(JsonElement? given, string keyword, string place)
    {
        if (given is not { } value)
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number))
        {
            return number;
        }

        Fault("schema.value", place, ("keyword", keyword));
        return null;
    }

    private int? Whole(JsonElement? given, string keyword, string place)
    {
        if (given is not { } value)
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= 0)
        {
            return number;
        }

        Fault("schema.value", place, ("keyword", keyword));
        return null;
    }

    private bool IsDateTime(JsonElement? given, string place)
    {
        if (given is { } value && !(value.ValueKind == JsonValueKind.String && value.ValueEquals("date-time")))
        {
            Fault("schema.format", place);
        }

        return given is not null;
    }

    private Regex? Pattern(JsonElement? given, string place)
    {
        if (given is not { } value)
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.String && value.GetString() is { Length: <= LongestPattern } pattern)
        {
            try
            {
                return new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
            }
            catch (ArgumentException)
            {
                // No pattern at all.
            }
            catch (NotSupportedException)
            {
                // One whose time could not be bounded.
            }
        }

        return Wrong<Regex>("schema.pattern", place, ("most", LongestPattern.ToString(CultureInfo.InvariantCulture)));
    }

    private SchemaNode Fault(string key, string place, params ReadOnlySpan<(string, string)> values)
    {
        // The first is enough: others may follow from it.
        _fault ??= new ParameterFault(key, [("place", place.Length == 0 ? "/" : place), .. values]);
        return SchemaNode.Nothing;
    }

    private T? Wrong<T>(string key, string place, params ReadOnlySpan<(string, string)> values)
        where T : class
    {
        Fault(key, place, values);
        return null;
    }

    private static string Escaped(string name) => name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    private static string Short(string name) => name.Length <= 40 ? name : name[..40] + "…";
}
