using System.Collections.Concurrent;
using System.Data.Common;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sekisho.Api.Access;
using Sekisho.Api.Settings;
using Sekisho.Domain.Devices;
using Sekisho.Domain.History;
using Sekisho.Domain.Localization;
using Sekisho.Domain.Operations;
using Sekisho.Operations.Accounts;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Operations.Tests;

/// <summary>The stage behind real sockets on a store of its own. Other stages are stood in for by plain fakes.</summary>
internal sealed class OperationsHost : IAsyncDisposable
{
    public const string FirstName = "hanako";
    public const string FirstPassword = "four quiet rivers run";

    private readonly Dictionary<string, string?> _settings;
    private WebApplication _app = null!;
    private HttpClient _http = null!;

    private OperationsHost(TestStore store, ManualClock clock, Dictionary<string, string?> settings) => (Store, Clock, _settings) = (store, clock, settings);

    public TestStore Store { get; }

    public ManualClock Clock { get; }

    public FakeHistory History { get; } = new();

    public FakeStage Stage { get; } = new("detection");

    public IServiceProvider Services => _app.Services;

    public string? Code => Services.GetRequiredService<FirstStart>().SetupCode;

    public static async Task<OperationsHost> StartAsync(Dialect dialect = Dialect.Sqlite, Dictionary<string, string?>? settings = null)
    {
        var clock = new ManualClock();
        var store = await TestStore.CreateAsync(dialect, clock, new StageMigrations("Operations", typeof(OperationsFeature).Assembly));
        var host = new OperationsHost(store, clock, settings ?? []);
        await host.RunAsync();
        return host;
    }

    /// <summary>A host with the first account, and its session.</summary>
    public static async Task<(OperationsHost Host, string Token)> WithAccountAsync(Dialect dialect = Dialect.Sqlite)
    {
        var host = await StartAsync(dialect);
        (await host.SendAsync("POST", "/api/v1/setup", new { code = host.Code, name = FirstName, password = FirstPassword })).Expect(201);
        return (host, await host.SignInAsync(FirstName, FirstPassword));
    }

    public async Task RestartAsync()
    {
        await StopAsync();
        await Store.ReopenAsync();
        await RunAsync();
    }

    public async Task<string> SignInAsync(string name, string password) =>
        (await SendAsync("POST", "/api/v1/session", new { name, password })).Expect(200)["token"]!.GetValue<string>();

    /// <summary>An account that has set its own password, and its session.</summary>
    public async Task<string> AddAccountAsync(string maintainer, string name, string[] roles, string[] fields)
    {
        var made = (await SendAsync("POST", "/ops/v1/accounts", new { name, roles, fields, language = "ja" }, maintainer)).Expect(201);
        var token = await SignInAsync(name, made["password"]!.GetValue<string>());
        (await SendAsync("PUT", "/api/v1/session/password", new { current = made["password"]!.GetValue<string>(), @new = FirstPassword }, token)).Expect(204);
        return token;
    }

    public async Task<Answer> SendAsync(string method, string path, object? body = null, string? token = null, string? language = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
        {
            request.Content = new StringContent(body as string ?? JsonSerializer.Serialize(body, JsonSerializerOptions.Web), Encoding.UTF8, "application/json");
        }

        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        if (language is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept-Language", language);
        }

        using var response = await _http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        var json = response.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true ? JsonNode.Parse(text) : null;
        return new Answer((int)response.StatusCode, json, text, response.Headers.RetryAfter?.Delta, response.Content.Headers.ContentType?.ToString());
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Store.DisposeAsync();
    }

    private async Task StopAsync()
    {
        _http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private async Task RunAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "Sekisho.Operations.Tests" });
        builder.Configuration.AddInMemoryCollection(_settings);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        builder.Services.AddRouting().AddAuthorization();
        builder.Services.AddSingleton<TimeProvider>(Clock).AddSingleton(Store.Databases).AddSingleton(Store.Key);
        builder.Services.AddSingleton<IHistory>(History).AddSingleton<IDeviceDirectory>(new FakeDirectory("cars", "homes")).AddSingleton<IStage>(Stage);
        builder.Services.AddSingleton<IReadOnlyList<SettingInForce>>([new SettingInForce("Gateway:Thing", "1", "default")]);
        builder.Services.AddSingleton(new Texts([typeof(Api.Correlation).Assembly, typeof(OperationsFeature).Assembly]));
        builder.Services.AddOperations();

        // Dear hashes are what guessers should wait for, not these tests.
        builder.Services.AddSingleton(new Passwords(iterations: 1000));
        builder.Services.AddLogging(l => l.ClearProviders());
        _app = builder.Build();
        _app.UseRouting();
        _app.UseAuthentication();
        _app.UseRouteAccess(devicePort: -1);
        var api = _app.MapGroup("/api/v1");
        new RouteGroups(
            _app.MapGroup("/device/v1").WithMetadata(new Listener(ForDevices: true)), api.MapGroup("/fields/{fieldId}"), api, _app.MapGroup("/ops/v1"), _app.MapGroup("")).MapOperations();
        await _app.StartAsync();
        _http = new HttpClient { BaseAddress = new Uri(_app.Urls.Single()) };
    }
}

internal sealed record Answer(int Status, JsonNode? Body, string Text, TimeSpan? RetryAfter, string? ContentType)
{
    public string Problem => Body?["type"]?.GetValue<string>().Split(':')[^1] ?? "";

    public JsonNode Expect(int status)
    {
        Assert.True(Status == status, $"{Status} instead of {status}: {Text}");
        return Body!;
    }

    public void ExpectProblem(int status, string slug)
    {
        Assert.True(Status == status, $"{Status} instead of {status}: {Text}");
        Assert.Equal(slug, Problem);
    }

    public string[] Faults => [.. Body!["faults"]!.AsArray().Select(f => f!["place"]!.GetValue<string>())];
}

internal sealed class FakeHistory : IHistory
{
    private readonly ConcurrentQueue<HistoryRecord> _records = [];

    public IReadOnlyCollection<HistoryRecord> Records => _records;

    public bool Broken { get; set; }

    public void Append(HistoryRecord record, DbTransaction transaction)
    {
        if (Broken)
        {
            throw new InvalidOperationException("history is broken");
        }

        _records.Enqueue(record);
    }
}

internal sealed class FakeStage(string name) : IStage
{
    public string Name => name;

    public StageStatus Status { get; set; } = new(Healthy: true, Paused: false, Waiting: 3, TimeSpan.FromSeconds(1.5), Fault: null);

    public void Pause() => Status = Status with { Paused = true };

    public void Resume() => Status = Status with { Paused = false };
}

internal sealed class FakeDirectory(params string[] fields) : IDeviceDirectory
{
    public IReadOnlyCollection<FieldProfile> Fields { get; } =
        [.. fields.Select(f => new FieldProfile { FieldId = f, Name = f, Kind = "car-mobility", TimeZone = "Asia/Tokyo", ContactPoint = "", Language = "ja" })];

    public DeviceProfile? Device(string deviceId) => null;

    public FieldProfile? Field(string fieldId) => Fields.FirstOrDefault(f => f.FieldId == fieldId);

    public IReadOnlyCollection<DeviceProfile> DevicesOf(string fieldId) => [];
}
