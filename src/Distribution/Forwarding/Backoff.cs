namespace Sekisho.Distribution.Forwarding;

/// <summary>How long to wait after failures in a row. Pure.</summary>
internal static class Backoff
{
    /// <summary>Doubles from <paramref name="first"/> to <paramref name="most"/>, then takes between half and all of it, so that many do not return at once.</summary>
    /// <param name="failures">Failures in a row, at least 1.</param>
    /// <param name="first">After the first one.</param>
    /// <param name="most">At most.</param>
    /// <param name="jitter">0 up to 1.</param>
    public static TimeSpan After(int failures, TimeSpan first, TimeSpan most, double jitter)
    {
        var full = Math.Min(most.TotalSeconds, first.TotalSeconds * Math.Pow(2, Math.Min(failures - 1, 30)));
        return TimeSpan.FromSeconds(full * (0.5 + (jitter / 2)));
    }
}
