using Sekisho.Detection.Conditions.Metrics;
using Sekisho.Detection.Thresholds;
using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions.Judges;

/// <summary>
/// Holds values against the percentiles of the subject's peers: devices of its kind in its field, as the last prior "quantiles:METRIC/KIND" gives
/// them (evenly spaced quantiles from the least to the greatest value). Without one it says nothing. The last values of all peers together are
/// a sample of what peers send, so the last value is all that is kept of a device.
/// <code>cell 0  1 once there is a value   cell 1  the last whole value (bits)</code>
/// </summary>
/// <param name="prior">Name of the metric's prior.</param>
/// <param name="sides">"high", "low" or "both".</param>
/// <param name="percentile">50 to 100.</param>
internal sealed class PeerJudge(string prior, string sides, double percentile) : IJudge
{
    /// <summary>Peers below which there are no percentiles.</summary>
    public const int Enough = 10;

    private const int Quantiles = 33;

    /// <summary>Parameters that every fleet-relative condition has.</summary>
    public static readonly IReadOnlyList<ParameterSpec> Specs =
    [
        ParameterSpec.Choice("sides", "high", "high", "low", "both"),
        new ParameterSpec("percentile", ParameterType.Number, 50, 100, 99) { Unit = "percent" },
    ];

    private readonly string _quantiles = "quantiles:" + prior;

    public string Name => JudgeNames.Peer;

    public int Cells => 2;

    public string PriorName => _quantiles;

    public Band Expected(ReadOnlySpan<long> state, in Signal signal)
    {
        var quantiles = (signal.Priors?.For(signal.FieldId, _quantiles, signal.Device?.Kind) ?? default).Numbers.Span;
        return quantiles.Length < 2
            ? new Band(null, null) { Origin = "peer" }
            : new Band(sides == "high" ? null : At(quantiles, 100 - percentile), sides == "low" ? null : At(quantiles, percentile)) { Origin = "peer", Values = quantiles.Length };
    }

    public void Took(Span<long> state, in Measured value, bool isViolation)
    {
        if (!value.IsPartial && value.IsClean && double.IsFinite(value.Value))
        {
            (state[0], state[1]) = (1, BitConverter.DoubleToInt64Bits(value.Value));
        }
    }

    public Prior PriorOf(int version, IReadOnlyList<ReadOnlyMemory<long>> states)
    {
        var values = states.Where(s => s.Span[0] == 1).Select(s => BitConverter.Int64BitsToDouble(s.Span[1])).Order().ToArray();
        return values.Length < Enough ? default : new Prior(version, Enumerable.Range(0, Quantiles).Select(i => At(values, 100.0 * i / (Quantiles - 1))).ToArray());
    }

    public Counterfactual Counterfactual(double value, in Band expected, string unit) => new("percentile", "at-least", 100, "percent");

    private static double At(ReadOnlySpan<double> quantiles, double percent)
    {
        var place = percent / 100 * (quantiles.Length - 1);
        var low = Math.Min((int)place, quantiles.Length - 2);
        return quantiles[low] + ((place - low) * (quantiles[low + 1] - quantiles[low]));
    }
}
