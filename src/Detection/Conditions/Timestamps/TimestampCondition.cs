using System.Globalization;
using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions.Timestamps;

/// <summary>
/// Device times that cannot be (R-035): in the future, backwards, repeated, of a clock that drifts or is set again and again. What the timeline
/// takes for a backlog may run backwards; late readings that fill no gap of the device, so that they only pretend to be one, are found as
/// unexplained. A device that tells no time is never judged.
/// <code>
/// cell 0       latest device time that could be true      cell 1  last device time
/// cell 2       arrival of the last reading counted for it  cell 3  readings counted for it
/// cell 4       stage of the last violation                 cell 5  its measure: milliseconds, count, or the bits of seconds a day
/// cell 6, 7    offset of the clock (device time less arrival, milliseconds), readings it rests on
/// cell 8, 9    another offset that was seen lately, how often in a row
/// cell 10, 11  steps within a day, arrival of the last
/// cell 12-14   running block: arrival of its first reading (0 none), largest offset, readings
/// cell 15, 16  the block before: the same two (0 none)
/// cell 17      blocks in a row that drift, negative when the clock falls behind
/// cell 18      seconds a day (bits) in the last block      cell 19  late readings in a row that nothing explains
/// </code>
/// Delays only ever lower an offset, so the largest of a block is the clock's own.
/// </summary>
internal sealed class TimestampCondition(TimestampParameters parameters) : ICondition
{
    public static readonly ConditionKind Kind = new(
        "timestamp",
        [Scopes.Device],
        TakesMode: false,
        [
            new ParameterSpec("ahead", ParameterType.Duration, 0, 366 * 86_400, 120),
            new ParameterSpec("back", ParameterType.Duration, 0, 366 * 86_400, 60),
            new ParameterSpec("repeats", ParameterType.Count, 2, 1000, 3),
            new ParameterSpec("resolution", ParameterType.Duration, 0, 86_400, 1),
            new ParameterSpec("drift", ParameterType.Number, 1, 86_400, 120) { Unit = "seconds-per-day" },
            new ParameterSpec("steps", ParameterType.Count, 1, 1000, 2),
            new ParameterSpec("unexplained", ParameterType.Count, 0, 1000, 5),
        ],
        input => new TimestampCondition(new TimestampParameters(
            input.Milliseconds("ahead"), input.Milliseconds("back"), input.Whole("repeats"), input.Milliseconds("resolution"), input.Number("drift"), input.Whole("steps"), input.Whole("unexplained"))))
    {
        Stages = ["step", "drift", "unexplained", "repeated", "backwards", "future"],
    };

    private const int StepStage = 0;
    private const int DriftStage = 1;
    private const int UnexplainedStage = 2;
    private const int RepeatedStage = 3;
    private const int BackwardsStage = 4;
    private const int FutureStage = 5;

    // A message is late from here on.
    private const long Late = 120_000;

    private const long Day = 86_400_000;
    private const long Block = Day / 4;
    private const int LeastOfBlock = 4;
    private const int BlocksToDrift = 3;

    // An offset is another one when it was seen so often in a row: a single late message is not the clock.
    private const int SightsOfStep = 3;

    // Offsets nearer than this are one.
    private long Width => Math.Max(parameters.AheadMs / 2, 5_000);

    public int Cells => 20;

    public long QuietAfter => long.MaxValue;

    public bool Concerns(in Signal signal) => signal.Kind == SignalKind.Message && signal.DeviceTime != 0;

    public Verdict Step(Span<long> state, in Signal signal)
    {
        if (!Concerns(signal))
        {
            return Verdict.None;
        }

        var (told, offset) = (signal.DeviceTime, signal.DeviceTime - signal.At);
        var isRepeated = Repeats(state, signal);
        if (offset > parameters.AheadMs)
        {
            return Found(state, FutureStage, offset);
        }

        if (!signal.Backlog && state[0] != 0 && told < state[0] - parameters.BackMs && !IsCorrection(state, offset))
        {
            return Found(state, BackwardsStage, state[0] - told);
        }

        state[0] = Math.Max(state[0], told);
        if (isRepeated)
        {
            return Found(state, RepeatedStage, state[3]);
        }

        if (signal.Backlog)
        {
            return Verdict.Calm;
        }

        var isLate = offset < -Late && signal.EventAt != told && state[7] != 0 && Math.Abs(offset - state[6]) > Width;
        var isStep = Follow(state, offset, signal.At);
        state[19] = isLate && !isStep ? state[19] + 1 : 0;
        if (parameters.Unexplained > 0 && state[19] >= parameters.Unexplained)
        {
            return Found(state, UnexplainedStage, state[19]);
        }

        return Math.Abs(state[17]) >= BlocksToDrift ? Found(state, DriftStage, state[18])
            : isStep && state[10] >= parameters.Steps ? Found(state, StepStage, state[10])
            : Verdict.Calm;
    }

    public int Stage(ReadOnlySpan<long> state) => (int)state[4];

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal)
    {
        var measure = state[5];
        var facts = new Dictionary<string, string>
        {
            ["deviceTime"] = Time(signal.DeviceTime),
            ["arrivalTime"] = Time(signal.At),
        };
        switch (state[4])
        {
            case FutureStage:
                (facts["ahead"], facts["allowed"]) = (Facts.Duration(measure / 1000 * 1000), Facts.Duration(parameters.AheadMs));
                return Of("ahead", "s", measure / 1000.0, parameters.AheadMs / 1000.0, Math.Ceiling(measure / 1000.0), signal, facts);
            case BackwardsStage:
                (facts["back"], facts["allowed"], facts["latest"]) = (Facts.Duration(measure / 1000 * 1000), Facts.Duration(parameters.BackMs), Time(state[0]));
                return Of("back", "s", measure / 1000.0, parameters.BackMs / 1000.0, Math.Ceiling(measure / 1000.0), signal, facts);
            case RepeatedStage:
                return Of("repeats", "count", measure, parameters.Repeats - 1, measure + 1, signal, facts);
            case UnexplainedStage:
                facts["late"] = Facts.Duration((signal.At - signal.DeviceTime) / 1000 * 1000);
                return Of("unexplained", "count", measure, parameters.Unexplained - 1, measure + 1, signal, facts);
            case DriftStage:
                var rate = BitConverter.Int64BitsToDouble(measure);
                facts["rate"] = rate.ToString("+0.#;-0.#", CultureInfo.InvariantCulture);
                return Of("drift", "seconds-per-day", Math.Abs(rate), parameters.Drift, Math.Ceiling(Math.Abs(rate)), signal, facts);
            default:
                return Of("steps", "count", measure, parameters.Steps - 1, measure + 1, signal, facts);
        }
    }

    private static Evidence Of(string metric, string unit, double measured, double most, double enough, in Signal signal, Dictionary<string, string> facts) => new()
    {
        Metric = metric,
        Unit = unit,
        Measured = measured,
        ExpectedHigh = most,
        Origin = "template",
        Events = [signal.Position],
        Counterfactual = new Counterfactual(metric, "at-least", enough, unit),
        Facts = facts,
    };

    private static string Time(long at) => DateTimeOffset.FromUnixTimeMilliseconds(at).ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    private static Verdict Found(Span<long> state, int stage, long measure)
    {
        (state[4], state[5]) = (stage, measure);
        return Verdict.Violation;
    }

    /// <summary>Counts readings in a row with one device time. Those of one request, or within the clock's resolution, are one.</summary>
    private bool Repeats(Span<long> state, in Signal signal)
    {
        if (state[3] == 0 || signal.DeviceTime != state[1])
        {
            (state[1], state[2], state[3]) = (signal.DeviceTime, signal.At, 1);
            return false;
        }

        // Stored readings were taken one after another however fast they arrive.
        var isLive = signal.EventAt == signal.DeviceTime && !signal.Backlog;
        if (signal.At - state[2] > (isLive ? parameters.ResolutionMs : 0))
        {
            (state[2], state[3]) = (signal.At, state[3] + 1);
        }

        return state[3] >= parameters.Repeats;
    }

    // A clock that was ahead and is right now was set: that is no replay of older times.
    private bool IsCorrection(Span<long> state, long offset)
    {
        if (state[7] == 0 || Math.Abs(offset) > parameters.AheadMs || state[6] <= 0 || Math.Abs(offset) >= state[6])
        {
            return false;
        }

        state[0] = 0;
        return true;
    }

    /// <summary>Follows the clock's offset.</summary>
    /// <returns>True when the clock was set.</returns>
    private bool Follow(Span<long> state, long offset, long at)
    {
        if (state[7] == 0)
        {
            (state[6], state[7]) = (offset, 1);
        }
        else if (Math.Abs(offset - state[6]) <= Width)
        {
            state[6] += (offset - state[6]) / 8;
            (state[7], state[9]) = (Math.Min(state[7] + 1, 1000), 0);
        }
        else
        {
            (state[8], state[9]) = state[9] > 0 && Math.Abs(offset - state[8]) <= Width ? (state[8] + ((offset - state[8]) / 4), state[9] + 1) : (offset, 1);
            if (state[9] < SightsOfStep)
            {
                return false;
            }

            (state[6], state[7], state[9]) = (state[8], 1, 0);
            (state[10], state[11]) = (state[10] > 0 && at - state[11] <= Day ? state[10] + 1 : 1, at);
            state[12..19].Clear();
            return true;
        }

        if (state[12] != 0 && at - state[12] >= Block && state[14] >= LeastOfBlock)
        {
            Close(state);
        }

        if (state[12] == 0)
        {
            (state[12], state[13], state[14]) = (at, offset, 0);
        }

        (state[13], state[14]) = (Math.Max(state[13], offset), state[14] + 1);
        return false;
    }

    private void Close(Span<long> state)
    {
        if (state[15] != 0)
        {
            var rate = (state[13] - state[16]) / 1000.0 / ((state[12] - state[15]) / (double)Day);
            var sign = Math.Sign(rate);
            state[17] = Math.Abs(rate) < parameters.Drift ? 0 : Math.Sign(state[17]) == sign ? state[17] + sign : sign;
            state[18] = BitConverter.DoubleToInt64Bits(rate);
        }

        (state[15], state[16], state[12]) = (state[12], state[13], 0);
    }
}
