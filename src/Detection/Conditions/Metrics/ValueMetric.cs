using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions.Metrics;

/// <summary>
/// The number at a pointer in a message: in what is kept of it, else in what only detection may see. A message without one says nothing.
/// Stored readings are judged like others, one by one. What only detection may see is judged and not learnt, and the limit is told in its place.
/// </summary>
internal sealed class ValueMetric(string pointer) : IMetric
{
    /// <summary>"value": per message.</summary>
    public static readonly ConditionKind Kind = ThresholdKind.Of(
        "value",
        [Scopes.Device],
        [new ParameterSpec("pointer", ParameterType.Pointer, 0, 0)],
        input => new ValueMetric(input.Text("pointer")),
        high: new ParameterSpec("most", ParameterType.Number, -1e15, 1e15),
        low: new ParameterSpec("least", ParameterType.Number, -1e15, 1e15));

    private readonly JsonPointerReader _reader = new(pointer);

    /// <summary>With the pointer: peers teach each value its own band.</summary>
    public string Name { get; } = "value:" + pointer;

    public string Unit => "";

    public int Cells => 0;

    /// <summary>Only a usual value ends it.</summary>
    public long QuietAfter => long.MaxValue;

    public bool Concerns(in Signal signal) => signal.Kind == SignalKind.Message;

    public bool Measure(Span<long> state, in Signal signal, int turn, out Measured value)
    {
        value = default;
        if (turn > 0 || !_reader.TryNumber(signal, out var number, out var isTransient))
        {
            return false;
        }

        value = new Measured(number, signal.EventAt, signal.IsClean) { IsHidden = isTransient };
        return true;
    }

    public bool Hides(in Signal signal) => _reader.TryNumber(signal, out _, out var isTransient) && isTransient;

    public IEnumerable<KeyValuePair<string, string>> Facts(ReadOnlySpan<long> state, in Signal signal) => [new("pointer", pointer)];
}
