namespace Sekisho.Response.Leases;

/// <summary>Times of changes that others tell versions apart by: each is later than the one before, also in the same moment and when the clock was set back.</summary>
internal static class ChangeTime
{
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(1);

    public static DateTimeOffset After(DateTimeOffset before, DateTimeOffset now) => now >= before + Least ? now : before + Least;
}
