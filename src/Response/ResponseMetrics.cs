using System.Diagnostics.Metrics;

namespace Sekisho.Response;

/// <summary>Figures of the stage. Any thread.</summary>
internal static class ResponseMetrics
{
    private static readonly Meter Meter = new("Sekisho");

    private static readonly Counter<long> Outcomes = Meter.CreateCounter<long>("sekisho_response_outcomes", "{response}", "Tries of responses by action and the state they led to.");

    static ResponseMetrics() => Meter.CreateObservableGauge("sekisho_responses_waiting", () => Waiting(), "{response}", "Responses that are due or running.");

    /// <summary>Reads how many wait.</summary>
    public static Func<long> Waiting { get; set; } = () => 0;

    public static void Outcome(string action, string state) => Outcomes.Add(1, new KeyValuePair<string, object?>("action", action), new KeyValuePair<string, object?>("state", state));
}
