namespace Sekisho.Devices.Tokens;

/// <summary>
/// A token bucket in one number (generic cell rate algorithm, ITU-T I.371): the microsecond at which it would be full again. Any thread.
/// </summary>
internal static class Bucket
{
    private const double MicrosecondsPerMinute = 60e6;

    /// <summary>Takes one.</summary>
    /// <param name="slot">The bucket; 0 is a full one.</param>
    /// <param name="now">Time of taking.</param>
    /// <param name="perMinute">How many flow in each minute, and how many fit.</param>
    /// <returns>Zero when there was one, else how long until there is.</returns>
    public static TimeSpan Take(ref long slot, DateTimeOffset now, int perMinute)
    {
        var step = (long)(MicrosecondsPerMinute / perMinute);
        var slack = (perMinute - 1) * step;
        var time = now.Ticks / TimeSpan.TicksPerMicrosecond;
        while (true)
        {
            var before = Volatile.Read(ref slot);
            var full = Math.Max(before, time);
            if (full - time > slack)
            {
                return TimeSpan.FromMicroseconds(full - time - slack);
            }

            if (Interlocked.CompareExchange(ref slot, full + step, before) == before)
            {
                return TimeSpan.Zero;
            }
        }
    }
}
