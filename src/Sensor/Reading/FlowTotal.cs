using Sekisho.Wire.Features;

namespace Sekisho.Sensor.Reading;

/// <summary>Who a flow is: the smaller end first, so that both directions and both sides that may have begun it are one.</summary>
internal readonly record struct FlowEnds(NetAddress A, NetAddress B, ulong MacA, ulong MacB, int PortA, int PortB, int EtherType, int Protocol)
{
    public static FlowEnds Of(FlowFeatures flow)
    {
        // Without IP the ends are the MACs, with IP they are no part of it. Type and code of ICMP are not turned.
        var ip = !flow.Client.IsNone || !flow.Server.IsNone;
        var (client, server) = ip ? (0UL, 0UL) : (flow.ClientMac, flow.ServerMac);
        var control = flow.Protocol is 1 or 2 or 58;
        var order = flow.Client.CompareTo(flow.Server);
        order = order != 0 ? order : client.CompareTo(server);
        order = order != 0 || control ? order : flow.ClientPort.CompareTo(flow.ServerPort);
        return order <= 0
            ? new(flow.Client, flow.Server, client, server, flow.ClientPort, flow.ServerPort, flow.EtherType, flow.Protocol)
            : new(flow.Server, flow.Client, server, client, control ? flow.ClientPort : flow.ServerPort, control ? flow.ServerPort : flow.ClientPort, flow.EtherType, flow.Protocol);
    }
}

/// <summary>What went through one flow in all intervals. Its sides are those of the first interval.</summary>
/// <param name="first">The flow in the first interval.</param>
internal sealed class FlowTotal(FlowFeatures first)
{
    /// <summary>The flow as it was in its first interval: ends, ports, service. Without its tallies, which are most of its memory.</summary>
    public FlowFeatures Flow { get; } = first with { Up = Tally.None, Down = Tally.None };

    public Volume Up { get; private set; }

    public Volume Down { get; private set; }

    public Volume All => Up + Down;

    public string Service { get; private set; } = first.Service;

    /// <summary>In milliseconds since 1970.</summary>
    public long First { get; } = first.FirstSeen;

    /// <summary>See <see cref="First"/>.</summary>
    public long Last { get; private set; }

    public long Retransmissions { get; private set; }

    public long Resets { get; private set; }

    public void Add(FlowFeatures flow)
    {
        var same = flow.Client.IsNone && flow.Server.IsNone ? flow.ClientMac == Flow.ClientMac
            : flow.Client == flow.Server ? flow.ClientPort == Flow.ClientPort
            : flow.Client == Flow.Client;
        var (up, down) = same ? (flow.Up, flow.Down) : (flow.Down, flow.Up);
        Up += new Volume(up.Packets, up.Bytes);
        Down += new Volume(down.Packets, down.Bytes);
        Last = Math.Max(Last, flow.LastSeen);
        Retransmissions += flow.RetransmissionsUp + flow.RetransmissionsDown;
        Resets += flow.Resets;
        Service = Service.Length == 0 ? flow.Service : Service;
    }
}
