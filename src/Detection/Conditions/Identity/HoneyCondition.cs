using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions.Identity;

/// <summary>
/// A honey device: registered, with credentials that lie where thieves look, and nothing that would ever use them. Whoever does is an intruder. It is
/// declared by its kind; without devices of that kind the condition never says anything.
/// <code>cell 0  contacts so far</code>
/// </summary>
internal sealed class HoneyCondition(IReadOnlyList<string> kinds) : ICondition
{
    public static readonly ConditionKind Kind = new(
        "honey",
        [Scopes.Device],
        TakesMode: false,
        [new ParameterSpec("kinds", ParameterType.Texts, 1, 16, ParameterValue.Of(new[] { "honey" }))],
        input => new HoneyCondition(input.List("kinds")));

    public int Cells => 1;

    public long QuietAfter => 24 * 3_600_000L;

    public bool Concerns(in Signal signal) => signal.Kind is SignalKind.Message or SignalKind.Duplicate or SignalKind.Authentication or SignalKind.Refusal && (signal.Device is null || IsHoney(signal));

    public Verdict Step(Span<long> state, in Signal signal)
    {
        if (!Concerns(signal) || !IsHoney(signal))
        {
            return Verdict.None;
        }

        state[0] += Math.Max(1, signal.Count);
        return Verdict.Violation;
    }

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal) => new()
    {
        Metric = "contacts",
        Unit = "count",
        Measured = state[0],
        ExpectedHigh = 0,
        Origin = "template",
        Events = [signal.Position],
        Counterfactual = new Counterfactual("raiseAfter", "at-least", state[0] + 1, "count"),
        Claim = signal.Source.NetworkText,
        Facts = new Dictionary<string, string>
        {
            ["source"] = signal.Source.NetworkText ?? "",
            ["contact"] = signal.Kind switch { SignalKind.Authentication => "authentication", SignalKind.Refusal => "refusal", _ => "message" },
        },
    };

    private bool IsHoney(in Signal signal)
    {
        if (signal.Device is not { } device)
        {
            return false;
        }

        foreach (var kind in kinds)
        {
            if (string.Equals(kind, device.Kind, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
