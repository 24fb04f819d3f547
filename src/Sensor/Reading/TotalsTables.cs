using Sekisho.Sensor.Texts;
using Sekisho.Traffic.Devices;
using Sekisho.Wire.Features;
using Spectre.Console;

namespace Sekisho.Sensor.Reading;

/// <summary>The totals of a file as tables for people.</summary>
internal static class TotalsTables
{
    private static readonly LocalNetworks s_private = new([]);

    /// <summary>Prints them, with the <paramref name="top"/> largest devices and flows.</summary>
    public static void Write(IAnsiConsole to, TrafficTotals totals, TotalsJson.Source source, int top, string language)
    {
        string Text(string key, params ReadOnlySpan<(string, string)> values) => SensorTexts.Get(key, language, values);
        to.MarkupLineInterpolated($"[bold]{source.Path}[/] ({source.Format})");
        if (totals.Time is not { } time)
        {
            to.WriteLine(Text("read.empty"));
            return;
        }

        var seconds = Math.Max((time.Last - time.First) / 1000.0, 0.001);
        to.WriteLine(Text("read.span", ("from", Writing.Time(time.First)), ("to", Writing.Time(time.Last)), ("packets", Writing.Number(totals.Packets)), ("bytes", Writing.Number(totals.Bytes)), ("rate", Writing.BitRate(totals.Bytes * 8 / seconds))));
        to.WriteLine(Text("read.odd", ("malformed", Writing.Number(totals.Malformed)), ("truncated", Writing.Number(totals.Truncated)), ("unknown", Writing.Number(totals.Unknown))));
        var layers = totals.Conversations;
        to.WriteLine(Text("read.counts", ("devices", Writing.Number(totals.Devices.Count)), ("flows", Writing.Number(totals.Flows.Count)), ("ethernet", Writing.Number(layers["ethernet"])), ("ip", Writing.Number(layers["ipv4"] + layers["ipv6"])), ("tcp", Writing.Number(layers["tcp"])), ("udp", Writing.Number(layers["udp"]))));
        to.WriteLine();
        to.Write(Devices(totals, seconds, top, language));
        to.Write(Flows(totals, top, language));
        to.Write(Protocols(totals, language));
        if (totals.Devices.Count > top || totals.Flows.Count > top)
        {
            to.WriteLine(Text("read.more", ("top", Writing.Number(top))));
        }
    }

    private static Table Devices(TrafficTotals totals, double seconds, int top, string language)
    {
        var table = New("table.devices", language, "column.mac", "column.addresses", ">column.sent", ">column.received", ">column.rate", ">column.peers", ">column.failed", "column.last");
        foreach (var device in TotalsJson.Order(totals.Devices).Take(top))
        {
            table.AddRow(
                Cell(Name(device.Mac, device.BehindRouter, language)),
                Cell(Addresses(device.Addresses)),
                Cell(Of(device.Sent)),
                Cell(Of(device.Received)),
                Cell(Writing.BitRate(device.All.Bytes * 8 / seconds)),
                Cell(Writing.Number(totals.PeersOf(device))),
                Cell(Writing.Number(device.Failed)),
                Cell(Writing.Time(device.Last)));
        }

        return table;
    }

    private static Table Flows(TrafficTotals totals, int top, string language)
    {
        var table = New("table.flows", language, "column.protocol", "column.client", "column.server", ">column.up", ">column.down", ">column.retransmissions", "column.first", "column.last");
        foreach (var total in TotalsJson.Order(totals.Flows).Take(top))
        {
            var flow = total.Flow;
            table.AddRow(
                Cell(ProtocolNames.Of(flow)),
                Cell(End(flow, flow.ClientMac, flow.Client, flow.ClientPort)),
                Cell(End(flow, flow.ServerMac, flow.Server, flow.ServerPort)),
                Cell(Of(total.Up)),
                Cell(Of(total.Down)),
                Cell(Writing.Number(total.Retransmissions)),
                Cell(Writing.Time(total.First)),
                Cell(Writing.Time(total.Last)));
        }

        return table;
    }

    private static Table Protocols(TrafficTotals totals, string language)
    {
        var table = New("table.protocols", language, "column.protocol", ">column.packets", ">column.bytes", ">column.share");
        foreach (var (name, volume) in totals.Protocols.OrderByDescending(p => p.Value.Bytes))
        {
            table.AddRow(Cell(name), Cell(Writing.Number(volume.Packets)), Cell(Writing.Number(volume.Bytes)), Cell(Writing.Percent((double)volume.Bytes / Math.Max(totals.Bytes, 1))));
        }

        return table;
    }

    /// <summary>A table with its title and the names of its columns; ">" before a name sets the column to the right.</summary>
    internal static Table New(string title, string language, params ReadOnlySpan<string> columns)
    {
        var table = new Table { Border = TableBorder.Rounded, Title = new TableTitle(Markup.Escape(SensorTexts.Get(title, language))) };
        foreach (var column in columns)
        {
            var right = column[0] == '>';
            table.AddColumn(new TableColumn(Markup.Escape(SensorTexts.Get(right ? column[1..] : column, language))) { Alignment = right ? Justify.Right : Justify.Left, NoWrap = true });
        }

        return table;
    }

    /// <summary>A device's MAC, or that it is behind a router; "–" where nobody tells MACs.</summary>
    internal static string Name(ulong mac, NetAddress behindRouter, string language) =>
        behindRouter.IsNone || mac == 0 ? Writing.Mac(mac) : SensorTexts.Get("table.behind", language, ("mac", Writing.Mac(mac)));

    internal static Text Cell(string text) => new(text);

    /// <summary>The first address, one of a private network before others: a router's own stands among all that it brings in.</summary>
    internal static string Addresses(IReadOnlyCollection<NetAddress> addresses)
    {
        if (addresses.Count == 0)
        {
            return "–";
        }

        var first = addresses.OrderByDescending(a => s_private.Contains(a)).First().ToString();
        return addresses.Count == 1 ? first : $"{first} +{Writing.Number(addresses.Count - 1)}";
    }

    internal static string End(FlowFeatures flow, ulong mac, NetAddress address, int port) =>
        address.IsNone ? Writing.Mac(mac)
        : flow.Protocol is not (6 or 17 or 33 or 132 or 136) ? address.ToString()
        : address.IsIPv4 ? $"{address}:{Plain(port)}" : $"[{address}]:{Plain(port)}";

    private static string Plain(int port) => port.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static string Of(Volume volume) => $"{Writing.Bytes(volume.Bytes)} / {Writing.Number(volume.Packets)}";
}
