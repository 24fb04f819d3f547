using Sekisho.Detection.Conditions;
using Sekisho.Detection.Conditions.Devices;
using Sekisho.Detection.Conditions.Group;
using Sekisho.Detection.Findings;
using Sekisho.Detection.Findings.Exceptions;
using Sekisho.Detection.ScriptRuns;
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
/// the device's conditions, then those of the wider scopes in the order of <see cref="WideScope.All"/>, the field's last, then the gateway's.
/// At a tick subjects are judged in the order of their identifiers. So equal events from equal state give equal findings wherever the stretches are cut.
/// </para>
/// </summary>
internal sealed partial class LaneRunner(SubjectTable subjects, LaneClock clock, LaneBooks books, ChangedSubjects changes)
{
    private readonly List<Subject> _due = [];
    private readonly List<ulong> _gone = [];
    private readonly List<Clearance> _cleared = [];
    private readonly List<Clearance> _retracted = [];
    private readonly List<Retraction> _retractions = [];
    private readonly List<ExceptionChangedEvent> _exceptions = [];
    private readonly List<PriorEvent> _priors = [];
    private readonly List<ScriptChangedEvent> _scripts = [];
    private readonly List<TickEvent> _ticks = [];
    private readonly Dictionary<string, (int Times, long At)> _allowed = [];
    private readonly Signals _signals = new();
    private List<RaisedFinding> _raised = [];
    private PlanBook? _without; // as given
    private PlanBook? _book; // with the scripts in force
    private LaneClock _clock = clock;
    private LaneBooks _books = books;

    public LaneRunner(SubjectTable subjects, LaneClock clock)
        : this(subjects, clock, LaneBooks.Empty, new ChangedSubjects(new LaneSettings()))
    {
    }

    public SubjectTable Subjects => subjects;

    public LaneClock Clock => _clock;

    public LaneBooks Books => _books;

    /// <summary>Takes over plans between two stretches. What was raised under a condition that is gone is over.</summary>
    public void Adopt(PlanBook book)
    {
        _without = book;
        Adopt(long.MaxValue);
    }

    /// <param name="position">What was raised at or before it is over where its condition is gone.</param>
    private void Adopt(long position)
    {
        var book = _book = _books.Scripts.Over(_without!);
        foreach (var subject in subjects.All.ToList())
        {
            var plan = book.For(subject.FieldId).Of(subject.Id.Scope) ?? ScopePlan.Empty;
            if (ReferenceEquals(plan, subject.Plan))
            {
                continue;
            }

            subject.Adopt(plan, _gone);
            ClearGone(subject, _clock.SeenAt, position, "");
            changes.Touch(subject);
            if (plan.Cells == 0 && subject.Id.Scope != Scopes.Device)
            {
                subjects.Remove(subject);
            }

            subjects.Await(subject, _clock);
        }
    }

    /// <summary>Conditions that were raised when the state was stored and are planned no more.</summary>
    public void Forget(Subject subject, IReadOnlyCollection<ulong> identities)
    {
        if (identities.Count == 0)
        {
            return;
        }

        // The state is written again together with the end of what was raised: else that would end at each start, and come back with the condition.
        changes.Touch(subject);
        _gone.AddRange(identities);
        ClearGone(subject, _clock.SeenAt, long.MaxValue, "");
    }

    /// <summary>Runs one stretch.</summary>
    /// <param name="events">At least one event, in order, following the last stretch without a gap.</param>
    /// <param name="book">The plans in force.</param>
    public StepResult Step(IReadOnlyList<GatewayEvent> events, PlanBook book)
    {
        if (!ReferenceEquals(book, _without))
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
                    Take(message, _book!, chunks, duplicates);
                    break;
                case TickEvent tick:
                    _ticks.Add(tick);
                    Tick(tick);
                    break;
                case ExceptionChangedEvent change:
                    facts.Add(change);
                    _exceptions.Add(change);
                    _books = _books with { Exceptions = _books.Exceptions.With(change) };
                    break;
                case PriorEvent prior:
                    facts.Add(prior);
                    _priors.Add(prior);
                    _books = _books with { Priors = _books.Priors.With(prior) };
                    break;
                case ScriptChangedEvent change:
                    facts.Add(change);
                    Take(change);
                    break;
                case ScriptReportEvent report:
                    facts.Add(report);
                    Take(report);
                    break;
                default:
                    facts.Add(happened);
                    Take(happened, _book!);
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
        changes.Touch(device);
        var repeated = message.Sequence is not null && device.Duplicates.SeenOrAdd(DuplicateWindow.Prefix(message.MessageId));
        var sequence = Signals.SequenceOf(message.Sequence);
        var told = message.DeviceTime?.ToUnixTimeMilliseconds();
        var placed = new Placement(at, Backlog: false, IsBelieved: true, device.Timeline.GapFrom, device.Timeline.GapTo);
        if (repeated)
        {
            duplicates.Add(message);
        }
        else
        {
            var interval = device.Profile?.Interval is { } declared ? (long)declared.TotalMilliseconds : 0;
            placed = device.Timeline.Place(new Reading(at, told, interval, sequence, message.Epoch), device.Facts.Order);
            chunks.Add(message, placed.Backlog, device);
        }

        device.Facts.TakePlace(message.Place);
        var signal = _signals.Of(message, device, told ?? 0, sequence, placed, repeated, _clock, _books) with { HidesContent = plan.HidesContent };
        if (plan.Device.AsksNeighbours)
        {
            signal = signal with { Neighbours = NeighboursOf(plan, signal) };
        }

        Judge(device, signal, message);
        JudgeWide(plan, signal, message);
        _signals.Learn(message, device);
    }

    private void Take(GatewayEvent happened, PlanBook book)
    {
        var (fieldId, deviceId, source, kind, what, count, bytes) = happened switch
        {
            RefusalEvent e => (e.FieldId, e.DeviceId, e.Source, SignalKind.Refusal, e.Reason, e.Count, e.Bytes),
            AuthenticationEvent e => (e.FieldId, e.DeviceId, e.Source, SignalKind.Authentication, e.Outcome, 1, 0L),
            DeviceChangedEvent e => (e.FieldId, e.DeviceId, (string?)null, SignalKind.Device, e.State, 1, 0L),
            SimFactEvent e => (e.FieldId, e.DeviceId, null, SignalKind.Sim, e.Session, 1, (e.UplinkBytes ?? 0) + (e.DownlinkBytes ?? 0)),
            TrafficFactEvent e => (e.FieldId, e.DeviceId, null, SignalKind.Traffic, "", e.Requests, e.AcceptedBytes),
            CommandHeldEvent e => (e.FieldId, e.DeviceId, null, SignalKind.Command, e.Bound, 1, 0L),
            _ => (null, null, (string?)null, SignalKind.Device, "", 0, 0L),
        };
        var plan = book.For(fieldId);
        var device = deviceId is not null && fieldId is not null ? DeviceOf(kind, what, deviceId, fieldId, plan) : null;
        if (happened is SimFactEvent sim && device is not null)
        {
            changes.Touch(device);
            _signals.Learn(sim, device);
        }

        var profile = device?.Profile ?? (deviceId is null ? null : subjects.ProfileOf(deviceId));
        var signal = _signals.Of(happened, kind, what, fieldId, deviceId, source, device, profile, _clock, _books) with { Count = count, Bytes = bytes };
        if (device is not null)
        {
            TakeDeviceFact(device, happened, signal);
        }

        if (fieldId is not null)
        {
            JudgeWide(plan, signal, happened);
        }

        if (source is not null && book.Gateway.Source is { } gateway && gateway.Concerns(signal))
        {
            JudgeIn(Scopes.Source, null, source, gateway, signal, happened);
        }
    }

    // A device without a state gets one only when somebody needs it.
    private Subject? DeviceOf(SignalKind kind, string what, string deviceId, string fieldId, FieldPlan plan)
    {
        if (kind is SignalKind.Device || (plan.Template is null && plan.Device.Scripts.Count == 0))
        {
            return subjects.FindDevice(deviceId);
        }

        return kind is SignalKind.Sim or SignalKind.Authentication || plan.Device.Concerns(new Signal { Kind = kind, What = what, At = 0, EventAt = 0, Position = 0, Downtime = 0 })
            ? subjects.Device(deviceId, fieldId, plan, _gone)
            : subjects.FindDevice(deviceId);
    }

    private Neighbours NeighboursOf(FieldPlan plan, in Signal signal)
    {
        if (signal.Place is not { } place || plan.Of(Scopes.Place) is not { NeighboursOffset: >= 0 })
        {
            return default;
        }

        return subjects.FindWide(Scopes.Place, signal.FieldId, place)?.Neighbours ?? default;
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
            changes.Touch(device);
            Judge(device, signal, happened);
        }

        if (happened is AuthenticationEvent attempt)
        {
            changes.Touch(device);
            _signals.Learn(attempt, device);
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
        changes.Touch(subject);
        subjects.Remove(subject);
    }

    private void JudgeWide(FieldPlan plan, in Signal signal, GatewayEvent happened)
    {
        var wide = plan.Wide;
        for (var i = 0; i < wide.Length; i++)
        {
            if (wide[i] is { } scoped && scoped.Concerns(signal) && WideScope.All[i].KeyOf(signal) is { } key)
            {
                JudgeIn(WideScope.All[i].Name, signal.FieldId, key, scoped, signal, happened);
            }
        }
    }

    private void JudgeIn(string scope, string? fieldId, string key, ScopePlan plan, in Signal signal, GatewayEvent happened)
    {
        var subject = subjects.Wide(scope, fieldId, key, plan);
        subject.Timeline.LastArrival = signal.At;
        changes.Touch(subject);
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
            Judge(subject, TickOf(subject, signal), tick);
            if (subject.Id.Scope == Scopes.Source && signal.At - subject.Timeline.LastArrival >= subject.Plan.Memory)
            {
                Drop(subject, signal, subject.CorrelationId);
            }
        }

        _due.Clear();
    }

    private Signal TickOf(Subject subject, in Signal tick)
    {
        var signal = _signals.Tick(subject, tick, _books);
        if (!subject.Plan.AsksNeighbours || _book is null)
        {
            return signal;
        }

        var plan = _book.For(subject.FieldId);
        return signal with { Neighbours = NeighboursOf(plan, signal), Outage = OutageOf(plan, signal, subject.Timeline.LastArrival) };
    }

    /// <summary>The group event in which the device fell silent; one that lasts before one that is over.</summary>
    private Outage OutageOf(FieldPlan plan, in Signal signal, long last)
    {
        var found = default(Outage);
        for (var i = 0; i < plan.Wide.Length; i++)
        {
            if (plan.Wide[i] is not { Groups.Length: > 0 } scoped || WideScope.All[i].KeyOf(signal) is not { } key
                || subjects.FindWide(WideScope.All[i].Name, signal.FieldId, key) is not { } wide || !ReferenceEquals(wide.Plan, scoped))
            {
                continue;
            }

            foreach (var condition in scoped.Groups)
            {
                var outage = GroupCondition.Of(Judged.OwnOf(wide.StateOf(condition)));
                found = outage.Covers(last) && (found.To == 0 || outage.Until == 0) ? outage : found;
            }
        }

        return found;
    }

    private void Judge(Subject subject, in Signal signal, GatewayEvent happened)
    {
        changes.Remember(subject);
        if (signal.Kind != SignalKind.Tick)
        {
            subject.CorrelationId = happened.CorrelationId;
        }

        foreach (var condition in subject.Plan.Conditions)
        {
            JudgeOne(subject, condition, signal, happened);
        }

        if (subject.Plan.Scripts.Count > 0)
        {
            TellFaults(subject.Plan.Scripts, signal, subject.CorrelationId);
        }

        if (signal.Kind == SignalKind.Tick)
        {
            changes.Compare(subject);
        }

        subjects.Await(subject, _clock);
    }

    private void JudgeOne(Subject subject, PlannedCondition condition, in Signal signal, GatewayEvent happened)
    {
        var state = subject.StateOf(condition);
        var before = state[0];
        switch (condition.Judged.Step(state, signal))
        {
            case Outcome.Raise:
                Raise(subject, condition, signal, happened);
                changes.Touch(subject);
                break;
            case Outcome.Retract:
                Retract(subject, condition, signal);
                changes.Touch(subject);
                break;
            case Outcome.Clear:
                _cleared.Add(new Clearance(subject.Id, subject.FieldId, condition.Identity, signal.At, signal.Position, subject.CorrelationId));
                changes.Touch(subject);
                break;
            default:
                if (state[0] != before)
                {
                    changes.Touch(subject);
                }

                break;
        }
    }

    private void Raise(Subject subject, PlannedCondition condition, in Signal signal, GatewayEvent happened)
    {
        var finding = FindingMaker.Make(subject, condition, signal, happened);
        var claim = new Claim(
            finding.FieldId, finding.ConditionKey, finding.Scope, finding.ScopeKey, signal.Device, signal.Place, finding.Evidence.Claim, finding.RaisedAt);
        if (_books.Exceptions.Try(claim, out var tried) is { } allowed)
        {
            Judged.Except(subject.StateOf(condition));
            _allowed[allowed.ExceptionId] = (_allowed.GetValueOrDefault(allowed.ExceptionId).Times + 1, signal.At);
            return;
        }

        if (tried.Count > 0)
        {
            finding = finding with { Evidence = finding.Evidence with { ExceptionsTried = tried } };
        }

        _raised.Add(new RaisedFinding(finding, subject.Id, condition.Identity));
    }

    private void Retract(Subject subject, PlannedCondition condition, in Signal signal)
    {
        var reason = condition.Judged.Condition.Reason(Judged.OwnOf(subject.StateOf(condition)));
        var told = condition.Effect == Effects.Act
            ? new Retraction(
                subject.FieldId, subject.Id.Scope, subject.Id.Key, condition.Definition.Key, reason, DateTimeOffset.FromUnixTimeMilliseconds(signal.At), signal.Position, subject.CorrelationId)
            : null;
        _retracted.Add(new Clearance(subject.Id, subject.FieldId, condition.Identity, signal.At, signal.Position, subject.CorrelationId) { Reason = reason, Told = told });
        if (told is not null)
        {
            _retractions.Add(told);
        }
    }

    private void ClearGone(Subject subject, long at, long position, string correlationId)
    {
        foreach (var identity in _gone)
        {
            _cleared.Add(new Clearance(subject.Id, subject.FieldId, identity, at, position, correlationId));
        }

        _gone.Clear();
    }

    private StepResult Finish(IReadOnlyList<GatewayEvent> events, ChunkBuilder chunks, List<MessageEvent> duplicates, List<GatewayEvent> facts)
    {
        var result = new StepResult
        {
            Batch = new LaneBatch
            {
                FirstPosition = events[0].Position,
                LastPosition = events[^1].Position,
                Chunks = chunks.Done(),
                Duplicates = duplicates,
                Findings = [.. _raised.Where(r => r.Finding.Effect == Effects.Act).Select(r => r.Finding)],
                Retractions = [.. _retractions],
                Facts = facts,
                Ticks = [.. _ticks],
            },
            Raised = _raised,
            Cleared = [.. _cleared],
            Retracted = [.. _retracted],
            Exceptions = [.. _exceptions],
            Priors = [.. _priors],
            Scripts = [.. _scripts],
            ScriptMarks = [.. _books.Scripts.All.Select(s => s.TakeMark()).OfType<ScriptMark>()],
            Allowed = new Dictionary<string, (int, long)>(_allowed),
            States = StateChanges.None,
            Clock = _clock,
            Events = events.Count,
        };
        if (!result.IsIdle || !changes.IsEmpty)
        {
            result = result with { States = changes.Finish(events[^1].Position) };
        }

        _raised = [];
        _cleared.Clear();
        _retracted.Clear();
        _retractions.Clear();
        _exceptions.Clear();
        _priors.Clear();
        _scripts.Clear();
        _ticks.Clear();
        _allowed.Clear();
        return result;
    }
}
