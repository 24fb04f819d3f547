using System.Text;

namespace Sekisho.Detection.Conditions.Files;

/// <summary>What the name of a file says about its type: its extension, and the one before that. Extensions are lower-case ASCII, packed into a number so that nothing is allocated.</summary>
/// <param name="Extension">The last extension; <see cref="None"/> where there is none, <see cref="Other"/> for one that is no usual one.</param>
/// <param name="Before">The extension that the name would have without its last one.</param>
/// <param name="IsReversed">True when a sign in the name makes people read the end backwards (U+202E).</param>
internal readonly record struct FileName(UInt128 Extension, UInt128 Before, bool IsReversed)
{
    /// <summary>Longest extension, in characters.</summary>
    public const int Longest = 16;

    /// <summary>Bytes of a name that are looked at, the last ones.</summary>
    public const int MostBytes = 1024;

    /// <summary>No extension.</summary>
    public static readonly UInt128 None = Pack("none"u8);

    /// <summary>Too long for an extension, or of other characters than letters and digits.</summary>
    public static readonly UInt128 Other = Pack("other"u8);

    /// <summary>Reads a name; of a path its last part. What Windows drops at the end of a name (dots, spaces, the name of a stream) does not count.</summary>
    public static FileName Of(ReadOnlySpan<byte> name)
    {
        var isReversed = name.IndexOf("\u202E"u8) >= 0;
        name = name[(name.LastIndexOfAny((byte)'/', (byte)'\\') + 1)..];
        name = name.IndexOf("::$"u8) is var stream and >= 0 ? name[..stream] : name;
        var extension = Last(ref name);
        return new FileName(extension, Last(ref name), isReversed);
    }

    /// <summary>An extension as people write it (".JPG", "jpg") in packed form.</summary>
    public static UInt128 Packed(string written)
    {
        var trimmed = written.Trim().TrimStart('.');
        return trimmed.Length <= Longest && trimmed.All(char.IsAsciiLetterOrDigit) ? Pack(Encoding.ASCII.GetBytes(trimmed)) : Other;
    }

    /// <summary>A packed extension as people write it.</summary>
    public static string Text(UInt128 packed)
    {
        var text = new StringBuilder();
        for (; packed != 0; packed >>= 8)
        {
            text.Insert(0, (char)(byte)packed);
        }

        return text.ToString();
    }

    private static UInt128 Last(ref ReadOnlySpan<byte> name)
    {
        name = name.TrimEnd(". \t\r\n\0"u8);
        var dot = name.LastIndexOf((byte)'.');
        if (dot < 0)
        {
            return None;
        }

        var extension = name[(dot + 1)..];
        name = name[..dot];
        return extension.Length > Longest ? Other : Pack(extension);
    }

    private static UInt128 Pack(ReadOnlySpan<byte> extension)
    {
        UInt128 packed = 0;
        foreach (var character in extension)
        {
            if (!char.IsAsciiLetterOrDigit((char)character))
            {
                return Other;
            }

            packed = (packed << 8) | (byte)char.ToLowerInvariant((char)character);
        }

        return packed;
    }
}
