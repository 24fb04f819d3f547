using System.Globalization;
using Sekisho.Detection.Conditions.Judges;
using Sekisho.Detection.Conditions.Metrics;
using Sekisho.Detection.Thresholds;
using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions;

/// <summary>
/// A metric and a judge: most kinds of conditions are nothing else.
/// <code>
/// cell 0  mode, as in <see cref="ModeCell"/>
/// cell 1  the last value that was out of the band, as the bits of a double
/// then    the metric's cells, the judge's cells
/// </code>
/// </summary>
internal sealed class ThresholdCondition(IMetric metric, IJudge judge, string? mode) : ICondition
{
    private const int Own = 2;

    public int Cells => Own + metric.Cells + judge.Cells;

    public long QuietAfter => metric.QuietAfter;

    public bool Concerns(in Signal signal) => metric.Concerns(signal);

    public Verdict Step(Span<long> state, in Signal signal)
    {
        if (!metric.Concerns(signal) || (signal.Kind == SignalKind.Message && !ModeCell.Matches(ref state[0], mode, signal.Mode)))
        {
            return Verdict.None;
        }

        var measures = state.Slice(Own, metric.Cells);
        var judges = state[(Own + metric.Cells)..];
        var verdict = Verdict.None;
        for (var turn = 0; metric.Measure(measures, signal, turn, out var value); turn++)
        {
            var expected = judge.Expected(judges, signal);
            var isOut = value.IsBeyond ? expected.High is not null : expected.IsTooHigh(value.Value) || (!value.IsPartial && expected.IsTooLow(value.Value));
            if (isOut)
            {
                state[1] = BitConverter.DoubleToInt64Bits(Told(value, expected));
            }

            if (!value.IsHidden)
            {
                judge.Took(judges, value, isOut);
            }

            verdict = isOut || verdict == Verdict.Violation ? Verdict.Violation : Verdict.Calm;
        }

        return verdict;
    }

    public long Due(ReadOnlySpan<long> state, long at, long downtime) => metric.Due(state.Slice(Own, metric.Cells), at, downtime);

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal)
    {
        var measures = state.Slice(Own, metric.Cells);
        var value = BitConverter.Int64BitsToDouble(state[1]);
        var expected = judge.Expected(state[(Own + metric.Cells)..], signal);
        var isHidden = metric.Hides(signal);
        var counterfactual = judge.Counterfactual(value, expected, metric.Unit);
        var isWhole = expected.ExcludesHigh && expected.High is { } end && Math.Floor(end) == end;
        var facts = new Dictionary<string, string>
        {
            [FindingTexts.JudgeFact] = isHidden ? "hidden" : judge.Name,
            ["limit"] = metric.Unit == "s" ? Conditions.Facts.Duration((long)(1000 * Limit(value, expected))) : Write(Limit(value, expected)),
            ["side"] = expected.IsTooLow(value) ? "low" : "high",
        };
        if (expected.Values > 0)
        {
            facts["values"] = Conditions.Facts.Whole(expected.Values);
        }

        Add(facts, "since", expected.Since);
        Add(facts, "setAt", expected.SetAt);
        if (expected.Target > 0)
        {
            facts["target"] = Write(expected.Target);
        }

        foreach (var (name, text) in metric.Facts(measures, signal))
        {
            facts[name] = text;
        }

        return new Evidence
        {
            Metric = metric.Name,
            Unit = metric.Unit,
            Measured = value,
            ExpectedLow = expected.Low,
            ExpectedHigh = isWhole ? expected.High - 1 : expected.High,
            Origin = expected.Origin,
            Events = metric.Events(measures, signal),
            Counterfactual = isHidden ? counterfactual with { Comparison = "hidden", Value = 0 } : counterfactual,
            Facts = facts,
        };
    }

    public string? PriorName => judge.PriorName;

    public Prior PriorOf(int version, IReadOnlyList<ReadOnlyMemory<long>> states) => judge.PriorOf(version, [.. states.Select(s => s[(Own + metric.Cells)..])]);

    public LearntBand? Learnt(ReadOnlySpan<long> state, in Signal signal) =>
        judge.Learnt(state[(Own + metric.Cells)..], signal) is { } limits ? new LearntBand(metric.Name, metric.Unit, limits) : null;

    // Of a value that nothing may keep only this much: it was beyond the limit.
    private static double Told(in Measured value, in Band expected) =>
        value.IsBeyond ? Math.Max(value.Value, expected.High!.Value)
        : !value.IsHidden ? value.Value
        : expected.IsTooLow(value.Value) ? Math.BitDecrement(expected.Low!.Value)
        : expected.ExcludesHigh ? expected.High!.Value
        : Math.BitIncrement(expected.High!.Value);

    private static double Limit(double value, in Band expected) => expected.IsTooLow(value) ? expected.Low!.Value : expected.High ?? expected.Low ?? 0;

    private static void Add(Dictionary<string, string> facts, string name, long at)
    {
        if (at != 0)
        {
            facts[name] = DateTimeOffset.FromUnixTimeMilliseconds(at).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        }
    }

    private static string Write(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}
