using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Sekisho.Distribution.Forwarding;

/// <summary>The bytes of a batch on its way out, in a buffer that is used again. One delivery at a time.</summary>
internal sealed class EnvelopeBuffer
{
    /// <summary>Times on the wire: UTC, ISO 8601 with milliseconds.</summary>
    public const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    private const int TimeLength = 24;

    /// <summary>The buffer; <see cref="Length"/> bytes of it are filled.</summary>
    public byte[] Bytes { get; private set; } = new byte[4096];

    /// <summary>Bytes filled.</summary>
    public int Length { get; private set; }

    /// <summary>Starts over.</summary>
    /// <param name="keep">False when somebody may still read the buffer: another one is taken.</param>
    public void Clear(bool keep)
    {
        Length = 0;
        if (!keep)
        {
            Bytes = new byte[Bytes.Length];
        }
    }

    /// <summary>Bytes as they are.</summary>
    public void Raw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(bytes.Length));
        Length += bytes.Length;
    }

    /// <summary>A JSON string, or null.</summary>
    public void Text(string? text)
    {
        if (text is null)
        {
            Raw("null"u8);
            return;
        }

        Raw("\""u8);
        if (IsPlain(text))
        {
            Length += Encoding.ASCII.GetBytes(text, Room(text.Length));
        }
        else
        {
            Raw(JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
        }

        Raw("\""u8);
    }

    /// <summary>A time, or null.</summary>
    public void Time(DateTimeOffset? time)
    {
        if (time is not { } at)
        {
            Raw("null"u8);
            return;
        }

        Raw("\""u8);
        _ = at.UtcDateTime.TryFormat(Room(TimeLength), out var written, TimeFormat, CultureInfo.InvariantCulture);
        Length += written;
        Raw("\""u8);
    }

    // Identifiers and sequences nearly always are: letters, digits and marks that JSON does not escape.
    private static bool IsPlain(string text)
    {
        foreach (var c in text)
        {
            if (c is < ' ' or > '~' or '"' or '\\')
            {
                return false;
            }
        }

        return true;
    }

    private Span<byte> Room(int count)
    {
        if (Bytes.Length - Length < count)
        {
            var larger = new byte[Math.Max(Bytes.Length * 2, Length + count)];
            Bytes.AsSpan(0, Length).CopyTo(larger);
            Bytes = larger;
        }

        return Bytes.AsSpan(Length);
    }
}
