using System.Runtime.InteropServices;
using Sekisho.Behaviour.Intake;
using Sekisho.Behaviour.Sensors;
using Sekisho.Wire.Features;

namespace Sekisho.Behaviour.Pictures;

/// <summary>Packets and bytes over a window.</summary>
internal struct Sum
{
    public long Packets;
    public long Bytes;

    public void Add(Tally tally)
    {
        Packets += tally.Packets;
        Bytes += tally.Bytes;
    }
}

/// <summary>What a device sent and received over a window.</summary>
internal sealed class DeviceSum
{
    public Sum Sent;
    public Sum Received;
}

/// <summary>A flow over a window: its newest form, and both directions summed up.</summary>
internal sealed class FlowSum
{
    public required FlowFeatures Newest { get; set; }

    public Sum Up;
    public Sum Down;
}

/// <summary>The last intervals of a sensor, added up.</summary>
/// <param name="Seconds">How long they are together.</param>
/// <param name="Devices">By MAC and address behind a router.</param>
/// <param name="Flows">Each once.</param>
internal sealed record Window(double Seconds, IReadOnlyDictionary<(ulong Mac, NetAddress BehindRouter), DeviceSum> Devices, IReadOnlyList<FlowSum> Flows);

/// <summary>Adds up the last intervals of sensors. Any thread.</summary>
internal sealed class RecentWindows(IntervalStore store)
{
    /// <summary>Seconds when nobody says otherwise.</summary>
    public const int Usual = 60;

    /// <summary>Seconds at most.</summary>
    public const int Most = 3_600;

    // Each is read and decoded for one answer.
    private const int MostIntervals = 720;

    public async Task<Window> OfAsync(Sensor sensor, int? seconds, CancellationToken cancellation)
    {
        var devices = new Dictionary<(ulong, NetAddress), DeviceSum>();
        var flows = new Dictionary<(ulong, ulong, NetAddress, NetAddress, int, int, int, int), FlowSum>();
        if (sensor.Status is not { } status)
        {
            return new Window(0, devices, []);
        }

        var wanted = Math.Clamp(seconds ?? Usual, 1, Most) * 1_000L;
        var count = Math.Clamp((wanted + status.Length - 1) / Math.Max(1, status.Length), 1, MostIntervals);
        long length = 0;
        foreach (var message in await store.MessagesAsync(sensor.Id, sensor.LastSequence - count + 1, cancellation))
        {
            // What was stored was decoded before.
            if (!IntervalCodec.TryDecode(message, IntervalIntake.Limits, out var interval, out var fault))
            {
                throw new InvalidOperationException("A stored interval cannot be read: " + fault);
            }

            length += interval.Length;
            foreach (var device in interval.Devices)
            {
                ref var sum = ref CollectionsMarshal.GetValueRefOrAddDefault(devices, (device.Mac, device.BehindRouter), out _);
                sum ??= new DeviceSum();
                sum.Sent.Add(device.Sent);
                sum.Received.Add(device.Received);
            }

            foreach (var flow in interval.Flows)
            {
                ref var sum = ref CollectionsMarshal.GetValueRefOrAddDefault(
                    flows, (flow.ClientMac, flow.ServerMac, flow.Client, flow.Server, flow.EtherType, flow.Protocol, flow.ClientPort, flow.ServerPort), out _);
                sum ??= new FlowSum { Newest = flow };
                sum.Newest = flow;
                sum.Up.Add(flow.Up);
                sum.Down.Add(flow.Down);
            }
        }

        return new Window(length / 1_000.0, devices, [.. flows.Values.OrderByDescending(f => f.Up.Bytes + f.Down.Bytes)]);
    }
}
