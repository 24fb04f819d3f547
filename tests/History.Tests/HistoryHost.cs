using System.Security.Claims;
using System.Text.Encodings.Web;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Devices;
using Sekisho.Domain.History;
using Sekisho.Domain.Localization;
using Sekisho.Domain.Operations;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.History.Tests;

/// <summary>The stage behind real HTTP on a fresh store, with stand-ins for the ports of other stages.</summary>
internal sealed class HistoryHost : IAsyncDisposable
{
    private readonly (string Key, string Value)[] _settings;
    private WebApplication _app = null!;

    private HistoryHost(TestStore store, ManualClock clock, (string Key, string Value)[] settings) => (Store, Clock, _settings) = (store, clock, settings);

    public TestStore Store { get; }

    public OtherStages Others { get; } = new();

    public HttpClient Client { get; private set; } = null!;

    public ManualClock Clock { get; }

    public static async Task<HistoryHost> StartAsync(Dialect dialect, params (string Key, string Value)[] settings)
    {
        var clock = new ManualClock();
        var store = await TestStore.CreateAsync(dialect, clock, new StageMigrations("History", typeof(HistoryFeature).Assembly));
        var host = new HistoryHost(store, clock, settings);
        await host.OpenAsync();
        return host;
    }

    /// <summary>Ends the stage and starts it anew on the same data, as a crash does: nothing in memory survives.</summary>
    public async Task RestartAsync()
    {
        await CloseAsync();
        await Store.ReopenAsync();
        await OpenAsync();
    }

    private async Task OpenAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(_settings.Select(s => KeyValuePair.Create<string, string?>(s.Key, s.Value)));
        builder.Services.AddSingleton<TimeProvider>(Clock).AddSingleton(Store.Databases).AddSingleton(Store.Key)
            .AddSingleton<IDeviceDirectory>(Others).AddSingleton<IOperatorAudit>(Others).AddSingleton<ILedgerSource>(Others).AddSingleton<IPayloadMarks>(Others).AddSingleton<IFlowSwitches>(Others)
            .AddSingleton(typeof(Problem).Assembly)
            .AddSingleton(p => new Texts(p.GetServices<System.Reflection.Assembly>()));
        builder.Services.AddHistory();
        builder.Services.AddAuthentication(Principal.Scheme).AddScheme<AuthenticationSchemeOptions, HeaderSignIn>(Principal.Scheme, null);
        var app = builder.Build();
        app.UseRouting();
        app.UseAuthentication();
        app.UseRouteAccess(devicePort: -1);
        var routes = new RouteGroups(app.MapGroup("/device/v1"), app.MapGroup("/api/v1/fields/{fieldId}"), app.MapGroup("/api/v1"), app.MapGroup("/ops/v1"), app.MapGroup(""));
        routes.MapHistory();
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        (_app, Client) = (app, new HttpClient { BaseAddress = new Uri(address) });
    }

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    /// <summary>Commits a lane batch as detection does.</summary>
    public void Commit(Domain.Detection.LaneBatch batch)
    {
        var part = Get<Domain.Detection.ILaneCommitPart>();
        Store.Databases.State.Write(t => part.Write(batch, t));
        part.Committed(batch);
    }

    public void Record(params HistoryRecord[] records) => Store.Databases.State.Write(t =>
    {
        foreach (var record in records)
        {
            Get<IHistory>().Append(record, t);
        }
    });

    /// <summary>GET as a role of the field "car" (or as given), with the body parsed.</summary>
    public async Task<(int Status, JsonNode Body)> GetAsync(string path, string role = Roles.Administrator, string field = "car", string language = "en")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("X-Role", role);
        request.Headers.Add("X-Field", field);
        request.Headers.AcceptLanguage.ParseAdd(language);
        using var response = await Client.SendAsync(request);
        return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        await Store.DisposeAsync();
    }

    private async Task CloseAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }

    private sealed class HeaderSignIn(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (Request.Headers["X-Role"] is not [{ } role])
            {
                return Task.FromResult(AuthenticateResult.NoResult());
            }

            var identity = new ClaimsIdentity([new(Principal.Role, role), new(Principal.Field, Request.Headers["X-Field"].ToString()), new(Principal.Name, "tester")], "test");
            return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), Principal.Scheme)));
        }
    }
}

/// <summary>What the other stages would answer.</summary>
internal sealed class OtherStages : IDeviceDirectory, IOperatorAudit, ILedgerSource, IPayloadMarks, IFlowSwitches
{
    /// <summary>The switches of every field.</summary>
    public FlowSwitches Flow { get; set; } = FlowSwitches.Default;

    FlowSwitches IFlowSwitches.Of(string fieldId) => Flow;

    public List<string> SensitivePointers { get; } = [];

    public Func<LedgerInFlight> InFlight { get; set; } = () => new LedgerInFlight(0, 0, new Dictionary<string, long>());

    public IReadOnlyCollection<FieldProfile> Fields { get; } = [Profile("car", "Asia/Tokyo"), Profile("home", "America/New_York")];

    public DeviceProfile? Device(string deviceId) => null;

    public FieldProfile? Field(string fieldId) => Fields.FirstOrDefault(f => f.FieldId == fieldId);

    public IReadOnlyCollection<DeviceProfile> DevicesOf(string fieldId) => [];

    public Task RecordAsync(OperatorAction action, CancellationToken cancellation) => Task.CompletedTask;

    public Task<LedgerInFlight> CountAsync(CancellationToken cancellation) => Task.FromResult(InFlight());

    public IReadOnlyList<string> Sensitive(string fieldId) => SensitivePointers;

    public IReadOnlyList<string> Transient(string fieldId) => [];

    private static FieldProfile Profile(string id, string zone) => new() { FieldId = id, Name = id, Kind = id, TimeZone = zone, ContactPoint = "", Language = "ja" };
}
