using Sekisho.Detection.Conditions.Metrics;
using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions.Stuck;

/// <summary>
/// A value that changed and does no more: a sensor that hangs, or a program that plays one reading again and again. A value that was
/// never seen to change is a setting and never judged. One that changes seldom (a door, a switch, a tank) is judged after <see cref="LearnFor"/>,
/// so that nights and weekends are known; one that changed with every fourth message at least needs no such time. Both are stuck only when the
/// value stays more than <see cref="Beyond"/> times as long as it ever did before, in messages and in time. Stored readings that come behind
/// a live one count where they belong: one with another value proves that nothing was stuck. What only detection may see is not judged, because
/// it would have to be remembered.
/// <code>
/// cell 0  mode, as in <see cref="ModeCell"/>           cell 1  changes seen
/// cell 2  messages with the value; 0 before the first  cell 3  the value, as the bits of a double
/// cell 4  event time of the first of them              cell 5  event time of the last number
/// cell 6  journal position of the first of them        cell 7  messages before them
/// cell 8  event time of the first message              cell 9  most messages in a row with one value
/// cell 10 longest time of such a row; rows found stuck do not count
/// </code>
/// </summary>
internal sealed class StuckCondition(StuckParameters parameters, string? mode) : ICondition
{
    public static readonly ConditionKind Kind = new(
        "value-stuck",
        [Scopes.Device],
        TakesMode: true,
        [
            new ParameterSpec("pointer", ParameterType.Pointer, 0, 0),
            new ParameterSpec("messages", ParameterType.Count, 2, 1_000_000, 20),
            new ParameterSpec("lasting", ParameterType.Duration, 0, 366 * 86_400, 3600),
            new ParameterSpec("changes", ParameterType.Count, 1, 1_000_000, 10),
            new ParameterSpec("tolerance", ParameterType.Number, 0, 1e15, 0),
        ],
        input => new StuckCondition(
            new StuckParameters(input.Text("pointer"), input.Whole("messages"), input.Milliseconds("lasting"), input.Whole("changes"), input.Number("tolerance")), input.Mode));

    /// <summary>Milliseconds over which a value that changes seldom is watched before it is judged.</summary>
    public const long LearnFor = 8 * 86_400_000L;

    /// <summary>So many times as long as ever before is too long.</summary>
    public const int Beyond = 3;

    private const int Lively = 4;
    private const long MostChanges = 1_000_000;

    private readonly JsonPointerReader _reader = new(parameters.Pointer);

    public int Cells => 11;

    /// <summary>Only another value ends it.</summary>
    public long QuietAfter => long.MaxValue;

    public bool Concerns(in Signal signal) => signal.Kind == SignalKind.Message;

    public Verdict Step(Span<long> state, in Signal signal)
    {
        if (!Concerns(signal) || !ModeCell.Matches(ref state[0], mode, signal.Mode) || !_reader.TryKeptNumber(signal, out var number))
        {
            return Verdict.None;
        }

        var isSame = state[2] != 0 && Math.Abs(number - BitConverter.Int64BitsToDouble(state[3])) <= parameters.Tolerance;
        if (state[2] != 0 && signal.EventAt < state[5])
        {
            return Stored(state, signal, isSame);
        }

        if (!isSame)
        {
            Close(state);
            state[8] = state[2] == 0 ? signal.EventAt : state[8];
            state[1] = Math.Min(state[1] + Math.Min(state[2], 1), MostChanges);
            (state[2], state[3], state[4], state[6]) = (0, BitConverter.DoubleToInt64Bits(number), signal.EventAt, signal.Position);
        }

        (state[2], state[5]) = (state[2] + 1, signal.EventAt);
        return IsStuck(state) ? Verdict.Violation : Verdict.Calm;
    }

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal)
    {
        var seconds = (state[5] - state[4]) / 1000.0;
        return new Evidence
        {
            Metric = "stuck",
            Unit = "s",
            Measured = seconds,
            ExpectedHigh = parameters.LastingMs / 1000.0,
            Origin = "template",
            Events = [state[6], signal.Position],
            Counterfactual = new Counterfactual("lasting", "at-least", Math.Floor(seconds) + 1, "s"),
            Facts = new Dictionary<string, string>
            {
                ["pointer"] = parameters.Pointer,
                ["messages"] = Facts.Whole(state[2]),
                ["span"] = Facts.Duration((state[5] - state[4]) / 1000 * 1000),
                ["allowed"] = Facts.Duration(parameters.LastingMs),
                ["changes"] = Facts.Whole(state[1]),
                ["usual"] = Facts.Duration(state[10] / 1000 * 1000),
            },
        };
    }

    private bool IsStuck(ReadOnlySpan<long> state) =>
        state[1] >= parameters.Changes && state[2] >= parameters.Messages && state[5] - state[4] >= parameters.LastingMs
        && state[2] > Beyond * state[9] && state[5] - state[4] > Beyond * state[10]
        && (state[1] * Lively >= state[7] || state[5] - state[8] >= LearnFor);

    // A row is over: what was usual may be longer than known.
    private void Close(Span<long> state)
    {
        if (!IsStuck(state))
        {
            (state[9], state[10]) = (Math.Max(state[9], state[2]), Math.Max(state[10], state[5] - state[4]));
        }

        state[7] = Math.Min(state[7] + state[2], MostChanges * Lively);
    }

    // From between the first and the last with the value: it is one more of them, or it breaks the row, of which only the last is left then.
    private Verdict Stored(Span<long> state, in Signal signal, bool isSame)
    {
        if (signal.EventAt <= state[4])
        {
            return Verdict.None;
        }

        if (isSame)
        {
            state[2]++;
            return Verdict.None;
        }

        Close(state);
        state[1] = Math.Min(state[1] + 1, MostChanges);
        (state[2], state[4]) = (1, state[5]);
        return Verdict.Calm;
    }
}
