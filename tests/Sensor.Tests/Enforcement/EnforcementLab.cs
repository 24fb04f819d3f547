using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Sekisho.Tests.Support;
using Sekisho.Traffic.Tests.Capture;
using Sekisho.Wire.Features;
using Sekisho.Wire.Orders;

namespace Sekisho.Sensor.Tests.Enforcement;

/// <summary>
/// A device, an enforcer in its path, a server and an update server, each address answered by echoes on port 7000; the gateway listens on the enforcer's own loopback:
/// <code>
/// device d0 ── r0 router w0 ── s0 servers          10.9.1.2, fd09:1::2 · 10.9.2.2, fd09:2::2 (server) · 10.9.2.3, fd09:2::3 (update server)
/// device d0 ── p1 bridge p2 ── s0 servers          the same device · 10.9.1.22 · 10.9.1.23
/// </code>
/// </summary>
internal sealed class EnforcementLab : IAsyncDisposable
{
    public const string SensorId = "s0123456789abcde";
    public const int Port = 7000;
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(700);

    private readonly NetworkLab _device = new();
    private readonly NetworkLab _servers = new();
    private readonly bool _bridged;
    private readonly string _folder = Directory.CreateTempSubdirectory("sekisho-enforcer-").FullName;
    private readonly ConcurrentQueue<(long Sequence, byte[] Bytes)> _orders = new();
    private readonly List<Socket> _listeners = [];
    private GatewayStandIn _gateway = null!;
    private SensorProcess? _sensor;

    private EnforcementLab(bool bridged) => _bridged = bridged;

    public NetworkLab Path { get; } = new();

    public ECDsa Key { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public string DeviceMac { get; private set; } = "";

    public IPAddress Device => IPAddress.Parse("10.9.1.2");

    public IPAddress Device6 => IPAddress.Parse("fd09:1::2");

    public IPAddress Server => IPAddress.Parse(_bridged ? "10.9.1.22" : "10.9.2.2");

    public IPAddress Update => IPAddress.Parse(_bridged ? "10.9.1.23" : "10.9.2.3");

    public IPAddress Server6 => IPAddress.Parse(_bridged ? "fd09:1::22" : "fd09:2::2");

    public IPAddress Update6 => IPAddress.Parse(_bridged ? "fd09:1::23" : "fd09:2::3");

    public Uri Gateway => _gateway.Address;

    public string Folder => _folder;

    public SensorProcess Sensor => _sensor!;

    /// <summary>What the enforcer answered, by number.</summary>
    public ConcurrentDictionary<long, string> Answers { get; } = new();

    public static async Task<EnforcementLab> StartAsync(bool bridged = false)
    {
        var lab = new EnforcementLab(bridged);
        try
        {
            lab.Connect();
            lab._gateway = await GatewayStandIn.StartAsync(make => lab.Path.Inside(make));
            lab._gateway.Orders = lab.AnswerAsync;
            lab._gateway.WriteIdentity(lab._folder, SensorId);
            return lab;
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the enforcer.</summary>
    public void Enforce(params string[] more)
    {
        _sensor = SensorProcess.Start(Path.Name, ["--interface", _bridged ? "p1" : "r0", "--inline", "--enforce", "--gateway", Gateway.ToString(), "--folder", _folder, "--interval", "5", "--no-view", "--language", "en", .. more]);
        _sensor.Until(() => _sensor.Errors.Any(e => e.StartsWith("Orders of the gateway are enforced", StringComparison.Ordinal)), "it does not enforce");
    }

    /// <summary>Ends the enforcer as a crash does.</summary>
    public void Kill()
    {
        _sensor!.Dispose();
        _sensor = null;
    }

    public NetworkOrder Order(NetworkOrderKind kind, long sequence, TimeSpan life, string measure = "l000000000000001") => new()
    {
        SensorId = SensorId,
        Measure = measure,
        Sequence = sequence,
        Kind = kind,
        IssuedAt = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(),
        ExpiresAt = (TimeProvider.System.GetUtcNow() + life).ToUnixTimeMilliseconds(),
    };

    public static NetAddress Address(IPAddress address) => NetAddress.FromIPv6(address.MapToIPv6().GetAddressBytes());

    public ulong Mac => ulong.Parse(DeviceMac.Replace(":", "", StringComparison.Ordinal), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    public byte[] Signed(NetworkOrder order, ECDsa? key = null) =>
        NetworkOrderCodec.Encode(order, body => (key ?? Key).SignData(body, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));

    /// <summary>Gives the enforcer an order, and waits for its answer.</summary>
    public string Give(NetworkOrder order) => Give(order.Sequence, Signed(order));

    public string Give(long sequence, byte[] bytes)
    {
        Answers.TryRemove(sequence, out _);
        _orders.Enqueue((sequence, bytes));
        string? answer = null;
        Sensor.Until(() => Answers.TryGetValue(sequence, out answer), $"order {sequence} is not answered");
        return answer!;
    }

    public Task GatewayDownAsync() => _gateway.DownAsync();

    public Task GatewayUpAsync() => _gateway.UpAsync();

    /// <summary>Whether a new connection of the device is answered.</summary>
    public bool Reaches(IPAddress server, int port = Port)
    {
        using var connection = Open(server, port);
        return connection is not null && Echoes(connection);
    }

    /// <summary>A connection of the device; null when nobody answers.</summary>
    public Socket? Open(IPAddress server, int port = Port)
    {
        var socket = _device.Inside(() => new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
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

    public async ValueTask DisposeAsync()
    {
        _sensor?.Dispose();
        _listeners.ForEach(l => l.Dispose());
        if (_gateway is not null)
        {
            await _gateway.DisposeAsync();
        }

        foreach (var lab in (NetworkLab[])[_device, _servers, Path])
        {
            lab.Dispose();
        }

        Key.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private void Connect()
    {
        Path.AddCable("d0", _bridged ? "p1" : "r0");
        Path.AddCable("s0", _bridged ? "p2" : "w0");
        Move("d0", _device);
        Move("s0", _servers);
        DeviceMac = _device.Ip("-o", "link", "show", "dev", "d0").Split("link/ether ")[1].Split(' ')[0];
        Add(_device, "d0", "10.9.1.2/24", "fd09:1::2/64");
        if (_bridged)
        {
            Path.Ip("link", "add", "name", "br0", "type", "bridge", "mcast_snooping", "0");
            Path.Ip("link", "set", "dev", "p1", "master", "br0");
            Path.Ip("link", "set", "dev", "p2", "master", "br0");
            Path.Ip("link", "set", "dev", "br0", "up");
            Add(_servers, "s0", "10.9.1.22/24", "10.9.1.23/24", "fd09:1::22/64", "fd09:1::23/64");
        }
        else
        {
            Add(Path, "r0", "10.9.1.1/24", "fd09:1::1/64", "fe80::1/64");
            Add(Path, "w0", "10.9.2.1/24", "fd09:2::1/64", "fe80::1/64");
            Add(_servers, "s0", "10.9.2.2/24", "10.9.2.3/24", "fd09:2::2/64", "fd09:2::3/64");
            foreach (var (lab, v4, v6) in ((NetworkLab, string, string)[])[(_device, "10.9.1.1", "fd09:1::1"), (_servers, "10.9.2.1", "fd09:2::1")])
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
        var listener = _servers.Inside(() =>
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

    private async Task AnswerAsync(HttpContext context)
    {
        var question = (await JsonNode.ParseAsync(context.Request.Body))!;
        foreach (var answer in question["answers"]!.AsArray())
        {
            Answers[answer!["sequence"]!.GetValue<long>()] = $"{answer["outcome"]} {answer["cause"]}".Trim();
        }

        for (var i = 0; i < 20 && _orders.IsEmpty && !context.RequestAborted.IsCancellationRequested; i++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }

        var orders = new JsonArray();
        while (_orders.TryDequeue(out var order))
        {
            orders.Add(new JsonObject { ["sequence"] = order.Sequence, ["order"] = Convert.ToBase64String(order.Bytes) });
        }

        await GatewayStandIn.Json(context, 200, new JsonObject { ["orders"] = orders, ["key"] = Key.ExportSubjectPublicKeyInfoPem(), ["time"] = 1 }.ToJsonString());
    }
}
