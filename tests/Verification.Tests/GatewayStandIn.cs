using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Sekisho.Tests.Support;

namespace Sekisho.Verification.Tests;

/// <summary>A tiny HTTPS server that answers as a test says.</summary>
internal sealed class GatewayStandIn : IAsyncDisposable
{
    private readonly ReceiverCertificate _certificate = new();
    private readonly WebApplication _app;

    private GatewayStandIn(Func<HttpContext, Task> answer)
    {
        Port = PostgreSqlServer.FreePort();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, Port, l => l.UseHttps(_certificate.Server)));
        _app = builder.Build();
        _app.Run(context => answer(context));
    }

    public int Port { get; }

    public Uri Address => new($"https://localhost:{Port}/");

    public string CaPem => _certificate.CaPem;

    public static async Task<GatewayStandIn> StartAsync(Func<HttpContext, Task> answer)
    {
        var standIn = new GatewayStandIn(answer);
        await standIn._app.StartAsync();
        return standIn;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _certificate.Dispose();
    }
}
