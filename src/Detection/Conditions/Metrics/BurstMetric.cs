using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions.Metrics;

/// <summary>
/// How long the last few messages took, by the times at which they were taken: what a device never did in so short a time is a burst, however
/// seldom it sends. A backlog comes at once by its nature and is none.
/// <code>a ring of times and positions, as many as there are messages</code>
/// </summary>
internal sealed class BurstMetric(int messages) : IMetric
{
    /// <summary>Messages of a burst unless the template says another number.</summary>
    public const int Usual = 5;

    /// <summary>"burst": per message, once there are as many.</summary>
    public static readonly ConditionKind Kind = ThresholdKind.Of(
        "burst",
        [Scopes.Device, Scopes.User],
        [new ParameterSpec("messages", ParameterType.Count, 2, 32, Usual)],
        input => new BurstMetric(input.Whole("messages")),
        low: new ParameterSpec("least", ParameterType.Duration, 1, 31 * 86_400));

    public string Name => "burst";

    // Other numbers of messages take other times.
    public string PriorName { get; } = Conditions.Facts.Whole(messages) + "-burst";

    public string Unit => "s";

    public int Cells { get; } = Ring.CellsFor(messages);

    public long QuietAfter => 3_600_000;

    public bool Concerns(in Signal signal) => signal.Kind == SignalKind.Message && !signal.Backlog;

    public bool Measure(Span<long> state, in Signal signal, int turn, out Measured value)
    {
        value = default;
        if (turn > 0)
        {
            return false;
        }

        if (Take(state, messages, signal.EventAt, signal.Position) is not { } seconds)
        {
            return false;
        }

        value = new Measured(seconds, signal.EventAt, signal.IsClean);
        return true;
    }

    /// <summary>Takes a message into the ring.</summary>
    /// <returns>Seconds that the last messages took; null while there are fewer.</returns>
    public static double? Take(Span<long> state, int messages, long at, long position)
    {
        var ring = new Ring(state);
        ring.Push(at, position);
        return ring.Count < messages ? null : Span(ring) / 1000.0;
    }

    public IReadOnlyList<long> Events(ReadOnlySpan<long> state, in Signal signal) => new Ring(state.ToArray()).Positions();

    public IEnumerable<KeyValuePair<string, string>> Facts(ReadOnlySpan<long> state, in Signal signal) =>
        [new("messages", Conditions.Facts.Whole(messages)), new("span", Conditions.Facts.Duration(Span(new Ring(state.ToArray()))))];

    // Times need not come in order.
    private static long Span(Ring ring)
    {
        ring.Within(ring.Newest, long.MaxValue, out var span);
        return span;
    }
}
