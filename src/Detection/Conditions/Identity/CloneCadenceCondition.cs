using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions.Identity;

/// <summary>
/// A device that sends at a steady interval is heard twice in each: two units send under one identity, each at the same interval, neither knowing
/// of the other. It is told by the distance of every message to the one before the last, which stays the interval, while the distance to the last
/// one does not. What lies in the middle of the interval or close behind the last message says nothing: a unit that was told to send twice as often,
/// or two messages at a time, looks like that. What was stored does not count. A device that goes on like this for long is one that sends so.
/// <code>
/// cell 0  messages learnt   cell 1  interval, milliseconds (bits)   cell 2  share of messages at it (bits)
/// cell 3  event time of the last message   cell 4  of the one before   cell 5  messages between two others, less what was as usual meanwhile
/// cell 6  journal position of the last     cell 7  of the one before it     cell 8  distance of the last violation, milliseconds
/// </code>
/// </summary>
/// <param name="times">Messages in a row between two others.</param>
internal sealed class CloneCadenceCondition(int times) : ICondition
{
    /// <summary>"clone-cadence".</summary>
    public static readonly ConditionKind Kind = new(
        "clone-cadence", [Scopes.Device], TakesMode: false, [new ParameterSpec("times", ParameterType.Count, 3, 100, 8)], input => new CloneCadenceCondition(input.Whole("times")));

    // Messages, and the share of them at the interval, from which on a device is known to be steady.
    private const int Enough = 48;
    private const double Steady = 0.9;

    // Shares of the interval: how far a distance may be from it, and how near to the last message or the middle says nothing.
    private const double Tolerance = 0.15;
    private const double Near = 0.1;

    // Milliseconds. Below it the network decides over distances more than the device does.
    private const double Shortest = 10_000;

    // A usual distance takes back so many: one message of the second unit may be lost.
    private const int Back = 4;
    private const double Slowest = 1.0 / 256;

    public int Cells => 9;

    public long QuietAfter => 86_400_000;

    public bool Concerns(in Signal signal) => signal.Kind == SignalKind.Message && !signal.Backlog;

    public Verdict Step(Span<long> state, in Signal signal)
    {
        if (!Concerns(signal))
        {
            return Verdict.None;
        }

        var at = signal.EventAt;
        var (last, before) = (state[3], state[4]);
        if (last != 0 && at <= last)
        {
            return Verdict.None;
        }

        (state[3], state[4]) = (at, last);
        (state[6], state[7]) = (signal.Position, state[6]);
        if (last == 0)
        {
            return Verdict.None;
        }

        var (interval, share, distance) = (Get(state, 1), Get(state, 2), (double)(at - last));
        var isSteady = state[0] >= Enough && share >= Steady && interval >= Shortest;
        var isUsual = Math.Abs(distance - interval) <= Tolerance * interval;
        var isBetween = isSteady && before != 0 && Math.Abs(at - before - interval) <= Tolerance * interval && IsTold(distance / interval);
        state[5] = isBetween ? state[5] + 1 : Math.Max(0, state[5] - (isUsual ? Back : 1));
        Learn(state, distance, isUsual);
        if (!isBetween || state[5] < times)
        {
            return isUsual && isSteady && state[5] == 0 ? Verdict.Calm : Verdict.None;
        }

        state[8] = (long)distance;
        return Verdict.Violation;
    }

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal) => new()
    {
        Metric = "between",
        Unit = "count",
        Measured = state[5],
        ExpectedHigh = times - 1,
        Origin = "learnt",
        Events = [state[7], signal.Position],
        Counterfactual = new Counterfactual("times", "at-least", state[5] + 1, "count"),
        Facts = new Dictionary<string, string>
        {
            ["between"] = Facts.Whole(state[5]),
            ["interval"] = Facts.Duration((long)Math.Round(Get(state, 1) / 1000) * 1000),
            ["distance"] = Facts.Duration(state[8] / 1000 * 1000),
        },
    };

    private static bool IsTold(double part) => part is > Near and < 0.5 - Near or > 0.5 + Near and < 1 - Near;

    // The interval follows the distances that fit it; where fewer than half of them do, it is learnt anew.
    private static void Learn(Span<long> state, double distance, bool isUsual)
    {
        if (state[0]++ == 0 || (Get(state, 2) < 0.5 && !isUsual))
        {
            (state[0], state[2]) = (1, BitConverter.DoubleToInt64Bits(1));
            state[1] = BitConverter.DoubleToInt64Bits(distance);
            return;
        }

        var weight = Math.Max(Slowest, 1.0 / state[0]);
        state[2] = BitConverter.DoubleToInt64Bits(Get(state, 2) + (((isUsual ? 1 : 0) - Get(state, 2)) * weight));
        if (isUsual)
        {
            state[1] = BitConverter.DoubleToInt64Bits(Get(state, 1) + ((distance - Get(state, 1)) * weight));
        }
    }

    private static double Get(ReadOnlySpan<long> state, int cell) => BitConverter.Int64BitsToDouble(state[cell]);
}
