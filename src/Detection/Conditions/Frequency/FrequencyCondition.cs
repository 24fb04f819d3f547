using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions.Frequency;

/// <summary>
/// More messages in a window than allowed, judged in event time. Stored readings that arrive late are judged among themselves, at the times
/// at which they were taken and within the gap that they fill: at most as many as the gap has room for. What claims to be stored but fits no
/// gap is judged at its arrival.
/// <code>
/// cell 0  1 when the mode is the one watched, 2 when another, 0 unknown
/// cell 1  end of the gap that the backlog fills
/// cell 2  stored readings taken for that gap
/// cell 3  last violation: how many
/// cell 4  last violation: within which span, milliseconds
/// cell 5  last violation: how many the gap had room for, 0 when the window was broken
/// cell 6  last violation: 1 when it was found among stored readings
/// then    ring of live messages, ring of stored ones: one more than allowed, so that evidence names all of them
/// </code>
/// </summary>
internal sealed class FrequencyCondition : ICondition
{
    public static readonly ConditionKind Kind = new(
        "frequency",
        [Scopes.Device, Scopes.User, Scopes.Field],
        TakesMode: true,
        [
            new ParameterSpec("messages", ParameterType.Count, 1, 120),
            new ParameterSpec("window", ParameterType.Duration, 1, 7 * 86_400),
            new ParameterSpec("slack", ParameterType.Percent, 0, 50, 10),
            new ParameterSpec("stored", ParameterType.Percent, 1, 1000, 100),
            new ParameterSpec("storedExtra", ParameterType.Count, 0, 100_000, 0),
        ],
        input => new FrequencyCondition(
            input.Scope,
            input.Mode,
            new FrequencyParameters(input.Whole("messages"), input.Milliseconds("window"), input.Whole("slack")) { StoredPercent = input.Whole("stored"), StoredExtra = input.Whole("storedExtra") }));

    private const int Own = 7;
    private readonly string _scope;
    private readonly string? _mode;
    private readonly FrequencyParameters _parameters;
    private readonly int _ring;

    public FrequencyCondition(string scope, string? mode, FrequencyParameters parameters) =>
        (_scope, _mode, _parameters, _ring) = (scope, mode, parameters, Ring.CellsFor(parameters.Messages + 1));

    public int Cells => Own + (2 * _ring);

    public long QuietAfter => _parameters.WindowMs;

    public bool Concerns(in Signal signal) => signal.Kind == SignalKind.Message;

    public Verdict Step(Span<long> state, in Signal signal)
    {
        if (signal.Kind != SignalKind.Message)
        {
            return Verdict.None;
        }

        var live = new Ring(state.Slice(Own, _ring));
        var stored = new Ring(state.Slice(Own + _ring, _ring));
        var ring = signal.Backlog ? stored : live;
        if (!ModeCell.Matches(ref state[0], _mode, signal.Mode))
        {
            // The expected cadence changes with the mode, so the count starts anew when the mode comes back.
            ring.Clear();
            return Verdict.None;
        }

        // A backlog in several portions goes on filling the gap that it began with.
        if (signal.Backlog && signal.GapTo > state[1])
        {
            state[1] = signal.GapTo;
            state[2] = 0;
            if (live.Newest >= stored.Newest)
            {
                stored.CopyFrom(live);
            }
        }

        // Where stored readings meet live ones both sides count; the stored ring holds copies of live ones, so the larger number is taken.
        var amongLive = live.Within(signal.EventAt, _parameters.EffectiveMs, out var span);
        var amongStored = stored.Within(signal.EventAt, _parameters.EffectiveMs, out var storedSpan);
        var before = Math.Max(amongLive, amongStored);
        ring.Push(signal.EventAt, signal.Position);
        if (before >= _parameters.Messages)
        {
            (state[3], state[4], state[5], state[6]) = (before + 1, amongStored > amongLive ? storedSpan : span, 0, amongStored > amongLive ? 1 : 0);
            state[2] += signal.Backlog ? 1 : 0;
            return Verdict.Violation;
        }

        if (signal.Backlog && _scope == Scopes.Device && ++state[2] > Room(signal))
        {
            (state[3], state[4], state[5], state[6]) = (state[2], signal.GapTo - signal.GapFrom, Room(signal), 1);
            return Verdict.Violation;
        }

        return Verdict.Calm;
    }

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal)
    {
        var ring = state.Slice(state[6] == 1 ? Own + _ring : Own, _ring).ToArray();
        var position = signal.Position;
        long[] events = [.. new Ring(ring).Positions().Where(p => p != position).TakeLast(31), position];
        var (count, span, room) = (state[3], state[4], state[5]);
        var facts = new Dictionary<string, string>
        {
            ["sent"] = Facts.Whole(count),
            ["span"] = Facts.Duration(span),
            ["allowed"] = Facts.Whole(room > 0 ? room : _parameters.Messages),
            ["window"] = Facts.Duration(room > 0 ? span : _parameters.WindowMs),
            ["stored"] = signal.Backlog ? "yes" : "no",
            ["late"] = signal.DeviceTime != 0 && !signal.Backlog && signal.EventAt != signal.DeviceTime ? "not-believed" : signal.Backlog ? "backlog" : "no",
        };

        // One message per window is a cadence: people think of it as an interval.
        if (room == 0 && _parameters.Messages == 1)
        {
            return new Evidence
            {
                Metric = "interval",
                Unit = "s",
                Measured = span / 1000.0,
                ExpectedLow = _parameters.EffectiveMs / 1000.0,
                Origin = "template",
                Events = events,
                Counterfactual = new Counterfactual("window", "at-most", Math.Floor(span / 1000.0), "s"),
                Facts = facts,
            };
        }

        return new Evidence
        {
            Metric = room > 0 ? "backlog" : "count",
            Unit = "count",
            Measured = count,
            ExpectedHigh = room > 0 ? room : _parameters.Messages,
            Origin = "template",
            Events = events,
            Counterfactual = room > 0
                ? new Counterfactual("storedExtra", "at-least", _parameters.StoredExtra + count - room, "count")
                : new Counterfactual("messages", "at-least", count, "count"),
            Facts = facts,
        };
    }

    /// <summary>The bucket of stored readings: what the gap has room for, as much of it as is allowed, and some.</summary>
    private long Room(in Signal signal) =>
        (_parameters.Messages * (((signal.GapTo - signal.GapFrom) / _parameters.EffectiveMs) + 1) * _parameters.StoredPercent / 100) + _parameters.StoredExtra;
}
