using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;

namespace Sekisho.Detection.Conditions.Silence;

/// <summary>
/// Nothing arrived for a while, judged in arrival time on ticks, so that it is found while it lasts. Time in which the gateway was
/// down does not count, nor does silence of a device that is locked out. Once overdue it is judged again at each full minute.
/// <code>
/// cell 0  arrival time of the last message; 0 before the first
/// cell 1  downtime of the gateway at that moment
/// cell 2  mode, as in <see cref="ModeCell"/>
/// cell 3  journal position of the last message
/// </code>
/// </summary>
internal sealed class SilenceCondition(string? mode, SilenceParameters parameters) : ICondition
{
    public static readonly ConditionKind Kind = new(
        "silence",
        [Scopes.Device, Scopes.User, Scopes.Field],
        TakesMode: true,
        [new ParameterSpec("duration", ParameterType.Duration, 10, 90 * 86_400)],
        input => new SilenceCondition(input.Mode, new SilenceParameters(input.Milliseconds("duration"))));

    private const long Minute = 60_000;

    public int Cells => 4;

    public long QuietAfter => long.MaxValue;

    public bool Concerns(in Signal signal) => signal.Kind is SignalKind.Message or SignalKind.Duplicate or SignalKind.Device or SignalKind.Tick;

    public Verdict Step(Span<long> state, in Signal signal)
    {
        switch (signal.Kind)
        {
            case SignalKind.Message or SignalKind.Duplicate:
                ModeCell.Matches(ref state[2], mode, signal.Mode);
                (state[0], state[1], state[3]) = (signal.At, signal.Downtime, signal.Position);
                return Verdict.Calm;
            case SignalKind.Device when signal.What is LifecycleStates.Suspended or LifecycleStates.Abnormal or LifecycleStates.Stray or LifecycleStates.Retired:
                state[0] = 0;
                return Verdict.None;
            case SignalKind.Tick when IsWatched(state):
                var deadline = Deadline(state, signal.Downtime);
                return signal.At >= deadline && (deadline > signal.TickBefore || signal.At / Minute != signal.TickBefore / Minute) ? Verdict.Violation : Verdict.None;
            default:
                return Verdict.None;
        }
    }

    public long Due(ReadOnlySpan<long> state, long at, long downtime)
    {
        if (!IsWatched(state))
        {
            return long.MaxValue;
        }

        var deadline = Deadline(state, downtime);
        return deadline > at ? deadline : ((at / Minute) + 1) * Minute;
    }

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal)
    {
        var silent = signal.At - state[0];
        var down = signal.Downtime - state[1];
        return new Evidence
        {
            Metric = "silence",
            Unit = "s",
            Measured = (silent - down) / 1000.0,
            ExpectedHigh = parameters.DurationMs / 1000.0,
            Origin = "template",
            Events = [state[3]],
            Counterfactual = new Counterfactual("duration", "at-least", Math.Floor((silent - down) / 1000.0) + 1, "s"),
            Facts = new Dictionary<string, string>
            {
                ["silent"] = Facts.Duration((silent - down) / 1000 * 1000),
                ["allowed"] = Facts.Duration(parameters.DurationMs),
                ["gatewayDown"] = Facts.Duration(down / 1000 * 1000),
            },
        };
    }

    private bool IsWatched(ReadOnlySpan<long> state) => state[0] != 0 && (mode is null || state[2] == 1);

    private long Deadline(ReadOnlySpan<long> state, long downtime) => state[0] + parameters.DurationMs + (downtime - state[1]);
}
