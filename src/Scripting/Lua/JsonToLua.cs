using System.Text.Json;

namespace Sekisho.Scripting.Lua;

/// <summary>
/// Pushes JSON onto a Lua stack. Whole numbers that fit 64 bits become integers, others floats; null is absent in objects and the value
/// "null" in lists, so that a list keeps its length. Call it while <see cref="Meter.Lift"/> holds.
/// </summary>
internal static class JsonToLua
{
    /// <summary>Deepest nesting.</summary>
    public const int MostDepth = 32;

    /// <exception cref="JsonException">This is no JSON.</exception>
    public static void Push(nint state, ReadOnlySpan<byte> json)
    {
        if (NativeLua.CheckStack(state, MostDepth * 3) == 0)
        {
            throw new InvalidOperationException("The Lua stack cannot grow.");
        }

        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MostDepth });
        reader.Read();
        Value(state, ref reader);
        if (reader.Read())
        {
            throw new JsonException("More than one value.");
        }
    }

    private static void Value(nint state, ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                Object(state, ref reader);
                break;
            case JsonTokenType.StartArray:
                List(state, ref reader);
                break;
            case JsonTokenType.String:
                Text(state, ref reader);
                break;
            case JsonTokenType.Number:
                Number(state, ref reader);
                break;
            case JsonTokenType.True or JsonTokenType.False:
                NativeLua.PushBoolean(state, reader.TokenType == JsonTokenType.True ? 1 : 0);
                break;
            default:
                NativeLua.PushLightUserData(state, 0);
                break;
        }
    }

    private static void Object(nint state, ref Utf8JsonReader reader)
    {
        NativeLua.CreateTable(state, 0, 4);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            Text(state, ref reader);
            reader.Read();
            if (reader.TokenType == JsonTokenType.Null)
            {
                NativeLua.SetTop(state, -2);
            }
            else
            {
                Value(state, ref reader);
                NativeLua.RawSet(state, -3);
            }
        }
    }

    private static void List(nint state, ref Utf8JsonReader reader)
    {
        NativeLua.CreateTable(state, 4, 0);
        for (var at = 1L; reader.Read() && reader.TokenType != JsonTokenType.EndArray; at++)
        {
            Value(state, ref reader);
            NativeLua.RawSetAt(state, -2, at);
        }
    }

    private static void Text(nint state, ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
        {
            NativeLua.Push(state, reader.ValueSpan);
            return;
        }

        // A lone surrogate has no UTF-8: the reader throws, and the caller drops the stack with what was half built.
        var text = new byte[reader.ValueSpan.Length];
        NativeLua.Push(state, text.AsSpan(0, reader.CopyString(text)));
    }

    private static void Number(nint state, ref Utf8JsonReader reader)
    {
        if (reader.TryGetInt64(out var whole))
        {
            NativeLua.PushInteger(state, whole);
        }
        else
        {
            NativeLua.PushNumber(state, reader.GetDouble());
        }
    }
}
