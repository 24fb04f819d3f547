using System.Diagnostics.Metrics;
using Sekisho.Detection.Lanes;

namespace Sekisho.Detection;

/// <summary>What detection measures of itself. Any thread.</summary>
internal static class DetectionMetrics
{
    private static readonly Meter Meter = new("Sekisho");
    private static readonly Counter<long> Events = Meter.CreateCounter<long>("sekisho_detection_events", "{event}", "Events judged.");
    private static readonly Counter<long> Duplicates = Meter.CreateCounter<long>("sekisho_detection_duplicates", "{message}", "Messages recognised as repeats.");
    private static readonly Counter<long> Findings = Meter.CreateCounter<long>("sekisho_detection_findings", "{finding}", "Findings raised, by kind of condition.");
    private static readonly Histogram<double> Duration = Meter.CreateHistogram<double>("sekisho_detection_stretch_duration", "s", "Time to judge and commit one stretch.");
    private static readonly Histogram<double> Age = Meter.CreateHistogram<double>("sekisho_detection_decision_age", "s", "Age of the oldest event of a stretch when it was decided.");

    /// <summary>Failed commits and faults.</summary>
    public static readonly Counter<long> Faults = Meter.CreateCounter<long>("sekisho_detection_faults", "{fault}", "Commits that failed and faults met.");

    /// <summary>Calls of scripts that failed.</summary>
    public static readonly Counter<long> ScriptFaults = Meter.CreateCounter<long>("sekisho_detection_script_faults", "{fault}", "Calls of detection scripts that failed.");

    public static void Stretch(StepResult result, TimeSpan duration, TimeSpan age)
    {
        Events.Add(result.Events);
        Duplicates.Add(result.Batch.Duplicates.Count);
        Duration.Record(duration.TotalSeconds);
        Age.Record(Math.Max(0, age.TotalSeconds));
        foreach (var finding in result.Batch.Findings)
        {
            Findings.Add(1, new KeyValuePair<string, object?>("condition", finding.Condition));
        }
    }
}
