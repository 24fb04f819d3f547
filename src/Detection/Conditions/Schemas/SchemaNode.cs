using System.Text.RegularExpressions;

namespace Sekisho.Detection.Conditions.Schemas;

/// <summary>Types that a JSON value can have.</summary>
[Flags]
internal enum JsonTypes : byte
{
    None = 0,
    Object = 1,
    Array = 2,
    Text = 4,
    Number = 8,
    Integer = 16,
    Boolean = 32,
    Null = 64,
    Any = Object | Array | Text | Number | Boolean | Null,
}

/// <summary>One schema, ready to check values with. Immutable once read; any thread.</summary>
internal sealed class SchemaNode
{
    /// <summary>Allows everything.</summary>
    public static readonly SchemaNode Anything = new();

    /// <summary>Allows nothing.</summary>
    public static readonly SchemaNode Nothing = new() { Types = JsonTypes.None };

    public JsonTypes Types { get; init; } = JsonTypes.Any;

    /// <summary>Members of an object that the schema names.</summary>
    public IReadOnlyList<SchemaMember> Members { get; init; } = [];

    /// <summary>Bits of the members that must be there.</summary>
    public ulong Required { get; init; }

    /// <summary>Schema of the members that it does not name.</summary>
    public SchemaNode? Additional { get; init; }

    /// <summary>Schema of all elements of an array; null for none.</summary>
    public SchemaNode? Items { get; init; }

    /// <summary>Values of enum or const; null for none.</summary>
    public IReadOnlyList<SchemaScalar>? Values { get; init; }

    /// <summary>"enum" or "const".</summary>
    public string ValuesKeyword { get; init; } = "enum";

    public double? Minimum { get; init; }

    public double? Maximum { get; init; }

    public double? ExclusiveMinimum { get; init; }

    public double? ExclusiveMaximum { get; init; }

    public int MinLength { get; init; }

    public int MaxLength { get; init; } = int.MaxValue;

    public int MinItems { get; init; }

    public int MaxItems { get; init; } = int.MaxValue;

    public Regex? Pattern { get; init; }

    /// <summary>True when a text must be a time with date and offset.</summary>
    public bool IsDateTime { get; init; }
}

/// <summary>A member of an object.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Utf8">The same as UTF-8.</param>
/// <param name="Schema">What its value must be.</param>
internal sealed record SchemaMember(string Name, byte[] Utf8, SchemaNode Schema);

/// <summary>A text, a number, true, false or null that a value may equal.</summary>
/// <param name="Type">Its type.</param>
/// <param name="Utf8">A text as UTF-8.</param>
/// <param name="Number">A number; 1 for true, 0 for false.</param>
/// <param name="Written">As the schema writes it.</param>
internal sealed record SchemaScalar(JsonTypes Type, byte[] Utf8, double Number, string Written);
