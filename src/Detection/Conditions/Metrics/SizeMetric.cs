using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Conditions.Metrics;

/// <summary>Bytes of a message, or of a request that was refused because it was larger than the gateway takes .</summary>
internal sealed class SizeMetric : IMetric
{
    /// <summary>"size": per message.</summary>
    public static readonly ConditionKind Kind = ThresholdKind.Of(
        "size",
        [Scopes.Device, Scopes.User, Scopes.Field],
        parameters: [],
        _ => new SizeMetric(),
        high: new ParameterSpec("bytes", ParameterType.Bytes, 1, 1L << 30),
        low: new ParameterSpec("least", ParameterType.Bytes, 0, 1L << 30));

    public string Name => "size";

    public string Unit => "bytes";

    public int Cells => 0;

    /// <summary>An hour: long enough that one message in between does not hide a series.</summary>
    public long QuietAfter => 3_600_000;

    public bool Concerns(in Signal signal) => signal.Kind == SignalKind.Message || IsRefusal(signal);

    public bool Measure(Span<long> state, in Signal signal, int turn, out Measured value)
    {
        // Only what was received before a refusal is counted, so the size is at least that.
        value = IsRefusal(signal)
            ? new Measured(signal.Bytes / Math.Max(1, signal.Count), signal.At, IsClean: false) { IsBeyond = true }
            : new Measured(signal.Bytes, signal.EventAt, signal.IsClean);
        return turn == 0;
    }

    public IEnumerable<KeyValuePair<string, string>> Facts(ReadOnlySpan<long> state, in Signal signal) => [new("refused", signal.Kind == SignalKind.Refusal ? "yes" : "no")];

    private static bool IsRefusal(in Signal signal) => signal.Kind == SignalKind.Refusal && signal.What == RefusalReasons.TooLarge;
}
