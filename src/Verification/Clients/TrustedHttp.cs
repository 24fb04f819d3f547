using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Sekisho.Verification.Clients;

/// <summary>HTTP clients that trust one authority and nothing else.</summary>
public static class TrustedHttp
{
    /// <summary>A handler that trusts only the certificates of the authority in the PEM file.</summary>
    public static SocketsHttpHandler Handler(string caFile) => new()
    {
        SslOptions = new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                CustomTrustStore = { X509CertificateLoader.LoadCertificateFromFile(caFile) },
            },
        },
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        ConnectTimeout = TimeSpan.FromSeconds(10),
        UseProxy = false,
        UseCookies = false,
    };
}
