using System.Text.Json;
using Sekisho.Sensor.Reading;
using Sekisho.Wire.Features;

namespace Sekisho.Sensor.Live;

/// <summary>An interval as one line of JSON, for programs that watch the sensor. Fields are only added.</summary>
internal static class IntervalJson
{
    /// <summary>Writes the line, its end too.</summary>
    public static void Write(Stream to, LiveStatus status)
    {
        var interval = status.Interval;
        using (var json = new Utf8JsonWriter(to))
        {
            json.WriteStartObject();
            json.WriteString("start", DateTimeOffset.FromUnixTimeMilliseconds(interval.Start));
            json.WriteNumber("milliseconds", interval.Length);
            Write(json, interval.State);
            json.WriteStartArray("devices");
            foreach (var device in interval.Devices)
            {
                Write(json, device);
            }

            json.WriteEndArray();
            json.WriteStartArray("flows");
            foreach (var flow in interval.Flows)
            {
                Write(json, flow);
            }

            json.WriteEndArray();
            json.WriteStartArray("trouble");
            foreach (var trouble in status.Trouble)
            {
                json.WriteStringValue(trouble);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        to.WriteByte((byte)'\n');
        to.Flush();
    }

    private static void Write(Utf8JsonWriter json, SensorState state)
    {
        json.WriteNumber("packets", state.Packets);
        json.WriteNumber("bytes", state.Bytes);
        json.WriteNumber("malformed", state.Malformed);
        json.WriteNumber("truncated", state.Truncated);
        json.WriteNumber("unknown", state.Unknown);
        json.WriteNumber("kernelDrops", state.KernelDrops);
        json.WriteNumber("evicted", state.FlowsEvicted + state.DevicesEvicted);
        json.WriteNumber("flowsOmitted", state.FlowsOmitted);
        json.WriteNumber("cpu", Math.Round(state.Cpu, 4));
        json.WriteNumber("memory", state.Memory);
        json.WriteNumber("waiting", state.Waiting);
    }

    private static void Write(Utf8JsonWriter json, DeviceFeatures device)
    {
        json.WriteStartObject();
        json.WriteString("mac", device.Mac == 0 ? null : Writing.Mac(device.Mac));
        if (!device.BehindRouter.IsNone)
        {
            json.WriteString("behindRouter", device.BehindRouter.ToString());
        }

        json.WriteStartArray("addresses");
        foreach (var address in device.Addresses)
        {
            json.WriteStringValue(address.ToString());
        }

        json.WriteEndArray();
        Write(json, "sent", device.Sent);
        Write(json, "received", device.Received);
        json.WriteNumber("broadcasts", device.Broadcasts);
        json.WriteNumber("multicasts", device.Multicasts);
        json.WriteNumber("peers", device.PeersLocal + device.PeersBeyond);
        json.WriteNumber("connectionsBegun", device.ConnectionsBegun);
        json.WriteNumber("connectionsFailed", device.ConnectionsFailed);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, FlowFeatures flow)
    {
        json.WriteStartObject();
        json.WriteString("protocol", ProtocolNames.Of(flow));
        json.WriteNumber("ipProtocol", flow.Protocol);
        Side(json, "client", flow.ClientMac, flow.Client, flow.ClientPort);
        Side(json, "server", flow.ServerMac, flow.Server, flow.ServerPort);
        Write(json, "up", flow.Up);
        Write(json, "down", flow.Down);
        json.WriteEndObject();
    }

    private static void Side(Utf8JsonWriter json, string name, ulong mac, NetAddress address, int port)
    {
        json.WriteStartObject(name);
        json.WriteString("mac", mac == 0 ? null : Writing.Mac(mac));
        json.WriteString("address", address.IsNone ? null : address.ToString());
        json.WriteNumber("port", port);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, Tally tally)
    {
        json.WriteNumber(name + "Packets", tally.Packets);
        json.WriteNumber(name + "Bytes", tally.Bytes);
    }
}
