using System.Globalization;
using Sekisho.Detection.Conditions.Judges;
using Sekisho.Detection.Thresholds;
using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Conditions.Hours;

/// <summary>
/// Authentications or messages at an hour of the week at which this subject has hardly had any, or many more than it has
/// (<see cref="HoursLearner"/>). Hours follow the field's wall clock. An hour in which something was found or was not clean, or in which the
/// gateway was down, teaches nothing.
/// <code>
/// cell 0  running hour of local time + 1; 0 before the first event   cell 1  events in it   cell 2  1 when it must not be learnt
/// cell 3  downtime of the gateway so far   cell 4  events in the hour of the last violation   then the learner's
/// </code>
/// </summary>
internal sealed class LearntHoursCondition(HoursParameters events, double alarms, TimeZoneInfo zone) : ICondition
{
    private const int Own = 5;
    private const long Hour = 3_600_000;

    /// <summary>After a longer pause its empty hours say nothing about the week: 14 days.</summary>
    private const long MostEmpty = 14 * 24;

    // Less than one event: at hours at which nobody is ever there a single one is unusual.
    private readonly HoursLearner _learner = new(alarms, 0.2);

    public int Cells => Own + _learner.Cells;

    public long QuietAfter => Hour;

    public bool Concerns(in Signal signal) => events.Concerns(signal);

    public string PriorName => "hours";

    public Prior PriorOf(int version, IReadOnlyList<ReadOnlyMemory<long>> states) => _learner.PriorOf(version, [.. states.Select(s => s[Own..])]);

    public LearntBand? Learnt(ReadOnlySpan<long> state, in Signal signal) => new("hours", "count", _learner.At(state[Own..], Prior(signal), Local(signal.EventAt)));

    public Verdict Step(Span<long> state, in Signal signal)
    {
        // A backlog would count into hours that are closed.
        if (!Concerns(signal) || signal.Backlog)
        {
            return Verdict.None;
        }

        var hour = Local(signal.EventAt) / Hour;
        if (state[0] == 0)
        {
            (state[0], state[2], state[3]) = (hour + 1, 1, signal.Downtime);
        }

        Close(state, hour, signal.Downtime);
        state[1]++;
        state[2] = signal.IsClean ? state[2] : 1;
        if (!(state[1] > Most(state, signal)))
        {
            return Verdict.Calm;
        }

        (state[2], state[4]) = (1, state[1]);
        return Verdict.Violation;
    }

    public Evidence Explain(ReadOnlySpan<long> state, in Signal signal)
    {
        var threshold = _learner.At(state[Own..], Prior(signal), Local(signal.EventAt));
        var local = TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(signal.EventAt), zone);
        return new Evidence
        {
            Metric = "hours",
            Unit = "count",
            Measured = state[4],
            ExpectedHigh = threshold.High,
            Origin = threshold.Origin,
            Events = [signal.Position],
            Counterfactual = new Counterfactual("alarms", "at-most", 0.01, "per-month"),
            Facts = new Dictionary<string, string>
            {
                [FindingTexts.JudgeFact] = JudgeNames.Learnt,
                ["at"] = local.ToString("HH:mm", CultureInfo.InvariantCulture),
                ["limit"] = (threshold.High ?? 0).ToString("0.##", CultureInfo.InvariantCulture),
                ["hours"] = Facts.Whole(state[Own]),
                ["values"] = Facts.Whole(threshold.Values),
                ["event"] = signal.Kind == SignalKind.Message ? "message" : "authentication",
            },
        };
    }

    private double Most(ReadOnlySpan<long> state, in Signal signal) => _learner.At(state[Own..], Prior(signal), Local(signal.EventAt)).High ?? double.PositiveInfinity;

    private static Prior Prior(in Signal signal) => signal.Priors?.For(signal.FieldId, "hours", signal.Device?.Kind) ?? default;

    /// <summary>Ends the hours before this one: the running one, and those in which nothing was.</summary>
    private void Close(Span<long> state, long hour, long downtime)
    {
        var running = state[0] - 1;
        if (hour <= running)
        {
            // The same hour, or the one that comes twice when clocks go back.
            return;
        }

        if (hour - running <= MostEmpty)
        {
            var isHeard = downtime == state[3];
            _learner.Observe(state[Own..], state[1], running * Hour, state[2] == 0 && isHeard);
            for (var empty = running + 1; empty < hour; empty++)
            {
                _learner.Observe(state[Own..], 0, empty * Hour, isHeard);
            }
        }

        (state[0], state[1], state[2], state[3]) = (hour + 1, 0, 0, downtime);
    }

    private long Local(long at) => at + (long)zone.GetUtcOffset(DateTimeOffset.FromUnixTimeMilliseconds(at)).TotalMilliseconds;
}
