using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Conditions.Size;

/// <summary>A message at or above a size, or a request refused because it was larger than the gateway takes. Cell 0: the last size found.</summary>
internal sealed class SizeCondition(SizeParameters parameters) : ICondition
{
    public static readonly ConditionKind Kind = new(
        "size",
        [Scopes.Device, Scopes.User, Scopes.Field],
        TakesMode: false,
        [new ParameterSpec("bytes", ParameterType.Bytes, 1, 1L << 30)],
        input => new SizeCondition(new SizeParameters((long)input.Values["bytes"])));

    public int Cells => 1;

    /// <summary>An hour: long enough that one message in between does not hide a series.</summary>
    public long QuietAfter => 3_600_000;

    public bool Concerns(in Signal signal) => signal.Kind == SignalKind.Message || IsRefusal(signal);

    public Verdict Step(Span<long> state, in Signal signal)
    {
        if (IsRefusal(signal))
        {
            // Only what was received before the refusal is counted, so the size is at least that.
            state[0] = Math.Max(parameters.Bytes, signal.Bytes / Math.Max(1, signal.Count));
            return Verdict.Violation;
        }

        if (signal.Kind != SignalKind.Message)
        {
            return Verdict.None;
        }

        if (signal.Bytes < parameters.Bytes)
        {
            return Verdict.Calm;
        }

        state[0] = signal.Bytes;
        return Verdict.Violation;
    }

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal) => new()
    {
        Metric = "size",
        Unit = "bytes",
        Measured = state[0],
        ExpectedHigh = parameters.Bytes - 1,
        Origin = "template",
        Events = [signal.Position],
        Counterfactual = new Counterfactual("bytes", "at-least", state[0] + 1, "bytes"),
        Facts = new Dictionary<string, string> { ["limit"] = Facts.Whole(parameters.Bytes), ["refused"] = signal.Kind == SignalKind.Refusal ? "yes" : "no" },
    };

    private static bool IsRefusal(in Signal signal) => signal.Kind == SignalKind.Refusal && signal.What == RefusalReasons.TooLarge;
}
