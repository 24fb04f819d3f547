namespace Sekisho.Traffic.Records;

/// <summary>How the records of one kind are laid out, as an exporter told it.</summary>
/// <param name="Fields">Fields in their order.</param>
/// <param name="IsOptions">Whether its records tell about the exporter instead of a flow.</param>
internal sealed record Template(Template.Field[] Fields, bool IsOptions)
{
    /// <summary>Length that stands for "the field begins with its length" (RFC 7011, 7).</summary>
    internal const ushort Variable = 0xFFFF;

    /// <summary>Fewest bytes that a record can have.</summary>
    internal int LeastLength { get; } = Fields.Sum(field => field.Length == Variable ? 1 : field.Length);

    /// <summary>When the exporter last told it, in nanoseconds since 1970.</summary>
    internal long Told { get; set; }

    /// <summary>One field.</summary>
    /// <param name="Element">Number of the information element.</param>
    /// <param name="Enterprise">Whose number: 0 for IANA's.</param>
    /// <param name="Length">Bytes, or <see cref="Variable"/>.</param>
    /// <param name="IsScope">Whether it says what an options record is about. NetFlow v9 has numbers of its own for these.</param>
    internal readonly record struct Field(ushort Element, uint Enterprise, ushort Length, bool IsScope);
}
