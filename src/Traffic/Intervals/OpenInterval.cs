namespace Sekisho.Traffic.Intervals;

/// <summary>What all open intervals hold together.</summary>
internal sealed class OpenRoom
{
    public int Flows;
    public int Devices;
}

/// <summary>What records have told of one interval until now. One caller at a time.</summary>
internal sealed class OpenInterval(RecordIntervalsSettings settings, OpenRoom room)
{
    private const int Together = 10;

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

        if (Flows.Count >= settings.FlowsPerInterval || room.Flows / Together >= settings.FlowsPerInterval)
        {
            FlowsOmitted++;
            return null;
        }

        room.Flows++;
        flow = new() { Client = client };
        Flows.Add(id, flow);
        return flow;
    }

    /// <summary>The device; null when there is no room for it. Who was only written to has room of its own, so that a scan of unused addresses hides nobody.</summary>
    public DeviceSum? Device(in DeviceId id, bool speaks)
    {
        if (!Devices.TryGetValue(id, out var device))
        {
            // Half of the room that is shared is kept for those who speak.
            if ((speaks ? _speakers : Devices.Count - _speakers) >= settings.DevicesPerInterval || room.Devices / (speaks ? Together : Together / 2) >= settings.DevicesPerInterval)
            {
                DevicesOmitted++;
                return null;
            }

            room.Devices++;
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

    /// <summary>Takes out who never spoke.</summary>
    public void Leave(in DeviceId id)
    {
        Devices.Remove(id);
        room.Devices--;
    }
}
