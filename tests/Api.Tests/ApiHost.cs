using System.Collections.Concurrent;
using System.Net;
using System.Security.Claims;
using System.Text.Encodings.Web;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sekisho.Api.Access;
using Sekisho.Api.Problems;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;
using Sekisho.Domain.Operations;
using Sekisho.Verification.Processes;

namespace Sekisho.Api.Tests;

/// <summary>Two listeners and one route of each kind behind the real enforcement. The bearer token spells the claims: "role=auditor;field=cars".</summary>
internal sealed class ApiHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ApiHost(WebApplication app, int devicePort, int managementPort) => (_app, DevicePort, ManagementPort) = (app, devicePort, managementPort);

    public int DevicePort { get; }

    public int ManagementPort { get; }

    public FakeAudit Audit { get; } = new();

    public HttpClient Http { get; } = new();

    public static async Task<ApiHost> StartAsync()
    {
        var devicePort = FreePort.Next();
        var managementPort = FreePort.Next();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k =>
        {
            k.Listen(IPAddress.Loopback, devicePort);
            k.Listen(IPAddress.Loopback, managementPort);
        });
        var app = default(ApiHost);
        builder.Services.AddSingleton(new Texts([typeof(Correlation).Assembly]));
        builder.Services.AddSingleton<IDeviceDirectory>(new FakeDirectory("cars", "homes"));
        builder.Services.AddSingleton<IOperatorAudit>(_ => app!.Audit);
        builder.Services.AddAuthentication(Principal.Scheme).AddScheme<AuthenticationSchemeOptions, ClaimsByToken>(Principal.Scheme, null);
        builder.Services.AddAuthorization();
        var web = builder.Build();
        app = new ApiHost(web, devicePort, managementPort);
        web.UseRouting();
        web.UseAuthentication();
        web.UseRouteAccess(devicePort);
        Map(web);
        await web.StartAsync();
        return app;
    }

    public async Task<(int Status, string Problem, JsonNode? Body, HttpResponseMessage Response)> SendAsync(
        string method, string path, string? token = null, bool onDevicePort = false, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), $"http://127.0.0.1:{(onDevicePort ? DevicePort : ManagementPort)}{path}");
        if (token is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + token);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        var response = await Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        var body = text.StartsWith('{') ? JsonNode.Parse(text) : null;
        return ((int)response.StatusCode, body?["type"]?.GetValue<string>().Split(':')[^1] ?? "", body, response);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private static void Map(WebApplication web)
    {
        var api = web.MapGroup("/api/v1");
        var routes = new RouteGroups(
            web.MapGroup("/device/v1").WithMetadata(new Listener(ForDevices: true)), api.MapGroup("/fields/{fieldId}"), api, web.MapGroup("/ops/v1"), web.MapGroup(""));
        routes.Device.MapGet("/hello", (HttpContext _, Texts _) => Results.Ok());
        routes.Field.MapGet("/things", (HttpContext _, Texts _) => Results.Ok()).Reads("devices");
        routes.Field.MapPost("/things/{id}", (string id, Texts _) => id == "bad" ? Problem.Of(CommonProblems.Conflict) : Results.NoContent()).Administers("devices", "thing.add");
        routes.Field.MapPost("/answers", (HttpContext _, Texts _) => Results.NoContent()).Responds("detections", "answer.give");
        routes.Field.MapPost("/throws", (HttpContext _, Texts _) => { throw new BadHttpRequestException("no JSON"); }).Administers("devices", "thing.throw");
        routes.Field.MapPost("/waits", async (HttpContext c, Texts _) =>
        {
            await c.Request.Body.CopyToAsync(Stream.Null);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, c.RequestAborted);
        }).Administers("devices", "thing.wait");
        routes.Api.MapGet("/me", (HttpContext c, Texts _) => Results.Ok(new { id = Correlation.Of(c) })).WithMetadata(new RouteAccess([], null, WhilePasswordUnset: true));
        routes.Api.MapPost("/open", (HttpContext _, Texts _) => Results.NoContent()).WithMetadata(new RouteAccess([], null, Anonymous: true));
        routes.Ops.MapGet("/state", (HttpContext _, Texts _) => Results.Ok()).Watches("operations");
        routes.Ops.MapPut("/fields/{fieldId}", (string fieldId, Texts _) => Results.Ok(fieldId)).Maintains("operations", "field.change");
        routes.Root.MapGet("/undeclared", (HttpContext _, Texts _) => Results.Ok());
        routes.Root.MapGet("/busy", (HttpContext _, Texts _) => Problem.Of(CommonProblems.TooMany).After(TimeSpan.FromMilliseconds(1200))).WithMetadata(new RouteAccess([], null, Anonymous: true));
    }
}

internal sealed class FakeAudit : IOperatorAudit
{
    private readonly ConcurrentQueue<OperatorAction> _actions = [];

    public IEnumerable<string> Lines => _actions.Select(a => $"{a.Actor} {a.Action} {a.FieldId ?? "-"} [{a.Target}] {a.Outcome}");

    public IEnumerable<OperatorAction> Actions => _actions;

    public bool Broken { get; set; }

    public Task RecordAsync(OperatorAction action, CancellationToken cancellation)
    {
        if (Broken)
        {
            throw new InvalidOperationException("audit is broken");
        }

        _actions.Enqueue(action);
        return Task.CompletedTask;
    }
}

internal sealed class FakeDirectory(params string[] fields) : IDeviceDirectory
{
    public IReadOnlyCollection<FieldProfile> Fields { get; } =
        [.. fields.Select(f => new FieldProfile { FieldId = f, Name = f, Kind = "car-mobility", TimeZone = "Asia/Tokyo", ContactPoint = "", Language = "ja" })];

    public DeviceProfile? Device(string deviceId) => null;

    public FieldProfile? Field(string fieldId) => Fields.FirstOrDefault(f => f.FieldId == fieldId);

    public IReadOnlyCollection<DeviceProfile> DevicesOf(string fieldId) => [];
}

internal sealed class ClaimsByToken(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        if (!header.Contains('=', StringComparison.Ordinal))
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        var claims = header["Bearer ".Length..].Split(';').Select(p => p.Split('=')).Select(p => new Claim(p[0], p[1]));
        return Task.FromResult(AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new ClaimsIdentity(claims, Principal.Scheme)), Principal.Scheme)));
    }
}
