using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Conditions.Identity;

/// <summary>
/// Two units send under one identity. Four signs, each within a time in which one unit does not do that:
/// <para>
/// A series goes on behind another: from a second address comes a lower sequence though device time has gone on, and then the first address goes on
/// where it was. One unit that restarts begins anew and stays with that; an older reading that comes late has an older time. Once is enough, so that
/// it is found before a response to something else locks both out.
/// </para>
/// <para>
/// Two places: messages come in turns from two addresses, and at least twice from one of them with a sequence that the other has passed already. One
/// unit with two lines (IPv4 and IPv6, mobile and wireless) has one sequence, which only grows. Without sequences, or when the binding changes hands
/// in between, more turns are asked for. A handover moves and does not come back.
/// </para>
/// <para>
/// Two series: from wherever, the sequence falls again and again while device time goes on. A restart falls once; what was stored has older times.
/// </para>
/// <code>
/// cell 0, 1  address that sent last: hash, arrival    cell 2, 3  the one before          cell 4  turns back to the one before
/// cell 5     falls of the sequence between the two    cell 6     falls of the sequence while device time went on
/// cell 7     highest sequence lately + 1; 0 for none  cell 8     binding epoch           cell 9   device time of the last message
/// cell 10    last turn or fall                        cell 11    changes of the binding meanwhile
/// cell 12    why: 1 two places, 2 two series, 3 two places without sequences, 4 a series goes on                 cell 13  journal position of the last message
/// cell 14-16 the series that may go on: its address, its highest sequence + 1, device time of the lower one; cell 17 1 when it went on
/// </code>
/// </summary>
/// <param name="times">Turns, at least 2.</param>
/// <param name="withinMs">Turns and falls that are further apart do not belong together, milliseconds.</param>
internal sealed class CloneCondition(int times, long withinMs) : ICondition
{
    public static readonly ConditionKind Kind = new(
        "clone",
        [Scopes.Device],
        TakesMode: false,
        [
            new ParameterSpec("times", ParameterType.Count, 2, 100, 3),
            new ParameterSpec("within", ParameterType.Duration, 10, 86_400, 600),
        ],
        input => new CloneCondition(input.Whole("times"), input.Milliseconds("within")));

    // More is asked for where sequences do not help.
    private const int More = 2;
    private const int Falls = 2;
    private const int ByPlaces = 1;
    private const int BySeries = 2;
    private const int ByTurns = 3;
    private const int ByGoingOn = 4;

    // More messages than this cannot have been lost in between.
    private const long MostLost = 16;

    public int Cells => 18;

    public long QuietAfter => 6 * withinMs;

    public bool Concerns(in Signal signal) => signal.Kind switch
    {
        SignalKind.Message or SignalKind.Duplicate => !signal.Backlog,
        SignalKind.Authentication => signal.What is AuthenticationOutcomes.Bound or AuthenticationOutcomes.Renewed,
        _ => false,
    };

    public Verdict Step(Span<long> state, in Signal signal)
    {
        if (!Concerns(signal) || signal.Source.Hash == 0)
        {
            return Verdict.None;
        }

        if (signal.At - state[10] > withinMs)
        {
            (state[4], state[5], state[6], state[11], state[14], state[17]) = (0, 0, 0, 0, 0, 0);
        }

        var isOther = Turn(state, signal);
        if (signal.Kind != SignalKind.Authentication)
        {
            Order(state, signal, isOther);
        }

        var why = Why(state);
        if (why == 0)
        {
            return Verdict.None;
        }

        state[12] = why;
        return Verdict.Violation;
    }

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal)
    {
        var why = (int)state[12];
        var (measured, limit) = why switch
        {
            ByPlaces => (state[4], times),
            BySeries => (state[6], times + More),
            ByGoingOn => (state[5], 1),
            _ => (state[4], times + More),
        };
        return new Evidence
        {
            Metric = why is BySeries or ByGoingOn ? "sequence-falls" : "turns",
            Unit = "count",
            Measured = measured,
            ExpectedHigh = limit - 1,
            Origin = "template",
            Events = [state[13], signal.Position],
            Counterfactual = why == ByGoingOn
                ? new Counterfactual("within", "at-most", Math.Max(0, Math.Ceiling((signal.At - state[3]) / 1000.0) - 1), "s")
                : new Counterfactual("times", "at-least", measured + 1 - (why == ByPlaces ? 0 : More), "count"),
            Facts = new Dictionary<string, string>
            {
                ["why"] = why switch { ByPlaces => "places", BySeries => "series", ByGoingOn => "goes-on", _ => "turns" },
                ["source"] = signal.Source.NetworkText ?? "",
                ["falls"] = Facts.Whole(Math.Max(state[5], state[6])),
                ["within"] = Facts.Duration(withinMs),
            },
        };
    }

    /// <summary>Who sends? True when it is another address than last time.</summary>
    private bool Turn(Span<long> state, in Signal signal)
    {
        var source = (long)signal.Source.Hash;
        if (state[0] == source)
        {
            state[1] = signal.At;
            return false;
        }

        if (state[2] == source && signal.At - state[3] <= withinMs)
        {
            (state[4], state[10]) = (state[4] + 1, signal.At);
        }

        (state[2], state[3], state[0], state[1]) = (state[0], state[1], source, signal.At);
        return state[2] != 0;
    }

    private static void Order(Span<long> state, in Signal signal, bool isOther)
    {
        var hasTime = signal.DeviceTime != 0;
        if (signal.Sequence == Signal.NoSequence)
        {
            state[7] = 0;
        }
        else if (state[7] != 0 && state[8] == signal.Epoch)
        {
            // A repeat of the last message is one: its acknowledgement was lost.
            var isFall = signal.Kind == SignalKind.Duplicate ? signal.Sequence + 1 < state[7] : signal.Sequence + 1 <= state[7];
            var goesOn = hasTime && signal.DeviceTime > state[9];
            state[17] = isOther && goesOn && state[14] == (long)signal.Source.Hash && signal.Sequence + 1 > state[15] && signal.Sequence + 1 - state[15] <= MostLost && signal.DeviceTime > state[16] ? 1 : 0;
            if (isFall && isOther)
            {
                (state[5], state[10]) = (state[5] + 1, signal.At);
                (state[14], state[15], state[16]) = goesOn && signal.Kind == SignalKind.Message ? (state[2], state[7], signal.DeviceTime) : (0, 0, 0);
            }

            if (isFall && signal.Kind == SignalKind.Message && goesOn)
            {
                (state[6], state[10]) = (state[6] + 1, signal.At);
            }
        }
        else if (state[7] != 0)
        {
            state[11]++;
        }

        if (signal.Sequence != Signal.NoSequence)
        {
            // Between the two the higher one counts; within a series it may begin anew.
            state[7] = isOther && state[8] == signal.Epoch ? Math.Max(state[7], signal.Sequence + 1) : signal.Kind == SignalKind.Duplicate ? Math.Max(state[7], signal.Sequence + 1) : signal.Sequence + 1;
        }

        (state[8], state[9], state[13]) = (signal.Epoch, hasTime ? signal.DeviceTime : state[9], signal.Position);
    }

    private int Why(ReadOnlySpan<long> state) =>
        state[17] == 1 ? ByGoingOn
        : state[4] >= times && state[5] >= Falls ? ByPlaces
        : state[6] >= times + More ? BySeries
        : state[4] >= times + More && (state[7] == 0 || state[11] >= Falls) ? ByTurns
        : 0;
}
