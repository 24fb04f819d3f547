namespace Sekisho.Traffic.Intervals;

/// <summary>What records have told of one interval until now. One caller at a time.</summary>
internal sealed class OpenInterval(int flowLimit, int deviceLimit)
{
    private int _speakers;

    public long Packets;
    public long Bytes;

    public Dictionary<FlowId, FlowSum> Flows { get; } = [];

    public Dictionary<DeviceId, DeviceSum> Devices { get; } = [];

    /// <summary>Parts of records that found no place among the flows.</summary>
    public long FlowsOmitted { get; private set; }

    /// <summary>Parts of records that found no place among the devices.</summary>
    public long DevicesOmitted { get; private set; }

    /// <summary>The flow; null when there is no room for it. A new one begins with <paramref name="client"/>.</summary>
    public FlowSum? Flow(in FlowId id, int client)
    {
        if (Flows.TryGetValue(id, out var flow))
        {
            return flow;
        }

        if (Flows.Count >= flowLimit)
        {
            FlowsOmitted++;
            return null;
        }

        flow = new() { Client = client };
        Flows.Add(id, flow);
        return flow;
    }

    /// <summary>The device; null when there is no room for it. Who was only written to has room of its own, so that a scan of unused addresses hides nobody.</summary>
    public DeviceSum? Device(in DeviceId id, bool speaks)
    {
        if (!Devices.TryGetValue(id, out var device))
        {
            if ((speaks ? _speakers : Devices.Count - _speakers) >= deviceLimit)
            {
                DevicesOmitted++;
                return null;
            }

            device = new();
            Devices.Add(id, device);
        }

        if (speaks && !device.Spoke)
        {
            device.Spoke = true;
            _speakers++;
        }

        return device;
    }
}
