using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions.Judges;

/// <summary>
/// Holds values against the percentiles of the subject's peers: devices of its kind in its field, as the last prior "quantiles:METRIC/KIND" gives
/// them (evenly spaced quantiles from the least to the greatest value). Without one it says nothing.
/// </summary>
internal sealed class PeerJudge(string metric, string sides, double percentile) : IJudge
{
    /// <summary>Parameters that every fleet-relative condition has.</summary>
    public static readonly IReadOnlyList<ParameterSpec> Specs =
    [
        ParameterSpec.Choice("sides", "high", "high", "low", "both"),
        new ParameterSpec("percentile", ParameterType.Number, 50, 100, 99) { Unit = "percent" },
    ];

    private readonly string _quantiles = "quantiles:" + metric;

    public string Name => JudgeNames.Peer;

    public int Cells => 0;

    public Band Expected(ReadOnlySpan<long> state, in Signal signal)
    {
        var quantiles = (signal.Priors?.For(signal.FieldId, _quantiles, signal.Device?.Kind) ?? default).Numbers.Span;
        return quantiles.Length < 2
            ? new Band(null, null) { Origin = "peer" }
            : new Band(sides == "high" ? null : At(quantiles, 100 - percentile), sides == "low" ? null : At(quantiles, percentile)) { Origin = "peer", Values = quantiles.Length };
    }

    public Counterfactual Counterfactual(double value, in Band expected, string unit) => new("percentile", "at-least", 100, "percent");

    private static double At(ReadOnlySpan<double> quantiles, double percent)
    {
        var place = percent / 100 * (quantiles.Length - 1);
        var low = Math.Min((int)place, quantiles.Length - 2);
        return quantiles[low] + ((place - low) * (quantiles[low + 1] - quantiles[low]));
    }
}
