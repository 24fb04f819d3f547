using Sekisho.Detection.Conditions.Judges;
using Sekisho.Detection.Conditions.Metrics;
using Sekisho.Detection.Thresholds;

namespace Sekisho.Detection.Conditions;

/// <summary>Makes a kind of condition of a metric: whatever the metric is, the judges are the same.</summary>
internal static class ThresholdKind
{
    /// <summary>A kind that templates may combine with every judge that its limits allow; the first is the one it has when a template names none.</summary>
    /// <param name="name">Stable name of the kind.</param>
    /// <param name="scopes">What it can watch.</param>
    /// <param name="parameters">Parameters of the metric.</param>
    /// <param name="metric">Makes the metric.</param>
    /// <param name="high">Parameter of the upper limit; null when there can be none.</param>
    /// <param name="low">Parameter of the lower limit; null when there can be none.</param>
    /// <param name="learns">False when nothing can be learnt about it.</param>
    public static ConditionKind Of(
        string name, IReadOnlyList<string> scopes, IReadOnlyList<ParameterSpec> parameters, Func<ConditionInput, IMetric> metric, ParameterSpec? high = null, ParameterSpec? low = null, bool learns = true)
    {
        var judges = new List<(string, IReadOnlyList<ParameterSpec>)>();
        if (high is not null)
        {
            judges.Add((JudgeNames.Above, [high]));
        }

        if (low is not null)
        {
            judges.Add((JudgeNames.Below, [low]));
        }

        if (low is not null && high is not null)
        {
            judges.Add((JudgeNames.Outside, [low, high]));
        }

        if (learns)
        {
            judges.Add((JudgeNames.Learnt, LearntJudge.Specs));
            judges.Add((JudgeNames.Peer, PeerJudge.Specs));
        }

        return new ConditionKind(name, scopes, TakesMode: true, parameters, input => Create(input, metric(input), high?.Name, low?.Name)) { Judges = judges };
    }

    private static ThresholdCondition Create(ConditionInput input, IMetric metric, string? high, string? low)
    {
        (string, double)? Limit(string? parameter) => parameter is null || !input.Values.ContainsKey(parameter) ? null : (parameter, input.Number(parameter));
        // What follows a slash is the kind of devices.
        var prior = (input.Mode is null ? metric.PriorName : metric.PriorName + "@" + input.Mode).Replace('/', '.');
        IJudge judge = input.Judge switch
        {
            JudgeNames.Learnt => new LearntJudge(prior, Learners.Of(metric.Name, input.Number("alarms")), input.Text("sides"), input.Number("low"), input.Number("high")),
            JudgeNames.Peer => new PeerJudge(prior, input.Text("sides"), input.Number("percentile")),
            { } limits => new LimitJudge(limits, Limit(low), Limit(high)),
            null => throw new ArgumentException("A threshold condition needs a judge.", nameof(input)),
        };
        return new ThresholdCondition(metric, judge, input.Mode);
    }
}
