using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions.Metrics;

/// <summary>
/// Bytes of messages within a period, by the times at which they were taken, so that a backlog counts where it belongs (R-157). Fixed periods
/// are the same for everybody and begin at the field's midnight where a day is a whole number of them; a sliding one ends at the message.
/// <code>
/// cell 0  fixed: the period that is given whole next; sliding: the period after the last sample; 0 before the first message
/// cell 1  1 when something in the running period was not clean
/// cell 2  downtime of the gateway when the running period began
/// then    sums: fixed 4 periods, sliding 25 stretches of a 24th of the period
/// </code>
/// </summary>
internal sealed class VolumeMetric(bool isSliding, long periodMs, long offsetMs) : IMetric
{
    /// <summary>"volume": per period.</summary>
    public static readonly ConditionKind Kind = ThresholdKind.Of(
        "volume",
        [Scopes.Device, Scopes.User, Scopes.Source, Scopes.Parent, Scopes.Place, Scopes.Kind, Scopes.Field],
        [
            new ParameterSpec("period", ParameterType.Duration, 60, 31 * 86_400, 86_400),
            ParameterSpec.Choice("window", "sliding", "sliding", "fixed"),
        ],
        input => new VolumeMetric(input.Text("window") == "sliding", input.Milliseconds("period"), (long)input.Zone.BaseUtcOffset.TotalMilliseconds),
        high: new ParameterSpec("bytes", ParameterType.Bytes, 1, 1L << 40),
        low: new ParameterSpec("least", ParameterType.Bytes, 0, 1L << 40));

    private const int Own = 3;
    private const int Parts = 24;
    private const int Periods = 4;
    private const int MostTurns = Periods + 1;

    // A period is given whole when late messages had some time to come.
    private const long Grace = 120_000;

    private readonly long _stretch = isSliding ? Math.Max(1, periodMs / Parts) : periodMs;

    public string Name => "volume";

    public string PriorName => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"volume:{(isSliding ? "sliding" : "fixed")}:{periodMs / 1000}");

    public string Unit => "bytes";

    public int Cells => Own + Buckets.CellsFor(isSliding ? Parts + 1 : Periods);

    public long QuietAfter => periodMs;

    public bool Concerns(in Signal signal) => signal.Kind == SignalKind.Message || (signal.Kind == SignalKind.Tick && !isSliding);

    public bool Measure(Span<long> state, in Signal signal, int turn, out Measured value)
    {
        var sums = new Buckets(state[Own..]);
        value = default;
        if (signal.Kind == SignalKind.Message && turn == 0)
        {
            return Count(state, sums, signal, out value);
        }

        // What is over is given whole, one period a turn: to judge it from both sides, and to learn from it.
        return !isSliding && state[0] != 0 && turn <= MostTurns && TryWhole(state, sums, signal, out value);
    }

    public long Due(ReadOnlySpan<long> state, long at, long downtime) => isSliding || state[0] == 0 ? long.MaxValue : End(state[0]) + Grace;

    public IEnumerable<KeyValuePair<string, string>> Facts(ReadOnlySpan<long> state, in Signal signal) => [new("period", Conditions.Facts.Duration(periodMs))];

    private bool Count(Span<long> state, in Buckets sums, in Signal signal, out Measured value)
    {
        value = default;
        var now = (signal.EventAt + offsetMs) / _stretch;
        if (!sums.Add(now, signal.Bytes))
        {
            return false;
        }

        state[1] = signal.IsClean ? state[1] : 1;
        if (state[0] == 0)
        {
            (state[0], state[2]) = (isSliding ? (now / Parts) + 1 : now, signal.Downtime);
        }

        if (!isSliding)
        {
            value = new Measured(sums.Sum(now, now), signal.EventAt, signal.IsClean) { IsPartial = true };
            return true;
        }

        // Once per period a sliding sum is a sample of its own; those between overlap.
        var isSample = now / Parts >= state[0];
        value = new Measured(sums.Sum(now - Parts + 1, now), signal.EventAt, state[1] == 0 && state[2] == signal.Downtime) { IsPartial = !isSample };
        if (isSample)
        {
            (state[0], state[1], state[2]) = ((now / Parts) + 1, 0, signal.Downtime);
        }

        return true;
    }

    private bool TryWhole(Span<long> state, in Buckets sums, in Signal signal, out Measured value)
    {
        value = default;
        var period = Math.Max(state[0], sums.Newest - Periods + 1);
        if (signal.At < End(period) + Grace)
        {
            return false;
        }

        value = new Measured(sums.Sum(period, period), End(period) - 1, state[1] == 0 && state[2] == signal.Downtime);
        (state[0], state[1], state[2]) = (period + 1, 0, signal.Downtime);
        return true;
    }

    private long End(long period) => ((period + 1) * _stretch) - offsetMs;
}
