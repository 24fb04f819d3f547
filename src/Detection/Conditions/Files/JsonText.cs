using System.Buffers.Text;
using System.Text;

namespace Sekisho.Detection.Conditions.Files;

/// <summary>Reads parts of JSON strings without allocating and without minding what is broken in them. Pure.</summary>
internal static class JsonText
{
    /// <summary>The bytes of a string up to the length of the target, its escapes resolved; half a surrogate pair becomes a question mark.</summary>
    /// <param name="raw">The string as it is written, without its quotation marks.</param>
    /// <param name="to">Where it goes.</param>
    /// <returns>How many bytes it became.</returns>
    public static int Unescape(ReadOnlySpan<byte> raw, Span<byte> to)
    {
        var length = 0;
        while (!raw.IsEmpty && length < to.Length)
        {
            if (raw[0] != '\\' || raw.Length < 2)
            {
                to[length++] = raw[0];
                raw = raw[1..];
                continue;
            }

            if (raw[1] == 'u')
            {
                var rune = Escaped(ref raw);
                if (!rune.TryEncodeToUtf8(to[length..], out var written))
                {
                    return length;
                }

                length += written;
                continue;
            }

            to[length++] = raw[1] switch
            {
                (byte)'n' => (byte)'\n',
                (byte)'r' => (byte)'\r',
                (byte)'t' => (byte)'\t',
                (byte)'b' => (byte)'\b',
                (byte)'f' => (byte)'\f',
                var other => other,
            };
            raw = raw[2..];
        }

        return length;
    }

    private static Rune Escaped(ref ReadOnlySpan<byte> raw)
    {
        var first = Unit(ref raw);
        if (Rune.TryCreate(first, out var rune))
        {
            return rune;
        }

        if (char.IsHighSurrogate(first) && raw.Length >= 6 && raw[0] == '\\' && raw[1] == 'u')
        {
            var rest = raw;
            if (Rune.TryCreate(first, Unit(ref rest), out rune))
            {
                raw = rest;
                return rune;
            }
        }

        return new Rune('?');
    }

    private static char Unit(ref ReadOnlySpan<byte> raw)
    {
        var digits = raw.Slice(2, Math.Min(4, raw.Length - 2));
        raw = raw[(2 + digits.Length)..];
        return digits.Length == 4 && Utf8Parser.TryParse(digits, out ushort unit, out var read, 'x') && read == 4 ? (char)unit : '?';
    }
}
