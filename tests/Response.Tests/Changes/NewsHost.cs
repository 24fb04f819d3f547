using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
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
using Sekisho.Response.Changes;
using Sekisho.Response.Leases;
using Sekisho.Response.Queue;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Response.Tests.Changes;

/// <summary>The response stage over the real history, with rounds and queue worked off by hand, and an audit that records as the real one does.</summary>
internal sealed class NewsHost : IAsyncDisposable
{
    private readonly (string, string?)[] _settings;
    private WebApplication _app = null!;
    private long _position;

    private NewsHost(TestStore store, (string, string?)[] settings, ManualClock clock) => (Store, _settings, Clock) = (store, settings, clock);

    public TestStore Store { get; }

    public ManualClock Clock { get; }

    public World World { get; } = new();

    public static async Task<NewsHost> StartAsync(Dialect dialect, SmtpServer? smtp, params (string, string?)[] settings)
    {
        var clock = new ManualClock();
        var store = await TestStore.CreateAsync(dialect, clock, new StageMigrations("History", typeof(HistoryFeature).Assembly), new StageMigrations("Response", typeof(ResponseFeature).Assembly));
        (string, string?)[] mail = smtp is null ? [] :
        [
            ("Response:Mail:Host", "127.0.0.1"), ("Response:Mail:Port", smtp.Port.ToString(CultureInfo.InvariantCulture)), ("Response:Mail:UseStartTls", "false"), ("Response:Mail:From", "gate@sekisho.example"),
        ];
        var host = new NewsHost(store, [("Response:Links:Base", "https://gate.example.jp:9443"), ("Response:Webhook:InternalNetworks:0", "127.0.0.0/8"), .. mail, .. settings], clock);
        await host.StartAppAsync();
        return host;
    }

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    public HttpClient Client(string role = Roles.Administrator, string name = "hanako", string field = "cars") => _app.Client(role, name, field, key: false, "");

    /// <summary>What a kill leaves: a new process over the same store.</summary>
    public Task RestartAfterKillAsync() => StartAppAsync();

    /// <summary>One round, and everything that it ordered.</summary>
    public async Task RoundAsync()
    {
        await Get<NewsTeller>().RoundAsync(default);
        await Get<ResponseWorker>().DrainAsync();
    }

    /// <summary>Lets time pass with a round each so often.</summary>
    public async Task PassAsync(TimeSpan time, TimeSpan? each = null)
    {
        var step = each ?? TimeSpan.FromMinutes(1);
        for (var end = Clock.GetUtcNow() + time; Clock.GetUtcNow() < end;)
        {
            Clock.Advance(step);
            await RoundAsync();
        }
    }

    public async Task RecipientsAsync(string[] administrators, string field = "cars", string by = "hanako", string[]? inCharge = null)
    {
        using var client = Client(field == "ops" ? Roles.Maintainer : Roles.Administrator, by, field);
        var answer = await client.PutAsJsonAsync(field == "ops" ? "/ops/v1/notification" : $"/api/v1/fields/{field}/notification", new
        {
            recipients = administrators.Select(a => new { address = a, role = "administrator" }).Concat((inCharge ?? []).Select(a => new { address = a, role = "person-in-charge" })),
        });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>An operator did something in another stage.</summary>
    public Task OperatedAsync(string action, string? field = "cars", string actor = "hanako", string target = "", string outcome = "asked", string correlation = "c") =>
        Get<IOperatorAudit>().RecordAsync(new OperatorAction(actor, action, field, target, outcome, correlation), default);

    public Finding Finding(string id, string device, string level = Levels.Important, string condition = "frequency") => new()
    {
        Id = id,
        FieldId = "cars",
        DeviceId = device,
        Scope = Scopes.Device,
        ScopeKey = device,
        Condition = condition,
        ConditionKey = condition,
        TemplateId = "t",
        TemplateVersion = 1,
        Risk = Risks.Spoofing,
        Level = level,
        RaisedAt = Clock.GetUtcNow(),
        Position = ++_position,
        CorrelationId = "0123456789abcdef0123456789abcdef",
        Evidence = new Evidence { Metric = "count", Unit = "count", Measured = 120, ExpectedHigh = 60, Origin = "template", Events = [1], Counterfactual = new Counterfactual("most", "at-least", 120, "count"), Facts = new Dictionary<string, string>() },
    };

    public void Commit(params Finding[] findings)
    {
        var batch = new LaneBatch { FirstPosition = 1, LastPosition = _position, Chunks = [], Duplicates = [], Findings = findings, Facts = [] };
        foreach (var finding in findings)
        {
            World.Findings[finding.Id] = finding;
        }

        var parts = _app.Services.GetServices<ILaneCommitPart>().ToList();
        Store.Databases.State.Write(t => parts.ForEach(p => p.Write(batch, t)));
        parts.ForEach(p => p.Committed(batch));
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        await Store.DisposeAsync();
    }

    private async Task StartAppAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(_settings.GroupBy(s => s.Item1, s => s.Item2).Select(g => new KeyValuePair<string, string?>(g.Key, g.Last())));
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var services = builder.Services;
        services.AddSingleton<TimeProvider>(Clock).AddSingleton(Store.Databases).AddSingleton(Store.Key);
        services.AddSingleton<IDeviceDirectory>(World).AddSingleton<IDeviceAccess>(World).AddSingleton<ITrafficRestrictions>(World).AddSingleton<IFindings>(World).AddSingleton<IFindingLabels>(World);
        services.AddSingleton<IResponseBindings>(World).AddSingleton<ISimFacts>(World).AddSingleton<IOperatorAudit, Audit>();
        services.AddHistory();
        foreach (var part in services.Where(s => s.ServiceType == typeof(ILaneCommitPart)).ToList())
        {
            services.Remove(part);
        }

        services.AddSingleton<INetworkEnforcement>(new NetworkStandIn()).AddSingleton<ITrafficQuarantine>(new QuarantineStandIn()).AddSingleton<ISecretRenewal>(new RenewalStandIn()).AddSingleton<IFileSignatures>(new Signatures()).AddSingleton<IDeviceCommands>(new CommandStandIn(Clock));
        services.AddResponse();
        services.AddSingleton(new Texts([typeof(Problem).Assembly, typeof(ResponseFeature).Assembly, typeof(NewsHost).Assembly]));
        foreach (var other in services.Where(s => s.ServiceType == typeof(IHostedService)).ToList())
        {
            services.Remove(other);
        }

        services.AddRouting();
        _app = builder.Build();
        _app.MapResponseForCallers();
        await Get<NewsTeller>().BeginAsync(default);
        await Get<LeaseStore>().FreeClaimsAsync(LeaseRunner.Node, default);
        await _app.StartAsync();
    }

    /// <summary>Records as the operator audit of Operations does, which this project may not see.</summary>
    private sealed class Audit(Databases databases, IHistory history, TimeProvider clock) : IOperatorAudit
    {
        public Task RecordAsync(OperatorAction action, CancellationToken cancellation) => databases.State.WriteAsync(
            t =>
            {
                history.Append(
                    new HistoryRecord
                    {
                        At = clock.GetUtcNow(),
                        Kind = HistoryKinds.Operator,
                        What = action.Action,
                        FieldId = action.FieldId,
                        Actor = action.Actor,
                        CorrelationId = action.CorrelationId,
                        Details = JsonSerializer.Serialize(new { target = action.Target, outcome = action.Outcome }),
                    },
                    t);
                return Task.CompletedTask;
            },
            cancellation);
    }
}
