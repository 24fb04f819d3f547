using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions.Judges;

/// <summary>Holds values against limits that the template or a person sets: above, below or outside.</summary>
/// <param name="name">One of the three.</param>
/// <param name="low">Lower limit and the name of its parameter; null for none.</param>
/// <param name="high">Upper limit, as above.</param>
internal sealed class LimitJudge(string name, (string Parameter, double Limit)? low, (string Parameter, double Limit)? high) : IJudge
{
    public string Name => name;

    public int Cells => 0;

    public Band Expected(ReadOnlySpan<long> state, in Signal signal) =>
        new(low?.Limit, high?.Limit) { Origin = "template", ExcludesHigh = name == JudgeNames.Above };

    public Counterfactual Counterfactual(double value, in Band expected, string unit) => expected.IsTooLow(value) || high is null
        ? new Counterfactual(low!.Value.Parameter, "at-most", value, unit)
        : new Counterfactual(high.Value.Parameter, "at-least", name == JudgeNames.Above ? Limits.Beyond(value) : value, unit);
}

/// <summary>Rounds limits as people would set them.</summary>
internal static class Limits
{
    private const double Whole = 1e15;

    /// <summary>The next larger whole number for a whole one, else a thousandth more.</summary>
    public static double Beyond(double value) => Math.Abs(value) < Whole && Math.Floor(value) == value ? value + 1 : value * (value < 0 ? 0.999 : 1.001);
}
