namespace Sekisho.Behaviour.Sensors;

/// <summary>A token bucket in one number (generic cell rate algorithm, ITU-T I.371): the tick at which it would be full again. Any thread.</summary>
internal static class Bucket
{
    /// <summary>Takes one; zero when there was one, else how long until there is.</summary>
    public static TimeSpan Take(ref long slot, DateTimeOffset now, int perMinute)
    {
        var step = TimeSpan.TicksPerMinute / perMinute;
        var slack = (perMinute - 1) * step;
        while (true)
        {
            var before = Volatile.Read(ref slot);
            var full = Math.Max(before, now.Ticks);
            if (full - now.Ticks > slack)
            {
                return TimeSpan.FromTicks(full - now.Ticks - slack);
            }

            if (Interlocked.CompareExchange(ref slot, full + step, before) == before)
            {
                return TimeSpan.Zero;
            }
        }
    }
}
