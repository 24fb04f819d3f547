using Sekisho.Traffic.Devices;
using Sekisho.Traffic.Labels;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Intervals;

/// <summary>Writes down what records told of an interval.</summary>
internal static unsafe class RecordRows
{
    private const long Millisecond = 1_000_000;

    public static IReadOnlyList<FlowFeatures> Flows(OpenInterval interval) =>
        [.. interval.Flows.Select(f => Features(f.Key, f.Value)).OrderBy(f => f.FirstSeen)];

    /// <summary>The devices that have sent, in this interval or before. What was sent to an address goes to the MAC that meanwhile sent from it.</summary>
    public static IReadOnlyList<DeviceFeatures> Devices(OpenInterval interval, DeviceTable table, Dictionary<NetAddress, ulong> macs, ulong seed)
    {
        foreach (var (id, sum) in interval.Devices.Where(d => d.Key.Mac == 0 && !d.Value.Spoke).ToList())
        {
            if (macs.TryGetValue(id.Behind, out var mac) && interval.Device(DeviceId.Of(mac, default, seed), speaks: false) is { } device)
            {
                device.Received.Add(sum.Received);
                device.First = Math.Min(device.First, sum.First);
                device.Last = Math.Max(device.Last, sum.Last);
                interval.Leave(id);
            }
        }

        var rows = new List<DeviceFeatures>();
        foreach (var (id, sum) in interval.Devices)
        {
            var number = table.Find(id.Mac, id.Behind);
            var entry = table.Entries + number;
            if (sum.Spoke || (number != 0 && (entry->Flags & DeviceFlags.Spoke) != 0))
            {
                rows.Add(Features(id, sum, number == 0 ? null : entry));
            }
        }

        rows.Sort((a, b) => a.Mac != b.Mac ? a.Mac.CompareTo(b.Mac) : a.BehindRouter.CompareTo(b.BehindRouter));
        return rows;
    }

    private static DeviceFeatures Features(in DeviceId id, DeviceSum sum, DeviceEntry* known) => new()
    {
        Mac = id.Mac,
        BehindRouter = id.Behind,
        Addresses = known == null ? id.Behind.IsNone ? [] : [id.Behind] : new ReadOnlySpan<NetAddress>(known->Addresses, known->AddressCount).ToArray(),
        FirstSeen = Math.Min(sum.First, known == null ? sum.First : known->First) / Millisecond,
        LastSeen = sum.Last / Millisecond,
        Sent = sum.Sent.ToTally(),
        Received = sum.Received.ToTally(),
        Broadcasts = sum.Broadcasts,
        Multicasts = sum.Multicasts,
        DhcpExchanges = sum.Dhcp,
        ConnectionsBegun = sum.Begun,
        ConnectionsFailed = sum.Failed,
        PeersLocal = sum.PeersLocal.Estimate(),
        PeersBeyond = sum.PeersBeyond.Estimate(),
        PortsCalled = sum.Ports.Estimate(),
    };

    private static FlowFeatures Features(in FlowId id, FlowSum sum)
    {
        var (portA, portB) = ((int)(ushort)(id.Word >> 48), (int)(ushort)(id.Word >> 32));
        var (etherType, protocol) = ((int)(ushort)(id.Word >> 16), (int)(byte)(id.Word >> 8));
        var ip = etherType is IpProtocol.EtherTypeV4 or IpProtocol.EtherTypeV6;
        var clientIsA = sum.Client == 0;
        var turned = !clientIsA && protocol is not (IpProtocol.Icmp or IpProtocol.IcmpV6 or IpProtocol.Igmp);
        var (clientPort, serverPort) = turned ? (portB, portA) : (portA, portB);
        return new()
        {
            ClientMac = clientIsA ? sum.MacA : sum.MacB,
            ServerMac = clientIsA ? sum.MacB : sum.MacA,
            Client = !ip ? default : clientIsA ? id.A : id.B,
            Server = !ip ? default : clientIsA ? id.B : id.A,
            EtherType = etherType,
            Protocol = protocol,
            ClientPort = clientPort,
            ServerPort = serverPort,
            Service = ip ? ServiceTable.OfPorts(protocol, clientPort, serverPort) : ServiceTable.OfEtherType(etherType),
            FirstSeen = sum.First / Millisecond,
            LastSeen = sum.Last / Millisecond,
            Up = (clientIsA ? sum.FromA : sum.FromB).ToTally(),
            Down = (clientIsA ? sum.FromB : sum.FromA).ToTally(),
            Syns = sum.Syns,
            SynAcks = sum.SynAcks,
            Fins = sum.Fins,
            Resets = sum.Resets,
        };
    }
}
