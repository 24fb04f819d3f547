using System.Net.Http.Json;
using Dapper;
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
using Sekisho.Response.Leases;
using Sekisho.Response.Queue;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Response.Tests.Support;

/// <summary>The response stage in a real web host on loopback, over a real store, with the other stages played by <see cref="World"/>.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    public static readonly (string, string?)[] QuickRetries = [("Response:Leases:MostTries", "3"), ("Response:Leases:FirstRetry", "00:00:10")];

    private WebApplication _app = null!;
    private (string, string?)[] _settings = [];
    private bool _workerRuns;
    private long _position;

    private TestHost(TestStore store, World world, TimeProvider clock) => (Store, World, Time, Commands) = (store, world, clock, new CommandStandIn(clock));

    public TestStore Store { get; }

    public World World { get; }

    public NetworkStandIn Network { get; } = new();

    public QuarantineStandIn Quarantine { get; } = new();

    public RenewalStandIn Renewal { get; } = new();

    public Signatures Signatures { get; } = new();

    public CommandStandIn Commands { get; }

    public TimeProvider Time { get; }

    /// <summary>Everything that was logged, at any level.</summary>
    public LogLines Log { get; } = new();

    public ManualClock Clock => (ManualClock)Time;

    public ResponseWorker Worker => _app.Services.GetRequiredService<ResponseWorker>();

    public LeaseStore Leases => _app.Services.GetRequiredService<LeaseStore>();

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    /// <summary>A host whose queue is worked off only by <see cref="ResponseWorker.DrainAsync"/>, unless <paramref name="workerRuns"/>.</summary>
    public static async Task<TestHost> StartAsync(Dialect dialect, (string, string?)[]? settings = null, bool workerRuns = false, TimeProvider? clock = null)
    {
        clock ??= new ManualClock();
        var store = await TestStore.CreateAsync(dialect, clock, new StageMigrations("Response", typeof(ResponseFeature).Assembly));
        await store.Databases.State.WriteAsync(t => t.Connection!.ExecuteAsync(
            "CREATE TABLE test_history (seq BIGINT NOT NULL, kind TEXT NOT NULL, what TEXT NOT NULL, subject TEXT NOT NULL, correlation TEXT NOT NULL)", transaction: t));
        var host = new TestHost(store, new World(), clock) { _settings = settings ?? [], _workerRuns = workerRuns };
        await host.StartAppAsync();
        return host;
    }

    /// <summary>What a kill leaves: a new process over the same store. The old one is abandoned, not stopped.</summary>
    public Task RestartAfterKillAsync() => StartAppAsync();

    public async Task StopAppAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    public HttpClient Client(string role, string name = "tester", string field = "cars", bool key = false, string scopes = "") => _app.Client(role, name, field, key, scopes);

    public Finding Finding(string id, string? device = "d000000000000001", string risk = Risks.Spoofing, string level = Levels.Important, string? field = "cars", string condition = "frequency") => new()
    {
        Id = id,
        FieldId = field,
        DeviceId = device,
        Scope = device is null ? Scopes.Source : Scopes.Device,
        ScopeKey = device ?? "192.0.2.1",
        Condition = condition,
        ConditionKey = condition,
        TemplateId = "t",
        TemplateVersion = 1,
        Risk = risk,
        Level = level,
        RaisedAt = Time.GetUtcNow(),
        Position = ++_position,
        CorrelationId = "0123456789abcdef0123456789abcdef",
        Evidence = new Evidence
        {
            Metric = "count",
            Unit = "count",
            Measured = 120,
            ExpectedHigh = 60,
            Origin = "template",
            Events = [1],
            Counterfactual = new Counterfactual("most", "at-least", 120, "count"),
            Facts = new Dictionary<string, string> { ["window"] = "60 s" },
        },
    };

    /// <summary>Commits findings (and facts) as the lanes do.</summary>
    public void Commit(params Finding[] findings) => Commit([], findings);

    public void Commit(IReadOnlyList<GatewayEvent> facts, params Finding[] findings)
    {
        var batch = new LaneBatch { FirstPosition = 1, LastPosition = _position, Chunks = [], Duplicates = [], Findings = findings, Facts = facts };
        foreach (var finding in findings)
        {
            World.Findings[finding.Id] = finding;
        }

        Commit(batch);
    }

    private void Commit(LaneBatch batch)
    {
        var parts = _app.Services.GetServices<ILaneCommitPart>().ToList();
        Store.Databases.State.Write(t => parts.ForEach(p => p.Write(batch, t)));
        parts.ForEach(p => p.Committed(batch));
    }

    /// <summary>The lanes take findings back.</summary>
    public void Retract(params string[] findingIds)
    {
        var retraction = new Retraction("cars", Scopes.Device, "d000000000000001", "frequency", "explained", Time.GetUtcNow(), ++_position, "fedcba9876543210fedcba9876543210") { FindingIds = findingIds };
        var batch = new LaneBatch { FirstPosition = _position, LastPosition = _position, Chunks = [], Duplicates = [], Findings = [], Facts = [], Retractions = [retraction] };
        Commit(batch);
    }

    public void Bind(params ResponseBinding[] bindings) => World.Bindings["cars"] = bindings;

    public static ResponseBinding Always(string action, string approval = "automatic") => new("*", Levels.Information, action, null, approval);

    /// <summary>The responses of a field, without notices about responses themselves.</summary>
    public async Task<IReadOnlyList<Lease>> LeasesAsync(string? field = "cars") => [.. (await AllAsync(field)).Where(l => l.Details.Notice is null)];

    /// <summary>The notices about responses themselves.</summary>
    public async Task<IReadOnlyList<Lease>> NoticesAsync(string? field = "cars") => [.. (await AllAsync(field)).Where(l => l.Details.Notice is not null)];

    private async Task<IReadOnlyList<Lease>> AllAsync(string? field) => await Leases.ListAsync(new LeaseFilter(field, null, null, null, null, null, 100_000), default);

    public async Task<Lease> OnlyLeaseAsync() => Assert.Single(await LeasesAsync());

    /// <summary>Lets the only lease use up its tries; with <see cref="QuickRetries"/>.</summary>
    public async Task<Lease> UseUpTriesAsync()
    {
        for (var i = 0; i < 3; i++)
        {
            await Worker.DrainAsync();
            Clock.Advance(TimeSpan.FromMinutes(1));
        }

        return await OnlyLeaseAsync();
    }

    /// <summary>"LEASE STATE" lines in order.</summary>
    public Task<IReadOnlyList<string>> HistoryAsync() => Store.Databases.State.ReadAsync(
        async c => (IReadOnlyList<string>)(await c.QueryAsync<string>("SELECT subject FROM test_history WHERE what <> 'incident' ORDER BY seq")).AsList());

    public async Task NotifyAsync(string[] addresses, string? webhook = null, string field = "cars")
    {
        using var client = Client(Roles.Administrator, field: field);
        var response = await client.PutAsJsonAsync($"/api/v1/fields/{field}/notification", new
        {
            recipients = addresses.Select(a => new { address = a, role = "administrator" }),
            webhook = webhook is null ? null : new { url = webhook },
        });
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
    }

    public async ValueTask DisposeAsync()
    {
        await StopAppAsync();
        await Store.DisposeAsync();
    }

    private async Task StartAppAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Logging.AddProvider(Log);
        builder.Configuration.AddInMemoryCollection([new("Response:Webhook:InternalNetworks:0", "127.0.0.0/8")]);
        builder.Configuration.AddInMemoryCollection(_settings.GroupBy(s => s.Item1, s => s.Item2).Select(g => new KeyValuePair<string, string?>(g.Key, g.Last())));
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var services = builder.Services;
        services.AddSingleton(Time).AddSingleton(Store.Databases).AddSingleton(Store.Key);
        services.AddSingleton<IDeviceDirectory>(World).AddSingleton<IDeviceAccess>(World).AddSingleton<ITrafficRestrictions>(World).AddSingleton<IFindings>(World);
        services.AddSingleton<IResponseBindings>(World).AddSingleton<IOperatorAudit>(World).AddSingleton<IHistory>(World).AddSingleton<ISimFacts>(World)
            .AddSingleton<IHistoryFeed>(World).AddSingleton<IFindingLabels>(World);
        services.AddSingleton<INetworkEnforcement>(Network).AddSingleton<ITrafficQuarantine>(Quarantine).AddSingleton<ISecretRenewal>(Renewal).AddSingleton<IDeviceCommands>(Commands).AddSingleton<IFileSignatures>(Signatures);
        services.AddResponse();
        services.AddSingleton(new Texts([typeof(Problem).Assembly, typeof(ResponseFeature).Assembly, typeof(TestHost).Assembly]));
        if (!_workerRuns)
        {
            foreach (var worker in services.Where(s => s.ServiceType == typeof(IHostedService)).TakeLast(2).ToList())
            {
                services.Remove(worker);
            }
        }

        services.AddRouting();
        _app = builder.Build();
        _app.MapResponseForCallers();
        if (!_workerRuns)
        {
            await Leases.FreeClaimsAsync(LeaseRunner.Node, default);
        }

        await _app.StartAsync();
    }
}
