using System.Globalization;
using Sekisho.Behaviour.Intake;
using Sekisho.Wire.Features;

namespace Sekisho.Behaviour.Pictures;

/// <summary>One direction over the window.</summary>
/// <param name="Packets">Frames.</param>
/// <param name="Bytes">Bytes on the wire.</param>
/// <param name="BitsPerSecond">Mean over the window.</param>
internal sealed record RateView(long Packets, long Bytes, double BitsPerSecond)
{
    public static RateView Of(in Sum sum, double seconds) => new(sum.Packets, sum.Bytes, seconds > 0 ? Math.Round(sum.Bytes * 8 / seconds, 1) : 0);
}

/// <summary>Somebody a device talked with in the window.</summary>
/// <param name="Mac">As 00:80:92:00:00:01; null where the link has none.</param>
/// <param name="Address">Null without IP.</param>
/// <param name="Services">Labels of their flows.</param>
/// <param name="Sent">From the device to the peer.</param>
/// <param name="Received">From the peer to the device.</param>
internal sealed record PeerView(string? Mac, string? Address, IReadOnlyList<string> Services, RateView Sent, RateView Received);

/// <summary>A device that a sensor saw. Times are by the sensor's clock.</summary>
/// <param name="DeviceKey">Name it in other routes by this; it says nothing of the MAC.</param>
/// <param name="Mac">As 00:80:92:00:00:01, of the router for a device behind one; null where the link has none.</param>
/// <param name="BehindRouter">The address behind a router that it is known by.</param>
/// <param name="Addresses">Addresses it used as a source, newest last.</param>
/// <param name="FirstSeen">When it was first seen.</param>
/// <param name="LastSeen">When it was last seen.</param>
/// <param name="Sent">What it sent in the window.</param>
/// <param name="Received">What was sent to it in the window.</param>
/// <param name="Peers">The peers with the most bytes in the window, at most 32.</param>
/// <param name="PeersTotal">How many there were.</param>
internal sealed record SeenDeviceView(
    string DeviceKey, string? Mac, string? BehindRouter, IReadOnlyList<string> Addresses, DateTimeOffset FirstSeen, DateTimeOffset LastSeen, RateView Sent, RateView Received, IReadOnlyList<PeerView> Peers, int PeersTotal);

/// <summary>One end of a flow.</summary>
internal sealed record EndView(string? Mac, string? Address, int Port);

/// <summary>A flow in the window. Times are by the sensor's clock.</summary>
internal sealed record FlowView(EndView Client, EndView Server, int EtherType, int Protocol, string Service, DateTimeOffset FirstSeen, DateTimeOffset LastSeen, RateView Up, RateView Down);

/// <summary>An alarm of a sensor.</summary>
/// <param name="Kind">Stable name.</param>
/// <param name="Since">When it was first noticed, by the gateway's clock.</param>
/// <param name="Text">What to do, in the language of the request.</param>
internal sealed record AlarmView(string Kind, DateTimeOffset Since, string Text);

/// <summary>What a sensor last said of itself.</summary>
/// <param name="IntervalStart">Begin of its last interval, by its own clock; null before the first.</param>
/// <param name="IntervalMilliseconds">Its length.</param>
/// <param name="Reported">Its own report.</param>
/// <param name="UplinkShare">Bytes of its uplink over bytes that it observed in the last interval; null while either is unknown.</param>
/// <param name="Missed">Intervals that never came although later ones did.</param>
/// <param name="Alarms">What is wrong.</param>
internal sealed record StateView(DateTimeOffset? IntervalStart, int? IntervalMilliseconds, SensorState? Reported, double? UplinkShare, long Missed, IReadOnlyList<AlarmView> Alarms);

/// <summary>Makes views. Pure.</summary>
internal static class Views
{
    private const int MostPeers = 32;

    public static string? Mac(ulong mac) => mac == 0 ? null
        : string.Join(':', Enumerable.Range(0, 6).Select(i => ((byte)(mac >> (40 - (8 * i)))).ToString("x2", CultureInfo.InvariantCulture)));

    public static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(milliseconds, 0, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()));

    /// <summary>True when the flow's client (or server) is the device.</summary>
    public static (bool Client, bool Server) Ends(FlowFeatures flow, DeviceIdentity device) =>
        device.BehindRouter is { } behind
            ? (flow.Client.ToString() == behind && flow.ClientMac == device.Mac, flow.Server.ToString() == behind && flow.ServerMac == device.Mac)
            : (flow.ClientMac == device.Mac, flow.ServerMac == device.Mac);

    public static SeenDeviceView Of(SeenDevice device, Window window, IReadOnlyList<FlowSum> own)
    {
        var identity = device.Identity;
        var behind = identity.BehindRouter is { } text ? Address(text) : default;
        var sums = window.Devices.GetValueOrDefault((identity.Mac, behind)) ?? new DeviceSum();
        var peers = new Dictionary<(ulong, NetAddress), (Sum Sent, Sum Received, SortedSet<string> Services)>();
        foreach (var flow in own)
        {
            var newest = flow.Newest;
            var isClient = Ends(newest, identity).Client;
            var key = isClient ? (newest.ServerMac, newest.Server) : (newest.ClientMac, newest.Client);
            var peer = peers.TryGetValue(key, out var before) ? before : (default, default, []);
            peer.Sent = Plus(peer.Sent, isClient ? flow.Up : flow.Down);
            peer.Received = Plus(peer.Received, isClient ? flow.Down : flow.Up);
            peer.Services.Add(newest.Service);
            peers[key] = peer;
        }

        return new SeenDeviceView(
            Convert.ToHexStringLower(device.Key), Mac(identity.Mac), identity.BehindRouter, identity.Addresses, Time(device.FirstSeen), Time(device.LastSeen),
            RateView.Of(sums.Sent, window.Seconds), RateView.Of(sums.Received, window.Seconds),
            [.. peers.OrderByDescending(p => p.Value.Sent.Bytes + p.Value.Received.Bytes).Take(MostPeers).Select(p => new PeerView(
                Mac(p.Key.Item1), p.Key.Item2.IsNone ? null : p.Key.Item2.ToString(), [.. p.Value.Services.Where(s => s.Length > 0)],
                RateView.Of(p.Value.Sent, window.Seconds), RateView.Of(p.Value.Received, window.Seconds)))],
            peers.Count);
    }

    public static FlowView Of(FlowSum sum, double seconds)
    {
        var flow = sum.Newest;
        return new FlowView(
            new EndView(Mac(flow.ClientMac), flow.Client.IsNone ? null : flow.Client.ToString(), flow.ClientPort),
            new EndView(Mac(flow.ServerMac), flow.Server.IsNone ? null : flow.Server.ToString(), flow.ServerPort),
            flow.EtherType, flow.Protocol, flow.Service, Time(flow.FirstSeen), Time(flow.LastSeen), RateView.Of(sum.Up, seconds), RateView.Of(sum.Down, seconds));
    }

    private static Sum Plus(Sum one, in Sum other) => new() { Packets = one.Packets + other.Packets, Bytes = one.Bytes + other.Bytes };

    private static NetAddress Address(string text)
    {
        var bytes = System.Net.IPAddress.Parse(text).MapToIPv6().GetAddressBytes();
        return NetAddress.FromIPv6(bytes);
    }
}
