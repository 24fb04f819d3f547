using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;
using Sekisho.Wire.Features;

namespace Sekisho.Sensor.Tests;

/// <summary>A server with a CA of its own that answers what a test wants: HTTPS over real sockets, with client certificates.</summary>
internal sealed class GatewayStandIn : IAsyncDisposable
{
    private readonly X509Certificate2 _authority = NewAuthority();
    private readonly X509Certificate2 _server;
    private Func<Func<Socket>, Socket>? _within;
    private Socket? _listener;
    private WebApplication? _app;

    private GatewayStandIn() => _server = Issue(_authority, "CN=gateway", "localhost");

    /// <summary>What is answered; takes everything and says so unless set.</summary>
    public Func<HttpContext, IReadOnlyList<long>, Task> Answer { get; set; } = (context, sequences) => Json(context, 200, $$"""{"upTo":{{sequences[^1]}},"time":1000}""");

    /// <summary>What is answered to a question for orders; nobody answers unless set.</summary>
    public Func<HttpContext, Task>? Orders { get; set; }

    /// <summary>Numbers of the intervals of each upload.</summary>
    public List<IReadOnlyList<long>> Uploads { get; } = [];

    /// <summary>SHA-256 of the client certificates that were shown.</summary>
    public HashSet<string> Shown { get; } = [];

    public Uri Address { get; private set; } = null!;

    /// <param name="within">Makes a socket where the gateway is to listen, such as in a namespace; null for here.</param>
    public static async Task<GatewayStandIn> StartAsync(Func<Func<Socket>, Socket>? within = null)
    {
        var made = new GatewayStandIn { _within = within };
        await made.UpAsync(0);
        return made;
    }

    public static Task Json(HttpContext context, int status, string json)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(json);
    }

    /// <summary>Makes an identity that this gateway knows.</summary>
    public void WriteIdentity(string folder, string name = "sensor")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        using var issued = request.Create(_authority, TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(90), RandomNumberGenerator.GetBytes(8));
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "ca.pem"), _authority.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, "identity.pem"), issued.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem());
    }

    public async Task DownAsync()
    {
        await _app!.StopAsync();
        await _app.DisposeAsync();
        _app = null;
        _listener?.Dispose();
    }

    public Task UpAsync() => UpAsync(Address.Port);

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await DownAsync();
        }

        _authority.Dispose();
        _server.Dispose();
    }

    private async Task UpAsync(int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        Action<Microsoft.AspNetCore.Server.Kestrel.Core.ListenOptions> secure = l => l.UseHttps(https =>
        {
            https.ServerCertificate = _server;
            https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
            https.AllowAnyClientCertificate();
        });
        _listener = _within?.Invoke(() =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
            socket.Listen();
            return socket;
        });
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(k =>
        {
            if (_listener is null)
            {
                k.Listen(IPAddress.Loopback, port, secure);
            }
            else
            {
                k.ListenHandle((ulong)_listener.SafeHandle.DangerousGetHandle(), secure);
            }
        });
        _app = builder.Build();
        _app.MapPost("/sensor/v1/intervals", TakeAsync);
        _app.MapPost("/sensor/v1/orders", (HttpContext context) => Orders?.Invoke(context) ?? Json(context, 503, "{}"));
        await _app.StartAsync();
        Address = new Uri("https://localhost:" + (((IPEndPoint?)_listener?.LocalEndPoint)?.Port ?? new Uri(_app.Urls.First()).Port));
    }

    private async Task TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var bytes = body.ToArray();
        Assert.True(IntervalBatch.TryDecode(bytes, WireLimits.Default, out var places, out _));
        var sequences = places.Select(p => Intervals.Read(bytes[p]).Sequence).ToArray();
        lock (Uploads)
        {
            Uploads.Add(sequences);
            Shown.Add(context.Connection.ClientCertificate?.GetCertHashString(HashAlgorithmName.SHA256) ?? "none");
        }

        await Answer(context, sequences);
    }

    private static X509Certificate2 NewAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test CA " + Convert.ToHexString(RandomNumberGenerator.GetBytes(4)), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        return request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-2), TimeProvider.System.GetUtcNow().AddDays(400));
    }

    private static X509Certificate2 Issue(X509Certificate2 authority, string subject, string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(authority, TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(90), RandomNumberGenerator.GetBytes(8));
        using var withKey = issued.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pfx), null);
    }
}
