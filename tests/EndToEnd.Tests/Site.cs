using System.Text.Json.Nodes;
using Sekisho.Verification.Clients;
using Sekisho.Verification.Cloud;
using Sekisho.Verification.Processes;

namespace Sekisho.EndToEnd.Tests;

/// <summary>
/// A gateway in a process of its own with a signed-in administrator, and a customer cloud it forwards to. Everything is on loopback and in a
/// folder that goes with it.
/// </summary>
public sealed class Site : IAsyncDisposable
{
    public const string Password = "correct horse battery";

    private readonly string _folder;

    private Site(string folder, GatewayProcess gateway, ManagementClient admin, CloudReceiver cloud) =>
        (_folder, Gateway, Admin, Cloud) = (folder, gateway, admin, cloud);

    public GatewayProcess Gateway { get; private set; }

    /// <summary>First account: maintainer and administrator of everything.</summary>
    public ManagementClient Admin { get; }

    public CloudReceiver Cloud { get; }

    public string DataFolder => Gateway.Start.DataFolder;

    /// <summary>Root of the checkout.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The gateway as this build made it.</summary>
    public static IReadOnlyList<string> Command { get; } =
        ["dotnet", Path.Combine(Root, "src", "Gateway", "bin", AppContext.BaseDirectory.Contains("/Release/", StringComparison.Ordinal) ? "Release" : "Debug", "net10.0", "Sekisho.Gateway.dll")];

    public static Task<Site> StartAsync(IReadOnlyList<string>? command = null, IReadOnlyList<string>? prefix = null, params string[] settings)
    {
        var folder = Directory.CreateTempSubdirectory("sekisho-site-").FullName;
        return OpenAsync(folder, Path.Combine(folder, "data"), command, prefix, settings);
    }

    /// <summary>Starts on a data folder of the test's own, for example one on a small disk.</summary>
    public static Task<Site> StartInAsync(string dataFolder, params string[] settings) =>
        OpenAsync(Directory.CreateTempSubdirectory("sekisho-site-").FullName, dataFolder, null, null, settings);

    /// <summary>Makes a field that forwards to <see cref="Cloud"/> (unless told otherwise) and is watched by a template (if named).</summary>
    public async Task AddFieldAsync(string fieldId, string? template = null, object? parameters = null, bool forwarding = true, int batch = 100, string order = "arrival")
    {
        (await Admin.PostAsync("/ops/v1/fields", new { fieldId, name = fieldId, kind = template ?? "other" })).Expect();
        if (forwarding)
        {
            await SetDestinationAsync(fieldId, Cloud, batch, order);
        }

        if (template is not null)
        {
            (await Admin.PutAsync($"/api/v1/fields/{fieldId}/template", new { templateId = template, parameters = parameters ?? new { } })).Expect();
        }
    }

    public async Task SetDestinationAsync(string fieldId, CloudReceiver cloud, int batch = 100, string order = "arrival") =>
        (await Admin.PutAsync($"/api/v1/fields/{fieldId}/destination", new
        {
            kind = "https",
            url = cloud.Address,
            secret = cloud.Secret,
            trustedCa = cloud.CertificatePem,
            batchMessages = batch,
            order,
        })).Expect();

    /// <summary>Registers a device and returns it ready to authenticate.</summary>
    public async Task<SimulatedDevice> RegisterAsync(string fieldId, string uniqueId, object? more = null)
    {
        var request = new JsonObject { ["uniqueIdType"] = "serial", ["uniqueId"] = uniqueId, ["name"] = "Device " + uniqueId, ["kind"] = "sensor", ["cadence"] = "irregular" };
        foreach (var (key, value) in System.Text.Json.JsonSerializer.SerializeToNode(more ?? new { })!.AsObject())
        {
            request[key] = value?.DeepClone();
        }

        var made = (await Admin.PostAsync($"/api/v1/fields/{fieldId}/devices", request)).Expect();
        return new SimulatedDevice(Gateway.Devices, Gateway.CaFile, new DeviceCredential(made["commonAuthId"]!.GetValue<string>(), made["authSecret"]!.GetValue<string>(), uniqueId), TimeProvider.System);
    }

    /// <summary>Registers a device and authenticates it.</summary>
    public async Task<SimulatedDevice> ConnectAsync(string fieldId, string uniqueId, object? more = null)
    {
        var device = await RegisterAsync(fieldId, uniqueId, more);
        var answer = await device.AuthenticateAsync();
        Assert.True(answer.Status == 200, answer.Body);
        return device;
    }

    /// <summary>Starts the gateway again on the same data after it has ended or is to be killed now.</summary>
    public async Task RestartAsync()
    {
        var start = Gateway.Start;
        await Gateway.DisposeAsync();
        Gateway = await GatewayProcess.RunAsync(start);
    }

    /// <summary>Polls until it holds.</summary>
    /// <exception cref="TimeoutException">It did not hold in time; the message has the last value.</exception>
    public static async Task<T> UntilAsync<T>(Func<Task<T>> read, Func<T, bool> holds, TimeSpan within, string what)
    {
        var deadline = TimeProvider.System.GetUtcNow() + within;
        while (true)
        {
            var value = await read();
            if (holds(value))
            {
                return value;
            }

            if (TimeProvider.System.GetUtcNow() > deadline)
            {
                throw new TimeoutException($"{what}: still {value} after {within}.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    /// <summary>The responses of a field that carry out an action, newest first.</summary>
    public async Task<List<JsonNode>> ResponsesAsync(string fieldId, string action) =>
        [.. (await Admin.GetAsync($"/api/v1/fields/{fieldId}/responses")).Expect()["items"]!.AsArray().Select(r => r!).Where(r => r["action"]!.GetValue<string>() == action)];

    /// <summary>The first of them that holds, within a minute.</summary>
    /// <exception cref="TimeoutException">There is none.</exception>
    public async Task<JsonNode> ResponseAsync(string fieldId, string action, Func<JsonNode, bool> holds) =>
        (await UntilAsync(async () => (await ResponsesAsync(fieldId, action)).FirstOrDefault(holds), r => r is not null, TimeSpan.FromSeconds(60), $"no such {action}"))!;

    /// <summary>The gateway's ledger once nothing is under way.</summary>
    public async Task<JsonNode> SettledLedgerAsync(TimeSpan within)
    {
        var text = await UntilAsync(
            async () => (await Admin.GetAsync("/ops/v1/ledger")).Expect().ToJsonString(),
            json => JsonNode.Parse(json) is { } l && l["journal"]!["unprocessed"]!.GetValue<long>() == 0 && l["exact"]!.GetValue<bool>() && l["fields"]!.AsArray().All(f => f!["queued"]!.GetValue<long>() == 0),
            within,
            "the ledger is not settled");
        return JsonNode.Parse(text)!;
    }

    public async ValueTask DisposeAsync()
    {
        await Gateway.DisposeAsync();
        Admin.Dispose();
        await Cloud.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<Site> OpenAsync(string folder, string dataFolder, IReadOnlyList<string>? command, IReadOnlyList<string>? prefix, string[] settings)
    {
        var start = GatewayStart.OnFreePorts(command ?? Command, dataFolder, settings);
        var gateway = await GatewayProcess.RunAsync(prefix is null ? start : start with { Prefix = prefix });
        var admin = new ManagementClient(gateway.Management, gateway.CaFile);
        await admin.SetUpAsync(await gateway.SetupCodeAsync(), "hanako", Password);
        return new Site(folder, gateway, admin, await CloudReceiver.StartAsync("receiver-secret-0123456789abcdef"));
    }

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Sekisho.slnx")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests run outside a checkout of Sekisho.");
        }

        return folder;
    }
}

/// <summary>One site shared by tests that do not disturb each other: each uses fields and devices of its own.</summary>
public sealed class SharedSite : IAsyncLifetime
{
    public Site Site { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Site = await Site.StartAsync();

    public ValueTask DisposeAsync() => Site.DisposeAsync();
}

[CollectionDefinition("shared site")]
public sealed class SharedSiteTests : ICollectionFixture<SharedSite>;
