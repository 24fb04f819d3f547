using System.Diagnostics.Metrics;

namespace Sekisho.Response.Soc.Sending;

/// <summary>Figures of the sending. Any thread.</summary>
internal static class SocMetrics
{
    private static readonly Meter Meter = new("Sekisho");
    private static readonly Counter<long> SentEvents = Meter.CreateCounter<long>("sekisho_soc_sent", "{event}", "Events that receivers took, by receiver.");
    private static readonly Counter<long> SkippedRecords = Meter.CreateCounter<long>("sekisho_soc_skipped", "{record}", "Records that were given up because a receiver was away for too long, by receiver.");
    private static readonly Counter<long> BrokenConnections = Meter.CreateCounter<long>("sekisho_soc_faults", "{fault}", "Connections to receivers that failed or broke, by receiver and cause.");

    static SocMetrics() => Meter.CreateObservableGauge("sekisho_soc_connected", () => Connected(), "{receiver}", "Receivers that are connected.");

    /// <summary>Reads how many are connected.</summary>
    public static Func<long> Connected { get; set; } = () => 0;

    public static void Sent(string receiver, long events) => SentEvents.Add(events, new KeyValuePair<string, object?>("receiver", receiver));

    public static void Skipped(string receiver, long records) => SkippedRecords.Add(records, new KeyValuePair<string, object?>("receiver", receiver));

    public static void Fault(string receiver, string cause) => BrokenConnections.Add(1, new KeyValuePair<string, object?>("receiver", receiver), new KeyValuePair<string, object?>("cause", cause));
}
