using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Sekisho.Response.Tests.Sim;

/// <summary>A carrier with an API of its own, on a real server: a token by client credentials, one PUT for all states, traffic as a total.</summary>
internal sealed class OtherCarrier : IAsyncDisposable
{
    private readonly WebApplication _app;
    private string _token = "";

    private OtherCarrier(WebApplication app) => _app = app;

    public string Address => _app.Urls.First() + "/api";

    public string Secret { get; } = "s3cret/\"with\"{marks}";

    public string State { get; set; } = "IN_SERVICE";

    public ConcurrentQueue<string> Requests { get; } = new();

    public int SignIns { get; private set; }

    public void TakeTokenBack() => _token = "";

    /// <summary>How the guide describes it.</summary>
    public static JsonNode Template => JsonNode.Parse("""
        {
          "headers": { "Authorization": "Bearer {login.token}" },
          "login": {
            "method": "POST", "path": "/token",
            "body": { "client_id": "sekisho", "client_secret": "{secret.clientSecret}", "scope": ["lines"] },
            "read": { "token": "$.access_token", "expiresIn": "$.expires_in" }
          },
          "find": { "iccid": { "method": "GET", "path": "/lines?iccid={name}", "read": { "sim": "$.lines[0].line_no" } } },
          "status": {
            "method": "GET", "path": "/lines/{sim}",
            "read": { "state": "$.line.status", "iccid": "$.line.iccid", "online": "$.line['radio state']", "address": "$.line.ip", "cell": "$.line.cell" }
          },
          "suspend": { "method": "PUT", "path": "/lines/{sim}/status", "headers": { "X-Reason": "security" }, "body": { "status": "STOPPED", "line": "{sim}" } },
          "activate": { "method": "PUT", "path": "/lines/{sim}/status", "body": { "status": "IN_SERVICE" } },
          "traffic": { "method": "GET", "path": "/lines/{sim}/usage?since={from}&until={to}", "read": { "up": "$.tx", "down": "$.rx" } },
          "states": { "IN_SERVICE": "active", "STOPPED": "suspended", "PAUSED": "inactive" },
          "times": "iso-8601"
        }
        """)!;

    public static async Task<OtherCarrier> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        var carrier = new OtherCarrier(builder.Build());
        carrier._app.Map("/api/{**path}", carrier.AnswerAsync);
        await carrier._app.StartAsync();
        return carrier;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var request = context.Request;
        var path = request.Path.Value!["/api".Length..] + request.QueryString;
        using var reader = new StreamReader(request.Body);
        var body = await reader.ReadToEndAsync();
        Requests.Enqueue($"{request.Method} {path}");
        if (path == "/token")
        {
            var sent = JsonNode.Parse(body)!;
            Assert.Equal(Secret, sent["client_secret"]!.GetValue<string>());
            SignIns++;
            _token = Guid.NewGuid().ToString("n", CultureInfo.InvariantCulture);
            await WriteAsync(context, new { access_token = _token, expires_in = 600 });
            return;
        }

        if (request.Headers.Authorization != "Bearer " + _token)
        {
            context.Response.StatusCode = 401;
            return;
        }

        switch (path)
        {
            case "/lines?iccid=8981200000000000001":
                await WriteAsync(context, new { lines = new[] { new { line_no = "L-77" } } });
                break;
            case var _ when path.StartsWith("/lines?", StringComparison.Ordinal):
                await WriteAsync(context, new { lines = Array.Empty<object>() });
                break;
            case "/lines/L-77":
                await WriteAsync(context, new { line = new Dictionary<string, object> { ["status"] = State, ["iccid"] = "8981200000000000001", ["radio state"] = "ONLINE", ["ip"] = "198.51.100.4", ["cell"] = "tower-7" } });
                break;
            case "/lines/L-77/status":
                State = JsonNode.Parse(body)!["status"]!.GetValue<string>();
                context.Response.StatusCode = 204;
                break;
            case var _ when path.StartsWith("/lines/L-77/usage", StringComparison.Ordinal):
                await WriteAsync(context, new { tx = 4321, rx = "99" });
                break;
            default:
                context.Response.StatusCode = 404;
                break;
        }
    }

    private static Task WriteAsync(HttpContext context, object answer) => context.Response.WriteAsync(JsonSerializer.Serialize(answer));
}
