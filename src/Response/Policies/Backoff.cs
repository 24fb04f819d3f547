namespace Sekisho.Response.Policies;

/// <summary>How long to wait after a failed try. Pure.</summary>
internal static class Backoff
{
    /// <summary>The first pause doubled with each further try, up to the longest.</summary>
    /// <param name="attempts">Tries made so far, at least 1.</param>
    /// <param name="first">Pause after the first try.</param>
    /// <param name="longest">Pause at most.</param>
    public static TimeSpan After(int attempts, TimeSpan first, TimeSpan longest)
    {
        var pause = first;
        for (var i = 1; i < attempts && pause < longest; i++)
        {
            pause += pause;
        }

        return pause < longest ? pause : longest;
    }
}
