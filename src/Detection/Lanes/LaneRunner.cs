using Sekisho.Detection.Conditions;
using Sekisho.Detection.Findings;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Lanes;

/// <summary>
/// Runs the lanes over stretches of the journal: no I/O, no clock of its own. The state in memory is at most one stretch ahead of the store:
/// the result of a step is everything its commit needs, the commit is repeated until it is durable, and only then comes the next step. When a
/// step throws, the runner is thrown away and another is loaded from the store. One lane at a time (one thread for all lanes of a node).
/// <para>
/// Order. Within a lane events are judged in journal order. Facts for wider scopes are merged in journal order as well: at each event first
/// the device's conditions, then the user's, the source's, the field's and the gateway's. At a tick subjects are judged in the order of
/// their identifiers. So equal events from equal state give equal findings wherever the stretches are cut.
/// </para>
/// </summary>
internal sealed class LaneRunner(SubjectTable subjects, LaneClock clock)
{
    private readonly List<Subject> _changed = [];
    private readonly List<Subject> _due = [];
    private readonly List<ulong> _gone = [];
    private readonly List<Clearance> _cleared = [];
    private List<RaisedFinding> _raised = [];
    private PlanBook? _book;
    private LaneClock _clock = clock;
    private long _stretch;

    public LaneClock Clock => _clock;

    /// <summary>Takes over plans between two stretches. What was raised under a condition that is gone is over.</summary>
    public void Adopt(PlanBook book)
    {
        _book = book;
        foreach (var subject in subjects.All.ToList())
        {
            var plan = book.For(subject.FieldId).Of(subject.Id.Scope) ?? ScopePlan.Empty;
            if (ReferenceEquals(plan, subject.Plan))
            {
                continue;
            }

            subject.Adopt(plan, _gone);
            ClearGone(subject, _clock.SeenAt, long.MaxValue, "");
            Touch(subject);
            if (plan.Cells == 0 && subject.Id.Scope != Scopes.Device)
            {
                subjects.Remove(subject);
            }

            subjects.Await(subject, _clock);
        }
    }

    /// <summary>Conditions that were raised when the state was stored and are planned no more.</summary>
    public void Forget(Subject subject, IEnumerable<ulong> identities)
    {
        _gone.AddRange(identities);
        ClearGone(subject, _clock.SeenAt, long.MaxValue, "");
    }

    /// <summary>Runs one stretch.</summary>
    /// <param name="events">At least one event, in order, following the last stretch without a gap.</param>
    /// <param name="book">The plans in force.</param>
    public StepResult Step(IReadOnlyList<GatewayEvent> events, PlanBook book)
    {
        if (!ReferenceEquals(book, _book))
        {
            Adopt(book);
        }

        var chunks = new ChunkBuilder();
        var duplicates = new List<MessageEvent>();
        var facts = new List<GatewayEvent>();
        foreach (var happened in events)
        {
            _clock = _clock.Observe(happened.ArrivedAt.ToUnixTimeMilliseconds());
            switch (happened)
            {
                case MessageEvent message:
                    Take(message, book, chunks, duplicates);
                    break;
                case TickEvent tick:
                    Tick(tick);
                    break;
                default:
                    facts.Add(happened);
                    Take(happened, book);
                    break;
            }
        }

        return Finish(events, chunks, duplicates, facts);
    }

    private void Take(MessageEvent message, PlanBook book, ChunkBuilder chunks, List<MessageEvent> duplicates)
    {
        var plan = book.For(message.FieldId);
        var device = subjects.Device(message.DeviceId, message.FieldId, plan, _gone);
        var at = message.ArrivedAt.ToUnixTimeMilliseconds();
        ClearGone(device, at, message.Position, message.CorrelationId);
        var repeated = message.Sequence is not null && device.Duplicates.SeenOrAdd(DuplicateWindow.Prefix(message.MessageId));
        var (eventAt, backlog) = (at, false);
        if (repeated)
        {
            duplicates.Add(message);
        }
        else
        {
            var interval = device.Profile?.Interval is { } declared ? (long)declared.TotalMilliseconds : 0;
            (eventAt, backlog) = device.Timeline.Place(at, message.DeviceTime?.ToUnixTimeMilliseconds(), interval);
            chunks.Add(message, backlog, device);
        }

        var signal = new Signal
        {
            Kind = repeated ? SignalKind.Duplicate : SignalKind.Message,
            At = at,
            EventAt = eventAt,
            Position = message.Position,
            Downtime = _clock.Downtime,
            TickBefore = _clock.TickAt,
            Backlog = backlog,
            GapFrom = device.Timeline.GapFrom,
            GapTo = device.Timeline.GapTo,
            Bytes = message.Size,
            Count = 1,
            Mode = message.Mode,
        };
        Touch(device);
        Judge(device, signal, message);
        JudgeWide(plan, signal, message, message.FieldId, device.Profile?.UserId, message.Source);
    }

    private void Take(GatewayEvent happened, PlanBook book)
    {
        var at = happened.ArrivedAt.ToUnixTimeMilliseconds();
        var (fieldId, deviceId, source, kind, what, count, bytes) = happened switch
        {
            RefusalEvent e => (e.FieldId, e.DeviceId, e.Source, SignalKind.Refusal, e.Reason, e.Count, e.Bytes),
            AuthenticationEvent e => (e.FieldId, e.DeviceId, e.Source, SignalKind.Authentication, e.Outcome, 1, 0L),
            DeviceChangedEvent e => (e.FieldId, e.DeviceId, (string?)null, SignalKind.Device, e.State, 1, 0L),
            _ => (null, null, (string?)null, SignalKind.Device, "", 0, 0L),
        };
        var signal = new Signal
        {
            Kind = kind,
            At = at,
            EventAt = at,
            Position = happened.Position,
            Downtime = _clock.Downtime,
            TickBefore = _clock.TickAt,
            Bytes = bytes,
            Count = count,
            What = what,
        };
        Subject? device = null;
        var plan = book.For(fieldId);
        if (deviceId is not null && fieldId is not null)
        {
            device = kind == SignalKind.Device
                ? subjects.FindDevice(deviceId)
                : plan.Device.Concerns(signal) ? subjects.Device(deviceId, fieldId, plan, _gone) : subjects.FindDevice(deviceId);
            if (device is not null)
            {
                TakeDeviceFact(device, happened, signal);
            }
        }

        if (fieldId is not null)
        {
            JudgeWide(plan, signal, happened, fieldId, device?.Profile?.UserId, source);
        }

        if (source is not null && book.Gateway.Source is { } gateway && gateway.Concerns(signal))
        {
            JudgeIn(Scopes.Source, null, source, gateway, signal, happened);
        }
    }

    private void TakeDeviceFact(Subject device, GatewayEvent happened, in Signal signal)
    {
        ClearGone(device, signal.At, signal.Position, happened.CorrelationId);
        if (signal.Kind == SignalKind.Device)
        {
            subjects.Refresh(device);
        }

        if (device.Plan.Concerns(signal))
        {
            Touch(device);
            Judge(device, signal, happened);
        }

        if (signal is { Kind: SignalKind.Device, What: "deleted" })
        {
            Drop(device, signal, happened.CorrelationId);
        }
    }

    private void Drop(Subject subject, in Signal signal, string correlationId)
    {
        subject.Adopt(ScopePlan.Empty, _gone);
        ClearGone(subject, signal.At, signal.Position, correlationId);
        Touch(subject);
        subjects.Remove(subject);
    }

    private void JudgeWide(FieldPlan plan, in Signal signal, GatewayEvent happened, string fieldId, string? userId, string? source)
    {
        if (plan.User is { } users && userId is not null && users.Concerns(signal))
        {
            JudgeIn(Scopes.User, fieldId, userId, users, signal, happened);
        }

        if (plan.Source is { } sources && source is not null && sources.Concerns(signal))
        {
            JudgeIn(Scopes.Source, fieldId, source, sources, signal, happened);
        }

        if (plan.Field is { } field && field.Concerns(signal))
        {
            JudgeIn(Scopes.Field, fieldId, fieldId, field, signal, happened);
        }
    }

    private void JudgeIn(string scope, string? fieldId, string key, ScopePlan plan, in Signal signal, GatewayEvent happened)
    {
        var subject = subjects.Wide(scope, fieldId, key, plan);
        subject.Timeline.LastArrival = signal.At;
        Touch(subject);
        Judge(subject, signal, happened);
    }

    private void Tick(TickEvent tick)
    {
        subjects.TakeDue(_clock, _due);
        var signal = new Signal
        {
            Kind = SignalKind.Tick,
            At = _clock.SeenAt,
            EventAt = _clock.SeenAt,
            Position = tick.Position,
            Downtime = _clock.Downtime,
            TickBefore = _clock.TickAt,
        };
        _clock = _clock.Tick(signal.At);
        foreach (var subject in _due)
        {
            Judge(subject, signal, tick);
            if (subject.Id.Scope == Scopes.Source && signal.At - subject.Timeline.LastArrival >= subject.Plan.Memory)
            {
                Drop(subject, signal, subject.CorrelationId);
            }
        }

        _due.Clear();
    }

    private void Judge(Subject subject, in Signal signal, GatewayEvent happened)
    {
        if (signal.Kind != SignalKind.Tick)
        {
            subject.CorrelationId = happened.CorrelationId;
        }

        foreach (var condition in subject.Plan.Conditions)
        {
            var state = subject.StateOf(condition);
            var before = state[0];
            switch (condition.Judged.Step(state, signal))
            {
                case Outcome.Raise:
                    _raised.Add(new RaisedFinding(FindingMaker.Make(subject, condition, signal, happened), subject.Id, condition.Identity));
                    Touch(subject);
                    break;
                case Outcome.Clear:
                    _cleared.Add(new Clearance(subject.Id, subject.FieldId, condition.Identity, signal.At, signal.Position, subject.CorrelationId));
                    Touch(subject);
                    break;
                default:
                    if (state[0] != before)
                    {
                        Touch(subject);
                    }

                    break;
            }
        }

        subjects.Await(subject, _clock);
    }

    private void ClearGone(Subject subject, long at, long position, string correlationId)
    {
        foreach (var identity in _gone)
        {
            _cleared.Add(new Clearance(subject.Id, subject.FieldId, identity, at, position, correlationId));
        }

        _gone.Clear();
    }

    private void Touch(Subject subject)
    {
        // Stretches count from 1, so that a fresh subject has not been touched in any.
        if (subject.ChangedIn != _stretch + 1)
        {
            subject.ChangedIn = _stretch + 1;
            _changed.Add(subject);
        }
    }

    private StepResult Finish(IReadOnlyList<GatewayEvent> events, ChunkBuilder chunks, List<MessageEvent> duplicates, List<GatewayEvent> facts)
    {
        var states = new ChangedState[_changed.Count];
        for (var i = 0; i < states.Length; i++)
        {
            var subject = _changed[i];
            states[i] = new ChangedState(subject.Id, subject.FieldId, subject.Lane, subject.Removed ? null : SubjectCodec.Encode(subject));
        }

        var result = new StepResult
        {
            Batch = new LaneBatch
            {
                FirstPosition = events[0].Position,
                LastPosition = events[^1].Position,
                Chunks = chunks.Done(),
                Duplicates = duplicates,
                Findings = _raised.ConvertAll(r => r.Finding),
                Facts = facts,
            },
            Raised = _raised,
            Cleared = [.. _cleared],
            States = states,
            Clock = _clock,
            Events = events.Count,
        };
        _raised = [];
        _changed.Clear();
        _cleared.Clear();
        _stretch++;
        return result;
    }
}
