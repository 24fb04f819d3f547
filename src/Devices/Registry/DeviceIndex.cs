using System.Collections.Concurrent;
using Sekisho.Devices.Credentials;
using Sekisho.Devices.Fields;
using Sekisho.Devices.Lifecycle;
using Sekisho.Domain.Devices;

namespace Sekisho.Devices.Registry;

/// <summary>All devices in memory. Reading: any thread; changes of a device come in its turn, after they are committed.</summary>
internal sealed class DeviceIndex(FieldStore fields) : IDeviceDirectory
{
    private readonly ConcurrentDictionary<string, DeviceEntry> _byId = new();
    private readonly ConcurrentDictionary<HashKey, string> _byIdentity = new();
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, DeviceEntry>> _byField = new();

    public IReadOnlyCollection<FieldProfile> Fields => fields.All;

    public int Count => _byId.Count;

    public DeviceProfile? Device(string deviceId) => _byId.GetValueOrDefault(deviceId)?.Profile;

    public FieldProfile? Field(string fieldId) => fields.Find(fieldId);

    public IReadOnlyCollection<DeviceProfile> DevicesOf(string fieldId) => [.. Of(fieldId).Select(e => e.Profile)];

    public DeviceEntry? Find(string deviceId) => _byId.GetValueOrDefault(deviceId);

    /// <summary>The device when it belongs to the field, else null.</summary>
    public DeviceEntry? Find(string fieldId, string deviceId) => Find(deviceId) is { } entry && entry.Profile.FieldId == fieldId ? entry : null;

    /// <summary>The current device of an identity; a retired one until another supersedes it.</summary>
    public DeviceEntry? ByIdentity(HashKey uniqueIdHash) => _byIdentity.TryGetValue(uniqueIdHash, out var id) ? Find(id) : null;

    public IEnumerable<DeviceEntry> Of(string fieldId) => _byField.TryGetValue(fieldId, out var devices) ? devices.Values : [];

    /// <summary>Devices that sit behind the device or belong to it.</summary>
    public bool HasDependents(DeviceEntry device) => Of(device.Profile.FieldId).Any(e => e.Id != device.Id && (e.Profile.ParentId == device.Id || e.Profile.UserId == device.Id));

    public void Put(DeviceEntry entry)
    {
        _byId[entry.Id] = entry;
        _byField.GetOrAdd(entry.Profile.FieldId, _ => new ConcurrentDictionary<string, DeviceEntry>())[entry.Id] = entry;
        if (entry.SupersededBy is null)
        {
            _byIdentity[entry.UniqueIdHash] = entry.Id;
        }

        entry.Holder.Refusal = LifecycleRules.Refusal(entry.State);
    }

    public void Remove(DeviceEntry entry)
    {
        _byId.TryRemove(entry.Id, out _);
        _byIdentity.TryRemove(new KeyValuePair<HashKey, string>(entry.UniqueIdHash, entry.Id));
        if (_byField.TryGetValue(entry.Profile.FieldId, out var devices))
        {
            devices.TryRemove(entry.Id, out _);
        }
    }
}
