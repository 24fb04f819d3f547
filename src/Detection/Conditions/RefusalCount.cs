using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions;

/// <summary>Parameters of conditions that count refusals.</summary>
/// <param name="Refusals">So many within the window are too many.</param>
/// <param name="WindowMs">The window in arrival time, milliseconds.</param>
internal sealed record RefusalCountParameters(int Refusals, long WindowMs)
{
    /// <summary>The specifications of these parameters.</summary>
    public static readonly IReadOnlyList<ParameterSpec> Specs =
    [
        new("refusals", ParameterType.Count, 1, 120),
        new("window", ParameterType.Duration, 1, 7 * 86_400),
    ];

    public static RefusalCountParameters Of(ConditionInput input) => new(input.Whole("refusals"), input.Milliseconds("window"));
}

/// <summary>
/// Counts refusals of some reasons in a window of arrival time: as far as the condition is concerned a refused request has no other.
/// Cell 0: how many were in the window at the last violation; then a ring.
/// </summary>
internal sealed class RefusalCount(RefusalCountParameters parameters)
{
    public int Cells => 1 + Ring.CellsFor(parameters.Refusals);

    public Verdict Step(Span<long> state, in Signal signal)
    {
        var ring = new Ring(state[1..]);
        var before = ring.Within(signal.At, parameters.WindowMs, out _);
        for (var i = Math.Min(signal.Count, parameters.Refusals); i > 0; i--)
        {
            ring.Push(signal.At, signal.Position);
        }

        state[0] = before + signal.Count;
        return state[0] >= parameters.Refusals ? Verdict.Violation : Verdict.None;
    }

    public Evidence Explain(ReadOnlySpan<long> state)
    {
        var copy = state[1..].ToArray();
        return new Evidence
        {
            Metric = "refusals",
            Unit = "count",
            Measured = state[0],
            ExpectedHigh = parameters.Refusals - 1,
            Origin = "template",
            Events = [.. new Ring(copy).Positions().Distinct()],
            Counterfactual = new Counterfactual("refusals", "at-least", state[0] + 1, "count"),
            Facts = new Dictionary<string, string> { ["window"] = Facts.Duration(parameters.WindowMs), ["limit"] = Facts.Whole(parameters.Refusals) },
        };
    }
}
