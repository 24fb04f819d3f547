using Sekisho.Detection.Conditions.Schedules;

namespace Sekisho.Detection.Conditions;

/// <summary>What became of a signal.</summary>
internal enum Outcome : byte
{
    /// <summary>Nothing to tell.</summary>
    None,

    /// <summary>A finding is due.</summary>
    Raise,

    /// <summary>What was found is over.</summary>
    Clear,

    /// <summary>What was found is taken back.</summary>
    Retract,
}

/// <summary>How verdicts become findings.</summary>
/// <param name="RaiseAfter">Violations in a row until it is raised, at least 1.</param>
/// <param name="ClearAfter">Calm verdicts in a row until it is cleared, at least 1.</param>
/// <param name="RepeatAfter">While it lasts, raised again after this many milliseconds; 0 for never. After clearance it may be raised at once.</param>
/// <param name="LastsFor">From the first violation of a streak to the one that raises it, at least so many milliseconds.</param>
internal sealed record Judgement(int RaiseAfter, int ClearAfter, long RepeatAfter, long LastsFor = 0)
{
    /// <summary>The parameters behind it: every condition of every kind has them.</summary>
    public static readonly IReadOnlyList<ParameterSpec> Specs =
    [
        new("raiseAfter", ParameterType.Count, 1, 1000, 1),
        new("clearAfter", ParameterType.Count, 1, 1000, 1),
        new("repeatAfter", ParameterType.Duration, 0, 365 * 86_400, 0),
        new("lastsFor", ParameterType.Duration, 0, 30 * 86_400, 0),
    ];

    public static Judgement Of(ConditionInput input) =>
        new(input.Whole("raiseAfter"), input.Whole("clearAfter"), input.Milliseconds("repeatAfter"), input.Milliseconds("lastsFor"));
}

/// <summary>
/// The one wrapper around every condition: consecutive verdicts, duration, repetition, schedule, stages, and clearance when nothing recurs.
/// A violation outside the schedule counts for nothing; calm counts always. Any thread; the state belongs to the subject.
/// <code>
/// cell 0  bit 0 raised, bits 8-23 violations in a row, bits 24-39 calm verdicts in a row, bits 40-47 stage that was raised
/// cell 1  arrival time when it was raised last
/// cell 2  arrival time of the last violation
/// cell 3  arrival time of the first violation of the streak
/// cell 4… the condition's own
/// </code>
/// </summary>
internal sealed class Judged(ICondition condition, Judgement judgement, Schedule? schedule)
{
    /// <summary>Most a streak counts.</summary>
    public const long MostInARow = 0xFFFF;

    private const int StageBits = 40;
    /// <summary>Cells of the wrapper itself.</summary>
    public const int Own = 4;

    public ICondition Condition { get; } = condition;

    public int Cells => Own + Condition.Cells;

    public static bool IsRaised(ReadOnlySpan<long> state) => (state[0] & 1) != 0;

    public static ReadOnlySpan<long> OwnOf(ReadOnlySpan<long> state) => state[Own..];

    /// <summary>The stage that was raised last, from 0.</summary>
    public static int StageOf(ReadOnlySpan<long> state) => (int)((state[0] >> StageBits) & 0xFF);

    /// <summary>What was just raised is allowed by an exception: the next violation is raised, and tried, again.</summary>
    public static void Except(Span<long> state) => state[0] &= MostInARow << 8;

    public Outcome Step(Span<long> state, in Signal signal)
    {
        switch (Condition.Step(state[Own..], signal))
        {
            case Verdict.Violation when schedule is null || schedule.Contains(signal.EventAt):
                return Violated(state, signal.At);
            case Verdict.Calm:
                return Calmed(state);
            case Verdict.Retract:
                return Over(state) == Outcome.Clear ? Outcome.Retract : Outcome.None;
            default:
                return signal.Kind == SignalKind.Tick && IsQuiet(state, signal.At) ? Over(state) : Outcome.None;
        }
    }

    /// <summary>Arrival time from which on a tick must be shown.</summary>
    public long Due(ReadOnlySpan<long> state, long at, long downtime)
    {
        var own = Condition.Due(state[Own..], at, downtime);
        return state[0] == 0 || Condition.QuietAfter == long.MaxValue ? own : Math.Min(own, state[2] + Condition.QuietAfter);
    }

    private Outcome Violated(Span<long> state, long at)
    {
        var streak = (state[0] >> 8) & MostInARow;
        if (streak == 0)
        {
            state[3] = at;
        }

        var inARow = Math.Min(streak + 1, judgement.RaiseAfter);
        state[0] = (state[0] & (1 | (0xFFL << StageBits))) | (inARow << 8);
        if (Condition.QuietAfter != long.MaxValue)
        {
            state[2] = at;
        }

        if (inARow < judgement.RaiseAfter || at - state[3] < judgement.LastsFor)
        {
            return Outcome.None;
        }

        var stage = Condition.Stage(state[Own..]);
        if (IsRaised(state) && !Condition.RaisesEach && stage <= StageOf(state) && (judgement.RepeatAfter == 0 || at - state[1] < judgement.RepeatAfter))
        {
            return Outcome.None;
        }

        state[0] = (state[0] & (MostInARow << 8)) | 1 | ((long)(Condition.RaisesEach ? stage : Math.Max(stage, StageOf(state))) << StageBits);
        state[1] = at;
        return Outcome.Raise;
    }

    private Outcome Calmed(Span<long> state)
    {
        if (!IsRaised(state))
        {
            state[0] = 0;
            return Outcome.None;
        }

        var inARow = ((state[0] >> 24) & MostInARow) + 1;
        if (inARow >= judgement.ClearAfter)
        {
            return Over(state);
        }

        // The violations so far are kept: a raised condition needs no new streak to repeat itself.
        state[0] = (state[0] & (0xFFFF01 | (0xFFL << StageBits))) | (inARow << 24);
        return Outcome.None;
    }

    private bool IsQuiet(ReadOnlySpan<long> state, long at) =>
        state[0] != 0 && Condition.QuietAfter != long.MaxValue && at - state[2] >= Condition.QuietAfter;

    private static Outcome Over(Span<long> state)
    {
        var raised = IsRaised(state);
        state[0] = 0;
        return raised ? Outcome.Clear : Outcome.None;
    }
}
