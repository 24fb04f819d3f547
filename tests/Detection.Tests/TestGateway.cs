using System.Net.Http.Json;
using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dapper;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.Domain.Localization;
using Sekisho.Domain.Operations;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Detection.Tests;

/// <summary>Detection behind real HTTP with stand-ins for the other stages. The header "As" names the roles of the holder.</summary>
internal sealed class TestGateway : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly TestStore _store;

    private TestGateway(WebApplication app, TestStore store, ManualClock clock)
    {
        (_app, _store, Clock) = (app, store, clock);
        Events = new FakeEventHistory(Feed);
    }

    public FakeFeed Feed { get; } = new();

    public FakeDirectory Directory { get; } = new();

    public FakeAudit Audit { get; } = new();

    /// <summary>What other stages are told that people said of findings.</summary>
    public FakeLabels Labels { get; } = new();

    public FakeEventHistory Events { get; }

    public FakeMarks Marks { get; } = new();

    public ManualClock Clock { get; }

    public HttpClient Client { get; private set; } = null!;

    public IServiceProvider Services => _app.Services;

    public static async Task<TestGateway> StartAsync(Dialect dialect)
    {
        var clock = new ManualClock();
        var store = await TestStore.CreateAsync(dialect, clock, new StageMigrations("Detection", typeof(DetectionFeature).Assembly));
        await store.Databases.State.WriteAsync(t => t.Connection!.ExecuteAsync("CREATE TABLE test_history (what TEXT, subject TEXT)", transaction: t));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var services = builder.Services;
        services.AddDetection();
        services.AddRouting();
        services.AddSingleton<TimeProvider>(clock);
        services.AddSingleton(store.Databases);
        services.AddSingleton(store.Key);
        services.AddSingleton(new Texts([typeof(DetectionFeature).Assembly, typeof(RouteAccess).Assembly]));
        services.AddSingleton<IHistory, FakeHistory>();
        services.AddSingleton<IFlowSwitches, FakeFlows>();
        TestGateway? gateway = null;
        services.AddSingleton<IEventFeed>(_ => gateway!.Feed);
        services.AddSingleton<IEventJournal>(_ => gateway!.Feed);
        services.AddSingleton<IDeviceDirectory>(_ => gateway!.Directory);
        services.AddSingleton<IOperatorAudit>(_ => gateway!.Audit);
        services.AddSingleton<IFindingLabelPart>(_ => gateway!.Labels);
        services.AddSingleton<IEventHistory>(_ => gateway!.Events);
        services.AddSingleton<IPayloadMarks>(_ => gateway!.Marks);
        var app = builder.Build();
        gateway = new TestGateway(app, store, clock);
        app.Use((context, next) =>
        {
            if (context.Request.Headers["As"].ToString() is { Length: > 0 } roles)
            {
                context.User = new ClaimsPrincipal(new ClaimsIdentity(
                    [new Claim(Principal.Name, "anna"), new Claim(Principal.Field, "field"), .. roles.Split(',').Select(r => new Claim(Principal.Role, r))], "test"));
            }

            return next(context);
        });
        app.UseRouting();
        app.UseRouteAccess(devicePort: 0);
        var api = app.MapGroup("/api/v1");
        new RouteGroups(app.MapGroup("/device/v1"), api.MapGroup("/fields/{fieldId}"), api, app.MapGroup("/ops/v1"), app.MapGroup("")).MapDetection();
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        gateway.Client = new HttpClient { BaseAddress = new Uri(address) };
        return gateway;
    }

    public async Task<(int Status, JsonNode? Body)> SendAsync(HttpMethod method, string path, object? body = null, string? roles = Roles.Administrator, string language = "en")
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Add("Accept-Language", language);
        if (roles is not null)
        {
            request.Headers.Add("As", roles);
        }

        request.Content = body switch
        {
            null => null,
            string text => new StringContent(text, System.Text.Encoding.UTF8, "application/json"),
            _ => JsonContent.Create(body, options: JsonSerializerOptions.Web),
        };
        using var response = await Client.SendAsync(request);
        var text2 = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, text2.Length > 0 ? JsonNode.Parse(text2) : null);
    }

    /// <summary>A response as it is.</summary>
    public async Task<(int Status, string Text)> TextAsync(HttpMethod method, string path, string? body = null, string roles = Roles.Administrator)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Add("As", roles);
        request.Content = body is null ? null : new StringContent(body, System.Text.Encoding.UTF8, "application/yaml");
        using var response = await Client.SendAsync(request);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    public Task<(int Status, JsonNode? Body)> GetAsync(string path, string? roles = Roles.Administrator, string language = "en") => SendAsync(HttpMethod.Get, path, null, roles, language);

    /// <summary>Everything appended is decided.</summary>
    public async Task DoneAsync()
    {
        var stage = Services.GetRequiredService<IStage>();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var moments = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        while (stage.Status.Waiting > 0)
        {
            await moments.WaitForNextTickAsync(limit.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        await _store.DisposeAsync();
    }

    internal sealed class FakeLabels : IFindingLabelPart
    {
        public List<FindingLabel> Told { get; } = [];

        /// <summary>It cannot note what it is told.</summary>
        public bool Fails { get; set; }

        public void Labelled(FindingLabel label, System.Data.Common.DbTransaction transaction)
        {
            if (Fails)
            {
                throw new InvalidOperationException("told to fail");
            }

            Told.Add(label);
        }
    }

    internal sealed class FakeAudit : IOperatorAudit
    {
        public List<OperatorAction> Actions { get; } = [];

        public Task RecordAsync(OperatorAction action, CancellationToken cancellation)
        {
            Actions.Add(action);
            return Task.CompletedTask;
        }
    }
}
