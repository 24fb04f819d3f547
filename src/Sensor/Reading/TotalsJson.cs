using System.Text.Json;
using Sekisho.Wire.Features;

namespace Sekisho.Sensor.Reading;

/// <summary>The totals of a file as one JSON object.</summary>
internal static class TotalsJson
{
    /// <summary>What is known of the file itself.</summary>
    /// <param name="Path">As it was given.</param>
    /// <param name="Format">"pcap", "pcapng.gz", "zeek" …</param>
    /// <param name="IsCut">It ends inside a record.</param>
    /// <param name="Warnings">For people.</param>
    internal sealed record Source(string Path, string Format, bool IsCut, IReadOnlyList<string> Warnings);

    /// <summary>Writes it, with the <paramref name="top"/> largest flows.</summary>
    public static void Write(Stream to, TrafficTotals totals, Source source, int top)
    {
        using var json = new Utf8JsonWriter(to, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteString("file", source.Path);
        json.WriteString("format", source.Format);
        json.WriteNumber("packets", totals.Packets);
        json.WriteNumber("bytes", totals.Bytes);
        json.WriteNumber("malformed", totals.Malformed);
        json.WriteNumber("truncated", totals.Truncated + (source.IsCut ? 1 : 0));
        json.WriteBoolean("fileTruncated", source.IsCut);
        json.WriteNumber("unknown", totals.Unknown);
        json.WriteNumber("evicted", totals.Evicted);
        if (totals.Time is { } time)
        {
            json.WriteString("first", DateTimeOffset.FromUnixTimeMilliseconds(time.First));
            json.WriteString("last", DateTimeOffset.FromUnixTimeMilliseconds(time.Last));
        }

        json.WriteStartArray("devices");
        foreach (var device in Order(totals.Devices))
        {
            Write(json, device, totals.PeersOf(device));
        }

        json.WriteEndArray();
        json.WriteNumber("flows", totals.Flows.Count);
        json.WriteNumber("conversations", totals.Conversations["ipv4"] + totals.Conversations["ipv6"]);
        json.WriteStartObject("conversationsByLayer");
        foreach (var (layer, count) in totals.Conversations)
        {
            json.WriteNumber(layer, count);
        }

        json.WriteEndObject();
        json.WriteStartObject("protocols");
        foreach (var (name, volume) in totals.Protocols)
        {
            json.WriteStartObject(name);
            Write(json, volume);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteStartArray("largestFlows");
        foreach (var flow in Order(totals.Flows).Take(top))
        {
            Write(json, flow);
        }

        json.WriteEndArray();
        if (totals.Beyond.Packets > 0)
        {
            json.WriteStartObject("furtherFlows");
            Write(json, totals.Beyond);
            json.WriteEndObject();
        }

        json.WriteStartArray("warnings");
        foreach (var warning in source.Warnings)
        {
            json.WriteStringValue(warning);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Devices, the one with most bytes first.</summary>
    public static IEnumerable<DeviceTotal> Order(IEnumerable<DeviceTotal> devices) =>
        devices.OrderByDescending(d => d.All.Bytes).ThenBy(d => d.Mac).ThenBy(d => d.BehindRouter);

    /// <summary>Flows, the one with most bytes first.</summary>
    public static IEnumerable<FlowTotal> Order(IEnumerable<FlowTotal> flows) =>
        flows.OrderByDescending(f => f.All.Bytes).ThenBy(f => f.First).ThenBy(f => f.Flow.Client).ThenBy(f => f.Flow.ClientPort);

    private static void Write(Utf8JsonWriter json, DeviceTotal device, int peers)
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
        Write(json, device.All);
        json.WriteNumber("sentPackets", device.Sent.Packets);
        json.WriteNumber("sentBytes", device.Sent.Bytes);
        json.WriteNumber("receivedPackets", device.Received.Packets);
        json.WriteNumber("receivedBytes", device.Received.Bytes);
        json.WriteNumber("peers", peers);
        json.WriteNumber("broadcasts", device.Broadcasts);
        json.WriteNumber("multicasts", device.Multicasts);
        json.WriteNumber("arp", device.Arp);
        json.WriteNumber("dhcp", device.Dhcp);
        json.WriteNumber("connectionsBegun", device.Begun);
        json.WriteNumber("connectionsFailed", device.Failed);
        json.WriteNumber("retransmissions", device.Retransmissions);
        json.WriteString("first", DateTimeOffset.FromUnixTimeMilliseconds(device.First));
        json.WriteString("last", DateTimeOffset.FromUnixTimeMilliseconds(device.Last));
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, FlowTotal total)
    {
        var flow = total.Flow;
        json.WriteStartObject();
        json.WriteString("protocol", ProtocolNames.Of(flow));
        json.WriteNumber("ipProtocol", flow.Protocol);
        Side(json, "client", flow.ClientMac, flow.Client, flow.ClientPort);
        Side(json, "server", flow.ServerMac, flow.Server, flow.ServerPort);
        Write(json, total.All);
        json.WriteNumber("upPackets", total.Up.Packets);
        json.WriteNumber("upBytes", total.Up.Bytes);
        json.WriteNumber("downPackets", total.Down.Packets);
        json.WriteNumber("downBytes", total.Down.Bytes);
        json.WriteNumber("retransmissions", total.Retransmissions);
        json.WriteNumber("resets", total.Resets);
        json.WriteString("first", DateTimeOffset.FromUnixTimeMilliseconds(total.First));
        json.WriteString("last", DateTimeOffset.FromUnixTimeMilliseconds(total.Last));
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

    private static void Write(Utf8JsonWriter json, Volume volume)
    {
        json.WriteNumber("packets", volume.Packets);
        json.WriteNumber("bytes", volume.Bytes);
    }
}
