using Sekisho.Sensor.Reading;
using Sekisho.Sensor.Texts;
using Sekisho.Wire.Features;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Sekisho.Sensor.Live;

/// <summary>The newest interval as a screen: the sensor's state above, each device with its rates below. One thread at a time.</summary>
/// <param name="language">"ja" or "en".</param>
internal sealed class LiveView(string language)
{
    private const int LinesBesidesRows = 9;
    private const int LeastRows = 5;
    private const int MostServices = 3;

    private readonly Dictionary<(ulong Mac, NetAddress Behind), DeviceFeatures> _known = [];

    /// <summary>Draws it for a terminal of so many lines.</summary>
    public IRenderable Draw(LiveStatus status, int lines)
    {
        var interval = status.Interval;
        var seconds = interval.Length / 1000.0;
        var active = new Dictionary<(ulong, NetAddress), DeviceFeatures>();
        foreach (var device in interval.Devices)
        {
            active[(device.Mac, device.BehindRouter)] = _known[(device.Mac, device.BehindRouter)] = device;
        }

        Forget();
        var services = Services(interval.Flows);
        var table = TotalsTables.New("live.devices", language, "column.mac", "column.addresses", ">column.sent", ">column.received", ">column.packet-rate", ">column.peers", ">column.failed", "column.services", "column.last");
        var rows = Math.Max(lines - LinesBesidesRows - status.Trouble.Count, LeastRows);
        foreach (var (key, device) in _known.OrderByDescending(d => active.ContainsKey(d.Key) ? d.Value.Sent.Bytes + d.Value.Received.Bytes : -1).ThenByDescending(d => d.Value.LastSeen).ThenBy(d => d.Key.Mac).Take(rows))
        {
            var now = active.GetValueOrDefault(key);
            table.AddRow(
                TotalsTables.Cell(TotalsTables.Name(device.Mac, device.BehindRouter, language)),
                TotalsTables.Cell(TotalsTables.Addresses([.. device.Addresses.Reverse()])),
                TotalsTables.Cell(Writing.BitRate((now?.Sent.Bytes ?? 0) * 8 / seconds)),
                TotalsTables.Cell(Writing.BitRate((now?.Received.Bytes ?? 0) * 8 / seconds)),
                TotalsTables.Cell(Writing.Number((long)Math.Round(((now?.Sent.Packets ?? 0) + (now?.Received.Packets ?? 0)) / seconds))),
                TotalsTables.Cell(now is null ? "–" : Writing.Number(now.PeersLocal + now.PeersBeyond)),
                TotalsTables.Cell(now is null ? "–" : Writing.Number(now.ConnectionsFailed)),
                TotalsTables.Cell(services.GetValueOrDefault(device.Mac) is { } names && device.BehindRouter.IsNone ? string.Join(' ', names.OrderByDescending(n => n.Value).Take(MostServices).Select(n => n.Key)) : ""),
                TotalsTables.Cell(Writing.Time(device.LastSeen)[11..19]));
        }

        var parts = new List<IRenderable> { new Text(Head(status)), new Text(Own(status)) };
        parts.AddRange(status.Trouble.Select(t => new Text(t, new Style(Color.Red))));
        parts.Add(_known.Count == 0 ? new Text(SensorTexts.Get("live.nothing", language)) : table);
        if (_known.Count > rows)
        {
            parts.Add(new Text(SensorTexts.Get("live.more", language, ("shown", Writing.Number(rows)), ("known", Writing.Number(_known.Count)))));
        }

        return new Rows(parts);
    }

    /// <summary>Rates of everything together, as one line.</summary>
    public string Head(LiveStatus status)
    {
        var interval = status.Interval;
        var seconds = interval.Length / 1000.0;
        return SensorTexts.Get(
            "live.head",
            language,
            ("time", Writing.Time(interval.Start + interval.Length)),
            ("packets", Writing.Number((long)Math.Round(interval.State.Packets / seconds))),
            ("rate", Writing.BitRate(interval.State.Bytes * 8 / seconds)),
            ("devices", Writing.Number(interval.Devices.Count)),
            ("flows", Writing.Number(interval.Flows.Count + interval.State.FlowsOmitted)));
    }

    /// <summary>What the sensor says of itself, as one line.</summary>
    public string Own(LiveStatus status)
    {
        var state = status.Interval.State;
        var own = SensorTexts.Get(
            "live.own",
            language,
            ("cpu", Writing.Percent(state.Cpu)),
            ("memory", Writing.Bytes(state.Memory)),
            ("drops", Writing.Number(state.KernelDrops)),
            ("flowTable", Writing.Percent((double)state.FlowsHeld / Math.Max(state.FlowsLimit, 1))),
            ("deviceTable", Writing.Percent((double)state.DevicesHeld / Math.Max(state.DevicesLimit, 1))));
        return status.Uplink is null
            ? own
            : own + SensorTexts.Get(
                "live.uplink",
                language,
                ("bytes", Writing.Bytes(status.Uplink.Value)),
                ("share", status.UplinkShare is { } share ? Writing.Percent(share) : "–"),
                ("waiting", Writing.Number(state.Waiting)),
                ("offset", state.ClockOffset is { } offset ? Writing.Number((long)offset) + " ms" : "–"));
    }

    private static Dictionary<ulong, Dictionary<string, long>> Services(IEnumerable<FlowFeatures> flows)
    {
        var services = new Dictionary<ulong, Dictionary<string, long>>();
        foreach (var flow in flows)
        {
            var name = ProtocolNames.Of(flow);
            foreach (var mac in (ReadOnlySpan<ulong>)[flow.ClientMac, flow.ServerMac])
            {
                if (!services.TryGetValue(mac, out var names))
                {
                    services.Add(mac, names = []);
                }

                names[name] = names.GetValueOrDefault(name) + flow.Up.Bytes + flow.Down.Bytes;
            }
        }

        return services;
    }

    // A scan with invented MACs fills the sensor's table at most, and this screen no more than that.
    private void Forget()
    {
        const int Most = 4096;
        if (_known.Count > Most)
        {
            foreach (var key in _known.OrderBy(d => d.Value.LastSeen).Take(_known.Count - (Most / 2)).Select(d => d.Key).ToList())
            {
                _known.Remove(key);
            }
        }
    }
}
