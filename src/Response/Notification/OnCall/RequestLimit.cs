namespace Sekisho.Response.Notification.OnCall;

/// <summary>Counts requests by who makes them, in a minute of the clock. Bounded: with more callers than it keeps, strangers share one count. Any thread.</summary>
internal sealed class RequestLimit(OnCallSettings settings, TimeProvider clock)
{
    private const int MostCallers = 10_000;
    private const string Everybody = "";
    private readonly Lock _turn = new();
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);
    private long _minute;

    /// <summary>Takes a place; false when there is none left in this minute.</summary>
    public bool Allows(string caller)
    {
        var minute = clock.GetUtcNow().ToUnixTimeSeconds() / 60;
        lock (_turn)
        {
            if (minute != _minute)
            {
                _counts.Clear();
                _minute = minute;
            }

            var known = _counts.ContainsKey(caller) || _counts.Count < MostCallers ? caller : Everybody;
            var count = _counts.GetValueOrDefault(known) + 1;
            _counts[known] = count;
            return count <= settings.MostPerMinute;
        }
    }
}
