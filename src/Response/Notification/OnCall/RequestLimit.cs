namespace Sekisho.Response.Notification.OnCall;

/// <summary>Counts requests by who makes them, in a minute of the clock. Bounded: with more callers than it keeps, those that come on top share one count. Holders of good links and strangers are counted apart. Any thread.</summary>
internal sealed class RequestLimit(OnCallSettings settings, TimeProvider clock)
{
    private const int MostCallers = 10_000;
    private const string Everybody = "";
    private readonly Lock _turn = new();
    private readonly Dictionary<string, int> _holders = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _strangers = new(StringComparer.Ordinal);
    private long _minute;

    /// <summary>Takes a place; false when there is none left in this minute.</summary>
    /// <param name="caller">Who.</param>
    /// <param name="isHolder">The caller shows a good link.</param>
    public bool Allows(string caller, bool isHolder)
    {
        var minute = clock.GetUtcNow().ToUnixTimeSeconds() / 60;
        lock (_turn)
        {
            if (minute != _minute)
            {
                _holders.Clear();
                _strangers.Clear();
                _minute = minute;
            }

            var counts = isHolder ? _holders : _strangers;
            var known = counts.ContainsKey(caller) || counts.Count < MostCallers ? caller : Everybody;
            var count = counts.GetValueOrDefault(known) + 1;
            counts[known] = count;
            return count <= settings.MostPerMinute;
        }
    }
}
