using System.Collections.Concurrent;
using System.Data.Common;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.Domain.Operations;

namespace Sekisho.Detection.Tests;

/// <summary>A directory that holds what a test puts in. Any thread.</summary>
internal sealed class FakeDirectory : IDeviceDirectory
{
    private readonly ConcurrentDictionary<string, DeviceProfile> _devices = new();
    private readonly ConcurrentDictionary<string, FieldProfile> _fields = new();

    public FakeDirectory(string zone = "Asia/Tokyo")
    {
        SetField("field", zone);
    }

    public IReadOnlyCollection<FieldProfile> Fields => [.. _fields.Values];

    public void SetField(string id, string zone) => _fields[id] = new FieldProfile
    {
        FieldId = id,
        Name = id,
        Kind = "car-mobility",
        TimeZone = zone,
        ContactPoint = "",
        Language = "ja",
    };

    public void SetDevice(string id, string? user = null, TimeSpan? interval = null, string name = "", string kind = "recorder", string? parent = null) => _devices[id] = new DeviceProfile
    {
        DeviceId = id,
        FieldId = "field",
        Name = name,
        Kind = kind,
        UniqueIdType = UniqueIdTypes.Serial,
        Cadence = interval is null ? Cadences.Irregular : Cadences.Interval,
        Interval = interval,
        State = LifecycleStates.Active,
        Assurance = "device",
        UserId = user,
        ParentId = parent,
    };

    public DeviceProfile? Device(string deviceId) => _devices.GetValueOrDefault(deviceId);

    public FieldProfile? Field(string fieldId) => _fields.GetValueOrDefault(fieldId);

    public IReadOnlyCollection<DeviceProfile> DevicesOf(string fieldId) => [.. _devices.Values.Where(d => d.FieldId == fieldId)];
}

/// <summary>Switches that a test sets, for all fields. Any thread.</summary>
internal sealed class FakeFlows : IFlowSwitches
{
    public FlowSwitches Switches { get; set; } = FlowSwitches.Default;

    public FlowSwitches Of(string fieldId) => Switches;
}

/// <summary>A history in a table of the store, so that it shares the fate of the transaction.</summary>
internal sealed class FakeHistory : IHistory
{
    public void Append(HistoryRecord record, DbTransaction transaction)
    {
        using var command = transaction.Connection!.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "INSERT INTO test_history (what, subject) VALUES (@what, @subject)";
        foreach (var (name, value) in new (string, object)[] { ("what", record.What), ("subject", record.Subject ?? "") })
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (name, value);
            command.Parameters.Add(parameter);
        }

        command.ExecuteNonQuery();
    }
}

/// <summary>A history that keeps nothing, where no store is.</summary>
internal sealed class NoHistory : IHistory
{
    public void Append(HistoryRecord record, DbTransaction transaction)
    {
    }
}

/// <summary>A journal in memory. Any thread.</summary>
internal sealed class FakeFeed : IEventFeed, IEventJournal
{
    private readonly Lock _turn = new(); // guards _events and _more
    private readonly List<GatewayEvent> _events = [];
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public long LastPosition
    {
        get
        {
            lock (_turn)
            {
                return _events.Count;
            }
        }
    }

    public long Released { get; private set; }

    public int LargestRead { get; set; } = int.MaxValue;

    public void Append(IEnumerable<GatewayEvent> events)
    {
        TaskCompletionSource more;
        lock (_turn)
        {
            foreach (var one in events)
            {
                _events.Add(one with { Position = _events.Count + 1 });
            }

            (more, _more) = (_more, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        more.SetResult();
    }

    public async ValueTask<IReadOnlyList<GatewayEvent>> ReadAsync(long afterPosition, int limit, CancellationToken cancellation)
    {
        while (true)
        {
            Task more;
            lock (_turn)
            {
                var count = Math.Min(Math.Min(limit, LargestRead), _events.Count - (int)afterPosition);
                if (count > 0)
                {
                    return _events.GetRange((int)afterPosition, count);
                }

                more = _more.Task;
            }

            await more.WaitAsync(cancellation);
        }
    }

    public ValueTask<long> AppendAsync(IReadOnlyList<GatewayEvent> events, CancellationToken cancellation)
    {
        lock (_turn)
        {
            var first = _events.Count + 1L;
            Append(events);
            return ValueTask.FromResult(first);
        }
    }

    public void Release(long position) => Released = position;
}
