using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Sekisho.Traffic.Tests.Capture;

namespace Sekisho.Sensor.Tests.Live;

/// <summary>
/// The same traffic seen from a mirror port and by a sensor on the bridge or router itself:
/// <code>
/// client c0 ── p1 bridge p2 ── r0 router w0 ── s0 server
///               └ mirrored, both directions, to a ── b
/// </code>
/// Each machine is a namespace. No offload is switched off, so the kernel hands whole rows of segments through.
/// </summary>
public sealed class InlineTests : IDisposable
{
    private const int LastPort = 9;

    private readonly NetworkLab _client = new();
    private readonly NetworkLab _bridge = new();
    private readonly NetworkLab _router = new();
    private readonly NetworkLab _server = new();
    private readonly IPAddress _serverAddress = IPAddress.Parse("10.0.2.2");

    public InlineTests()
    {
        try
        {
            foreach (var lab in All)
            {
                // Nobody tells of himself either.
                lab.Inside(() => File.WriteAllText("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1"));
                lab.Inside(() => File.WriteAllText("/proc/sys/net/ipv4/igmp_link_local_mcast_reports", "0"));
            }

            _bridge.AddCable("c0", "p1");
            _bridge.AddCable("r0", "p2");
            _router.AddCable("s0", "w0");
            Move(_bridge, "c0", _client);
            Move(_bridge, "r0", _router);
            Move(_router, "s0", _server);
            _bridge.Ip("link", "add", "name", "br0", "type", "bridge", "mcast_snooping", "0");
            foreach (var port in (string[])["p1", "p2"])
            {
                _bridge.Ip("link", "set", "dev", port, "master", "br0");
            }

            _bridge.Ip("link", "set", "dev", "br0", "addrgenmode", "none");
            _bridge.Ip("link", "set", "dev", "br0", "up");
            _client.Ip("address", "add", "10.0.1.2/24", "dev", "c0");
            _router.Ip("address", "add", "10.0.1.1/24", "dev", "r0");
            _router.Ip("address", "add", "10.0.2.1/24", "dev", "w0");
            _server.Ip("address", "add", "10.0.2.2/24", "dev", "s0");
            _client.Ip("route", "add", "default", "via", "10.0.1.1");
            _server.Ip("route", "add", "default", "via", "10.0.2.1");
            _router.Inside(() => File.WriteAllText("/proc/sys/net/ipv4/ip_forward", "1"));

            // Known to each other for good: nobody asks at a time of its own choice.
            Know(_client, "c0", "10.0.1.1", _router, "r0");
            Know(_router, "r0", "10.0.1.2", _client, "c0");
            Know(_router, "w0", "10.0.2.2", _server, "s0");
            Know(_server, "s0", "10.0.2.1", _router, "w0");
            NetworkLab.Tool("tc", "-n", _bridge.Name, "qdisc", "add", "dev", "p1", "clsact");
            foreach (var direction in (string[])["ingress", "egress"])
            {
                NetworkLab.Tool("tc", "-n", _bridge.Name, "filter", "add", "dev", "p1", direction, "protocol", "all", "u32", "match", "u32", "0", "0", "action", "mirred", "egress", "mirror", "dev", "a");
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private NetworkLab[] All => [_client, _bridge, _router, _server];

    public void Dispose()
    {
        foreach (var lab in All)
        {
            lab.Dispose();
        }
    }

    [Fact]
    public void A_sensor_on_a_mirror_port_one_on_the_bridge_and_one_on_the_router_tell_the_same_of_the_same_traffic()
    {
        using var mirror = new WatchingSensor(_bridge, "--interface", "b");
        using var towardsDevices = new WatchingSensor(_bridge, "--inline", "--interface", "p1");
        using var allPorts = new WatchingSensor(_bridge, "--inline", "--interface", "p1", "--interface", "p2");
        using var router = new WatchingSensor(_router, "--inline", "--interface", "r0");
        WatchingSensor[] sensors = [mirror, towardsDevices, allPorts, router];

        Transfer(5001, up: 300_000, down: 2_000_000);
        Transfer(8883, up: 2_000_000, down: 1);
        Transfer(80, up: 100, down: 50_000);
        Datagrams(47_808);
        Ask();
        _client.Inside(() =>
        {
            using var ping = new Ping();
            Assert.Equal(IPStatus.Success, ping.Send(_serverAddress, timeout: 10_000).Status);
        });
        using var lastServer = Socket(_server, SocketType.Dgram);
        lastServer.Bind(new IPEndPoint(IPAddress.Any, LastPort));
        using var last = Socket(_client, SocketType.Dgram);
        last.SendTo([0], new IPEndPoint(_serverAddress, LastPort));
        foreach (var sensor in sensors)
        {
            sensor.Process.Until(() => sensor.Told.Flows.Keys.Any(f => f.Server == $"{_serverAddress} {LastPort}"), "the last packet is not told");
        }

        var told = sensors.Select(s => s.End()).ToArray();
        var first = told[0];
        Assert.All(told, t => Assert.Equal((0, 0), (t.Drops, t.Odd)));
        Assert.True(first.Packets > 3000 && first.Flows.Count >= 7, $"{first.Packets} packets, {first.Flows.Count} flows");
        Assert.True(_bridge.Counter("p1", "rx_packets") + _bridge.Counter("p1", "tx_packets") < first.Packets, "The kernel merged nothing, so this test shows nothing.");
        foreach (var other in told[1..])
        {
            Assert.Equal(Lines(first.Flows), Lines(other.Flows));
            Assert.Equal((first.Packets, first.Bytes), (other.Packets, other.Bytes));
            Assert.Equal(first.Devices, other.Devices);
        }

        // 190 datagrams in a frame each, ten in three fragments each, ten that were one for the kernel.
        var datagrams = first.Flows.Single(f => f.Key.Server == $"{_serverAddress} 47808").Value;
        var single = Enumerable.Range(0, 200).Where(i => i % 20 != 0).Select(i => 42 + 100 + i);
        Assert.Equal((single.Count() + 30 + 10, single.Sum() + (10 * (8 + 4000 + (3 * 34))) + (10 * 542), 190 + 20), (datagrams.Packets, datagrams.Bytes, datagrams.PacketsBack));
        var transfer = first.Flows.Single(f => f.Key.Server == $"{_serverAddress} 5001").Value;
        Assert.True(transfer.PacketsBack >= 2_000_000 / 1460 && transfer.BytesBack >= 2_000_000 + (transfer.PacketsBack * 54) && transfer.BytesBack <= 2_100_000 + (transfer.PacketsBack * 54), transfer.ToString());
    }

    private static IEnumerable<string> Lines(Dictionary<ToldFlow, ToldVolume> flows) => flows.Select(f => $"{f.Key} {f.Value}").Order(StringComparer.Ordinal);

    private static void Move(NetworkLab from, string name, NetworkLab to)
    {
        from.Ip("link", "set", "dev", name, "netns", to.Name);
        to.Ip("link", "set", "dev", name, "addrgenmode", "none");
        to.Ip("link", "set", "dev", name, "up");
    }

    private static string MacOf(NetworkLab lab, string name) => lab.Ip("-o", "link", "show", "dev", name).Split("link/ether ")[1].Split(' ')[0];

    private static void Know(NetworkLab lab, string name, string address, NetworkLab other, string otherName) =>
        lab.Ip("neighbour", "replace", address, "lladdr", MacOf(other, otherName), "dev", name, "nud", "permanent");

    private static void Receive(Socket from, int count)
    {
        var buffer = new byte[1 << 16];
        for (var left = count; left > 0;)
        {
            var read = from.Receive(buffer, Math.Min(left, buffer.Length), SocketFlags.None);
            Assert.True(read > 0, "The connection ended early.");
            left -= read;
        }
    }

    // A connection from its begin to its end.
    private void Transfer(int port, int up, int down)
    {
        using var listener = Socket(_server, SocketType.Stream);
        listener.Bind(new IPEndPoint(IPAddress.Any, port));
        listener.Listen();
        using var client = Socket(_client, SocketType.Stream);
        client.Connect(_serverAddress, port);
        using var server = listener.Accept();
        var sending = Task.Run(() => client.Send(new byte[up]));
        Receive(server, up);
        Assert.Equal(up, sending.Result);
        sending = Task.Run(() => server.Send(new byte[down]));
        Receive(client, down);
        Assert.Equal(down, sending.Result);
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, server.Receive(new byte[1]));
        server.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, client.Receive(new byte[1]));
    }

    // Questions and answers, some longer than a frame; and ten datagrams that the kernel is to cut out of one.
    private void Datagrams(int port)
    {
        using var server = Socket(_server, SocketType.Dgram);
        server.Bind(new IPEndPoint(IPAddress.Any, port));
        using var client = Socket(_client, SocketType.Dgram);
        client.Connect(_serverAddress, port);
        var buffer = new byte[65_536];
        for (var i = 0; i < 200; i++)
        {
            client.Send(new byte[i % 20 == 0 ? 4000 : 100 + i]);
            EndPoint from = new IPEndPoint(IPAddress.Any, 0);
            var read = server.ReceiveFrom(buffer, ref from);
            server.SendTo(buffer.AsSpan(0, read / 2), from);
            client.Receive(buffer);
        }

        const int Udp = 17;
        const int SegmentSize = 103;
        client.SetRawSocketOption(Udp, SegmentSize, BitConverter.GetBytes(500));
        client.Send(new byte[5000]);
        Receive(server, 5000);
    }

    // Who has the router's address; and a frame with a tag to a MAC that no port is known for.
    private void Ask() => _client.Inside(() =>
    {
        using var sender = new FrameSender("c0");
        byte[] own = [.. MacOf(_client, "c0").Split(':').Select(b => Convert.ToByte(b, 16))];
        Assert.True(sender.Send([255, 255, 255, 255, 255, 255, .. own, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, .. own, 10, 0, 1, 2, 0, 0, 0, 0, 0, 0, 10, 0, 1, 1]));
        Assert.True(sender.Send(TestFrames.Udp4(5000, 5001, new byte[100], 100)));
    });

    private static Socket Socket(NetworkLab lab, SocketType type) => lab.Inside(() => new Socket(AddressFamily.InterNetwork, type, type == SocketType.Stream ? ProtocolType.Tcp : ProtocolType.Udp) { ReceiveTimeout = 30_000 });
}
