using Sekisho.Sensor.Reading;
using Sekisho.Wire.Features;

namespace Sekisho.Sensor.Tests.Reading;

public class TrafficTotalsTests
{
    private const ulong One = 0x02_00_00_00_00_01;
    private const ulong Two = 0x02_00_00_00_00_02;
    private const ulong Router = 0x02_00_00_00_00_FE;

    [Fact]
    public void A_flow_that_ended_and_was_begun_anew_by_the_other_side_is_one_and_keeps_its_first_direction()
    {
        var totals = new TrafficTotals(10);
        totals.Add(Interval(flows: [Flow(1, 2, 50_000, 1883, up: 3, down: 1, at: 1000)]));
        totals.Add(Interval(flows: []));
        totals.Add(Interval(flows: [Flow(2, 1, 1883, 50_000, up: 5, down: 2, at: 90_000)]));

        var flow = Assert.Single(totals.Flows);
        Assert.Equal((Of(5), Of(6)), (flow.Up, flow.Down));
        Assert.Equal((50_000, 1000, 90_000), (flow.Flow.ClientPort, flow.First, flow.Last));
        Assert.Equal((1000, 90_000), totals.Time);
        Assert.Equal((1, 1, 1, 0), (totals.Conversations["ethernet"], totals.Conversations["ipv4"], totals.Conversations["tcp"], totals.Conversations["udp"]));
    }

    [Fact]
    public void Ends_of_one_address_are_told_apart_by_their_ports()
    {
        var totals = new TrafficTotals(10);
        totals.Add(Interval(flows: [Flow(1, 1, 50_000, 80, up: 3, down: 1)]));
        totals.Add(Interval(flows: [Flow(1, 1, 80, 50_000, up: 4, down: 2)]));

        var flow = Assert.Single(totals.Flows);
        Assert.Equal((Of(5), Of(5)), (flow.Up, flow.Down));
    }

    [Fact]
    public void Flows_without_IP_have_MACs_as_ends_and_flows_with_IP_are_the_same_whatever_router_sends_them_on()
    {
        var totals = new TrafficTotals(10);
        totals.Add(Interval(flows: [Flow(0, 0, 0, 0, up: 1, protocol: 0) with { EtherType = 0x88CC }, Flow(1, 2, 5, 6, up: 1)]));
        totals.Add(Interval(flows: [Flow(0, 0, 0, 0, up: 2, protocol: 0) with { EtherType = 0x88CC, ClientMac = Two, ServerMac = One }, Flow(1, 2, 5, 6, up: 1) with { ServerMac = Router }]));

        Assert.Equal(2, totals.Flows.Count);
        Assert.Equal((Of(1), Of(2)), totals.Flows.Where(f => f.Flow.Client.IsNone).Select(f => (f.Up, f.Down)).Single());
        Assert.Equal(2, totals.Conversations["ethernet"]);
    }

    [Fact]
    public void Type_and_code_of_ICMP_are_not_turned_with_the_direction()
    {
        var totals = new TrafficTotals(10);
        totals.Add(Interval(flows: [Flow(1, 2, 8, 0, up: 1, protocol: 1), Flow(2, 1, 3, 1, up: 1, protocol: 1)]));
        totals.Add(Interval(flows: [Flow(2, 1, 8, 0, up: 1, protocol: 1)]));

        Assert.Equal(2, totals.Flows.Count);
        Assert.Equal(3, totals.Flows.Sum(f => f.All.Packets));
        Assert.Equal((Of(1), Of(1)), totals.Flows.Where(f => f.Flow.ClientPort == 8).Select(f => (f.Up, f.Down)).Single());
    }

    [Fact]
    public void A_device_behind_a_router_is_a_device_of_its_own_with_its_own_peers()
    {
        var totals = new TrafficTotals(10);
        var behind = Device(Router, sent: 4) with { BehindRouter = Address(7), Addresses = [Address(7)] };
        var toBehind = Flow(7, 1, 5000, 80, up: 4) with { ClientMac = Router, ServerMac = One };
        var toOutside = Flow(1, 200, 5001, 443, up: 1) with { ServerMac = Router };
        totals.Add(Interval(devices: [Device(One, sent: 1), Device(Router, sent: 2), behind], flows: [toBehind, toOutside]));
        totals.Add(Interval(devices: [behind with { Addresses = [Address(7)] }], flows: []));

        Assert.Equal(3, totals.Devices.Count);
        var device = Assert.Single(totals.Devices, d => !d.BehindRouter.IsNone);
        Assert.Equal((Of(8), 1), (device.Sent, totals.PeersOf(device)));
        Assert.Equal([Address(7)], device.Addresses);
        Assert.Equal(2, totals.PeersOf(totals.Devices.Single(d => d.Mac == One)));
        Assert.Equal(1, totals.PeersOf(totals.Devices.Single(d => d.Mac == Router && d.BehindRouter.IsNone)));
    }

    [Fact]
    public void Flows_beyond_the_limit_are_in_the_sums_and_counted_apart()
    {
        var totals = new TrafficTotals(mostFlows: 2);
        for (var round = 0; round < 2; round++)
        {
            totals.Add(Interval(flows: [.. Enumerable.Range(0, 5).Select(i => Flow(1, 10 + (uint)i, 5000, 80, up: 1 + i) with { Service = "http" })], devices: [Device(One, sent: 1)]));
        }

        Assert.Equal(2, totals.Flows.Count);
        Assert.Equal(Of(2 * (1 + 2)), totals.Flows.Aggregate(default(Volume), (sum, f) => sum + f.All));
        Assert.Equal(Of(2 * (3 + 4 + 5)), totals.Beyond);
        Assert.Equal(Of(2 * 15), totals.Protocols["http"]);
        Assert.Equal((2, 2), (totals.Conversations["ipv4"], totals.PeersOf(totals.Devices.Single())));
    }

    [Fact]
    public void Groups_are_no_peers()
    {
        var totals = new TrafficTotals(10);
        NetAddress[] groups = [NetAddress.FromIPv4(0xE000_00FB), NetAddress.FromIPv4(0xFFFF_FFFF), new(0xFF02_0000_0000_0000, 0xFB), new(0xFE80_0000_0000_0000, 1)];
        totals.Add(Interval(devices: [Device(One, sent: 1)], flows: [.. groups.Select(g => Flow(1, 2, 5353, 5353, up: 1, protocol: 17) with { Server = g })]));

        Assert.Equal(1, totals.PeersOf(totals.Devices.Single()));
    }

    [Fact]
    public void What_a_device_did_is_summed_over_intervals_and_its_addresses_are_bounded()
    {
        var totals = new TrafficTotals(10);
        for (var i = 0; i < 100; i++)
        {
            totals.Add(Interval(devices: [Device(One, sent: 1) with { Addresses = [Address((uint)i)], FirstSeen = 1000 + i, LastSeen = 2000 + i, Broadcasts = 1, ArpRequests = 1, ArpReplies = 1, ArpAnnouncements = 1, ConnectionsFailed = 1 }], flows: []));
        }

        var device = Assert.Single(totals.Devices);
        Assert.Equal((Of(100), 100, 300, 100, 1000, 2099), (device.All, device.Broadcasts, device.Arp, device.Failed, device.First, device.Last));
        Assert.Equal(DeviceTotal.MostAddresses, device.Addresses.Count);
    }

    [Fact]
    public void Before_the_first_interval_there_is_nothing()
    {
        var totals = new TrafficTotals(10);

        Assert.Equal((0L, 0L, null), (totals.Packets, totals.Bytes, totals.Time));
        Assert.All(totals.Conversations.Values, count => Assert.Equal(0, count));
    }

    private static IntervalFeatures Interval(IReadOnlyList<FlowFeatures> flows, IReadOnlyList<DeviceFeatures>? devices = null) => new(0, 0, 10_000, devices ?? [], flows, new SensorState());

    private static DeviceFeatures Device(ulong mac, int sent) => new() { Mac = mac, Addresses = [], FirstSeen = 0, LastSeen = 0, Sent = Tally(sent), Received = Wire.Features.Tally.None };

    private static FlowFeatures Flow(uint client, uint server, int clientPort, int serverPort, int up, int down = 0, int protocol = 6, long at = 0) => new()
    {
        ClientMac = client == 2 ? Two : One,
        ServerMac = client == 2 ? One : Two,
        Client = client == 0 ? default : Address(client),
        Server = server == 0 ? default : Address(server),
        EtherType = 0x0800,
        Protocol = protocol,
        ClientPort = clientPort,
        ServerPort = serverPort,
        Service = "",
        FirstSeen = at,
        LastSeen = at,
        Up = Tally(up),
        Down = Tally(down),
    };

    private static NetAddress Address(uint number) => NetAddress.FromIPv4(0x0A00_0000 + number);

    private static Tally Tally(int packets) => new() { Packets = packets, Bytes = 100 * packets, Sizes = new uint[8], Gaps = new uint[8] };

    private static Volume Of(int packets) => new(packets, 100 * packets);
}
