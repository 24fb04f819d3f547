using Sekisho.Domain.Devices;

namespace Sekisho.Devices.Registry;

/// <summary>Tells the MACs of devices whose unique ID has one. Any thread; memory only.</summary>
internal sealed class DeviceMacs(DeviceIndex index, PersonalData personal) : IDeviceMacs
{
    public string? MacOf(string deviceId) => index.Find(deviceId) is { Profile.UniqueIdType: UniqueIdTypes.Mac or UniqueIdTypes.MacSerial } entry
        ? personal.Read("unique-id", entry.Id, entry.UniqueId).Split('/')[0]
        : null;
}
