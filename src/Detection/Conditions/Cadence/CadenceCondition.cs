using Sekisho.Detection.Conditions.Silence;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;

namespace Sekisho.Detection.Conditions.Cadence;

/// <summary>
/// A device that is being carried away: its readings become rarer (an early warning), then stop. Judged in arrival time at messages and
/// ticks. Only a device that sent often enough before can fall; one that stops at once is a matter of silence. Time in which the gateway was down
/// does not count, a group event holds it back, and stored readings that fill the holes take it back. Who stops in one go and comes back does not
/// fall either: after a distance as long as what counts as a stop it must be frequent again before it can. What happens at this hour again and again
/// (lessons end, people go to bed) is usual and quiet for as long as it usually takes. When it stays rare for long, that is its cadence now and
/// it is judged again only after it has been frequent.
/// <code>
/// cell 0  arrival time of the last message; 0 before the first    cell 1  downtime of the gateway at that moment
/// cell 2  mode, as in <see cref="ModeCell"/>                       cell 3  journal position of the last message
/// cell 4  usual distance, milliseconds; of distances that were not too long       cell 5  how many of those in a row, at most what is enough
/// cell 6  distances in a row that were too long                    cell 7  arrival of the last message before them
/// cell 8  stage of the last violation + 1; 0 for none              cell 9  time that stored readings have filled
/// cell 10 1 when what is taken back was part of a group event      cell 11 the open distance at the last violation, 0 for one at a message
/// cell 12 how long a fall that begins at this hour usually lasts + 1; 0 while it is not looked up      then habits
/// </code>
/// </summary>
internal sealed class CadenceCondition(string? mode, CadenceParameters parameters, TimeZoneInfo zone) : ICondition
{
    public static readonly ConditionKind Kind = new(
        "cadence",
        [Scopes.Device],
        TakesMode: true,
        [
            new ParameterSpec("interval", ParameterType.Duration, 0, 30 * 86_400, 300),
            new ParameterSpec("slack", ParameterType.Percent, 0, 100, 10),
            new ParameterSpec("factor", ParameterType.Number, 1.1, 100, 3),
            new ParameterSpec("rarer", ParameterType.Count, 1, 50, 3),
            new ParameterSpec("stop", ParameterType.Duration, 60, 90 * 86_400, 1800),
            new ParameterSpec("habit", ParameterType.Count, 0, Habits.Most, 5),
        ],
        input => new CadenceCondition(
            input.Mode,
            new CadenceParameters(input.Milliseconds("interval"), input.Whole("slack"), input.Number("factor"), input.Whole("rarer"), input.Milliseconds("stop"), input.Whole("habit")),
            input.Zone))
    {
        Stages = ["falling", "stopped"],
        Reasons = [SilenceCondition.BacklogDelivered, SilenceCondition.GroupEvent],
        AsksNeighbours = true,
    };

    private const int Own = 13;
    private const long Minute = 60_000;

    // So many in time in a row before it can fall, and so many too late until that is how it is.
    private const int Enough = 4;
    private const int Adapts = 100;

    public int Cells => Own + Habits.Most;

    public long QuietAfter => long.MaxValue;

    public bool Concerns(in Signal signal) => signal.Kind is SignalKind.Message or SignalKind.Device or SignalKind.Tick;

    public Verdict Step(Span<long> state, in Signal signal)
    {
        switch (signal.Kind)
        {
            case SignalKind.Message:
                return Heard(state, signal);
            case SignalKind.Device when signal.What is LifecycleStates.Suspended or LifecycleStates.Abnormal or LifecycleStates.Stray or LifecycleStates.Retired:
                (state[0], state[6], state[8]) = (0, 0, 0);
                return Verdict.None;
            case SignalKind.Tick when IsFalling(state):
                return Ticked(state, signal);
            default:
                return Verdict.None;
        }
    }

    public int Stage(ReadOnlySpan<long> state) => (int)state[8] - 1;

    public string Reason(ReadOnlySpan<long> state) => state[10] == 1 ? SilenceCondition.GroupEvent : SilenceCondition.BacklogDelivered;

    public long Due(ReadOnlySpan<long> state, long at, long downtime)
    {
        if (!IsFalling(state))
        {
            return long.MaxValue;
        }

        var from = state[0] + (downtime - state[1]);
        var (rare, stopped) = (from + Limit(state), from + Math.Max(parameters.StopMs, Limit(state)));
        return rare > at ? rare : stopped > at ? Math.Min(stopped, ((at / Minute) + 1) * Minute) : ((at / Minute) + 1) * Minute;
    }

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal)
    {
        var (limit, isStopped) = (Limit(state), Stage(state) == 1);
        var open = state[11];
        var facts = new Dictionary<string, string>
        {
            ["rarer"] = Facts.Whole(state[6] + (open > 0 ? 1 : 0)),
            ["allowed"] = Facts.Duration(limit / 1000 * 1000),
            ["usual"] = Facts.Duration(state[4] / 1000 * 1000),
            ["silent"] = Facts.Duration(open / 1000 * 1000),
            ["span"] = Facts.Duration((signal.At - state[7]) / 1000 * 1000),
        };
        return new Evidence
        {
            Metric = isStopped ? "silence" : "rarer",
            Unit = isStopped ? "s" : "count",
            Measured = isStopped ? open / 1000.0 : state[6] + (open > 0 ? 1 : 0),
            ExpectedHigh = isStopped ? parameters.StopMs / 1000.0 : parameters.Rarer - 1,
            Origin = parameters.IntervalMs > 0 ? "template" : "learnt",
            Events = [state[3]],
            Counterfactual = isStopped
                ? new Counterfactual("stop", "at-least", Math.Floor(open / 1000.0) + 1, "s")
                : new Counterfactual("rarer", "at-least", state[6] + (open > 0 ? 1 : 0) + 1, "count"),
            Facts = facts,
        };
    }

    private Verdict Heard(Span<long> state, in Signal signal)
    {
        if (signal.Backlog)
        {
            return Filled(state, signal);
        }

        var (last, isWatched) = (state[0], ModeCell.Matches(ref state[2], mode, signal.Mode));
        var distance = last == 0 ? 0 : Math.Max(0, signal.At - last - (signal.Downtime - state[1]));
        var limit = Limit(state);
        (state[0], state[1], state[3]) = (isWatched ? signal.At : 0, signal.Downtime, signal.Position);
        if (!isWatched || last == 0)
        {
            // The expected cadence is that of the mode: with another one it begins anew.
            (state[6], state[8], state[12]) = (0, 0, 0);
            return isWatched ? Verdict.None : Verdict.Calm;
        }

        // Lessons are over, a tablet is switched off: such a distance is no step of a fall. One that was found goes on, for what is stored may explain it.
        var isRare = state[5] >= Enough && distance > limit;
        if (isRare && (state[8] != 0 || distance < Math.Max(parameters.StopMs, 2 * limit)))
        {
            return Rare(state, last, signal.At);
        }

        if (isRare || (distance > limit && parameters.IntervalMs > 0))
        {
            state[5] = 0;
        }
        else
        {
            state[4] = state[4] == 0 ? Math.Max(1, distance) : Math.Max(1, state[4] + ((distance - state[4]) / 8));
            state[5] = Math.Min(state[5] + 1, Enough);
        }

        if (parameters.Habit > 0 && state[12] != 0)
        {
            new Habits(state[Own..]).Add(state[7], signal.At - state[7], 0);
        }

        (state[6], state[8], state[12]) = (0, 0, 0);
        return Verdict.Calm;
    }

    private Verdict Rare(Span<long> state, long last, long at)
    {
        if (state[6] == 0)
        {
            (state[7], state[9]) = (last, 0);
        }

        state[6]++;
        if (state[6] >= Adapts)
        {
            (state[4], state[5], state[6], state[8], state[12]) = (0, 0, 0, 0, 0);
            return Verdict.Calm;
        }

        if (state[6] < parameters.Rarer || IsUsual(state, at))
        {
            return Verdict.None;
        }

        (state[8], state[11]) = (Math.Max(state[8], 1), 0);
        return Verdict.Violation;
    }

    private Verdict Ticked(Span<long> state, in Signal signal)
    {
        var open = signal.At - state[0] - (signal.Downtime - state[1]);
        var limit = Limit(state);
        if (open <= limit)
        {
            return Verdict.None;
        }

        if (signal.Outage.Covers(state[0]))
        {
            (state[6], state[10], state[12]) = (0, 1, 0);
            return state[8] == 0 ? Verdict.None : Back(state);
        }

        var stage = open >= Math.Max(parameters.StopMs, limit) ? 2 : 1;
        if (stage <= state[8] && signal.At / Minute == signal.TickBefore / Minute)
        {
            return Verdict.None;
        }

        if (state[6] == 0)
        {
            (state[7], state[9]) = (state[0], 0);
        }

        if (IsUsual(state, signal.At))
        {
            return Verdict.None;
        }

        (state[8], state[11]) = (Math.Max(state[8], stage), open);
        return Verdict.Violation;
    }

    /// <summary>A stored reading: each stands for up to two distances of the hole.</summary>
    private Verdict Filled(Span<long> state, in Signal signal)
    {
        if (state[0] == 0 || (state[6] == 0 && state[8] == 0))
        {
            return Verdict.None;
        }

        if (state[8] != 0 && state[6] == 0)
        {
            state[7] = Math.Min(state[7], state[0]);
        }

        state[9] += 2 * Limit(state);
        (state[0], state[1], state[3]) = (signal.At, signal.Downtime, signal.Position);
        if (state[9] < signal.At - state[7])
        {
            return Verdict.None;
        }

        (state[6], state[10], state[12]) = (0, 0, 0);
        return state[8] == 0 ? Verdict.None : Back(state);
    }

    private bool IsUsual(Span<long> state, long at)
    {
        if (state[12] == 0)
        {
            state[12] = 1 + (parameters.Habit == 0 ? 0 : Habits.Usual(state[Own..], state[7], 0, parameters.Habit, zone));
        }

        return at - state[7] < (state[12] - 1) * 5 / 4;
    }

    private static Verdict Back(Span<long> state)
    {
        state[8] = 0;
        return Verdict.Retract;
    }

    /// <summary>True when one more distance that is too long, the open one, makes a falling cadence.</summary>
    private bool IsFalling(ReadOnlySpan<long> state) => state[0] != 0 && state[5] >= Enough && state[6] + 1 >= parameters.Rarer;

    private long Limit(ReadOnlySpan<long> state) => parameters.IntervalMs > 0
        ? parameters.IntervalMs + (parameters.IntervalMs * parameters.SlackPercent / 100)
        : (long)(state[4] * parameters.Factor);
}
