using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Sekisho.Sensor.Uplink;

/// <summary>An answer of the gateway.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Body">The JSON object; null when there is none.</param>
/// <param name="RetryAfter">When to come again, as far as it said so.</param>
internal sealed record GatewayAnswer(int Status, JsonElement? Body, TimeSpan? RetryAfter)
{
    public bool Done => Status is >= 200 and < 300;

    /// <summary>A member that holds a whole number that is not negative; null otherwise.</summary>
    public long? Number(string name) =>
        Body is { } body && body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= 0 ? number : null;

    public string? Text(string name) => Body is { } body && body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

/// <summary>
/// HTTPS to one gateway: TLS 1.2 or 1.3, only certificates of the given CA for the gateway's name, no proxy, no redirects, no cookies. One owner.
/// </summary>
internal sealed class GatewayClient : IDisposable
{
    private const int LargestAnswer = 64 * 1024;
    private static readonly TimeSpan MostWait = TimeSpan.FromHours(1);

    private readonly HttpClient _http;
    private readonly Uri _gateway;

    private GatewayClient(Uri gateway, SslClientAuthenticationOptions tls, TimeSpan timeout, Action<int> sent)
    {
        tls.EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;
        var handler = new SocketsHttpHandler
        {
            SslOptions = tls,
            ConnectCallback = (context, cancellation) => ConnectAsync(context.DnsEndPoint, sent, cancellation),
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            MaxResponseHeadersLength = 16,
            PreAuthenticate = false,
            ActivityHeadersPropagator = null,
        };
        _http = new HttpClient(handler) { Timeout = timeout, MaxResponseContentBufferSize = LargestAnswer };
        _gateway = gateway;
    }

    /// <summary>With a CA to trust and, once there is one, a certificate to show.</summary>
    public static GatewayClient Trusting(Uri gateway, X509Certificate2 authority, X509Certificate2? own, TimeSpan timeout, Action<int> sent)
    {
        Check(gateway);
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.Add(authority);
        var tls = new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
        if (own is not null)
        {
            tls.ClientCertificateContext = SslStreamCertificateContext.Create(own, additionalCertificates: null, offline: true);
        }

        return new GatewayClient(gateway, tls, timeout, sent);
    }

    /// <summary>Trusts whoever answers: only to fetch the CA that is then compared with its fingerprint. Nothing secret may be sent through it.</summary>
    public static GatewayClient TrustingNobodyYet(Uri gateway, TimeSpan timeout)
    {
        Check(gateway);
        return new GatewayClient(gateway, new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null }, timeout, _ => { });
    }

    /// <summary>Asks.</summary>
    /// <exception cref="HttpRequestException">The gateway cannot be reached, is not the one of the CA, or answered half.</exception>
    /// <exception cref="TaskCanceledException">It took too long, or was cancelled.</exception>
    public async Task<GatewayAnswer> SendAsync(HttpMethod method, string path, HttpContent? body, TimeProvider clock, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, new Uri(_gateway, path)) { Content = body };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellation).ConfigureAwait(false);
        var bytes = await answer.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
        return new GatewayAnswer((int)answer.StatusCode, Object(bytes), Wait(answer.Headers.RetryAfter, clock));
    }

    public void Dispose() => _http.Dispose();

    private static void Check(Uri gateway)
    {
        if (!gateway.IsAbsoluteUri || gateway.Scheme != Uri.UriSchemeHttps)
        {
            throw new UplinkException(UplinkFault.NoAddress);
        }
    }

    private static JsonElement? Object(byte[] bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            // Something between answered in its own words; the status says enough.
            return null;
        }
    }

    private static TimeSpan? Wait(RetryConditionHeaderValue? header, TimeProvider clock)
    {
        var wait = header?.Delta ?? (header?.Date is { } date ? date - clock.GetUtcNow() : null);
        return wait is { } asked && asked > TimeSpan.Zero ? asked < MostWait ? asked : MostWait : null;
    }

    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint to, Action<int> sent, CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(to, cancellation).ConfigureAwait(false);
            return new CountedStream(new NetworkStream(socket, ownsSocket: true), sent);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
