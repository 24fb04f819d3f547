using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.Domain.Localization;
using Sekisho.Domain.Operations;
using Sekisho.Domain.Signatures;
using Sekisho.History;
using Sekisho.Response.Soc.Sending;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Response.Tests.Soc;

/// <summary>The sending to SOCs over the real history and a real store, with the other stages played by <see cref="World"/>. The clock is the machine's: receivers are other processes.</summary>
internal sealed class SocHost : IAsyncDisposable
{
    private static readonly (string, string?)[] Quick =
    [
        ("Response:Soc:Poll", "00:00:00.05"), ("Response:Soc:Settle", "00:00:00.4"), ("Response:Soc:FirstRetry", "00:00:00.2"), ("Response:Soc:LongestRetry", "00:00:00.4"),
        ("Response:Soc:InternalNetworks:0", "127.0.0.0/8"),
    ];

    private readonly (string, string?)[] _settings;
    private WebApplication _app = null!;

    private SocHost(TestStore store, (string, string?)[] settings) => (Store, _settings) = (store, settings);

    public TestStore Store { get; }

    public World World { get; } = new();

    public static async Task<SocHost> StartAsync(Dialect dialect, string gateway = "gate-1", params (string, string?)[] settings)
    {
        var store = await TestStore.CreateAsync(
            dialect, TimeProvider.System, new StageMigrations("History", typeof(HistoryFeature).Assembly), new StageMigrations("Response", typeof(ResponseFeature).Assembly));
        var host = new SocHost(store, [.. Quick, ("Response:Soc:GatewayName", gateway), .. settings]);
        await host.StartAppAsync();
        return host;
    }

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    public async Task StopAppAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    public async Task StartAppAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(_settings.GroupBy(s => s.Item1, s => s.Item2).Select(g => new KeyValuePair<string, string?>(g.Key, g.Last())));
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var services = builder.Services;
        services.AddSingleton(TimeProvider.System).AddSingleton(Store.Databases).AddSingleton(Store.Key);
        services.AddSingleton<IDeviceDirectory>(World).AddSingleton<IDeviceAccess>(World).AddSingleton<IFindings>(World).AddSingleton<IFindingLabels>(World);
        services.AddSingleton<IResponseBindings>(World).AddSingleton<IOperatorAudit>(World).AddSingleton<ITrafficRestrictions>(World).AddSingleton<ISimFacts>(World);
        services.AddHistory();
        services.AddSingleton<INetworkEnforcement>(new NetworkStandIn()).AddSingleton<ITrafficQuarantine>(new QuarantineStandIn()).AddSingleton<ISecretRenewal>(new RenewalStandIn()).AddSingleton<IDeviceCommands>(new CommandStandIn(TimeProvider.System)).AddSingleton<IFileSignatures>(new Signatures());
        services.AddResponse();
        services.AddSingleton(new Texts([typeof(Problem).Assembly, typeof(ResponseFeature).Assembly, typeof(SocHost).Assembly]));
        foreach (var other in services.Where(s => s.ServiceType == typeof(IHostedService)).ToList())
        {
            services.Remove(other);
        }

        services.AddHostedService(p => p.GetRequiredService<SocStage>());
        services.AddRouting();
        _app = builder.Build();
        _app.MapResponseForCallers();
        await _app.StartAsync();
    }

    public HttpClient Client(string role = Roles.Administrator, string name = "hanako", string field = "cars", bool key = false, string scopes = "") => _app.Client(role, name, field, key, scopes);

    /// <summary>Adds a receiver of the field (or with "ops" of the gateway) and waits until it is connected, unless told not to.</summary>
    public async Task<string> AddReceiverAsync(object receiver, string field = "cars", bool connected = true)
    {
        using var client = Client(field == "ops" ? Roles.Maintainer : Roles.Administrator, field: field);
        var answer = await client.PostAsJsonAsync(Path(field) + "/soc/receivers", receiver);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        var id = JsonNode.Parse(text)!["id"]!.GetValue<string>();
        if (connected)
        {
            await Until.TrueAsync(async () => (await SendingAsync(id, field))["connected"]!.GetValue<bool>(), "the receiver is not connected");
        }

        return id;
    }

    public static object Receiver(Rsyslog rsyslog, TestCa? ca, string format = "cef", string[]? allowed = null, object? include = null, object? exclude = null, string? reportsAs = null, string mostAge = "1.00:00:00", long mostRecords = 100_000, string language = "en", TestCa? client = null) => new
    {
        name = "SOC",
        host = "localhost",
        port = rsyslog.Port,
        tls = ca is not null,
        trustAnchors = ca?.Certificate,
        clientCertificate = client?.Client.Certificate,
        clientKey = client?.Client.Key,
        format,
        language,
        allowed,
        include,
        exclude,
        reportsAs,
        mostAge,
        mostRecords,
    };

    public async Task<JsonNode> SendingAsync(string id, string field = "cars")
    {
        using var client = Client(field == "ops" ? Roles.Maintainer : Roles.Administrator, field: field);
        return JsonNode.Parse(await client.GetStringAsync($"{Path(field)}/soc/receivers/{id}"))!["sending"]!;
    }

    /// <summary>Waits until the receiver has taken everything and that is recorded.</summary>
    public Task SettledAsync(string id, string field = "cars") =>
        Until.TrueAsync(async () => await SendingAsync(id, field) is var s && s["connected"]!.GetValue<bool>() && s["waiting"]!.GetValue<long>() == 0, "the receiver has not taken everything");

    public static string Path(string field) => field == "ops" ? "/ops/v1" : "/api/v1/fields/" + field;

    /// <summary>Appends records in one transaction.</summary>
    public Task AppendAsync(params HistoryRecord[] records) => Store.Databases.State.WriteAsync(t =>
    {
        foreach (var record in records)
        {
            Get<IHistory>().Append(record, t);
        }

        return Task.CompletedTask;
    });

    public static HistoryRecord Operation(int number, string? field = "cars", string actor = "hanako", string kind = HistoryKinds.Operator, string? details = null) => new()
    {
        At = TimeProvider.System.GetUtcNow(),
        Kind = kind,
        What = $"device.change-{number}",
        FieldId = field,
        Actor = actor,
        CorrelationId = "0123456789abcdef0123456789abcdef",
        Details = details ?? """{"target":"deviceId=d1","outcome":"asked"}""",
    };

    /// <summary>A finding with its record, as Detection writes it.</summary>
    public async Task<Finding> RaiseAsync(string id, string condition = "frequency", string level = Levels.Important, IReadOnlyDictionary<string, string>? facts = null, string? threat = Threats.DenialOfService, string field = "cars")
    {
        var finding = new Finding
        {
            Id = id,
            FieldId = field,
            DeviceId = "d000000000000001",
            Scope = Scopes.Device,
            ScopeKey = "d000000000000001",
            Condition = condition,
            ConditionKey = condition + "-1",
            TemplateId = "t",
            TemplateVersion = 3,
            Risk = Risks.Takeover,
            Threat = threat,
            Level = level,
            RaisedAt = TimeProvider.System.GetUtcNow(),
            Position = 7,
            CorrelationId = "fedcba9876543210fedcba9876543210",
            Evidence = new Evidence
            {
                Metric = "count",
                Unit = "count",
                Measured = 120,
                ExpectedHigh = 60,
                Origin = "template",
                Events = [1],
                Counterfactual = new Counterfactual("most", "at-least", 120, "count"),
                Facts = facts ?? new Dictionary<string, string> { ["window"] = "60 s", ["source"] = "198.51.100.7" },
            },
        };
        World.Findings[id] = finding;
        await AppendAsync(new HistoryRecord
        {
            At = finding.RaisedAt,
            Kind = HistoryKinds.Detection,
            What = condition,
            FieldId = field,
            DeviceId = finding.DeviceId,
            Actor = "gateway",
            CorrelationId = finding.CorrelationId,
            Subject = id,
            Details = JsonSerializer.Serialize(finding.Evidence, JsonSerializerOptions.Web),
        });
        return finding;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAppAsync();
        await Store.DisposeAsync();
    }
}
