using System.Text;
using System.Text.Json;
using Sekisho.Detection.Conditions.Files;

namespace Sekisho.Detection.Conditions.Shapes;

/// <summary>
/// Walks over the values of a JSON document and gives each a stable hash of where it stands and of what type it is. All elements of an array
/// stand at one place ("*"), so do all values of an object that is a map, and null is no type: it only says that a value is missing. What is broken, or deeper than 64 levels, ends the walk.
/// Allocates nothing as long as nobody asks for the place. One use.
/// </summary>
internal ref struct ShapeWalk
{
    /// <summary>Length of the room that a walk needs.</summary>
    public const int Room = Deepest + 1;

    private const int Deepest = 64;
    private const int LongestName = 256;

    private readonly Span<ulong> _places;
    private readonly ReadOnlySpan<long> _maps;
    private readonly string[]? _names;
    private Utf8JsonReader _reader;
    private ulong _arrays;

    /// <param name="json">The document.</param>
    /// <param name="room">Room for a hash per level, <see cref="Room"/> of them.</param>
    /// <param name="maps">Places of the objects that are maps; 0 for none.</param>
    /// <param name="names">Room for a name per level, as many; null when nobody asks for places.</param>
    public ShapeWalk(ReadOnlySpan<byte> json, Span<ulong> room, ReadOnlySpan<long> maps = default, string[]? names = null)
    {
        _reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = Deepest });
        _places = room;
        _places[0] = StableHash.Start;
        _maps = maps;
        _names = names;
    }

    /// <summary>Hash of the present value's place and type; never 0.</summary>
    public long Shape { get; private set; }

    /// <summary>Hash of the place that the present value stands in; 0 for the document.</summary>
    public readonly long Parent => _reader.CurrentDepth == 0 ? 0 : unchecked((long)_places[_reader.CurrentDepth - 1]);

    /// <summary>The present value's type.</summary>
    public readonly string Type => _reader.TokenType switch
    {
        JsonTokenType.StartObject => "object",
        JsonTokenType.StartArray => "array",
        JsonTokenType.String => "string",
        JsonTokenType.Number => "number",
        _ => "boolean",
    };

    /// <summary>The present value's place as a JSON pointer, "*" for every element; "/" for the document.</summary>
    public readonly string Place => "/" + string.Join('/', _names![1..(_reader.CurrentDepth + 1)]);

    /// <summary>Goes to the next value.</summary>
    public bool Next()
    {
        try
        {
            while (_reader.Read())
            {
                var depth = _reader.CurrentDepth;
                switch (_reader.TokenType)
                {
                    case JsonTokenType.PropertyName:
                        Name(depth);
                        continue;
                    case JsonTokenType.EndObject or JsonTokenType.EndArray or JsonTokenType.Null:
                        continue;
                }

                Value(depth);
                return true;
            }
        }
        catch (JsonException)
        {
            // No more of it.
        }

        return false;
    }

    private void Value(int depth)
    {
        if (depth > 0 && (_arrays & (1UL << (depth - 1))) != 0)
        {
            Star(depth);
        }

        if (depth < Deepest)
        {
            _arrays = _reader.TokenType == JsonTokenType.StartArray ? _arrays | (1UL << depth) : _arrays & ~(1UL << depth);
        }

        // A sign that no name ends with keeps the type apart from the place.
        var type = _reader.TokenType switch
        {
            JsonTokenType.StartObject => 'o',
            JsonTokenType.StartArray => 'a',
            JsonTokenType.String => 's',
            JsonTokenType.Number => 'n',
            _ => 'b',
        };
        Shape = unchecked((long)StableHash.Add(StableHash.Add(_places[depth], '\0'), type));
        Shape = Shape == 0 ? 1 : Shape;
    }

    private void Star(int depth)
    {
        _places[depth] = StableHash.Add(StableHash.Add(_places[depth - 1], '/'), '*');
        Note(depth, "*");
    }

    private void Name(int depth)
    {
        if (_maps.Contains(unchecked((long)_places[depth - 1])))
        {
            Star(depth);
            return;
        }

        Span<byte> room = stackalloc byte[LongestName];
        var raw = _reader.ValueSpan;
        var name = _reader.ValueIsEscaped ? room[..JsonText.Unescape(raw, room)] : raw;
        var hash = StableHash.Add(_places[depth - 1], '/');
        foreach (var one in name[..Math.Min(name.Length, LongestName)])
        {
            hash = StableHash.Add(hash, one);
        }

        _places[depth] = hash;
        if (_names is not null)
        {
            var text = Encoding.UTF8.GetString(name[..Math.Min(name.Length, 64)]);
            var shown = new string([.. text.Select(c => char.IsControl(c) || c == '\ufffd' ? '?' : c)]);
            Note(depth, shown.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal));
        }
    }

    private readonly void Note(int depth, string name)
    {
        if (_names is not null)
        {
            _names[depth] = name;
        }
    }
}
