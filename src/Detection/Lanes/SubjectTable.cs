using Sekisho.Detection.Findings;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;

namespace Sekisho.Detection.Lanes;

/// <summary>All subjects in memory, and who waits for a tick. One lane at a time.</summary>
internal sealed class SubjectTable(IDeviceDirectory directory, int mostSourcesPerLane)
{
    /// <summary>Stands for all sources past the limit of a lane.</summary>
    public const string OtherSources = "*";

    private readonly Dictionary<string, Subject> _devices = [];
    private readonly Dictionary<SubjectId, Subject> _wide = [];
    private readonly PriorityQueue<Subject, long> _waiting = new();
    private readonly int[] _sources = new int[Lane.Count];

    public IEnumerable<Subject> All => _devices.Values.Concat(_wide.Values);

    public Subject? FindDevice(string deviceId) => _devices.GetValueOrDefault(deviceId);

    public Subject? FindWide(string scope, string? fieldId, string key) => _wide.GetValueOrDefault(new SubjectId(scope, fieldId, key));

    public Subject Device(string deviceId, string fieldId, FieldPlan plan, List<ulong> gone)
    {
        if (!_devices.TryGetValue(deviceId, out var subject))
        {
            subject = new Subject(new SubjectId(Scopes.Device, null, deviceId), fieldId) { Profile = directory.Device(deviceId) };
            _devices.Add(deviceId, subject);
        }

        subject.FieldId = fieldId;
        subject.Adopt(plan.Device, gone);
        return subject;
    }

    public Subject Wide(string scope, string? fieldId, string key, ScopePlan plan)
    {
        var id = new SubjectId(scope, fieldId, key);
        if (_wide.TryGetValue(id, out var known))
        {
            return known;
        }

        if (scope == Scopes.Source && key != OtherSources && _sources[Lane.Of(scope, key)] >= mostSourcesPerLane)
        {
            return Wide(scope, fieldId, OtherSources, plan);
        }

        var subject = new Subject(id, fieldId);
        subject.Adopt(plan, []);
        Put(subject);
        return subject;
    }

    /// <summary>Takes in a subject that was loaded or made.</summary>
    public void Put(Subject subject)
    {
        if (subject.Id.Scope == Scopes.Device)
        {
            subject.Profile = directory.Device(subject.Id.Key);
            _devices.Add(subject.Id.Key, subject);
            return;
        }

        _wide.Add(subject.Id, subject);
        _sources[subject.Lane] += subject.Id.Scope == Scopes.Source ? 1 : 0;
    }

    public void Remove(Subject subject)
    {
        subject.Removed = true;
        if (subject.Id.Scope == Scopes.Device)
        {
            _devices.Remove(subject.Id.Key);
        }
        else if (_wide.Remove(subject.Id) && subject.Id.Scope == Scopes.Source)
        {
            _sources[subject.Lane]--;
        }
    }

    /// <summary>What the directory says of a device that has no state yet.</summary>
    public DeviceProfile? ProfileOf(string deviceId) => directory.Device(deviceId);

    public void Refresh(Subject device) => device.Profile = directory.Device(device.Id.Key);

    /// <summary>Makes the subject wait for the tick that it needs next. A later need is found when the earlier one comes up.</summary>
    public void Await(Subject subject, in LaneClock clock)
    {
        var due = Due(subject, clock);
        if (due < subject.Queued)
        {
            subject.Queued = due;
            _waiting.Enqueue(subject, due);
        }
    }

    /// <summary>The subjects whose time has come, in the order of their identifiers.</summary>
    public void TakeDue(in LaneClock clock, List<Subject> due)
    {
        while (_waiting.TryPeek(out var subject, out var queued) && queued <= clock.SeenAt)
        {
            _waiting.Dequeue();
            if (subject.Removed || subject.Queued != queued)
            {
                continue;
            }

            subject.Queued = long.MaxValue;
            if (Due(subject, clock) <= clock.SeenAt)
            {
                due.Add(subject);
            }
            else
            {
                Await(subject, clock);
            }
        }

        due.Sort(static (a, b) => a.Id.CompareTo(b.Id));
    }

    private static long Due(Subject subject, in LaneClock clock)
    {
        var due = subject.Due(clock.TickAt, clock.Downtime);

        // Senders come and go without end: one that has been calm for as long as anything matters is forgotten.
        return subject.Id.Scope == Scopes.Source && subject.Plan.Memory != long.MaxValue
            ? Math.Min(due, subject.Timeline.LastArrival + subject.Plan.Memory)
            : due;
    }
}
