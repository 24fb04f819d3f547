namespace Sekisho.Detection.Evaluate.Uplinks;

/// <summary>Names of what may be wrong with uplinks.</summary>
internal static class Wrongs
{
    public const string Silence = "silence";
    public const string Rate = "rate";
    public const string Size = "size";
    public const string Clock = "clock";
    public const string Network = "network";
}

/// <summary>Something found.</summary>
/// <param name="Device">Device.</param>
/// <param name="At">When, Unix milliseconds.</param>
/// <param name="Wrong">One of <see cref="Wrongs"/>.</param>
/// <param name="Value">What was measured.</param>
/// <param name="Limit">What was expected at most.</param>
internal sealed record Alert(string Device, long At, string Wrong, double Value, double Limit);

/// <summary>Whatever watches a fleet: shown each uplink in order of arrival, and a tick each minute.</summary>
internal interface IFleetWatch
{
    /// <summary>Judges and learns one uplink.</summary>
    IEnumerable<Alert> Take(Uplink uplink);

    /// <summary>The clock.</summary>
    IEnumerable<Alert> Tick(long at);
}
