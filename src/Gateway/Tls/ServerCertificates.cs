using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Sekisho.Api.Settings;

namespace Sekisho.Gateway.Tls;

/// <summary>
/// The certificate that both listeners show: given by files, or issued by the private CA and renewed while the gateway runs. TLS 1.2 with forward
/// secrecy and TLS 1.3 only. Any thread.
/// </summary>
public sealed class ServerCertificates : IDisposable
{
    private static readonly TlsCipherSuite[] ForwardSecret =
    [
        TlsCipherSuite.TLS_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ];

    private readonly TlsSettings _settings;
    private readonly PrivateAuthority? _authority;
    private readonly TimeProvider _clock;
    private readonly ITimer? _renewal;
    private volatile X509Certificate2 _current;

    /// <summary>Loads the files, or issues the first certificate.</summary>
    /// <exception cref="SettingsException">The files cannot be used.</exception>
    public ServerCertificates(TlsSettings settings, PrivateAuthority authority, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        (_settings, _clock) = (settings, clock);
        if (settings.CertificateFile.Length > 0)
        {
            _current = FromFiles(settings);
            return;
        }

        _authority = authority;
        _current = Issue();
        _renewal = clock.CreateTimer(_ => RenewWhenDue(), null, TimeSpan.FromHours(1), TimeSpan.FromHours(1));
    }

    /// <summary>True when devices must trust ca.pem.</summary>
    public bool FromPrivateAuthority => _authority is not null;

    /// <summary>TLS options for a listener.</summary>
    public void Configure(HttpsConnectionAdapterOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;
        options.ServerCertificateSelector = (_, _) => _current;
        options.HandshakeTimeout = TimeSpan.FromSeconds(10);
        if (OperatingSystem.IsLinux())
        {
            options.OnAuthenticate = (_, tls) => tls.CipherSuitesPolicy = new CipherSuitesPolicy(ForwardSecret);
        }
    }

    /// <summary>
    /// The same for the listener of sensors, which asks for a certificate. A handshake takes any: the certificate's own hash says whose it is, and
    /// whoever is refused shall read why in a problem document.
    /// </summary>
    public void ConfigureForSensors(HttpsConnectionAdapterOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Configure(options);
        options.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
        options.AllowAnyClientCertificate();
        var before = options.OnAuthenticate;
        options.OnAuthenticate = (connection, tls) =>
        {
            before?.Invoke(connection, tls);

            // A certificate names where its issuer could be fetched from: nothing is fetched for a stranger.
            tls.CertificateChainPolicy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
            _authority?.Trust(tls.CertificateChainPolicy);
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _renewal?.Dispose();
        _current.Dispose();
    }

    private static X509Certificate2 FromFiles(TlsSettings settings)
    {
        try
        {
            using var pem = X509Certificate2.CreateFromPemFile(settings.CertificateFile, settings.KeyFile.Length > 0 ? settings.KeyFile : null);
            return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pfx), null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException or ArgumentException)
        {
            throw new SettingsException([$"Gateway:Tls:CertificateFile = '{settings.CertificateFile}', Gateway:Tls:KeyFile = '{settings.KeyFile}': {e.Message} Give PEM files of a certificate and its private key."]);
        }
    }

    /// <summary>With a third of its life left a new one takes over; connections keep theirs, so the old one is left to the collector.</summary>
    private void RenewWhenDue()
    {
        if (_current.NotAfter.ToUniversalTime() - _clock.GetUtcNow().UtcDateTime < TimeSpan.FromDays(_settings.Days / 3.0))
        {
            _current = Issue();
        }
    }

    private X509Certificate2 Issue() => _authority!.Issue(
        [.. _settings.Names, "localhost", Dns.GetHostName(), "127.0.0.1", "::1"], _clock.GetUtcNow(), TimeSpan.FromDays(_settings.Days));
}
