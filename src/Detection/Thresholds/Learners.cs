namespace Sekisho.Detection.Thresholds;

/// <summary>The learner behind the judge "learnt".</summary>
internal static class Learners
{
    /// <summary>A learner for a metric.</summary>
    /// <param name="metric">Stable name of the metric.</param>
    /// <param name="alarms">False alarms per month that are accepted.</param>
    public static ILearner Of(string metric, double alarms) => metric switch
    {
        // Sums over a period range over many orders.
        "volume" => new TailLearner(new LearnerSettings(alarms, 16, IsRatio: true)),
        // From seconds to weeks, and a device that is seldom heard has bursts, too.
        "burst" => new TailLearner(Burst(alarms)),
        // Few kinds of messages, few sizes.
        "size" => new TailLearner(new LearnerSettings(alarms, 1, MostOfLargest: 1.5)),
        // Any unit: a hundredth is small beside what sensors measure; a larger spread counts by itself.
        _ when metric.StartsWith("value:", StringComparison.Ordinal) => new TailLearner(new LearnerSettings(alarms, 0.01)),
        _ when metric.StartsWith("value-rate:", StringComparison.Ordinal) => new TailLearner(new LearnerSettings(alarms, 0.01, HasLow: false)),
        _ => new TailLearner(new LearnerSettings(alarms, 1)),
    };

    /// <summary>Settings for the time that a few messages take.</summary>
    public static LearnerSettings Burst(double alarms) => new(alarms, 1, IsRatio: true, RareFactor: 8);
}
