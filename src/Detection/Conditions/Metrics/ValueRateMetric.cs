using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions.Metrics;

/// <summary>
/// How fast the number at a pointer changes, up or down, by the times at which readings were taken. A reading that is not later than the
/// last one says nothing, so a backlog behind a live reading is none; after a long gap nobody knows how fast it went. Nobody knows it either of
/// a reading whose time is not believed, and of one that tells no time and comes right behind another: they were stored and came together.
/// What only detection may see is not judged, because the next reading would need it.
/// <code>
/// cell 0  event time of the last number; 0 before the first
/// cell 1  the number, as the bits of a double
/// </code>
/// </summary>
internal sealed class ValueRateMetric(string pointer, long perMs, long gapMs) : IMetric
{
    /// <summary>"value-rate": per message that has a later number than the one before.</summary>
    public static readonly ConditionKind Kind = ThresholdKind.Of(
        "value-rate",
        [Scopes.Device],
        [
            new ParameterSpec("pointer", ParameterType.Pointer, 0, 0),
            new ParameterSpec("per", ParameterType.Duration, 1, 86_400, 60),
            new ParameterSpec("gap", ParameterType.Duration, 1, 31 * 86_400, 3600),
        ],
        input => new ValueRateMetric(input.Text("pointer"), input.Milliseconds("per"), input.Milliseconds("gap")),
        high: new ParameterSpec("most", ParameterType.Number, 0, 1e15));

    // The clocks of many devices know whole seconds only: what lies nearer is a second apart.
    private const long Resolution = 1000;

    private readonly JsonPointerReader _reader = new(pointer);

    /// <summary>With the pointer: peers teach each value its own band.</summary>
    public string Name { get; } = "value-rate:" + pointer;

    public string Unit => "";

    public int Cells => 2;

    /// <summary>Only a usual change ends it.</summary>
    public long QuietAfter => long.MaxValue;

    public bool Concerns(in Signal signal) => signal.Kind == SignalKind.Message;

    public bool Measure(Span<long> state, in Signal signal, int turn, out Measured value)
    {
        value = default;
        if (turn > 0 || !_reader.TryKeptNumber(signal, out var number) || IsUnbelieved(signal) || (state[0] != 0 && signal.EventAt <= state[0]))
        {
            return false;
        }

        var (before, was) = (state[0], BitConverter.Int64BitsToDouble(state[1]));
        (state[0], state[1]) = (signal.EventAt, BitConverter.DoubleToInt64Bits(number));
        if (before == 0 || signal.EventAt - before > gapMs || (signal.DeviceTime == 0 && signal.EventAt - before < Math.Max(Resolution, signal.Interval / 4)))
        {
            return false;
        }

        value = new Measured(Math.Abs(number - was) * perMs / Math.Max(signal.EventAt - before, Resolution), signal.EventAt, signal.IsClean);
        return true;
    }

    // A clock that is always as wrong tells distances all the same, and its readings are clean.
    private static bool IsUnbelieved(in Signal signal) => signal.DeviceTime != 0 && signal.EventAt != signal.DeviceTime && !signal.IsClean;

    public IEnumerable<KeyValuePair<string, string>> Facts(ReadOnlySpan<long> state, in Signal signal) => [new("pointer", pointer), new("per", Conditions.Facts.Duration(perMs))];
}
