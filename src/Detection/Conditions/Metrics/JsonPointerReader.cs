using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Sekisho.Detection.Conditions.Metrics;

/// <summary>
/// Finds the value at a JSON pointer (RFC 6901) in UTF-8 JSON, in one pass and without allocating. Of members with one name the last wins, as it
/// does for nearly everybody who reads the message after us. Where the JSON is broken or deeper than <see cref="Deepest"/>, nothing is found.
/// Any thread.
/// </summary>
internal sealed class JsonPointerReader
{
    /// <summary>Levels that are followed, as many as a gateway can be set to take; in deeper messages nothing is found. Beyond 64 the reader allocates.</summary>
    public const int Deepest = 256;

    /// <summary>What is larger counts as this: beyond every limit, and small enough to reckon with.</summary>
    public const double Largest = 1e18;

    private readonly byte[][] _names;
    private readonly int[] _indices;
    private readonly byte[][] _prefixes;

    /// <param name="pointer">A pointer that <see cref="ParameterType.Pointer"/> allows; empty for the whole document.</param>
    public JsonPointerReader(string pointer)
    {
        string[] written = pointer.Length == 0 ? [] : pointer[1..].Split('/');
        string[] names = [.. written.Select(w => w.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))];
        _names = [.. names.Select(Encoding.UTF8.GetBytes)];
        _indices = [.. names.Select(Index)];
        _prefixes = [.. written.Select((_, i) => Encoding.UTF8.GetBytes("/" + string.Join('/', written[..(i + 1)])))];
    }

    /// <summary>The value in what is kept of a message, else in what only detection may see.</summary>
    /// <param name="signal">A signal; one without content has no value.</param>
    /// <param name="value">The value as it is written.</param>
    /// <param name="kind">Its first token: a string, a number, true, false, null, or the start of an object or an array.</param>
    public bool TryFind(in Signal signal, out ReadOnlySpan<byte> value, out JsonTokenType kind) =>
        TryFind(signal.Payload, out value, out kind) || TryFindTransient(signal.Transient, out value, out kind);

    /// <summary>The number in a message, as above, at most <see cref="Largest"/> either way; false when what stands there is none.</summary>
    /// <param name="signal">A signal; one without content has no value.</param>
    /// <param name="number">The number.</param>
    /// <param name="isTransient">True when only detection may see it: no state and no finding may keep it.</param>
    public bool TryNumber(in Signal signal, out double number, out bool isTransient)
    {
        number = 0;
        isTransient = !TryFind(signal.Payload, out var value, out var kind);
        if ((isTransient && !TryFindTransient(signal.Transient, out value, out kind)) || kind != JsonTokenType.Number || !double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out number))
        {
            return false;
        }

        number = Math.Clamp(number, -Largest, Largest);
        return true;
    }

    /// <summary>The number in what is kept of a message: for conditions that remember it.</summary>
    public bool TryKeptNumber(in Signal signal, out double number) => TryNumber(signal, out number, out var isTransient) && !isTransient;

    /// <summary>The value in a document.</summary>
    public bool TryFind(ReadOnlySpan<byte> json, out ReadOnlySpan<byte> value, out JsonTokenType kind) => TryFind(json, isTransient: false, out value, out kind);

    /// <summary>The value in an object whose names are pointers: under the pointer itself, or within the value of a pointer that leads to it.</summary>
    public bool TryFindTransient(ReadOnlySpan<byte> json, out ReadOnlySpan<byte> value, out JsonTokenType kind) => TryFind(json, isTransient: true, out value, out kind);

    private static int Index(string name) =>
        name is "0" || (name.Length > 0 && name[0] is >= '1' and <= '9' && name.All(char.IsAsciiDigit)) ? (int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : -1) : -1;

    private bool TryFind(ReadOnlySpan<byte> json, bool isTransient, out ReadOnlySpan<byte> value, out JsonTokenType kind)
    {
        value = default;
        kind = JsonTokenType.None;
        if (json.IsEmpty)
        {
            return false;
        }

        var found = default(Place);
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = Deepest });
            reader.Read();
            if (isTransient)
            {
                DescendTransient(ref reader, ref found);
            }
            else
            {
                Descend(ref reader, 0, ref found);
            }

            // Whatever follows makes the document none.
            reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
        catch (InvalidOperationException)
        {
            // A name with half a surrogate pair.
            return false;
        }

        value = json.Slice(found.Start, found.Length);
        kind = found.Kind;
        return kind != JsonTokenType.None;
    }

    // The reader stands on the first token of a value; afterwards on its last.
    private void Descend(ref Utf8JsonReader reader, int depth, ref Place found)
    {
        found = default;
        if (depth == _names.Length)
        {
            var (kind, start) = (reader.TokenType, (int)reader.TokenStartIndex);
            reader.Skip();
            found = new Place(kind, start, (int)reader.BytesConsumed - start);
        }
        else if (reader.TokenType == JsonTokenType.StartObject)
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isIt = reader.ValueTextEquals(_names[depth]);
                reader.Read();
                Follow(ref reader, isIt, depth + 1, ref found);
            }
        }
        else if (reader.TokenType == JsonTokenType.StartArray)
        {
            for (var i = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; i++)
            {
                Follow(ref reader, i == _indices[depth], depth + 1, ref found);
            }
        }
    }

    private void DescendTransient(ref Utf8JsonReader reader, ref Place found)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var depth = 0;
            while (depth < _prefixes.Length && !reader.ValueTextEquals(_prefixes[depth]))
            {
                depth++;
            }

            reader.Read();
            Follow(ref reader, depth < _prefixes.Length, depth + 1, ref found);
        }
    }

    private void Follow(ref Utf8JsonReader reader, bool isIt, int depth, ref Place found)
    {
        if (isIt)
        {
            Descend(ref reader, depth, ref found);
        }
        else
        {
            reader.Skip();
        }
    }

    private readonly record struct Place(JsonTokenType Kind, int Start, int Length);
}
