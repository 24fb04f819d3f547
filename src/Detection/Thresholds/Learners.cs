namespace Sekisho.Detection.Thresholds;

/// <summary>The learner behind the judge "learnt".</summary>
internal static class Learners
{
    /// <summary>A learner for a metric.</summary>
    /// <param name="metric">Stable name of the metric.</param>
    /// <param name="alarms">False alarms per month that are accepted.</param>
    public static ILearner Of(string metric, double alarms) => new RangeLearner(alarms);
}
