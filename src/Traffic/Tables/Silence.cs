namespace Sekisho.Traffic.Tables;

/// <summary>Compares times that packets bring along, which may be any number.</summary>
internal static class Silence
{
    /// <summary>Whether two times in nanoseconds lie further apart than a span; before or after, as a clock may have been set back.</summary>
    public static bool IsLonger(long one, long other, long span) => unchecked((ulong)(one > other ? one - other : other - one)) > (ulong)span;
}
