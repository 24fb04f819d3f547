using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Sekisho.Sensor.Enforcement;
using Sekisho.Tests.Support;
using Sekisho.Traffic.Tests.Capture;
using Sekisho.Wire.Features;
using Sekisho.Wire.Orders;

namespace Sekisho.Sensor.Tests.Enforcement;

/// <summary>The network with a gateway on the enforcer's own loopback that gives the orders that a test wants.</summary>
internal sealed class EnforcementLab : EnforcedNetwork
{
    public const string SensorId = "s0123456789abcde";

    private readonly string _folder = Directory.CreateTempSubdirectory("sekisho-enforcer-").FullName;
    private readonly ConcurrentQueue<(long Sequence, byte[] Bytes)> _orders = new();
    private GatewayStandIn _gateway = null!;
    private SensorProcess? _sensor;
    private CancellationTokenSource? _ended;
    private Task _here = Task.CompletedTask;

    private EnforcementLab(bool bridged)
        : base(bridged)
    {
    }

    public ECDsa Key { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public Uri Gateway => _gateway.Address;

    public string Folder => _folder;

    public SensorProcess Sensor => _sensor!;

    /// <summary>What the enforcer answered, by number.</summary>
    public ConcurrentDictionary<long, string> Answers { get; } = new();

    /// <summary>The highest number that each question named.</summary>
    public ConcurrentQueue<long> Lasts { get; } = new();

    /// <summary>The enforcer of this process.</summary>
    public Enforcer? Enforcer { get; private set; }

    /// <summary>Keys of what it told.</summary>
    public ConcurrentQueue<string> Told { get; } = new();

    /// <param name="bridged">See there.</param>
    /// <param name="here">For an enforcer of this process, with a clock of its own: the gateway is where it can be reached from here.</param>
    public static async Task<EnforcementLab> StartAsync(bool bridged = false, bool here = false)
    {
        var lab = new EnforcementLab(bridged);
        try
        {
            lab._gateway = await GatewayStandIn.StartAsync(here ? null : make => lab.Path.Inside(make));
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
        _sensor = SensorProcess.Start(Path.Name, ["--interface", Interface, "--inline", "--enforce", "--gateway", Gateway.ToString(), "--folder", _folder, "--interval", "5", "--no-view", "--language", "en", .. more]);
        _sensor.Until(() => _sensor.Errors.Any(e => e.StartsWith("Orders of the gateway are enforced", StringComparison.Ordinal)), "it does not enforce");
    }

    /// <summary>Starts the enforcer in this process; its rules are in the namespace all the same.</summary>
    public async Task EnforceHereAsync(TimeProvider clock)
    {
        Told.Clear();
        _ended = new CancellationTokenSource();
        Enforcer = new Enforcer(new EnforcementOptions(Gateway, _folder, [NftRules.Routed], [], Path.Name), clock, (key, _) => Told.Enqueue(key));
        _here = Enforcer.RunAsync(_ended.Token);
        await Sekisho.Tests.Support.Until.TrueAsync(() => Told.Contains("enforce.ready") || _here.IsCompleted, "it does not enforce");
        Assert.False(_here.IsCompleted);
    }

    /// <summary>Ends the enforcer of this process.</summary>
    public async Task EndHereAsync()
    {
        await _ended!.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _here);
        _ended.Dispose();
        _ended = null;
    }

    /// <summary>As <see cref="Give(NetworkOrder)"/>, to the enforcer of this process.</summary>
    public async Task<string> GiveHereAsync(NetworkOrder order)
    {
        Answers.TryRemove(order.Sequence, out _);
        _orders.Enqueue((order.Sequence, Signed(order)));
        string? answer = null;
        await Sekisho.Tests.Support.Until.TrueAsync(() => Answers.TryGetValue(order.Sequence, out answer), $"order {order.Sequence} is not answered");
        return answer!;
    }

    /// <summary>The enforcer has all that the gateway knows of.</summary>
    public Task GatheredAsync() => Sekisho.Tests.Support.Until.TrueAsync(
        () => File.ReadAllText(System.IO.Path.Combine(_folder, "orders.json")).Contains("\"anew\":false", StringComparison.Ordinal), "the enforcer does not know all orders");

    /// <summary>What the kernel has, and for how many seconds.</summary>
    public IReadOnlyDictionary<SetElement, long> Elements() => NftRules.Read(Nft("-j", "list", "table", NftRules.Routed, NftRules.Table)).Elements;

    /// <summary>The sensor is enrolled anew: it has another certificate, and its order key is not pinned yet.</summary>
    public void EnrolAnew()
    {
        File.Delete(System.IO.Path.Combine(_folder, "order-key.pem"));
        _gateway.WriteIdentity(_folder, SensorId);
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

    /// <summary>The device claims an address with one ARP request, and the enforcer's kernel believes it.</summary>
    public void Claim(string address)
    {
        var mac = DeviceMac.Split(':').Select(b => Convert.ToByte(b, 16)).ToArray();
        byte[] request = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, .. mac, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, .. mac, .. IPAddress.Parse(address).GetAddressBytes(), 0, 0, 0, 0, 0, 0, 10, 9, 1, 1];
        DeviceSide.Inside(() =>
        {
            using var sender = new FrameSender("d0");
            Assert.True(sender.Send(request));
        });
        Until(() => Path.Ip("neigh", "show").Split('\n').Any(n => n.StartsWith(address + " ", StringComparison.Ordinal) && n.Contains(DeviceMac, StringComparison.Ordinal)), TimeSpan.FromSeconds(30), "the claim is not believed");
    }

    public Task GatewayDownAsync() => _gateway.DownAsync();

    public Task GatewayUpAsync() => _gateway.UpAsync();

    public override async ValueTask DisposeAsync()
    {
        _sensor?.Dispose();
        if (_ended is not null)
        {
            await EndHereAsync();
        }

        if (_gateway is not null)
        {
            await _gateway.DisposeAsync();
        }

        await base.DisposeAsync();
        Key.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var question = (await JsonNode.ParseAsync(context.Request.Body))!;
        Lasts.Enqueue(question["last"]!.GetValue<long>());
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

        await GatewayStandIn.Json(context, 200, new JsonObject { ["orders"] = orders, ["key"] = Key.ExportSubjectPublicKeyInfoPem(), ["time"] = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() }.ToJsonString());
    }
}
