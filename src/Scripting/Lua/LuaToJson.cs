using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Sekisho.Scripting.Lua;

/// <summary>
/// Reads values from a Lua stack as JSON, names in order, so that equal values give equal bytes. A table is a list (1 to n) or has texts as
/// names; numbers are finite; texts are UTF-8. Call it while <see cref="Meter.Lift"/> holds. One thread at a time.
/// </summary>
internal sealed class LuaToJson(int mostBytes, bool describing) : IDisposable
{
    /// <summary>Deepest nesting.</summary>
    public const int MostDepth = 24;

    private readonly ArrayBufferWriter<byte> _bytes = new(1024);
    private readonly Utf8JsonWriter _json = new(Stream.Null, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });

    /// <summary>What was read; valid until the next <see cref="Read"/>.</summary>
    public ReadOnlyMemory<byte> Json => _bytes.WrittenMemory;

    /// <summary>Reads the values from an index to the top as one list.</summary>
    /// <returns>What cannot be taken; null when all was.</returns>
    public string? Read(nint state, int from)
    {
        _bytes.ResetWrittenCount();
        _json.Reset(_bytes);
        if (NativeLua.CheckStack(state, (MostDepth * 3) + 8) == 0)
        {
            return "the Lua stack cannot grow";
        }

        _json.WriteStartArray();
        var top = NativeLua.Top(state);
        for (var i = from; i <= top; i++)
        {
            if (Value(state, i, 0) is { } fault)
            {
                return fault;
            }
        }

        _json.WriteEndArray();
        _json.Flush();
        return _bytes.WrittenCount > mostBytes ? TooLong() : null;
    }

    public void Dispose() => _json.Dispose();

    private string TooLong() => string.Create(CultureInfo.InvariantCulture, $"what is returned has more than {mostBytes} bytes");

    private string? Value(nint state, int index, int depth)
    {
        if (_json.BytesCommitted + _json.BytesPending > mostBytes)
        {
            return TooLong();
        }

        switch (NativeLua.Type(state, index))
        {
            case NativeLua.TypeNil or NativeLua.TypeLightUserData:
                _json.WriteNullValue();
                return null;
            case NativeLua.TypeBoolean:
                _json.WriteBooleanValue(NativeLua.ToBoolean(state, index) != 0);
                return null;
            case NativeLua.TypeNumber:
                return Number(state, index);
            case NativeLua.TypeString:
                var text = NativeLua.Text(state, index);
                if (!Utf8.IsValid(text))
                {
                    return "a text that is not UTF-8 cannot be returned";
                }

                _json.WriteStringValue(text);
                return null;
            case NativeLua.TypeTable:
                return depth == MostDepth ? "tables are nested too deeply, or in a circle" : Table(state, index < 0 ? NativeLua.Top(state) + index + 1 : index, depth + 1);
            default:
                if (!describing)
                {
                    return "a function cannot be returned";
                }

                _json.WriteStringValue("function");
                return null;
        }
    }

    private unsafe string? Number(nint state, int index)
    {
        if (NativeLua.IsInteger(state, index) != 0)
        {
            _json.WriteNumberValue(NativeLua.ToInteger(state, index, null));
            return null;
        }

        var number = NativeLua.ToNumber(state, index, null);
        if (!double.IsFinite(number))
        {
            return "a number that is not finite cannot be returned";
        }

        // A float stays a float when it comes back.
        Span<byte> written = stackalloc byte[40];
        number.TryFormat(written, out var length, "R", CultureInfo.InvariantCulture);
        if (!written[..length].ContainsAny((byte)'.', (byte)'E'))
        {
            ".0"u8.CopyTo(written[length..]);
            length += 2;
        }

        _json.WriteRawValue(written[..length], skipInputValidation: true);
        return null;
    }

    private string? Table(nint state, int index, int depth)
    {
        var (names, count, fault) = Names(state, index);
        if (fault is not null)
        {
            return fault;
        }

        if (names is null)
        {
            _json.WriteStartArray();
            for (var at = 1L; at <= count; at++)
            {
                _ = NativeLua.RawGetAt(state, index, at);
                fault = Value(state, -1, depth);
                NativeLua.SetTop(state, -2);
                if (fault is not null)
                {
                    return fault;
                }
            }

            _json.WriteEndArray();
            return null;
        }

        names.Sort(StringComparer.Ordinal);
        _json.WriteStartObject();
        foreach (var name in names)
        {
            NativeLua.Push(state, Encoding.UTF8.GetBytes(name));
            _ = NativeLua.RawGet(state, index);
            _json.WritePropertyName(name);
            fault = Value(state, -1, depth);
            NativeLua.SetTop(state, -2);
            if (fault is not null)
            {
                return fault;
            }
        }

        _json.WriteEndObject();
        return null;
    }

    /// <summary>The names of a table; null when it is a list of that many values. An empty table is an object.</summary>
    private (List<string>? Names, long Count, string? Fault) Names(nint state, int index)
    {
        var names = new List<string>();
        var count = 0L;
        var length = (long)NativeLua.Length(state, index);
        NativeLua.PushNil(state);
        while (NativeLua.Next(state, index) != 0)
        {
            NativeLua.SetTop(state, -2);
            count++;
            var key = Key(state, length, names);
            if (key is not null || count > mostBytes)
            {
                NativeLua.SetTop(state, -2);
                return (null, 0, key ?? TooLong());
            }
        }

        if (names.Count == 0 && count > 0)
        {
            return count == length ? (null, count, null) : (null, 0, "a list with holes cannot be returned");
        }

        return names.Count == count ? (names, count, null) : (null, 0, "a table is either a list or has names; this one has both");
    }

    private static unsafe string? Key(nint state, long length, List<string> names)
    {
        if (NativeLua.Type(state, -1) == NativeLua.TypeString)
        {
            var text = NativeLua.Text(state, -1);
            if (!Utf8.IsValid(text))
            {
                return "a name that is not UTF-8 cannot be returned";
            }

            names.Add(Encoding.UTF8.GetString(text));
            return null;
        }

        var whole = NativeLua.Type(state, -1) == NativeLua.TypeNumber && NativeLua.IsInteger(state, -1) != 0;
        return whole && NativeLua.ToInteger(state, -1, null) is var at && at >= 1 && at <= length
            ? null
            : "names of a table are texts, or 1 to n in a list";
    }
}
