using Sekisho.Detection.Conditions.Metrics;
using Sekisho.Detection.Thresholds;
using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions.Judges;

/// <summary>Holds values against what the subject's own history makes likely, or its peers' while that is short. A limit that a person sets takes the place of the learnt one.</summary>
/// <param name="prior">Name of the prior.</param>
/// <param name="learner">Learns.</param>
/// <param name="sides">"high", "low" or "both".</param>
/// <param name="low">A person's lower limit; NaN for none.</param>
/// <param name="high">A person's upper limit; NaN for none.</param>
internal sealed class LearntJudge(string prior, ILearner learner, string sides, double low, double high) : IJudge
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
        var learnt = Current(state, signal);
        return new Band(learnt.Low, learnt.High)
        {
            Origin = learnt.Origin,
            Values = learnt.Values,
            Since = learnt.Since,
            SetAt = learnt.SetAt,
            Target = learnt.Target,
        };
    }

    public string PriorName => prior;

    public Prior PriorOf(int version, IReadOnlyList<ReadOnlyMemory<long>> states) => learner.PriorOf(version, states);

    public Threshold? Learnt(ReadOnlySpan<long> state, in Signal signal) => Current(state, signal);

    public void Took(Span<long> state, in Measured value, bool isViolation)
    {
        if (!value.IsPartial)
        {
            learner.Observe(state, value.Value, value.At, value.IsClean && (!isViolation || !learner.HasGrown(state)));
        }
    }

    public Counterfactual Counterfactual(double value, in Band expected, string unit) =>
        expected.IsTooLow(value) ? new Counterfactual("low", "at-most", value, unit) : new Counterfactual("high", "at-least", value, unit);

    // A person's limit takes the place of the learnt one; what was learnt stays beside it.
    private Threshold Current(ReadOnlySpan<long> state, in Signal signal)
    {
        var learnt = learner.Current(state, signal.Priors?.For(signal.FieldId, prior, signal.Device?.Kind) ?? default);
        return learnt with
        {
            Low = !double.IsNaN(low) ? low : sides == "high" ? null : learnt.Low,
            High = !double.IsNaN(high) ? high : sides == "low" ? null : learnt.High,
            Origin = !double.IsNaN(low) || !double.IsNaN(high) ? "person" : learnt.Origin,
        };
    }
}
