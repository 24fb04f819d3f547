using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Sekisho.Verification.Clients;
using Sekisho.Verification.Processes;

namespace Sekisho.Benchmarks;

/// <summary>
/// The machines of a measurement: core 0 for what is measured (gateway or bare endpoint), core 1 for the clients and the customer cloud. Everything
/// on loopback, in a folder that goes with it; only processes started here are ended.
/// </summary>
internal sealed class Bench : IAsyncDisposable
{
    public const string Field = "bench";
    private const string Password = "benchmark password 1";
    private static readonly string Self = typeof(Bench).Assembly.Location;
    private readonly string _folder = Directory.CreateTempSubdirectory("sekisho-bench-").FullName;
    private readonly List<Process> _children = [];
    private (int Port, string CaFile, Process Process) _cloud;

    public GatewayProcess Gateway { get; private set; } = null!;

    public ManagementClient Admin { get; private set; } = null!;

    public IReadOnlyList<LoadDevice> Devices { get; private set; } = [];

    /// <summary>Starts a gateway with everything on: 12 conditions per message, forwarding to a cloud on core 1, history, fsync.</summary>
    public async Task StartGatewayAsync(string dll, int devices)
    {
        var templates = Path.Combine(_folder, "templates", Field);
        Directory.CreateDirectory(templates);
        await File.WriteAllTextAsync(Path.Combine(templates, "template.yaml"), Template());
        string[] settings = ["Detection:Templates:Folder=" + Path.Combine(_folder, "templates"), .. Unlimited];
        var start = GatewayStart.OnFreePorts(["dotnet", dll], Path.Combine(_folder, "data"), settings) with { Prefix = ["taskset", "-c", "0"] };
        Gateway = await GatewayProcess.RunAsync(start);
        Admin = new ManagementClient(Gateway.Management, Gateway.CaFile);
        await Admin.SetUpAsync(await Gateway.SetupCodeAsync(), "bench", Password);
        (await Admin.PostAsync("/ops/v1/fields", new { fieldId = Field, name = "Benchmark", kind = "benchmark" })).Expect();
        (await Admin.PutAsync($"/api/v1/fields/{Field}/template", new { templateId = Field, parameters = new { } })).Expect();
        _cloud = await ServeAsync("cloud", core: 1);
        await ForwardAsync();
        Devices = await RegisterAsync(devices, "B");
    }

    /// <summary>Messages go to the cloud, signed, in batches.</summary>
    public async Task ForwardAsync() => (await Admin.PutAsync($"/api/v1/fields/{Field}/destination", new
    {
        kind = "https",
        url = new Uri($"https://localhost:{_cloud.Port}/in"),
        secret = "bench-secret-0123456789abcdef0123",
        trustedCa = await File.ReadAllTextAsync(_cloud.CaFile),
        batchMessages = 5000,
        batchBytes = 4 * 1024 * 1024,
    })).Expect();

    /// <summary>Messages go nowhere.</summary>
    public async Task ForwardNothingAsync() => (await Admin.PutAsync($"/api/v1/fields/{Field}/destination", new { kind = "none", reason = "To measure without it" })).Expect();

    /// <summary>Registers devices by CSV and authenticates each.</summary>
    public async Task<IReadOnlyList<LoadDevice>> RegisterAsync(int count, string prefix, bool authenticate = true)
    {
        var csv = new StringBuilder("uniqueIdType,uniqueId,name,kind,cadence\n");
        for (var i = 0; i < count; i++)
        {
            csv.Append(CultureInfo.InvariantCulture, $"serial,{prefix}-{i:D6},Device {i},sensor,irregular\n");
        }

        using var content = new StringContent(csv.ToString(), Encoding.UTF8, new MediaTypeHeaderValue("text/csv"));
        var made = (await Admin.SendAsync(HttpMethod.Post, $"/api/v1/fields/{Field}/devices/import", content)).Expect()["devices"]!.AsArray();
        if (!authenticate)
        {
            return [];
        }

        var bound = new LoadDevice[made.Count];
        using var http = new HttpClient(TrustedHttp.Handler(Gateway.CaFile)) { BaseAddress = Gateway.Devices };
        await Parallel.ForEachAsync(Enumerable.Range(0, made.Count), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, cancellation) =>
        {
            var body = JsonSerializer.Serialize(new { commonAuthId = made[i]!["commonAuthId"]!.GetValue<string>(), authSecret = made[i]!["authSecret"]!.GetValue<string>(), uniqueId = $"{prefix}-{i:D6}" });
            using var request = new StringContent(body, Encoding.UTF8, "application/json");
            using var answer = await http.PostAsync(new Uri("/device/v1/token", UriKind.Relative), request, cancellation);
            var granted = JsonNode.Parse(await answer.Content.ReadAsStringAsync(cancellation))!;
            bound[i] = new LoadDevice(granted["deviceId"]!.GetValue<string>(), granted["token"]!.GetValue<string>());
        });
        return bound;
    }

    /// <summary>A bare endpoint in a process of its own.</summary>
    public async Task<(int Port, string CaFile, Process Process)> ServeAsync(string name, int core)
    {
        var port = GatewayStart.OnFreePorts([], "").DevicePort;
        var ca = Path.Combine(_folder, name + ".pem");
        var process = Child(core, "serve", port.ToString(CultureInfo.InvariantCulture), ca);
        if (await process.StandardOutput.ReadLineAsync() != "ready")
        {
            throw new InvalidOperationException("The bare endpoint did not start.");
        }

        return (port, ca, process);
    }

    /// <summary>Runs the load client in a process of its own on core 1.</summary>
    public async Task<LoadResult> LoadAsync(LoadPlan plan)
    {
        var file = Path.Combine(_folder, "plan.json");
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(plan));
        var process = Child(1, "load", file);
        var line = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? JsonSerializer.Deserialize<LoadResult>(line)! : throw new InvalidOperationException("The load client failed:\n" + line);
    }

    /// <summary>Largest lag of any stage, milliseconds.</summary>
    public async Task<(double Milliseconds, string Stage)> LagAsync()
    {
        var worst = (await Admin.GetAsync("/ops/v1/stages")).Expect().AsArray().MaxBy(s => s!["lagSeconds"]!.GetValue<double>())!;
        return (worst["lagSeconds"]!.GetValue<double>() * 1000, worst["name"]!.GetValue<string>());
    }

    /// <summary>Resident memory of the gateway, MiB.</summary>
    public double ResidentMiB()
    {
        var line = File.ReadLines($"/proc/{Gateway.Id}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024.0;
    }

    /// <summary>Ends the gateway, so that what it still works off takes nothing from the next measurement on its core.</summary>
    public async Task StopGatewayAsync()
    {
        if (Gateway is not null)
        {
            await Gateway.DisposeAsync();
            Admin.Dispose();
            Gateway = null!;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopGatewayAsync();

        foreach (var child in _children)
        {
            if (!child.HasExited)
            {
                child.Kill();
                await child.WaitForExitAsync();
            }

            child.Dispose();
        }

        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Limits that a benchmark is not about.</summary>
    private static readonly string[] Unlimited =
    [
        "Distribution:Limits:MessagesPerSecond=10000000", "Distribution:Limits:DeviceMessagesPerSecond=1000000", "Distribution:Limits:DeviceBurst=1000000",
    ];

    private Process Child(int core, params string[] arguments)
    {
        var info = new ProcessStartInfo("taskset", ["-c", core.ToString(CultureInfo.InvariantCulture), "dotnet", Self, .. arguments]) { RedirectStandardOutput = true };
        var process = Process.Start(info)!;
        _children.Add(process);
        return process;
    }

    private static string Template()
    {
        var text = new StringBuilder("id: bench\nversion: 1\ntitle: { ja: 性能測定, en: Benchmark }\ndescription: { ja: 性能測定用です。, en: For measurements. }\nconditions:\n");
        void Add(string key, string kind, string? mode, string parameters) => text.Append(CultureInfo.InvariantCulture,
            $"  - {{ key: {key}, kind: {kind}, scope: device, {(mode is null ? "" : $"mode: \"{mode}\", ")}risk: takeover, level: warning, label: {{ ja: {key}, en: {key} }}, parameters: {{ {parameters} }} }}\n");
        Add("frequency-1", "frequency", null, "messages: 60, window: \"00:00:01\", slack: 0");
        Add("frequency-2", "frequency", "off", "messages: 1, window: \"06:00:00\"");
        Add("silence-1", "silence", null, "duration: \"06:00:00\"");
        Add("silence-2", "silence", "on", "duration: \"06:00:00\"");
        Add("silence-3", "silence", "off", "duration: \"06:00:00\"");
        Add("silence-4", "silence", null, "duration: \"12:00:00\"");
        Add("size-1", "size", null, "bytes: 65536");
        Add("size-2", "size", null, "bytes: 100000");
        Add("size-3", "size", null, "bytes: 150000");
        Add("size-4", "size", null, "bytes: 200000");
        Add("malformed-1", "malformed", null, "refusals: 5, window: \"00:10:00\"");
        Add("malformed-2", "malformed", null, "refusals: 50, window: \"01:00:00\"");
        return text.ToString();
    }
}
