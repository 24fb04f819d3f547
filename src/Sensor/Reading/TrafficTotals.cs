using Sekisho.Wire.Features;

namespace Sekisho.Sensor.Reading;

/// <summary>Sums up intervals: what devices, flows and protocols did in all of them. One thread at a time.</summary>
/// <param name="mostFlows">Flows that are kept apart; of further ones, and of who speaks in them, only packets and bytes are summed up, see <see cref="Beyond"/>.</param>
internal sealed class TrafficTotals(int mostFlows)
{
    private readonly Dictionary<(ulong Mac, NetAddress Behind), DeviceTotal> _devices = [];
    private readonly Dictionary<FlowEnds, FlowTotal> _flows = [];
    private readonly HashSet<(ulong, ulong)> _ethernet = [];
    private readonly HashSet<(NetAddress, NetAddress)> _ip = [];
    private readonly Dictionary<(ulong Mac, NetAddress Behind), HashSet<NetAddress>> _peers = [];
    private readonly SortedDictionary<string, Volume> _protocols = new(StringComparer.Ordinal);

    public long Packets { get; private set; }

    public long Bytes { get; private set; }

    public long Malformed { get; private set; }

    /// <summary>Frames of which not all headers were captured.</summary>
    public long Truncated { get; private set; }

    public long Unknown { get; private set; }

    /// <summary>Flows and devices that had to leave the tables for want of room; they may be counted twice when they come back.</summary>
    public long Evicted { get; private set; }

    /// <summary>What went through flows that are not kept apart.</summary>
    public Volume Beyond { get; private set; }

    public IReadOnlyCollection<DeviceTotal> Devices => _devices.Values;

    public IReadOnlyCollection<FlowTotal> Flows => _flows.Values;

    /// <summary>By the service's label, or the protocol's name where no service is known.</summary>
    public IReadOnlyDictionary<string, Volume> Protocols => _protocols;

    /// <summary>Pairs that spoke with each other, by layer: "ethernet", "ipv4", "ipv6", and by ports "tcp", "udp".</summary>
    public IReadOnlyDictionary<string, int> Conversations => new SortedDictionary<string, int>(StringComparer.Ordinal)
    {
        ["ethernet"] = _ethernet.Count,
        ["ipv4"] = _ip.Count(pair => pair.Item1.IsIPv4),
        ["ipv6"] = _ip.Count(pair => !pair.Item1.IsIPv4),
        ["tcp"] = _flows.Keys.Count(ends => ends.Protocol == 6),
        ["udp"] = _flows.Keys.Count(ends => ends.Protocol == 17),
    };

    /// <summary>First and last packet in milliseconds since 1970; null before the first.</summary>
    public (long First, long Last)? Time { get; private set; }

    public void Add(IntervalFeatures interval)
    {
        Packets += interval.State.Packets;
        Bytes += interval.State.Bytes;
        Malformed += interval.State.Malformed;
        Truncated += interval.State.Truncated;
        Unknown += interval.State.Unknown;
        Evicted += interval.State.FlowsEvicted + interval.State.DevicesEvicted;
        foreach (var device in interval.Devices)
        {
            var key = (device.Mac, device.BehindRouter);
            if (!_devices.TryGetValue(key, out var total))
            {
                _devices.Add(key, total = new DeviceTotal(device.Mac, device.BehindRouter));
            }

            total.Add(device);
        }

        foreach (var flow in interval.Flows)
        {
            Add(flow);
        }
    }

    /// <summary>Addresses that a device spoke with, groups not counted.</summary>
    public int PeersOf(DeviceTotal device) => _peers.GetValueOrDefault((device.Mac, device.BehindRouter))?.Count ?? 0;

    private void Add(FlowFeatures flow)
    {
        var volume = new Volume(flow.Up.Packets + flow.Down.Packets, flow.Up.Bytes + flow.Down.Bytes);
        Time = (Math.Min(Time?.First ?? long.MaxValue, flow.FirstSeen), Math.Max(Time?.Last ?? 0, flow.LastSeen));
        var name = ProtocolNames.Of(flow);
        _protocols[name] = _protocols.GetValueOrDefault(name) + volume;
        var ends = FlowEnds.Of(flow);
        if (!_flows.TryGetValue(ends, out var total))
        {
            if (_flows.Count >= mostFlows)
            {
                Beyond += volume;
                return;
            }

            _flows.Add(ends, total = new FlowTotal(flow));
        }

        // All that is kept of flows is bounded with them.
        total.Add(flow);
        _ethernet.Add(flow.ClientMac < flow.ServerMac ? (flow.ClientMac, flow.ServerMac) : (flow.ServerMac, flow.ClientMac));
        if (!flow.Client.IsNone || !flow.Server.IsNone)
        {
            _ip.Add(flow.Client < flow.Server ? (flow.Client, flow.Server) : (flow.Server, flow.Client));
            AddPeer(flow.ClientMac, flow.Client, flow.Server);
            AddPeer(flow.ServerMac, flow.Server, flow.Client);
        }
    }

    private void AddPeer(ulong mac, NetAddress own, NetAddress peer)
    {
        var key = _devices.ContainsKey((mac, own)) ? (mac, own) : (mac, default);
        if (!IsGroup(peer) && _devices.ContainsKey(key))
        {
            if (!_peers.TryGetValue(key, out var peers))
            {
                _peers.Add(key, peers = []);
            }

            peers.Add(peer);
        }
    }

    private static bool IsGroup(NetAddress address) =>
        address.IsNone || (address.IsIPv4 ? (uint)address.Low >= 0xE000_0000 : address.High >> 56 == 0xFF);
}
