using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Sekisho.Verification.Tests.Clients;

/// <summary>What a request to the device port looked like.</summary>
internal sealed record Asked(string Path, string? Authorization, string? Device, string? Client, string? Language, string? Source, string Body, bool IsWhole);

/// <summary>A real HTTPS listener that speaks the device API as a test scripts it.</summary>
internal sealed class DevicePort : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sekisho-port-").FullName;
    private readonly WebApplication _app;

    private DevicePort(Func<Asked, (int Status, string Body)> answer, DateTimeOffset from, DateTimeOffset to)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=device port", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        using var made = request.CreateSelfSigned(from, to);
        var certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
        File.WriteAllText(CaFile, made.ExportCertificatePem());
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate)));
        _app = builder.Build();
        _app.Run(context => AnswerAsync(context, answer));
    }

    public ConcurrentQueue<Asked> Requests { get; } = new();

    public string CaFile => Path.Combine(_folder, "ca.pem");

    public Uri Address => new($"https://localhost:{new Uri(_app.Urls.First()).Port}");

    public static async Task<DevicePort> StartAsync(Func<Asked, (int Status, string Body)> answer, DateTimeOffset? from = null, DateTimeOffset? to = null)
    {
        var now = TimeProvider.System.GetUtcNow();
        var port = new DevicePort(answer, from ?? now.AddDays(-1), to ?? now.AddDays(1));
        await port._app.StartAsync();
        return port;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task AnswerAsync(HttpContext context, Func<Asked, (int Status, string Body)> answer)
    {
        var body = new MemoryStream();
        var isWhole = true;
        try
        {
            await context.Request.Body.CopyToAsync(body);
        }
        catch (IOException)
        {
            isWhole = false;
        }

        var headers = context.Request.Headers;
        string? Header(string name) => headers[name].ToString() is { Length: > 0 } value ? value : null;
        var asked = new Asked(
            context.Request.Path, Header("Authorization"), Header("Sekisho-Device"), Header("User-Agent"), Header("Accept-Language"), context.Connection.RemoteIpAddress?.ToString(),
            System.Text.Encoding.UTF8.GetString(body.ToArray()), isWhole);
        Requests.Enqueue(asked);
        if (isWhole)
        {
            var (status, text) = answer(asked);
            context.Response.StatusCode = status;
            context.Response.ContentType = status >= 400 ? "application/problem+json" : "application/json";
            await context.Response.WriteAsync(text);
        }
    }
}
