using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Sekisho.Verification;

/// <summary>HTTPS clients that trust one private CA and nothing else.</summary>
public static class TrustedHttp
{
    /// <summary>A client for one server. The caller disposes it.</summary>
    /// <param name="address">Base address, https.</param>
    /// <param name="caPem">Certificates to trust, PEM.</param>
    /// <param name="timeout">For one request.</param>
    public static HttpClient Client(Uri address, string caPem, TimeSpan timeout)
    {
        var trusted = new X509Certificate2Collection();
        trusted.ImportFromPem(caPem);
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(trusted);
        var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = policy },
            AutomaticDecompression = DecompressionMethods.None,
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
        };
        return new HttpClient(handler, disposeHandler: true) { BaseAddress = address, Timeout = timeout };
    }
}
