using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Conditions.Metrics;

/// <summary>
/// Attempts to authenticate within a sliding period of arrival time: all of them, for storms, or those with wrong credentials, for bursts
/// of guesses and, over a day, for slow ones. An attempt is counted once, where the gateway tells of it once: tokens given out and attempts of who
/// is locked out come as authentications, wrong credentials and senders that must wait as refusals. Attempts that the gateway's own limits turn
/// away are not told from messages and are left out, so that those limits (Devices:Attempts) must lie above the ones here. The period is kept to a
/// thirtieth: what lies at most that much farther apart may be counted as well, what lies within it always is.
/// <code>
/// cell 0  the period after the last sample + 1; 0 before the first attempt   cell 1  1 when something since that sample was not clean
/// cell 2  downtime of the gateway at that sample
/// then    31 stretches, a 30th of the period each: bits 0-31 attempts, bits 32-63 those with wrong credentials
/// </code>
/// </summary>
internal sealed class AttemptsMetric(bool isFailedOnly, long periodMs) : IMetric
{
    /// <summary>"attempts": per period.</summary>
    public static readonly ConditionKind Kind = ThresholdKind.Of(
        "attempts",
        [Scopes.Device, Scopes.User, Scopes.Source, Scopes.Field],
        [
            ParameterSpec.Choice("outcome", "all", "all", "failed"),
            new ParameterSpec("period", ParameterType.Duration, 10, 31 * 86_400, 60),
        ],
        input => new AttemptsMetric(input.Text("outcome") == "failed", input.Milliseconds("period")),
        high: new ParameterSpec("attempts", ParameterType.Count, 1, 100_000));

    private const int Own = 3;
    private const int Parts = 30;
    private const int FailedBits = 32;

    private readonly long _stretch = Math.Max(1, periodMs / Parts);

    public string Name => isFailedOnly ? "failed-attempts" : "attempts";

    public string PriorName => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Name}:{periodMs / 1000}");

    public string Unit => "count";

    public int Cells => Own + Buckets.CellsFor(Parts + 1);

    public long QuietAfter => periodMs;

    public bool Concerns(in Signal signal) => signal.Kind switch
    {
        SignalKind.Authentication => signal.What is AuthenticationOutcomes.Bound or AuthenticationOutcomes.Renewed or AuthenticationOutcomes.Suspended,
        SignalKind.Refusal => signal.What is RefusalReasons.Pending || IsFailed(signal),
        _ => false,
    };

    public bool Measure(Span<long> state, in Signal signal, int turn, out Measured value)
    {
        value = default;
        var now = signal.At / _stretch;
        if (turn > 0 || !new Buckets(state[Own..]).Add(now, Attempts(signal)))
        {
            return false;
        }

        // Once per period the sum is a sample of its own; those between overlap.
        var period = now / Parts;
        var isSample = period >= state[0];
        state[1] = signal.IsClean ? state[1] : 1;
        var (all, failed) = Sum(state, now);
        value = new Measured(isFailedOnly ? failed : all, signal.At, state[1] == 0 && state[2] == signal.Downtime) { IsPartial = !isSample };
        if (isSample)
        {
            (state[0], state[1], state[2]) = (period + 1, 0, signal.Downtime);
        }

        return true;
    }

    public IEnumerable<KeyValuePair<string, string>> Facts(ReadOnlySpan<long> state, in Signal signal)
    {
        var (all, failed) = Sum(state.ToArray(), signal.At / _stretch);
        return [new("period", Conditions.Facts.Duration(periodMs)), new("attempts", Conditions.Facts.Whole(all)), new("failed", Conditions.Facts.Whole(failed))];
    }

    private static bool IsFailed(in Signal signal) => signal.What is RefusalReasons.WrongSecret or RefusalReasons.Unregistered;

    // Refusals of a second come together.
    private static long Attempts(in Signal signal) => signal.Kind == SignalKind.Authentication ? 1
        : IsFailed(signal) ? signal.Count + ((long)signal.Count << FailedBits)
        : signal.Count;

    private static (long All, long Failed) Sum(Span<long> state, long now)
    {
        var sum = new Buckets(state[Own..]).Sum(now - Parts, now);
        return (sum & uint.MaxValue, sum >>> FailedBits);
    }
}
