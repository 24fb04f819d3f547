using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Sekisho.Verification.Clients;

/// <summary>HTTP clients that trust one authority and nothing else.</summary>
public static class TrustedHttp
{
    /// <summary>A handler that trusts only the certificates of the authority in the PEM file.</summary>
    public static SocketsHttpHandler Handler(string caFile) => Handler(caFile, TimeProvider.System, from: null, meter: null);

    /// <summary>The same at a time that certificates must be valid at, from an address of this host, with its bytes counted.</summary>
    /// <param name="caFile">PEM file of the authority.</param>
    /// <param name="clock">Certificates must be valid at its time.</param>
    /// <param name="from">Address to connect from; null for whichever the system takes.</param>
    /// <param name="meter">Counts the bytes below TLS; null for none.</param>
    public static SocketsHttpHandler Handler(string caFile, TimeProvider clock, IPAddress? from, WireMeter? meter)
    {
        var authority = X509CertificateLoader.LoadCertificateFromFile(caFile);
        return new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, certificate, _, errors) => IsTrusted(authority, certificate as X509Certificate2, errors, clock) },
            ConnectCallback = from is null && meter is null ? null : (context, cancellation) => ConnectAsync(context.DnsEndPoint, from, meter, cancellation),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            ConnectTimeout = TimeSpan.FromSeconds(10),
            UseProxy = false,
            UseCookies = false,
        };
    }

    /// <summary>Connects from an address of this host.</summary>
    public static async Task<Socket> ConnectAsync(DnsEndPoint to, IPAddress? from, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(to);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (from is null)
            {
                await socket.ConnectAsync(to, cancellation).ConfigureAwait(false);
                return socket;
            }

            socket.Dispose();
            socket = new Socket(from.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Bind(new IPEndPoint(from, 0));
            await socket.ConnectAsync(new IPEndPoint(from.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Loopback : IPAddress.Loopback, to.Port), cancellation).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>True when the certificate is for the name that was asked for, comes from the authority and is valid at the clock's time.</summary>
    public static bool IsTrusted(X509Certificate2 authority, X509Certificate2? certificate, SslPolicyErrors errors, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        if (certificate is null || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != SslPolicyErrors.None)
        {
            return false;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.VerificationTimeIgnored = false;
        chain.ChainPolicy.VerificationTime = clock.GetUtcNow().LocalDateTime;
        return chain.Build(certificate);
    }

    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint to, IPAddress? from, WireMeter? meter, CancellationToken cancellation)
    {
        var stream = new NetworkStream(await ConnectAsync(to, from, cancellation).ConfigureAwait(false), ownsSocket: true);
        meter?.Connected();
        return meter is null ? stream : meter.Over(stream);
    }
}
