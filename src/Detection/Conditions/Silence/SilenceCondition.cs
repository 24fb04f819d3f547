using System.Globalization;
using Sekisho.Detection.Conditions.Schedules;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Conditions.Silence;

/// <summary>
/// Nothing arrived for a while, judged in arrival time on ticks, so that it is found while it lasts. Time in which the gateway
/// was down does not count, nor does silence of a device that is locked out. Three stages: late and unreachable, which go by what is usual
/// for the device in its operating mode; and suspected theft, which comes with time or, sooner, when the SIM is on the network while the device
/// says nothing. Silences that are usual at this hour and place, neighbours at the same place that fell silent as well, and a group event that
/// it is part of hold it back. Stored readings that fill the gap take back what was found. Once overdue it is judged again at each full minute.
/// <code>
/// cell 0   arrival time of the last message; 0 before the first    cell 1   downtime of the gateway at that moment
/// cell 2   mode, as in <see cref="ModeCell"/>                       cell 3   journal position of the last message
/// cell 4   usual length of a silence that begins like this + 1; 0 while it is not looked up      cell 5  place, as in <see cref="Habits"/>
/// cell 6   stage of the last violation of this silence + 1, bits 8-15 why                        cell 7  hash of the SIM's cell at the last message
/// cell 8   length of the silence that stored readings may explain; 0 for none   cell 9  how much of it they have explained   cell 10  when it ended
/// cell 11  highest sequence so far + 1        cell 12  its binding epoch         cell 13  end of the last group event that held it back
/// cell 14  1 when what is taken back was part of a group event      cell 15  share of distances longer than the duration, of 1024
/// then     paces of its modes, habits
/// </code>
/// </summary>
internal sealed class SilenceCondition(string? mode, SilenceParameters parameters, TimeZoneInfo zone, FieldCalendar calendar) : ICondition
{
    public static readonly ConditionKind Kind = new(
        "silence",
        [Scopes.Device, Scopes.User, Scopes.Field],
        TakesMode: true,
        [
            new ParameterSpec("duration", ParameterType.Duration, 10, 90 * 86_400),
            new ParameterSpec("late", ParameterType.Duration, 0, 90 * 86_400, 0),
            new ParameterSpec("unreachable", ParameterType.Duration, 0, 90 * 86_400, 0),
            new ParameterSpec("attached", ParameterType.Duration, 0, 90 * 86_400, 0),
            new ParameterSpec("longest", ParameterType.Duration, 10, 90 * 86_400, 3 * 86_400),
            new ParameterSpec("habit", ParameterType.Count, 0, Habits.Most, 5),
            new ParameterSpec("neighbours", ParameterType.Count, 0, Devices.Neighbours.Most, 3),
            ParameterSpec.Choice("holidays", "count", "count", "pause"),
        ],
        input => new SilenceCondition(input.Mode, SilenceParameters.Of(input), input.Zone, input.Calendar))
    {
        Stages = ["late", "unreachable", "suspected-theft"],
        Reasons = [BacklogDelivered, GroupEvent],
        AsksNeighbours = true,
    };

    /// <summary>Reason: stored readings fill the gap.</summary>
    public const string BacklogDelivered = "backlog-delivered";

    /// <summary>Reason: many fell silent at once, which is one event.</summary>
    public const string GroupEvent = "group-event";

    private const int Own = 16;
    private const long Minute = 60_000;

    // What is shorter is no habit worth a place.
    private const long LeastHabit = 5 * Minute;

    // Three of four distances: then the limit is no measure of this device.
    private const int Whole = 1024;
    private const int MostLong = 768;

    // After a silence the device is given this long to deliver what it has stored.
    private const long Delivery = 2 * Minute;

    private const int LateStage = 0;
    private const int UnreachableStage = 1;
    private const int TheftStage = 2;

    private const int ByDuration = 0;
    private const int ByAttachment = 1;
    private const int ByMovement = 2;

    public int Cells => Own + Paces.Cells + Habits.Most;

    public long QuietAfter => long.MaxValue;

    public bool Concerns(in Signal signal) => signal.Kind is SignalKind.Message or SignalKind.Duplicate or SignalKind.Device or SignalKind.Tick;

    public Verdict Step(Span<long> state, in Signal signal)
    {
        switch (signal.Kind)
        {
            case SignalKind.Message or SignalKind.Duplicate:
                return Heard(state, signal);
            case SignalKind.Device when signal.What is LifecycleStates.Suspended or LifecycleStates.Abnormal or LifecycleStates.Stray or LifecycleStates.Retired:
                (state[0], state[6], state[8]) = (0, 0, 0);
                return Verdict.None;
            case SignalKind.Tick when IsWatched(state):
                return Ticked(state, signal);
            default:
                return Verdict.None;
        }
    }

    public int Stage(ReadOnlySpan<long> state) => (int)(state[6] & 0xFF) - 1;

    public string Reason(ReadOnlySpan<long> state) => state[14] == 1 ? GroupEvent : BacklogDelivered;

    public long Due(ReadOnlySpan<long> state, long at, long downtime)
    {
        var delivered = state[8] == 0 ? long.MaxValue : state[10] + Delivery;
        if (!IsWatched(state))
        {
            return delivered;
        }

        var next = long.MaxValue;
        var isOverdue = false;
        for (var stage = LateStage; stage <= TheftStage + 1; stage++)
        {
            var limit = stage > TheftStage ? Attached(state, isMoved: true) : Limit(state, stage, interval: 0);
            if (limit == long.MaxValue)
            {
                continue;
            }

            var deadline = Deadline(state, limit, downtime);
            (next, isOverdue) = deadline > at ? (Math.Min(next, deadline), isOverdue) : (next, true);
        }

        return Math.Min(delivered, isOverdue ? Math.Min(next, ((at / Minute) + 1) * Minute) : next);
    }

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal)
    {
        var silent = Silent(state, signal.At, signal.Downtime);
        var (stage, why) = (Stage(state), (int)(state[6] >> 8));
        var usual = Math.Max(0, state[4] - 1);
        var limit = why == ByDuration ? Limit(state, stage, signal.Interval) : Attached(state, why == ByMovement);
        var (heard, gone) = NeighboursOf(state, signal);
        var facts = new Dictionary<string, string>
        {
            ["silent"] = Facts.Duration(silent / 1000 * 1000),
            ["allowed"] = Facts.Duration(limit / 1000 * 1000),
            ["gatewayDown"] = Facts.Duration((signal.Downtime - state[1]) / 1000 * 1000),
            ["why"] = why switch { ByAttachment => "attached", ByMovement => "moved", _ => "duration" },
        };
        if (usual > 0)
        {
            facts["usual"] = Facts.Duration(usual);
        }

        if (Paces.Of(state.Slice(Own, Paces.Cells)) is { Longest: > 0 } pace)
        {
            facts["pace"] = Facts.Duration(pace.Longest / 1000 * 1000);
        }

        if (heard + gone > 0)
        {
            (facts["neighboursHeard"], facts["neighboursSilent"]) = (Facts.Whole(heard), Facts.Whole(gone));
        }

        if (!signal.Facts.IsEmpty && signal.Facts.Session != SimSessions.Unknown)
        {
            (facts["session"], facts["sessionAt"]) = (signal.Facts.Session, DateTimeOffset.FromUnixTimeMilliseconds(signal.Facts.SessionAt).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
        }

        var enough = Math.Floor(silent / 1000.0) + 1;
        return new Evidence
        {
            Metric = "silence",
            Unit = "s",
            Measured = silent / 1000.0,
            ExpectedHigh = limit / 1000.0,
            Origin = limit > Set(stage, why) ? "learnt" : "template",
            Events = [state[3]],
            Counterfactual = new Counterfactual(why != ByDuration ? "attached" : stage switch { LateStage => "late", UnreachableStage => "unreachable", _ => "duration" }, "at-least", enough, "s"),
            Facts = facts,
        };
    }

    private long Set(int stage, int why) =>
        why != ByDuration ? parameters.AttachedMs : stage switch { LateStage => parameters.LateMs, UnreachableStage => parameters.UnreachableMs, _ => parameters.DurationMs };

    private bool IsWatched(ReadOnlySpan<long> state) => state[0] != 0 && (mode is null || state[2] == 1);

    private Verdict Ticked(Span<long> state, in Signal signal)
    {
        if (state[8] != 0 && signal.At - state[10] >= Delivery && state[6] == 0)
        {
            // Nothing more came: what was found was so, and is over.
            state[8] = 0;
            return Verdict.Calm;
        }

        if (signal.Outage.Covers(state[0]))
        {
            // Somebody else's silence: its time is not counted to this device's, and begins anew when it is over.
            state[13] = Math.Max(state[13], signal.Outage.Until == 0 ? signal.At : signal.Outage.Until);
        }

        var isHeldBack = signal.Outage.Covers(state[0]);
        var silent = Silent(state, signal.At, signal.Downtime);
        var stage = StageOf(state, signal, silent, out var why);
        if (stage >= 0 && state[4] == 0)
        {
            state[5] = Habits.PlaceOf(signal.Place);
            state[4] = 1 + (parameters.Habit == 0 ? 0 : Habits.Usual(state[(Own + Paces.Cells)..], state[0], state[5], parameters.Habit, zone));
            stage = StageOf(state, signal, silent, out why);
        }

        if (stage > LateStage)
        {
            var (heard, gone) = NeighboursOf(state, signal);
            if (parameters.Neighbours > 0 && heard + gone >= parameters.Neighbours && 2 * gone >= heard + gone)
            {
                (stage, isHeldBack) = (parameters.LateMs > 0 ? LateStage : -1, true);
            }
        }

        var before = Stage(state);
        if (stage < before && isHeldBack)
        {
            (state[6], state[14]) = (0, 1);
            return Verdict.Retract;
        }

        if (stage < 0 || (stage <= before && signal.At / Minute == signal.TickBefore / Minute))
        {
            return Verdict.None;
        }

        state[6] = stage + 1 + ((long)why << 8);
        return Verdict.Violation;
    }

    /// <summary>The highest stage that the silence has reached; -1 for none.</summary>
    private int StageOf(ReadOnlySpan<long> state, in Signal signal, long silent, out int why)
    {
        why = ByDuration;
        if (silent >= Limit(state, TheftStage, signal.Interval))
        {
            return TheftStage;
        }

        // Only what the carrier told after the last message says something about this silence.
        if (!signal.Facts.IsEmpty && signal.Facts.Session == SimSessions.Attached && signal.Facts.SessionAt > state[0])
        {
            var isMoved = state[7] != 0 && signal.Facts.SimPlace != (ulong)state[7];
            if (silent >= Attached(state, isMoved))
            {
                why = isMoved ? ByMovement : ByAttachment;
                return TheftStage;
            }
        }

        return silent >= Limit(state, UnreachableStage, signal.Interval) ? UnreachableStage : silent >= Limit(state, LateStage, signal.Interval) ? LateStage : -1;
    }

    /// <summary>From how long on a stage is reached; <see cref="long.MaxValue"/> when it is switched off.</summary>
    private long Limit(ReadOnlySpan<long> state, int stage, long interval)
    {
        var usual = Math.Max(0, state[4] - 1);
        var (longest, seen) = Paces.Of(state.Slice(Own, Paces.Cells));
        if (stage == TheftStage)
        {
            // Of a device that keeps longer silences than the template allows nearly always, none of that length says anything, nor does one lost message.
            var lengthened = parameters.Habit > 0 && state[15] >= MostLong && longest > parameters.DurationMs ? longest * 5 / 2 : 0;
            var limit = Math.Max(usual > parameters.DurationMs ? usual * 3 / 2 : 0, lengthened);
            return limit > 0 ? Math.Min(parameters.LongestMs, limit) : Math.Max(parameters.DurationMs, interval * 3 / 2);
        }

        var set = stage == LateStage ? parameters.LateMs : parameters.UnreachableMs;
        if (set == 0)
        {
            return long.MaxValue;
        }

        // Of a mode that it was never seen to leave nobody knows what is usual.
        var paced = Math.Max(seen == 0 ? parameters.DurationMs * (3 + stage) / 4 : longest * (2 + stage), interval * (2 + stage));
        return Math.Max(Math.Max(set, paced), stage == LateStage ? usual * 11 / 10 : usual * 5 / 4);
    }

    /// <summary>From how long on a SIM on the network means theft; <see cref="long.MaxValue"/> when it never does.</summary>
    private long Attached(ReadOnlySpan<long> state, bool isMoved)
    {
        if (parameters.AttachedMs == 0)
        {
            return long.MaxValue;
        }

        var usual = Math.Max(0, state[4] - 1);
        var (longest, seen) = Paces.Of(state.Slice(Own, Paces.Cells));
        var paced = isMoved ? 0 : seen < Paces.Enough ? Math.Max(2 * longest, parameters.DurationMs * 3 / 4) : 2 * longest;
        return Math.Max(Math.Max(parameters.AttachedMs, paced), usual * 5 / 4);
    }

    private Verdict Heard(Span<long> state, in Signal signal)
    {
        var paces = new Paces(state.Slice(Own, Paces.Cells));
        if (IsWatched(state) && signal.At > state[0])
        {
            var silent = Silent(state, signal.At, signal.Downtime);
            if (state[6] != 0)
            {
                (state[8], state[9], state[10]) = (silent, 0, signal.At);
            }

            if (state[4] != 0 && silent >= LeastHabit && (state[6] >> 8) == ByDuration && GoesOn(state, signal))
            {
                new Habits(state[(Own + Paces.Cells)..]).Add(state[0], silent, state[5]);
            }

            if (!signal.Backlog && silent > 0)
            {
                paces.Learn(silent);
                state[15] += ((silent >= parameters.DurationMs ? Whole : 0) - state[15]) / 8;
            }
        }

        if (signal.Kind == SignalKind.Message)
        {
            Order(state, signal);
        }

        ModeCell.Matches(ref state[2], mode, signal.Mode);
        if (!signal.Backlog)
        {
            paces.Enter(signal.Mode);
        }

        (state[0], state[1], state[3], state[4], state[6]) = (signal.At, signal.Downtime, signal.Position, 0, 0);
        state[7] = signal.Facts.IsEmpty ? 0 : (long)signal.Facts.SimPlace;
        if (state[8] == 0)
        {
            return Verdict.Calm;
        }

        return Explained(state, signal);
    }

    /// <summary>A silence that something was found in has ended: do stored readings fill it?</summary>
    private Verdict Explained(Span<long> state, in Signal signal)
    {
        if (signal.Backlog && signal.Kind == SignalKind.Message)
        {
            // Each stands for the distance that is usual around it.
            var pace = Paces.In(state.Slice(Own, Paces.Cells), signal.Mode);
            state[9] += pace > 0 ? 2 * pace : parameters.DurationMs;
            if (state[9] >= state[8])
            {
                (state[8], state[14]) = (0, 0);
                return Verdict.Retract;
            }
        }

        // A device without a clock has nothing stored.
        if (signal.DeviceTime != 0 && signal.At - state[10] < Delivery)
        {
            return Verdict.None;
        }

        state[8] = 0;
        return Verdict.Calm;
    }

    // Who comes back with an older sequence is not believed to be the one who fell silent.
    private static bool GoesOn(ReadOnlySpan<long> state, in Signal signal) =>
        signal.Sequence == Signal.NoSequence || state[11] == 0 || state[12] != signal.Epoch || signal.Sequence >= state[11];

    private static void Order(Span<long> state, in Signal signal)
    {
        if (signal.Sequence is >= 0 and < long.MaxValue)
        {
            state[11] = state[12] == signal.Epoch ? Math.Max(state[11], signal.Sequence + 1) : signal.Sequence + 1;
            state[12] = signal.Epoch;
        }
    }

    // Who was heard in the first quarter of the silence may have fallen silent for the same reason a little later.
    private static (int Heard, int Silent) NeighboursOf(ReadOnlySpan<long> state, in Signal signal) =>
        signal.Neighbours.IsEmpty || signal.DeviceId is null ? default : signal.Neighbours.Split(state[0] - (signal.At - state[0]), state[0] + ((signal.At - state[0]) / 4), signal.DeviceId);

    private static long Since(ReadOnlySpan<long> state) => Math.Max(state[0], state[13]);

    /// <summary>How long it has been silent as far as that counts.</summary>
    private long Silent(ReadOnlySpan<long> state, long at, long downtime) => Math.Max(0, at - Since(state) - (downtime - state[1]) - Paused(Since(state), at));

    private long Deadline(ReadOnlySpan<long> state, long limit, long downtime)
    {
        var since = Since(state);
        var plain = since + limit + (downtime - state[1]);
        if (!parameters.PausesOnHolidays)
        {
            return plain;
        }

        // Each round may reach into further holidays; what is not reached in some rounds is looked at again at the tick.
        var deadline = plain;
        for (var round = 0; round < 8; round++)
        {
            deadline = plain + Paused(since, deadline);
        }

        return deadline;
    }

    /// <summary>Time on the field's holidays between two moments.</summary>
    private long Paused(long from, long to)
    {
        if (!parameters.PausesOnHolidays || to <= from)
        {
            return 0;
        }

        var sum = 0L;
        var day = LocalDay(from);
        for (var i = 0; i < 120; i++, day = day.AddDays(1))
        {
            var begin = Begin(day);
            if (begin >= to)
            {
                break;
            }

            sum += calendar.IsHoliday(day) ? Math.Max(0, Math.Min(to, Begin(day.AddDays(1))) - Math.Max(from, begin)) : 0;
        }

        return sum;
    }

    private DateOnly LocalDay(long at)
    {
        var utc = DateTimeOffset.FromUnixTimeMilliseconds(at);
        return DateOnly.FromDateTime(utc.UtcDateTime + zone.GetUtcOffset(utc));
    }

    private long Begin(DateOnly day)
    {
        var midnight = day.ToDateTime(TimeOnly.MinValue, DateTimeKind.Unspecified);
        return (long)(midnight - zone.GetUtcOffset(midnight) - DateTime.UnixEpoch).TotalMilliseconds;
    }
}
