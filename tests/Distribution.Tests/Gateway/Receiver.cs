using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Sekisho.Distribution.Tests.Gateway;

/// <summary>A customer's cloud: a Kestrel with TLS that keeps what it gets and answers as a test says.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly X509Certificate2 _certificate;

    private Receiver(WebApplication app, X509Certificate2 certificate) => (_app, _certificate) = (app, certificate);

    public sealed record Delivery(IReadOnlyDictionary<string, string> Headers, string Body, string? ClientSubject, int Status);

    public ConcurrentQueue<Delivery> Deliveries { get; } = new();

    /// <summary>Status by body; 200 when nothing is said.</summary>
    public Func<string, int> Answer { get; set; } = _ => 200;

    public string Url { get; private set; } = "";

    public string Ca => _certificate.ExportCertificatePem();

    /// <summary>Messages of taken batches in order of arrival.</summary>
    public List<JsonNode> Taken => [.. Deliveries.Where(d => d.Status == 200).SelectMany(d => JsonNode.Parse(d.Body)!.AsArray().Select(n => n!))];

    public List<int> TakenSequences(string device) => [.. Taken.Where(m => (string?)m["deviceId"] == device).Select(m => int.Parse((string)m["sequence"]!, System.Globalization.CultureInfo.InvariantCulture))];

    public static async Task<Receiver> StartAsync(int port = 0, bool wantCertificate = false, X509Certificate2? certificate = null)
    {
        certificate ??= Certificate("localhost");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.UseKestrel(k => k.Listen(IPAddress.Loopback, port, l => l.UseHttps(certificate, o =>
        {
            o.ClientCertificateMode = wantCertificate ? ClientCertificateMode.RequireCertificate : ClientCertificateMode.NoCertificate;
            o.ClientCertificateValidation = (_, _, _) => true;
        })));
        var app = builder.Build();
        var receiver = new Receiver(app, certificate);
        app.MapPost("/in", async (HttpContext context, CancellationToken cancellation) =>
        {
            using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
            var body = await reader.ReadToEndAsync(cancellation);
            var status = receiver.Answer(body);
            receiver.Deliveries.Enqueue(new Delivery(
                context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase), body, context.Connection.ClientCertificate?.Subject, status));
            return Results.StatusCode(status);
        });
        await app.StartAsync();
        var address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        receiver.Url = $"https://localhost:{address.Port}/in";
        return receiver;
    }

    public static X509Certificate2 Certificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var made = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }

    public object Destination(int batch = 100, string order = "arrival", string? secret = null, object? clientCertificate = null, long? maxAge = null, long? maxBytes = null) => new
    {
        kind = "https",
        url = Url,
        trustedCa = Ca,
        batchMessages = batch,
        order,
        secret,
        clientCertificate,
        maxAgeSeconds = maxAge,
        maxBytes,
        timeoutSeconds = 10,
    };

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
