using System.Text;

namespace Sekisho.Detection.Conditions.Files;

/// <summary>A declared type of content (image/png), or all of one kind (image/*), as a list names it. Immutable; any thread.</summary>
internal sealed class MediaType
{
    /// <summary>Bytes of a declared type that are looked at.</summary>
    public const int Longest = 128;

    private const int LongestShown = 64;

    private readonly byte[] _text;
    private readonly bool _isWhole;

    private MediaType(string written)
    {
        var text = written.Trim().ToLowerInvariant();
        _isWhole = !text.EndsWith("/*", StringComparison.Ordinal);
        _text = Encoding.UTF8.GetBytes(_isWhole ? text : text[..^1]);
    }

    /// <summary>True when an entry of a list is meant as a declared type: an extension has no slash.</summary>
    public static bool IsOne(string entry) => entry.Contains('/', StringComparison.Ordinal);

    public static MediaType Of(string entry) => new(entry);

    /// <summary>A type as a message declares it, without its parameters ("; charset=utf-8").</summary>
    /// <param name="raw">The JSON string as it is written, without its quotation marks.</param>
    /// <param name="room">Room for it, <see cref="Longest"/> bytes.</param>
    public static Written Read(ReadOnlySpan<byte> raw, Span<byte> room)
    {
        var text = room[..JsonText.Unescape(raw, room)];
        text = text.IndexOf((byte)';') is var end and >= 0 ? text[..end] : text;
        foreach (ref var character in text)
        {
            character = character is >= (byte)'A' and <= (byte)'Z' ? (byte)(character | 0x20) : character;
        }

        return new Written(text.Trim(" \t\r\n"u8));
    }

    /// <summary>A type that a message declares.</summary>
    internal readonly ref struct Written(ReadOnlySpan<byte> text)
    {
        private readonly ReadOnlySpan<byte> _text = text;

        /// <summary>True when the message declares none.</summary>
        public bool IsEmpty => _text.IsEmpty;

        /// <summary>True for a picture, a sound or a video.</summary>
        public bool IsMedia => _text.StartsWith("image/"u8) || _text.StartsWith("audio/"u8) || _text.StartsWith("video/"u8);

        /// <summary>As people are shown it.</summary>
        public string Text
        {
            get
            {
                var text = Encoding.UTF8.GetString(_text);
                return new string([.. (text.Length <= LongestShown ? text : text[..LongestShown]).Select(c => c is > ' ' and <= '~' ? c : '?')]);
            }
        }

        public bool IsAnyOf(MediaType[] types)
        {
            foreach (var type in types)
            {
                if (type._isWhole ? _text.SequenceEqual(type._text) : _text.StartsWith(type._text))
                {
                    return true;
                }
            }

            return false;
        }
    }
}
