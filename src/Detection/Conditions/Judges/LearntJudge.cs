using Sekisho.Detection.Conditions.Metrics;
using Sekisho.Detection.Thresholds;
using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions.Judges;

/// <summary>Holds values against what the subject's own history makes likely, or its peers' while that is short. A limit that a person sets takes the place of the learnt one.</summary>
/// <param name="metric">Name of the metric, to find the prior by.</param>
/// <param name="learner">Learns.</param>
/// <param name="sides">"high", "low" or "both".</param>
/// <param name="low">A person's lower limit; NaN for none.</param>
/// <param name="high">A person's upper limit; NaN for none.</param>
internal sealed class LearntJudge(string metric, ILearner learner, string sides, double low, double high) : IJudge
{
    /// <summary>Parameters that every learnt condition has.</summary>
    public static readonly IReadOnlyList<ParameterSpec> Specs =
    [
        ParameterSpec.Choice("sides", "high", "high", "low", "both"),
        new ParameterSpec("alarms", ParameterType.Number, 0.01, 30, 0.2) { Unit = "per-month" },
        new ParameterSpec("low", ParameterType.Number, double.MinValue, double.MaxValue, double.NaN),
        new ParameterSpec("high", ParameterType.Number, double.MinValue, double.MaxValue, double.NaN),
    ];

    public string Name => JudgeNames.Learnt;

    public int Cells => learner.Cells;

    public Band Expected(ReadOnlySpan<long> state, in Signal signal)
    {
        var learnt = learner.Current(state, signal.Priors?.For(signal.FieldId, metric, signal.Device?.Kind) ?? default);
        var bottom = sides == "high" ? null : learnt.Low;
        var top = sides == "low" ? null : learnt.High;
        var isPersons = !double.IsNaN(low) || !double.IsNaN(high);
        return new Band(double.IsNaN(low) ? bottom : low, double.IsNaN(high) ? top : high)
        {
            Origin = isPersons ? "person" : learnt.Origin,
            Values = learnt.Values,
            Since = learnt.Since,
            SetAt = learnt.SetAt,
            Target = learnt.Target,
        };
    }

    public void Took(Span<long> state, in Measured value, bool isViolation)
    {
        if (!value.IsPartial)
        {
            learner.Observe(state, value.Value, value.At, value.IsClean && (!isViolation || !learner.HasGrown(state)));
        }
    }

    public Counterfactual Counterfactual(double value, in Band expected, string unit) =>
        expected.IsTooLow(value) ? new Counterfactual("low", "at-most", value, unit) : new Counterfactual("high", "at-least", value, unit);
}
