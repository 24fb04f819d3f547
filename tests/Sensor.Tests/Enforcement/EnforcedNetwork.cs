using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Sekisho.Traffic.Tests.Capture;

namespace Sekisho.Sensor.Tests.Enforcement;

/// <summary>
/// A device, an enforcer in its path, a server and an update server, each address answered by echoes on port 7000:
/// <code>
/// device d0 ── r0 router w0 ── s0 servers          10.9.1.2, fd09:1::2 · 10.9.2.2, fd09:2::2 (server) · 10.9.2.3, fd09:2::3 (update server)
/// device d0 ── p1 bridge p2 ── s0 servers          the same device · 10.9.1.22 · 10.9.1.23
/// </code>
/// </summary>
[SuppressMessage("Performance", "CA1852", Justification = "Another project that compiles this file derives from it.")]
internal class EnforcedNetwork : IAsyncDisposable
{
    public const int Port = 7000;
    private static readonly TimeSpan s_standing = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(700);

    private readonly bool _bridged;
    private readonly List<Socket> _listeners = [];

    public EnforcedNetwork(bool bridged)
    {
        _bridged = bridged;
        Connect();
    }

    /// <summary>Where the enforcer is.</summary>
    public NetworkLab Path { get; } = new();

    /// <summary>Where the device is.</summary>
    public NetworkLab DeviceSide { get; } = new();

    /// <summary>Where the servers are.</summary>
    public NetworkLab ServerSide { get; } = new();

    /// <summary>The enforcer's interface towards the device.</summary>
    public string Interface => _bridged ? "p1" : "r0";

    public string DeviceMac { get; private set; } = "";

    public ulong Mac => ulong.Parse(DeviceMac.Replace(":", "", StringComparison.Ordinal), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    public IPAddress Device => IPAddress.Parse("10.9.1.2");

    public IPAddress Device6 => IPAddress.Parse("fd09:1::2");

    public IPAddress Server => IPAddress.Parse(_bridged ? "10.9.1.22" : "10.9.2.2");

    public IPAddress Update => IPAddress.Parse(_bridged ? "10.9.1.23" : "10.9.2.3");

    public IPAddress Server6 => IPAddress.Parse(_bridged ? "fd09:1::22" : "fd09:2::2");

    public IPAddress Update6 => IPAddress.Parse(_bridged ? "fd09:1::23" : "fd09:2::3");

    /// <summary>Whether a new connection of the device is answered.</summary>
    public bool Reaches(IPAddress server, int port = Port)
    {
        using var connection = Open(server, port);
        return connection is not null && Echoes(connection);
    }

    /// <summary>The device talks to the server, at once or soon: after a block both may still be asking for each other's link address, once a second.</summary>
    public void Talks(IPAddress server) => Until(() => Reaches(server), s_standing, $"the device does not reach {server}");

    /// <summary>A connection of the device; null when nobody answers.</summary>
    public Socket? Open(IPAddress server, int port = Port)
    {
        var socket = DeviceSide.Inside(() => new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        using var patience = new CancellationTokenSource(s_patience);
        try
        {
            socket.ConnectAsync(server, port, patience.Token).AsTask().GetAwaiter().GetResult();
            return socket;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            socket.Dispose();
            return null;
        }
    }

    /// <summary>Whether a connection that stands still carries something there and back.</summary>
    public static bool Echoes(Socket connection, TimeSpan? patience = null)
    {
        connection.Send([1]);
        connection.ReceiveTimeout = (int)(patience ?? s_patience).TotalMilliseconds;
        try
        {
            return connection.Receive(new byte[16]) > 0;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Waits until something holds.</summary>
    public static void Until(Func<bool> holds, TimeSpan within, string otherwise)
    {
        var until = TimeProvider.System.GetUtcNow() + within;
        while (!holds())
        {
            Assert.True(TimeProvider.System.GetUtcNow() < until, otherwise);
        }
    }

    public string Nft(params string[] arguments) => NetworkLab.Tool("ip", ["netns", "exec", Path.Name, "nft", .. arguments]);

    public virtual ValueTask DisposeAsync()
    {
        _listeners.ForEach(l => l.Dispose());
        foreach (var lab in (NetworkLab[])[DeviceSide, ServerSide, Path])
        {
            lab.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    private void Connect()
    {
        Path.AddCable("d0", _bridged ? "p1" : "r0");
        Path.AddCable("s0", _bridged ? "p2" : "w0");
        Move("d0", DeviceSide);
        Move("s0", ServerSide);
        DeviceMac = DeviceSide.Ip("-o", "link", "show", "dev", "d0").Split("link/ether ")[1].Split(' ')[0];
        Add(DeviceSide, "d0", "10.9.1.2/24", "fd09:1::2/64");
        if (_bridged)
        {
            Path.Ip("link", "add", "name", "br0", "type", "bridge", "mcast_snooping", "0");
            Path.Ip("link", "set", "dev", "p1", "master", "br0");
            Path.Ip("link", "set", "dev", "p2", "master", "br0");
            Path.Ip("link", "set", "dev", "br0", "up");
            Add(ServerSide, "s0", "10.9.1.22/24", "10.9.1.23/24", "fd09:1::22/64", "fd09:1::23/64");
        }
        else
        {
            Add(Path, "r0", "10.9.1.1/24", "fd09:1::1/64", "fe80::1/64");
            Add(Path, "w0", "10.9.2.1/24", "fd09:2::1/64", "fe80::1/64");
            Add(ServerSide, "s0", "10.9.2.2/24", "10.9.2.3/24", "fd09:2::2/64", "fd09:2::3/64");
            foreach (var (lab, v4, v6) in ((NetworkLab, string, string)[])[(DeviceSide, "10.9.1.1", "fd09:1::1"), (ServerSide, "10.9.2.1", "fd09:2::1")])
            {
                lab.Ip("route", "add", "default", "via", v4);
                lab.Ip("-6", "route", "add", "default", "via", v6);
            }

            Path.Inside(() =>
            {
                File.WriteAllText("/proc/sys/net/ipv4/ip_forward", "1");
                File.WriteAllText("/proc/sys/net/ipv6/conf/all/forwarding", "1");
            });
        }

        foreach (var address in (IPAddress[])[Server, Update, Server6, Update6])
        {
            Listen(address);
        }

        // A bridge forwards once it has noticed its cables, and nobody knows of anybody yet.
        foreach (var address in (IPAddress[])[Server, Update, Server6, Update6])
        {
            Talks(address);
        }
    }

    private static void Add(NetworkLab lab, string name, params string[] addresses)
    {
        foreach (var address in addresses)
        {
            string[] soon = address.Contains(':', StringComparison.Ordinal) ? ["nodad"] : [];
            lab.Ip(["address", "add", address, "dev", name, .. soon]);
        }
    }

    private void Move(string name, NetworkLab to)
    {
        Path.Ip("link", "set", "dev", name, "netns", to.Name);
        to.Ip("link", "set", "dev", name, "addrgenmode", "none");
        to.Ip("link", "set", "dev", name, "up");
    }

    private void Listen(IPAddress address)
    {
        var listener = ServerSide.Inside(() =>
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(address, Port));
            socket.Listen();
            return socket;
        });
        _listeners.Add(listener);
        _ = Task.Run(async () =>
        {
            while (true)
            {
                var connection = await listener.AcceptAsync();
                _ = Task.Run(async () =>
                {
                    using (connection)
                    {
                        var buffer = new byte[16];
                        while (await connection.ReceiveAsync(buffer) is > 0 and var read)
                        {
                            await connection.SendAsync(buffer.AsMemory(0, read));
                        }
                    }
                });
            }
        });
    }
}
