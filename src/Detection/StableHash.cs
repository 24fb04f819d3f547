namespace Sekisho.Detection;

/// <summary>FNV-1a, 64 bits, over UTF-16 code units low byte first: equal on every machine and in every version, because lanes and stored states rest on it.</summary>
internal static class StableHash
{
    /// <summary>Hash of nothing.</summary>
    public const ulong Start = 14695981039346656037;

    private const ulong Prime = 1099511628211;

    /// <summary>Hash of "first:second".</summary>
    public static ulong Of(string first, string second) => Add(Add(Add(Start, first), ":"), second);

    /// <summary>Makes every bit of the result depend on every bit of a number or of a hash, whose high bits hardly change with the last character of short texts.</summary>
    public static ulong Mix(ulong hash)
    {
        hash = (hash ^ (hash >> 33)) * 0xFF51AFD7ED558CCDUL;
        hash = (hash ^ (hash >> 33)) * 0xC4CEB9FE1A85EC53UL;
        return hash ^ (hash >> 33);
    }

    /// <summary>The hash with one more part: a byte, a character, or a cell.</summary>
    public static ulong Add(ulong hash, ulong part) => (hash ^ part) * Prime;

    private static ulong Add(ulong hash, string text)
    {
        foreach (var c in text)
        {
            hash = Add(Add(hash, (byte)c), (byte)(c >> 8));
        }

        return hash;
    }
}
