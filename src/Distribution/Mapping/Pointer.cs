namespace Sekisho.Distribution.Mapping;

/// <summary>JSON pointers (RFC 6901) as mappings use them: at least one segment; "*" stands for every element of an array where it is allowed.</summary>
internal static class Pointer
{
    public const int MaxLength = 256;
    public const int MaxSegments = 32;

    /// <summary>Splits a pointer into unescaped segments; null when it is none.</summary>
    public static string[]? Parse(string? pointer)
    {
        if (pointer is null || pointer.Length is 0 or > MaxLength || pointer[0] != '/')
        {
            return null;
        }

        var segments = pointer[1..].Split('/');
        for (var i = 0; i < segments.Length; i++)
        {
            for (var at = segments[i].IndexOf('~', StringComparison.Ordinal); at >= 0; at = segments[i].IndexOf('~', at + 1))
            {
                if (at + 1 == segments[i].Length || segments[i][at + 1] is not ('0' or '1'))
                {
                    return null;
                }
            }

            if (ContainsLoneSurrogate(segments[i]))
            {
                return null;
            }

            segments[i] = segments[i].Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
        }

        return segments.Length <= MaxSegments ? segments : null;
    }

    /// <summary>Escapes one segment.</summary>
    public static string Escape(string segment) => segment.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    private static bool ContainsLoneSurrogate(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                i++;
            }
            else if (char.IsSurrogate(text[i]))
            {
                return true;
            }
        }

        return false;
    }
}
