using System.Collections.Concurrent;
using System.Data.Common;
using Dapper;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.Domain.Operations;

namespace Sekisho.Response.Tests.Support;

/// <summary>What the other stages would say: fields, devices, findings, bindings. Any thread.</summary>
internal sealed class World : IDeviceDirectory, IDeviceAccess, ITrafficRestrictions, IFindings, IResponseBindings, IOperatorAudit, IHistory, ISimFacts, IHistoryFeed, IFindingLabels
{
    private readonly ConcurrentDictionary<string, bool> _lockedByResponse = new();

    public ConcurrentDictionary<string, FieldProfile> AllFields { get; } = new();

    public ConcurrentDictionary<string, DeviceProfile> Devices { get; } = new();

    public ConcurrentDictionary<string, Finding> Findings { get; } = new();

    public ConcurrentDictionary<string, IReadOnlyList<ResponseBinding>> Bindings { get; } = new();

    public ConcurrentQueue<OperatorAction> Audited { get; } = new();

    /// <summary>What was told of SIMs, in order.</summary>
    public ConcurrentQueue<SimFactEvent> SimFacts { get; } = new();

    /// <summary>Who let which device in.</summary>
    public ConcurrentQueue<(string Device, string Actor, string Reason)> Releases { get; } = new();

    /// <summary>Runs before a lock-out; may throw or wait.</summary>
    public Func<string, CancellationToken, Task> OnLock { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Runs after a lock-out took effect; may throw or wait.</summary>
    public Func<string, CancellationToken, Task> AfterLock { get; set; } = (_, _) => Task.CompletedTask;

    public Func<string, Task> OnRelease { get; set; } = _ => Task.CompletedTask;

    public IReadOnlyCollection<FieldProfile> Fields => [.. AllFields.Values];

    public World()
    {
        foreach (var (id, language) in ((string, string)[])[("cars", "ja"), ("homes", "en")])
        {
            AllFields[id] = new FieldProfile { FieldId = id, Name = "Field " + id, Kind = "car-mobility", TimeZone = "Asia/Tokyo", ContactPoint = "窓口 03-0000-0000", Language = language };
            Bindings[id] = [];
        }

        for (var i = 1; i <= 3; i++)
        {
            AddDevice($"d00000000000000{i}", "cars", $"車両 {i}");
        }
    }

    public void AddDevice(string id, string field, string name) => Devices[id] = new DeviceProfile
    {
        DeviceId = id,
        FieldId = field,
        Name = name,
        Kind = "recorder",
        UniqueIdType = UniqueIdTypes.Imei,
        Cadence = Cadences.Irregular,
        State = LifecycleStates.Active,
        Assurance = "device",
    };

    /// <summary>A person moves the device.</summary>
    public void SetState(string device, string state)
    {
        _lockedByResponse.TryRemove(device, out _);
        Devices[device] = Devices[device] with { State = state };
    }

    public string StateOf(string device) => Devices[device].State;

    public DeviceProfile? Device(string deviceId) => Devices.GetValueOrDefault(deviceId);

    public FieldProfile? Field(string fieldId) => AllFields.GetValueOrDefault(fieldId);

    public IReadOnlyCollection<DeviceProfile> DevicesOf(string fieldId) => [.. Devices.Values.Where(d => d.FieldId == fieldId)];

    public async Task<string?> LockOutAsync(string deviceId, string state, string actor, string reason, string correlationId, CancellationToken cancellation)
    {
        await OnLock(deviceId, cancellation);
        if (Device(deviceId) is not { State: not LifecycleStates.Retired } device)
        {
            return null;
        }

        if (device.State is not (LifecycleStates.Suspended or LifecycleStates.Abnormal or LifecycleStates.Stray))
        {
            Devices[deviceId] = device with { State = state };
            _lockedByResponse[deviceId] = true;
        }

        await AfterLock(deviceId, cancellation);
        return device.State;
    }

    public async Task<bool> ReleaseAsync(string deviceId, string actor, string reason, string correlationId, CancellationToken cancellation)
    {
        await OnRelease(deviceId);
        if (Device(deviceId) is not { State: LifecycleStates.Abnormal or LifecycleStates.Suspended } || !_lockedByResponse.ContainsKey(deviceId))
        {
            return false;
        }

        SetState(deviceId, LifecycleStates.Active);
        Releases.Enqueue((deviceId, actor, reason));
        return true;
    }

    public Task<Finding?> FindAsync(string findingId, CancellationToken cancellation) => Task.FromResult(Findings.GetValueOrDefault(findingId));

    /// <summary>Rates by device and holder.</summary>
    public ConcurrentDictionary<(string Device, string Holder), (double PerMinute, DateTimeOffset Until)> Restricted { get; } = new();

    public Task RestrictAsync(string deviceId, string holder, double messagesPerMinute, DateTimeOffset until, CancellationToken cancellation)
    {
        Restricted[(deviceId, holder)] = (messagesPerMinute, until);
        return Task.CompletedTask;
    }

    public Task LiftAsync(string deviceId, string holder, CancellationToken cancellation)
    {
        Restricted.TryRemove((deviceId, holder), out _);
        return Task.CompletedTask;
    }

    double? ITrafficRestrictions.Of(string deviceId) => Restricted.Where(r => r.Key.Device == deviceId).Select(r => (double?)r.Value.PerMinute).Min();

    /// <summary>Findings that a person has in hand.</summary>
    public ConcurrentDictionary<string, bool> Handled { get; } = new();

    public Task<bool> IsHandledAsync(string findingId, CancellationToken cancellation) => Task.FromResult(!Findings.ContainsKey(findingId) || Handled.ContainsKey(findingId));

    public Task<IReadOnlyList<Finding>> SinceAsync(string fieldId, DateTimeOffset since, int most, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<Finding>>([.. Findings.Values.Where(f => f.FieldId == fieldId && f.RaisedAt >= since).OrderBy(f => f.Position).Take(most)]);

    public Task<IReadOnlyList<Finding>> RecentAsync(string fieldId, string deviceId, DateTimeOffset from, DateTimeOffset to, int most, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<Finding>>(
            [.. Findings.Values.Where(f => f.FieldId == fieldId && f.DeviceId == deviceId && f.Effect == Effects.Act && f.RaisedAt >= from && f.RaisedAt <= to).OrderByDescending(f => f.RaisedAt).ThenByDescending(f => f.Position).Take(most)]);

    /// <summary>What is passed on to receivers is tested over the real history; here there is nothing to pass on.</summary>
    public Task<long> EndAsync(CancellationToken cancellation) => Task.FromResult(0L);

    public Task<HistoryStretch> ReadAsync(HistoryReach reach, long after, int limit, CancellationToken cancellation) => Task.FromResult(new HistoryStretch([], after, AtEnd: true));

    public Task<HistoryExcess?> ExcessAsync(HistoryReach reach, long after, DateTimeOffset oldest, long most, CancellationToken cancellation) => Task.FromResult<HistoryExcess?>(null);

    /// <summary>What was said of findings.</summary>
    public ConcurrentDictionary<string, (string Label, string? Note, string Actor)> Labels { get; } = new();

    /// <summary>Runs before findings are labelled; may throw.</summary>
    public Action<IReadOnlyList<string>> OnLabel { get; set; } = _ => { };

    /// <summary>What the other stages do about it.</summary>
    public Action<FindingLabel> Labelled { get; set; } = _ => { };

    public Task<IReadOnlyList<string>> LabelAsync(IReadOnlyList<string> findingIds, string? closedAs, string? note, string actor, DateTimeOffset at, string correlationId, CancellationToken cancellation)
    {
        OnLabel(findingIds);
        var label = closedAs ?? FindingLabel.Acknowledged;
        IReadOnlyList<string> changed = [.. findingIds.Where(id => !Labels.TryGetValue(id, out var was) || was.Label == FindingLabel.Acknowledged)];
        foreach (var id in changed)
        {
            Labels[id] = (label, note, actor);
        }

        if (changed.Count > 0)
        {
            Labelled(new FindingLabel(changed, label, note, actor, at, correlationId));
        }

        return Task.FromResult(changed);
    }

    public IReadOnlyList<ResponseBinding> For(string? fieldId) => Bindings.GetValueOrDefault(fieldId ?? "", []);

    public Task ReportAsync(IReadOnlyList<SimFactEvent> facts, CancellationToken cancellation)
    {
        foreach (var fact in facts)
        {
            SimFacts.Enqueue(fact);
        }

        return Task.CompletedTask;
    }

    public Task RecordAsync(OperatorAction action, CancellationToken cancellation)
    {
        Audited.Enqueue(action);
        return Task.CompletedTask;
    }

    /// <summary>Runs before a record is kept; may throw, so that its transaction is rolled back.</summary>
    public Action<HistoryRecord> OnRecord { get; set; } = _ => { };

    public void Append(HistoryRecord record, DbTransaction transaction)
    {
        OnRecord(record);
        transaction.Connection!.Execute(
            "INSERT INTO test_history (seq, kind, what, subject, correlation) SELECT COALESCE(MAX(seq), 0) + 1, @Kind, @What, @Line, @CorrelationId FROM test_history",
            new { record.Kind, record.What, Line = $"{record.Subject} {System.Text.Json.JsonDocument.Parse(record.Details!).RootElement.GetProperty("state")}", record.CorrelationId },
            transaction);
    }
}
