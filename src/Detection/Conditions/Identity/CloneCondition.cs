using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Conditions.Identity;

/// <summary>
/// Two units send under one identity. Signs, each within a time in which one unit does not do that:
/// <para>
/// A series goes on: from a second address comes a lower number though device time has gone on, and then the first address goes on where it was.
/// Once is enough, so that it is found before a response to something else locks both out.
/// </para>
/// <para>
/// Two places: messages come in turns from two addresses, and the numbers go back and forth between two series (<see cref="TwoSeries"/>). One unit
/// with two lines (IPv4 and IPv6, mobile and wireless) has one series, and a handover does not come back. Two series: back and forth from wherever,
/// with device times, because without them stored readings between live ones look the same. Bindings: in turns from two addresses, one of which
/// keeps binding anew or asking to. Turns: more of them where there are no sequences, between two networks of one protocol, because a unit that has
/// both protocols may use them in turns.
/// </para>
/// <para>
/// What comes again unchanged is a lost acknowledgement or a second line, and what was stored for a gap is one unit's: neither counts. Refused
/// requests with the device's own token do, because both go on when the device is suspended.
/// </para>
/// <code>
/// cell 0, 1  address that sent last: hash, arrival      cell 2, 3  the one before
/// cell 4, 5  their networks: hash, protocol in bit 0    cell 6     turns back to the one before
/// cell 7     those between networks of one protocol     cell 8     last of what is counted
/// cell 9     binding epoch                              cell 10    bindings anew, or asked for, meanwhile
/// cell 11    back and forth between two series          cell 12    of those with device times
/// cell 13    why: one of the constants below            cell 14    journal position of the signal before
/// cell 15    of the last                                cell 16    numbers sent again from the other address
/// cell 17    milliseconds after which an address went on with its own series by this message, + 1; 0 when it did not   then the series
/// </code>
/// </summary>
/// <param name="times">Turns, or back and forth between two series; at least 2.</param>
/// <param name="withinMs">What is further apart does not belong together, milliseconds.</param>
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

    private const int Own = 18;

    // More is asked for where sequences do not help.
    private const int More = 2;
    private const int Least = 2;
    private const int ByPlaces = 1;
    private const int BySeries = 2;
    private const int ByBindings = 3;
    private const int ByTurns = 4;
    private const int ByGoingOn = 5;

    public int Cells => Own + TwoSeries.Cells;

    public long QuietAfter => 6 * withinMs;

    public bool Concerns(in Signal signal) => signal.Source.Hash != 0 && signal.Kind switch
    {
        SignalKind.Message => !signal.Backlog,
        SignalKind.Refusal => signal.What is not (RefusalReasons.Unregistered or RefusalReasons.WrongSecret or RefusalReasons.BadToken),
        SignalKind.Authentication => signal.What is AuthenticationOutcomes.Bound or AuthenticationOutcomes.Renewed,
        _ => false,
    };

    public Verdict Step(Span<long> state, in Signal signal)
    {
        if (!Concerns(signal))
        {
            return Verdict.None;
        }

        if (signal.At - state[8] > withinMs)
        {
            (state[6], state[7], state[10], state[11], state[12], state[16]) = (0, 0, 0, 0, 0, 0);
        }

        (state[14], state[15]) = (state[15], signal.Position);
        var isReturn = state[0] != (long)signal.Source.Hash && state[2] == (long)signal.Source.Hash && signal.At - state[3] <= withinMs;
        var away = signal.At - state[3];
        var isElsewhere = Turn(state, signal, isReturn);
        state[17] = 0;
        if (signal.Kind == SignalKind.Message)
        {
            var isOther = Order(state, signal, isElsewhere);
            state[17] = isOther && isReturn && signal.DeviceTime != 0 ? away + 1 : 0;
        }
        else if (signal.Kind == SignalKind.Refusal && signal.What == RefusalReasons.Pending)
        {
            state[10]++;
        }

        var why = Why(state);
        if (why == 0)
        {
            return Verdict.None;
        }

        state[13] = why;
        return Verdict.Violation;
    }

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal)
    {
        var why = (int)state[13];
        var (metric, measured, more) = why switch
        {
            ByPlaces => ("turns", state[6], 0),
            BySeries => ("series-changes", state[12], 0),
            ByGoingOn => ("series-changes", state[11], 0),
            ByBindings => ("turns", state[6], More),
            _ => ("turns", state[7], More),
        };
        return new Evidence
        {
            Metric = metric,
            Unit = "count",
            Measured = measured,
            ExpectedHigh = why == ByGoingOn ? state[11] - 1 : times + more - 1,
            Origin = "template",
            Events = state[14] == 0 ? [signal.Position] : [state[14], signal.Position],
            Counterfactual = why == ByGoingOn
                ? new Counterfactual("within", "at-most", Math.Max(0, Math.Ceiling((state[17] - 1) / 1000.0) - 1), "s")
                : new Counterfactual("times", "at-least", measured + 1 - more, "count"),
            Facts = new Dictionary<string, string>
            {
                ["why"] = why switch { ByPlaces => "places", BySeries => "series", ByBindings => "bindings", ByGoingOn => "goes-on", _ => "turns" },
                ["changes"] = Facts.Whole(state[6]),
                ["networks"] = state[5] == 0 || state[4] == state[5] ? "1" : "2",
                ["series"] = Facts.Whole(state[11]),
                ["sequences"] = state[Own] == 0 ? "" : TwoSeries.TextOf(state[Own..]),
                ["source"] = signal.Source.NetworkText ?? "",
                ["within"] = Facts.Duration(withinMs),
            },
        };
    }

    /// <summary>Counts a return to the address that sent before the last one.</summary>
    /// <returns>True when it is another address than the last one.</returns>
    private static bool Turn(Span<long> state, in Signal signal, bool isReturn)
    {
        var source = (long)signal.Source.Hash;
        if (state[0] == source)
        {
            state[1] = signal.At;
            return false;
        }

        var network = ((long)signal.Source.Network & ~1L) | (signal.Source.IsIPv4 ? 1L : 0L);
        if (isReturn)
        {
            var isPlain = network != state[4] && (network & 1) == (state[4] & 1);
            (state[6], state[7], state[8]) = (state[6] + 1, state[7] + (isPlain ? 1 : 0), signal.At);
        }

        (state[2], state[3], state[5], state[0], state[1], state[4]) = (state[0], state[1], state[4], source, signal.At, network);
        return state[2] != 0;
    }

    /// <summary>Follows the numbers.</summary>
    /// <returns>True when they go on with the other series.</returns>
    private bool Order(Span<long> state, in Signal signal, bool isElsewhere)
    {
        if (state[9] != signal.Epoch)
        {
            // Counters may restart with a new binding.
            state[10] += state[9] == 0 ? 0 : 1;
            state[Own..].Clear();
            state[9] = signal.Epoch;
        }

        if (signal.Sequence is < 0 or long.MaxValue)
        {
            state[Own..].Clear();
            return false;
        }

        var step = TwoSeries.Goes(state[Own..], signal.Sequence, signal.DeviceTime, signal.At, withinMs);
        if (step == SeriesStep.Other)
        {
            (state[11], state[12], state[8]) = (state[11] + 1, state[12] + (signal.DeviceTime == 0 ? 0 : 1), signal.At);
        }
        else if (step == SeriesStep.Again && isElsewhere)
        {
            (state[16], state[8]) = (state[16] + 1, signal.At);
        }

        return step == SeriesStep.Other;
    }

    private int Why(ReadOnlySpan<long> state) =>
        state[17] != 0 ? ByGoingOn
        : state[6] >= times && (state[11] > 0 || state[16] >= Least) ? ByPlaces
        : state[12] >= times ? BySeries
        : state[6] >= times + More && state[10] >= Least ? ByBindings
        : state[7] >= times + More && state[Own] == 0 && state[9] != 0 ? ByTurns
        : 0;
}
