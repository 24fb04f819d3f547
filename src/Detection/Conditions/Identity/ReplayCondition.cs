using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions.Identity;

/// <summary>
/// A message that was taken before comes again, from another network than the device's, or long after: it was recorded and is played again. What
/// comes again soon from where the device is, is a device whose acknowledgement was lost.
/// <code>cell 0  arrival of the last new message   cell 1  its journal position   cell 2  repeats of the last violation's kind   cell 3  1 from elsewhere, 2 late</code>
/// </summary>
/// <param name="afterMs">Repeats are late so long after the last new message, milliseconds.</param>
internal sealed class ReplayCondition(long afterMs) : ICondition
{
    public static readonly ConditionKind Kind = new(
        "replay",
        [Scopes.Device],
        TakesMode: false,
        [new ParameterSpec("after", ParameterType.Duration, 60, 30 * 86_400, 6 * 3600)],
        input => new ReplayCondition(input.Milliseconds("after")));

    private const long Hour = 3_600_000;
    private const int FromElsewhere = 1;
    private const int Late = 2;

    public int Cells => 4;

    public long QuietAfter => Hour;

    public bool Concerns(in Signal signal) => signal.Kind is SignalKind.Message or SignalKind.Duplicate;

    public Verdict Step(Span<long> state, in Signal signal)
    {
        if (signal.Kind == SignalKind.Message)
        {
            (state[0], state[1]) = (signal.At, signal.Position);
            return Verdict.None;
        }

        if (signal.Kind != SignalKind.Duplicate || state[0] == 0)
        {
            return Verdict.None;
        }

        // Where it authenticated is where it is, too: a device that moved repeats from there what was under way.
        var isElsewhere = signal.Source.Network != 0 && signal.Facts.LastAuthentication != 0 && signal.Facts.LastSource != signal.Source.Hash
            && signal.Facts.LastNetwork != signal.Source.Network && signal.Facts.SimNetwork != signal.Source.Network;
        var isLate = signal.At - state[0] >= afterMs;
        if (!isElsewhere && !isLate)
        {
            return Verdict.None;
        }

        (state[2], state[3]) = (state[2] + 1, isElsewhere ? FromElsewhere : Late);
        return Verdict.Violation;
    }

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal) => new()
    {
        Metric = "repeat-age",
        Unit = "s",
        Measured = (signal.At - state[0]) / 1000.0,
        ExpectedHigh = afterMs / 1000.0,
        Origin = "template",
        Events = [state[1], signal.Position],
        Counterfactual = new Counterfactual("after", "at-least", Math.Floor((signal.At - state[0]) / 1000.0) + 1, "s"),
        Claim = signal.Source.NetworkText,
        Facts = new Dictionary<string, string>
        {
            ["why"] = state[3] == FromElsewhere ? "elsewhere" : "late",
            ["source"] = signal.Source.NetworkText ?? "",
            ["age"] = Facts.Duration((signal.At - state[0]) / 1000 * 1000),
        },
    };
}
