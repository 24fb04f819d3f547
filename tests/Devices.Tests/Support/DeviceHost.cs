using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.Domain.Localization;
using Sekisho.Domain.Operations;
using Sekisho.Storage;
using Sekisho.Tests.Support;
using Sekisho.Verification.Processes;

namespace Sekisho.Devices.Tests.Support;

/// <summary>An answer, read.</summary>
internal sealed record Answer(int Status, JsonNode? Json, string Text, HttpResponseMessage Message)
{
    public JsonNode this[string name] => Json![name]!;

    public string Problem => ((string)Json!["type"]!)["urn:sekisho:problem:".Length..];

    public Answer Expect(int status)
    {
        Assert.True(Status == status, $"expected {status}, got {Status}: {Text}");
        return this;
    }
}

/// <summary>A device as its developer writes it.</summary>
internal sealed record TestDevice(string DeviceId, string CommonAuthId, string AuthSecret, string UniqueId);

/// <summary>The stage behind real sockets, with stand-ins for the ports of other stages.</summary>
internal sealed class DeviceHost : IAsyncDisposable
{
    public const string Home = "127.0.0.1";
    public const string Elsewhere = "127.0.0.2";
    public const string Third = "127.0.0.3";

    private readonly Dictionary<string, HttpClient> _clients = [];
    private readonly Dictionary<string, string?> _settings;
    private readonly TestStore _store;
    private WebApplication? _app;
    private int _devicePort;
    private int _managementPort;
    private int _serial;

    private DeviceHost(TestStore store, ManualClock clock, Dictionary<string, string?> settings) => (_store, Clock, _settings) = (store, clock, settings);

    public ManualClock Clock { get; }

    public FakeJournal Journal { get; } = new();

    public FakeRefusals Refusals { get; } = new();

    public FakeHistory History { get; } = new();

    public FakeAudit Audit { get; } = new();

    public TestStore Store => _store;

    public static async Task<DeviceHost> StartAsync(Dialect dialect, params (string Key, string Value)[] settings)
    {
        var clock = new ManualClock();
        var store = await TestStore.CreateAsync(dialect, clock, new StageMigrations("Devices", typeof(DevicesFeature).Assembly));
        var host = new DeviceHost(store, clock, settings.ToDictionary(s => s.Key, s => (string?)s.Value));
        await host.RunAsync();
        (await host.SendAsync(HttpMethod.Post, "/ops/v1/fields", new { fieldId = "home", name = "スマートホーム", kind = "smart-home" })).Expect(201);
        return host;
    }

    public T Get<T>()
        where T : notnull => _app!.Services.GetRequiredService<T>();

    public async Task RestartAsync()
    {
        await EndAsync();
        await _store.ReopenAsync();
        await RunAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        await _store.DisposeAsync();
    }

    /// <summary>Sends to the management port.</summary>
    public async Task<Answer> SendAsync(HttpMethod method, string path, object? body = null, string roles = "administrator,maintainer", string fields = "*", string? accept = null, string? language = null)
    {
        using var request = new HttpRequestMessage(method, $"http://{Home}:{_managementPort}{path}");
        request.Content = body switch
        {
            null => null,
            HttpContent content => content,
            _ => JsonContent.Create(body),
        };
        if (roles.Length > 0)
        {
            request.Headers.Add("X-Roles", roles);
            request.Headers.Add("X-Fields", fields);
        }

        if (accept is not null)
        {
            request.Headers.Add("Accept", accept);
        }

        if (language is not null)
        {
            request.Headers.Add("Accept-Language", language);
        }

        return await ReadAsync(await Client(Home).SendAsync(request));
    }

    public Task<Answer> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    public Task<Answer> PostAsync(string path, object? body = null) => SendAsync(HttpMethod.Post, path, body);

    /// <summary>Sends bytes to the token route from an address.</summary>
    public async Task<Answer> TokenAsync(HttpContent body, string source = Home, string? token = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{Home}:{_devicePort}/device/v1/token") { Content = body };
        if (token is not null)
        {
            request.Headers.Add("Authorization", "Bearer " + token);
        }

        return await ReadAsync(await Client(source).SendAsync(request));
    }

    public Task<Answer> AuthenticateAsync(TestDevice device, string source = Home, string? token = null) =>
        TokenAsync(JsonContent.Create(new { commonAuthId = device.CommonAuthId, authSecret = device.AuthSecret, uniqueId = device.UniqueId }), source, token);

    /// <summary>Asks for a new secret.</summary>
    public async Task<Answer> SecretAsync(TestDevice device, string? token, string source = Home)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{Home}:{_devicePort}/device/v1/secret");
        request.Headers.Add("Sekisho-Device", device.DeviceId);
        if (token is not null)
        {
            request.Headers.Add("Authorization", "Bearer " + token);
        }

        return await ReadAsync(await Client(source).SendAsync(request));
    }

    /// <summary>Authenticates and returns the token.</summary>
    public async Task<string> BindAsync(TestDevice device, string source = Home) => (string)(await AuthenticateAsync(device, source)).Expect(200)["token"]!;

    /// <summary>What Distribution asks for each message.</summary>
    public TokenVerdict Check(TestDevice device, string token, string source = Home) => Get<ITokenCheck>().Check(token, device.DeviceId, source);

    public async Task<TestDevice> RegisterAsync(object? more = null)
    {
        var uniqueId = "SERIAL-" + ++_serial;
        var request = new JsonObject { ["uniqueIdType"] = "serial", ["uniqueId"] = uniqueId, ["name"] = "玄関センサー", ["kind"] = "door-sensor" };
        foreach (var (key, value) in System.Text.Json.JsonSerializer.SerializeToNode(more ?? new { })!.AsObject())
        {
            request[key] = value?.DeepClone();
        }

        var made = (await PostAsync("/api/v1/fields/home/devices", request)).Expect(201);
        return new TestDevice((string)made["device"]["deviceId"]!, (string)made["commonAuthId"]!, (string?)made.Json!["authSecret"] ?? "", (string)request["uniqueId"]!);
    }

    public async Task<string> StateAsync(TestDevice device) => (string)(await GetAsync($"/api/v1/fields/home/devices/{device.DeviceId}")).Expect(200)["state"]!;

    public Task<Answer> MoveAsync(TestDevice device, string state) => PostAsync($"/api/v1/fields/home/devices/{device.DeviceId}/state", new { state, reason = "test" });

    private static async Task<Answer> ReadAsync(HttpResponseMessage message)
    {
        var text = await message.Content.ReadAsStringAsync();
        var json = message.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true ? JsonNode.Parse(text) : null;
        return new Answer((int)message.StatusCode, json, text, message);
    }

    private HttpClient Client(string source)
    {
        if (!_clients.TryGetValue(source, out var client))
        {
            var handler = new SocketsHttpHandler
            {
                ConnectCallback = async (context, cancellation) =>
                {
                    var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                    socket.Bind(new IPEndPoint(IPAddress.Parse(source), 0));
                    await socket.ConnectAsync(context.DnsEndPoint, cancellation);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            };
            _clients[source] = client = new HttpClient(handler);
        }

        return client;
    }

    private async Task RunAsync()
    {
        (_devicePort, _managementPort) = (FreePort.Next(), FreePort.Next());
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(_settings);
        builder.WebHost.ConfigureKestrel(k =>
        {
            k.Listen(IPAddress.Loopback, _devicePort);
            k.Listen(IPAddress.Loopback, _managementPort);
        });
        builder.Services.AddSingleton<TimeProvider>(Clock);
        builder.Services.AddSingleton(_store.Databases);
        builder.Services.AddSingleton(_store.Key);
        builder.Services.AddSingleton(new Texts([typeof(Problem).Assembly, typeof(DevicesFeature).Assembly]));
        builder.Services.AddSingleton<IEventJournal>(Journal);
        builder.Services.AddSingleton<IRefusals>(Refusals);
        builder.Services.AddSingleton<IHistory>(History);
        builder.Services.AddSingleton<IOperatorAudit>(Audit);
        builder.Services.AddSingleton<ITrafficQuarantine>(new NoQuarantine());
        builder.Services.AddDevices();
        builder.Services.AddAuthentication(Principal.Scheme).AddScheme<AuthenticationSchemeOptions, HeaderSignIn>(Principal.Scheme, null);
        builder.Services.Configure<RouteHandlerOptions>(o => o.ThrowOnBadRequest = true);
        _app = builder.Build();
        _app.Use(async (context, next) =>
        {
            try
            {
                await next(context);
            }
            catch (BadHttpRequestException)
            {
                await Problem.WriteAsync(context, CommonProblems.BadRequest);
            }
        });
        _app.UseRouting();
        _app.UseAuthentication();
        _app.UseRouteAccess(_devicePort);
        var device = _app.MapGroup("/device/v1");
        device.WithMetadata(new Listener(ForDevices: true));
        new RouteGroups(device, _app.MapGroup("/api/v1/fields/{fieldId}"), _app.MapGroup("/api/v1"), _app.MapGroup("/ops/v1"), _app.MapGroup("")).MapDevices();
        await _app.StartAsync();
    }

    private async Task EndAsync()
    {
        foreach (var client in _clients.Values)
        {
            client.Dispose();
        }

        _clients.Clear();
        await _app!.StopAsync();
        await _app.DisposeAsync();
    }
}
