using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions.Identity;

/// <summary>
/// A message that was taken before comes again: it was recorded and is played again, or an acknowledgement was lost.
/// <para>
/// From elsewhere: from a network that the device does not use, and then the device is heard where it was. One that moved goes on from there, and
/// the very last message may take a second line. Late: the device has sent newer ones for long. Only time in which it was heard counts, so what
/// was under way when it was parked is not late in the morning, and after a backlog nothing is.
/// </para>
/// <code>
/// cell 0, 1   arrival of the last new message, its journal position     cell 2      highest number + 1
/// cell 3      binding epoch                                             cell 4      time heard so far, milliseconds
/// cell 5, 6   highest number + 1 a while ago, time heard then           cell 7, 8   the same a while before (0 none)
/// cell 9      arrival of the last backlog                               cell 10, 11 networks that new messages came from, the last first
/// cell 12     1 while repeats from elsewhere wait to be explained       cell 13     their network, as a hash
/// cell 14-16  their number, arrival of the last, its journal position   cell 17     time heard since a late one
/// cell 18     stage of the last violation
/// </code>
/// </summary>
/// <param name="afterMs">Repeats are late after so long, milliseconds.</param>
internal sealed class ReplayCondition(long afterMs) : ICondition
{
    public static readonly ConditionKind Kind = new(
        "replay",
        [Scopes.Device],
        TakesMode: false,
        [new ParameterSpec("after", ParameterType.Duration, 60, 30 * 86_400, 3600)],
        input => new ReplayCondition(input.Milliseconds("after")))
    {
        Stages = ["late", "elsewhere"],
    };

    private const long Hour = 3_600_000;
    private const int Late = 0;
    private const int Elsewhere = 1;

    // A longer pause than so many usual distances is no time in which the device was heard.
    private const int MostDistances = 4;

    public int Cells => 19;

    public long QuietAfter => Hour;

    public bool Concerns(in Signal signal) => signal.Kind is SignalKind.Message or SignalKind.Duplicate;

    public Verdict Step(Span<long> state, in Signal signal) => signal.Kind switch
    {
        SignalKind.Message => New(state, signal),
        SignalKind.Duplicate => Repeat(state, signal),
        _ => Verdict.None,
    };

    public int Stage(ReadOnlySpan<long> state) => (int)state[18];

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal)
    {
        var isLate = state[18] == Late;
        var network = isLate ? signal.Source.NetworkText : null;
        var heard = state[17] / 1000;
        return new Evidence
        {
            Metric = isLate ? "repeat-age" : "repeats",
            Unit = isLate ? "s" : "count",
            Measured = isLate ? heard : state[14],
            ExpectedHigh = isLate ? afterMs / 1000.0 : 0,
            Origin = "template",
            Events = [isLate ? state[1] : state[16], signal.Position],
            Counterfactual = isLate ? new Counterfactual("after", "at-least", heard + 1, "s") : new Counterfactual("raiseAfter", "at-least", 2, "count"),

            // From where the repeats came stands in the history beside them; a state keeps no address.
            Claim = network,
            Facts = new Dictionary<string, string> { ["source"] = network ?? "", ["age"] = Facts.Duration(heard * 1000) },
        };
    }

    private Verdict New(Span<long> state, in Signal signal)
    {
        var network = (long)signal.Source.Network;
        var isFound = state[12] != 0 && network != state[13] && (network == state[10] || network == state[11]) && signal.At - state[15] <= afterMs;
        state[12] = 0;
        if (network != state[10])
        {
            (state[10], state[11]) = (network, state[10]);
        }

        Count(state, signal);
        (state[0], state[1], state[9]) = (signal.At, signal.Position, signal.Backlog ? signal.At : state[9]);
        if (!isFound)
        {
            return Verdict.None;
        }

        state[18] = Elsewhere;
        return Verdict.Violation;
    }

    /// <summary>Notes how far the numbers are, and how far they were a while ago.</summary>
    private void Count(Span<long> state, in Signal signal)
    {
        var distance = state[0] == 0 ? 0 : Math.Max(0, signal.At - state[0]);
        state[4] += signal.Facts.Cadence > 0 ? Math.Min(distance, MostDistances * signal.Facts.Cadence) : distance;
        if (state[3] != signal.Epoch)
        {
            // Counters may restart with a new binding.
            (state[2], state[3], state[5], state[7]) = (0, signal.Epoch, 0, 0);
        }

        if (signal.Sequence is < 0 or long.MaxValue)
        {
            return;
        }

        state[2] = Math.Max(state[2], signal.Sequence + 1);
        if (state[5] == 0 || state[4] - state[6] >= afterMs)
        {
            (state[7], state[8], state[5], state[6]) = (state[5], state[6], state[2], state[4]);
        }
    }

    private Verdict Repeat(Span<long> state, in Signal signal)
    {
        if (state[0] == 0 || signal.Epoch != state[3])
        {
            return Verdict.None;
        }

        // Old enough are all numbers up to where the device was so long ago.
        var number = signal.Sequence is < 0 or long.MaxValue ? 0 : signal.Sequence + 1;
        var (until, since) = state[4] - state[6] >= afterMs ? (state[5], state[6]) : (state[7], state[8]);
        var isAfterBacklog = state[9] != 0 && signal.At - state[9] < afterMs;
        if (number != 0 && number <= until && !isAfterBacklog)
        {
            (state[17], state[18]) = (state[4] - since, Late);
            return Verdict.Violation;
        }

        var network = (long)signal.Source.Network;
        if (network != 0 && network != state[10] && network != state[11] && (ulong)network != signal.Facts.LastNetwork && (ulong)network != signal.Facts.SimNetwork && (number == 0 || number != state[2]))
        {
            state[14] = state[12] != 0 && state[13] == network ? state[14] + 1 : 1;
            (state[12], state[13], state[15], state[16]) = (1, network, signal.At, signal.Position);
        }

        return Verdict.None;
    }
}
