using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Sekisho.Distribution.Forwarding;

/// <summary>What a destination made of a request.</summary>
internal enum Verdict
{
    /// <summary>2xx: it has the messages.</summary>
    Delivered,

    /// <summary>It cannot be reached, is busy or has a fault: the same again later.</summary>
    Later,

    /// <summary>It refuses this content: a smaller part may tell which message.</summary>
    Refused,

    /// <summary>It refuses us whatever we send (credentials, address): a person must look.</summary>
    Inconsistent,
}

/// <summary>Outcome of one request.</summary>
/// <param name="Verdict">What to do.</param>
/// <param name="Reason">Stable name: "http-503", "network", "tls", "timeout".</param>
/// <param name="RetryAfter">When the destination asks to be tried again.</param>
internal readonly record struct DeliveryOutcome(Verdict Verdict, string Reason, TimeSpan? RetryAfter = null);

/// <summary>Sends to one destination over connections of its own, with its own trust and certificate. One delivery at a time.</summary>
internal sealed class HttpDelivery : IDisposable
{
    private const HttpStatusCode TooEarly = (HttpStatusCode)425; // RFC 8470
    private readonly Destination _destination;
    private readonly string _fieldId;
    private readonly TimeProvider _clock;
    private readonly Uri _url;
    private readonly HttpClient _client;
    private readonly X509Certificate2? _certificate;
    private readonly X509Certificate2Collection? _trusted;
    private int _usual = 4096; // bytes of the batch before

    /// <summary>Prepares the connection.</summary>
    /// <exception cref="CryptographicException">Certificate or authorities cannot be read.</exception>
    public HttpDelivery(string fieldId, Destination destination, TimeProvider clock)
    {
        (_fieldId, _destination, _clock, _url) = (fieldId, destination, clock, new Uri(destination.Url));
        var tls = new SslClientAuthenticationOptions { EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13 };
        if (destination.ClientCertificate is { } pfx)
        {
            _certificate = Certificates.LoadPfx(pfx, destination.ClientCertificatePassword);
            tls.ClientCertificateContext = SslStreamCertificateContext.Create(_certificate, null, offline: true);
        }

        if (destination.TrustedCa is { } pem)
        {
            _trusted = Certificates.LoadPem(pem);
            tls.RemoteCertificateValidationCallback = Trusts;
        }

        var handler = new SocketsHttpHandler
        {
            SslOptions = tls,
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            ConnectTimeout = TimeSpan.FromSeconds(destination.TimeoutSeconds),
            ActivityHeadersPropagator = null,
        };
        _client = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(destination.TimeoutSeconds), MaxResponseContentBufferSize = 64 * 1024 };
    }

    public async Task<DeliveryOutcome> SendAsync(IReadOnlyList<Outgoing> messages, CancellationToken cancellation)
    {
        var single = _destination.BatchMessages == 1;
        var batch = single ? null : new EnvelopeBuffer(_usual);
        if (batch is not null)
        {
            Envelope.Batch(messages, batch);
            _usual = batch.Written.Length;
        }

        var body = batch?.Written ?? messages[0].Message.Payload;
        using var request = new HttpRequestMessage(HttpMethod.Post, _url) { Content = new ReadOnlyMemoryContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.TryAddWithoutValidation("Sekisho-Field", _fieldId);
        foreach (var (name, value) in single ? Envelope.Headers(messages[0]) : [])
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        foreach (var (name, value) in _destination.Headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        if (_destination.Secret is { } secret)
        {
            request.Headers.TryAddWithoutValidation("Sekisho-Signature", Envelope.Signature(secret, _clock.GetUtcNow(), body.Span));
        }

        try
        {
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);

            // HTTP/1.1 sends the whole body before it reads the answer. After a failure the connection may still hold it: then it is not given back.
            batch?.Return();
            return Judge(response);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new DeliveryOutcome(Verdict.Later, "timeout");
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.SecureConnectionError || e.InnerException is AuthenticationException)
        {
            return new DeliveryOutcome(Verdict.Inconsistent, "tls");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return new DeliveryOutcome(Verdict.Later, "network");
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _certificate?.Dispose();
        foreach (var authority in _trusted ?? [])
        {
            authority.Dispose();
        }
    }

    private DeliveryOutcome Judge(HttpResponseMessage response)
    {
        var status = (int)response.StatusCode;
        var reason = "http-" + status.ToString(CultureInfo.InvariantCulture);
        return response.StatusCode switch
        {
            _ when response.IsSuccessStatusCode => new DeliveryOutcome(Verdict.Delivered, reason),
            HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or TooEarly => new DeliveryOutcome(Verdict.Later, reason, After(response)),
            >= HttpStatusCode.InternalServerError => new DeliveryOutcome(Verdict.Later, reason, After(response)),

            // These are about who we are or where we knock, not about a message: dead-lettering on them would empty the queue on a rotated key.
            HttpStatusCode.Unauthorized or HttpStatusCode.PaymentRequired or HttpStatusCode.Forbidden or HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed
                or HttpStatusCode.ProxyAuthenticationRequired or HttpStatusCode.Gone or HttpStatusCode.MisdirectedRequest
                or HttpStatusCode.UpgradeRequired => new DeliveryOutcome(Verdict.Inconsistent, reason),
            >= HttpStatusCode.BadRequest => new DeliveryOutcome(Verdict.Refused, reason),
            _ => new DeliveryOutcome(Verdict.Inconsistent, reason),
        };
    }

    private TimeSpan? After(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date - _clock.GetUtcNow(),
        _ => null,
    };

    private bool Trusts(object sender, X509Certificate? certificate, X509Chain? presented, SslPolicyErrors errors)
    {
        if (certificate is null || (errors & (SslPolicyErrors.RemoteCertificateNameMismatch | SslPolicyErrors.RemoteCertificateNotAvailable)) != 0)
        {
            return false;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_trusted!);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        if (presented is not null)
        {
            chain.ChainPolicy.ExtraStore.AddRange(presented.ChainPolicy.ExtraStore);
        }

        using var leaf = new X509Certificate2(certificate);
        return chain.Build(leaf);
    }
}

/// <summary>Reads certificates that an administrator gave.</summary>
internal static class Certificates
{
    /// <summary>A certificate with its private key.</summary>
    /// <exception cref="CryptographicException">No PKCS #12, wrong password, or no private key.</exception>
    public static X509Certificate2 LoadPfx(string base64, string? password)
    {
        var bytes = new byte[base64.Length];
        if (!Convert.TryFromBase64String(base64, bytes, out var count))
        {
            throw new CryptographicException("This is no base64.");
        }

        var certificate = X509CertificateLoader.LoadPkcs12(bytes.AsSpan(0, count), password);
        if (certificate.HasPrivateKey)
        {
            return certificate;
        }

        certificate.Dispose();
        throw new CryptographicException("There is no private key in it.");
    }

    /// <summary>One or more certificates.</summary>
    /// <exception cref="CryptographicException">None is in it.</exception>
    public static X509Certificate2Collection LoadPem(string pem)
    {
        var certificates = new X509Certificate2Collection();
        certificates.ImportFromPem(pem);
        return certificates.Count > 0 ? certificates : throw new CryptographicException("There is no certificate in it.");
    }
}
