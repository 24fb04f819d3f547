using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Sekisho.Distribution.Forwarding;

/// <summary>
/// A body as it grows, in memory of the shared pool. Hot path: names and payloads are copied, plain text is narrowed, and only text that needs
/// escapes goes through the JSON writer. One thread at a time.
/// </summary>
internal sealed class EnvelopeBuffer
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };
    private static readonly SearchValues<char> Plain = SearchValues.Create([.. Enumerable.Range(' ', 0x7f - ' ').Select(c => (char)c).Except(['"', '\\'])]);
    private byte[] _bytes;
    private int _length;

    /// <summary>An empty one.</summary>
    /// <param name="capacity">Bytes that it is likely to hold.</param>
    public EnvelopeBuffer(int capacity = 4096) => _bytes = ArrayPool<byte>.Shared.Rent(capacity);

    /// <summary>What was written.</summary>
    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, _length);

    /// <summary>Gives the memory back. Only when nobody can read it any more; without the call it is collected as any other.</summary>
    public void Return()
    {
        ArrayPool<byte>.Shared.Return(_bytes);
        (_bytes, _length) = ([], 0);
    }

    /// <summary>Copies JSON as it is.</summary>
    public void Raw(ReadOnlySpan<byte> json)
    {
        json.CopyTo(Room(json.Length));
        _length += json.Length;
    }

    /// <summary>A JSON string; null for none.</summary>
    public void Text(string? text)
    {
        if (text is null)
        {
            Raw("null"u8);
        }
        else if (text.AsSpan().ContainsAnyExcept(Plain))
        {
            Raw(Escaped(text));
        }
        else
        {
            var room = Room(text.Length + 2);
            room[0] = (byte)'"';
            Encoding.ASCII.GetBytes(text, room[1..]);
            room[text.Length + 1] = (byte)'"';
            _length += text.Length + 2;
        }
    }

    /// <summary>A time in UTC, ISO 8601 with milliseconds, as a JSON string; null for none.</summary>
    public void Time(DateTimeOffset? time)
    {
        if (time is not { } at)
        {
            Raw("null"u8);
            return;
        }

        // "yyyy-MM-ddTHH:mm:ss.fffZ"
        const int Size = 26;
        var room = Room(Size);
        var utc = at.UtcDateTime;
        room[0] = room[Size - 1] = (byte)'"';
        Digits(room[1..5], utc.Year);
        room[5] = room[8] = (byte)'-';
        Digits(room[6..8], utc.Month);
        Digits(room[9..11], utc.Day);
        room[11] = (byte)'T';
        Digits(room[12..14], utc.Hour);
        room[14] = room[17] = (byte)':';
        Digits(room[15..17], utc.Minute);
        Digits(room[18..20], utc.Second);
        room[20] = (byte)'.';
        Digits(room[21..24], utc.Millisecond);
        room[24] = (byte)'Z';
        _length += Size;
    }

    private static void Digits(Span<byte> place, int number)
    {
        for (var i = place.Length - 1; i >= 0; i--, number /= 10)
        {
            place[i] = (byte)('0' + (number % 10));
        }
    }

    private static ReadOnlySpan<byte> Escaped(string text)
    {
        var escaped = new ArrayBufferWriter<byte>((text.Length * 3) + 2);
        using (var json = new Utf8JsonWriter(escaped, Options))
        {
            json.WriteStringValue(text);
        }

        return escaped.WrittenSpan;
    }

    private Span<byte> Room(int more)
    {
        if (_bytes.Length - _length < more)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_bytes.Length * 2, _length + more));
            _bytes.AsSpan(0, _length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = larger;
        }

        return _bytes.AsSpan(_length);
    }
}
