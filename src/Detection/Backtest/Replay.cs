using Sekisho.Detection.Lanes;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Backtest;

/// <summary>
/// A plan run over kept events by the lanes' own code, beside the live lanes: it stores nothing, tells nobody, and knows of time only what the
/// events say. Where the clock was not kept, it is filled in minute by minute. One thread at a time.
/// </summary>
internal sealed class Replay
{
    private const long Minute = 60_000;

    private readonly LaneRunner _runner;
    private readonly PlanBook _book;
    private readonly bool _hasDevice;
    private readonly long _ticksFrom;
    private long _tickAt;

    /// <param name="fieldId">The field.</param>
    /// <param name="plan">What is tried, with zone, calendar and switches as inputs.</param>
    /// <param name="directory">Who is who, as of now.</param>
    /// <param name="books">Exceptions and priors at the begin.</param>
    /// <param name="sources">Senders followed one by one at a time.</param>
    /// <param name="ticksFrom">From when on the clock is among the events; null for never.</param>
    public Replay(string fieldId, FieldPlan plan, IDeviceDirectory directory, LaneBooks books, int sources, DateTimeOffset? ticksFrom)
    {
        _book = new PlanBook(FieldPlan.None, new Dictionary<string, FieldPlan> { [fieldId] = plan });
        _hasDevice = plan.Template is not null;
        _ticksFrom = ticksFrom?.ToUnixTimeMilliseconds() ?? long.MaxValue;
        _runner = new LaneRunner(new SubjectTable(directory, Math.Max(1, sources / Lane.Count)), default, books, new ChangedSubjects(null));
        _runner.Adopt(_book);
    }

    /// <summary>Devices that sent anything so far.</summary>
    public int Devices => _hasDevice ? _runner.Subjects.All.Count(s => s.Id.Scope == Scopes.Device) : 0;

    /// <summary>Runs a portion of events that follows the last one.</summary>
    public StepResult Step(IReadOnlyList<GatewayEvent> events) =>
        _runner.Step(events[0].ArrivedAt.ToUnixTimeMilliseconds() < _ticksFrom ? WithTicks(events) : events, _book);

    private List<GatewayEvent> WithTicks(IReadOnlyList<GatewayEvent> events)
    {
        var all = new List<GatewayEvent>(events.Count + 64);
        foreach (var one in events)
        {
            var at = one.ArrivedAt.ToUnixTimeMilliseconds();
            _tickAt = _tickAt == 0 ? at / Minute * Minute : _tickAt;
            for (; at < _ticksFrom && _tickAt + Minute <= at; _tickAt += Minute)
            {
                all.Add(new TickEvent { Position = one.Position, ArrivedAt = DateTimeOffset.FromUnixTimeMilliseconds(_tickAt + Minute), CorrelationId = "" });
            }

            all.Add(one);
        }

        return all;
    }
}
