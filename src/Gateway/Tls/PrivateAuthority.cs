using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Gateway.Tls;

/// <summary>
/// The gateway's own certificate authority, made at first start: ca.key (certificate and key as PKCS #12, encrypted under the master key) and ca.pem
/// (the certificate alone, for devices to trust) in the data folder. Keys of server certificates live in memory only. Any thread.
/// </summary>
public sealed class PrivateAuthority : IDisposable
{
    private static readonly byte[] Context = "ca.key"u8.ToArray();
    private readonly X509Certificate2 _certificate;

    private PrivateAuthority(X509Certificate2 certificate) => _certificate = certificate;

    /// <summary>SHA-256 fingerprint, upper-case hex.</summary>
    public string Fingerprint => _certificate.GetCertHashString(HashAlgorithmName.SHA256);

    /// <summary>The certificate as PEM.</summary>
    public string CertificatePem => _certificate.ExportCertificatePem();

    /// <summary>Loads the authority from the data folder, or makes it.</summary>
    /// <exception cref="StorageException">The key is gone, no authority, or belongs to another master key.</exception>
    public static PrivateAuthority Open(string dataFolder, MasterKey master, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(clock);
        var certificateFile = Path.Combine(dataFolder, "ca.pem");
        var keyFile = Path.Combine(dataFolder, "ca.key");
        using var cipher = new ColumnCipher(master, "ca-key");
        if (File.Exists(keyFile))
        {
            var stored = Load(cipher.Unprotect(File.ReadAllBytes(keyFile), Context), keyFile);
            if (!File.Exists(certificateFile))
            {
                // The first start was cut off between the two files, or somebody removed the public one.
                DurableFile.Create(certificateFile, Pem(stored));
            }

            return new PrivateAuthority(stored);
        }

        if (File.Exists(certificateFile))
        {
            throw new StorageException($"Of the private CA only {certificateFile} is there. Restore {keyFile} from a backup, or remove {certificateFile} to have a new CA made (every device must then trust the new one).");
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN=Sekisho private CA {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var now = clock.GetUtcNow();
        var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(20));
        DurableFile.Create(keyFile, cipher.Protect(certificate.Export(X509ContentType.Pfx), Context));
        DurableFile.Create(certificateFile, Pem(certificate));
        return new PrivateAuthority(certificate);
    }

    /// <summary>Issues a server certificate for the names (host names or addresses).</summary>
    public X509Certificate2 Issue(IEnumerable<string> names, DateTimeOffset now, TimeSpan life)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Sekisho gateway", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names.Distinct(StringComparer.OrdinalIgnoreCase))
        {
            if (IPAddress.TryParse(name, out var address))
            {
                alternatives.AddIpAddress(address);
            }
            else
            {
                alternatives.AddDnsName(name);
            }
        }

        request.CertificateExtensions.Add(alternatives.Build());
        using var issued = Issue(request, "1.3.6.1.5.5.7.3.1", now, life);
        using var withKey = issued.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pfx), null);
    }

    /// <summary>Issues a client certificate for a key that somebody else holds.</summary>
    public X509Certificate2 IssueClient(ECDsa key, string name, DateTimeOffset now, TimeSpan life) =>
        Issue(new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256), "1.3.6.1.5.5.7.3.2", now, life);

    /// <summary>Makes a chain policy trust this authority and nobody else.</summary>
    internal void Trust(X509ChainPolicy policy)
    {
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.Add(_certificate);
    }

    /// <inheritdoc/>
    public void Dispose() => _certificate.Dispose();

    private X509Certificate2 Issue(CertificateRequest request, string use, DateTimeOffset now, TimeSpan life)
    {
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(use)], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        var end = now + life < _certificate.NotAfter ? now + life : _certificate.NotAfter;
        return request.Create(_certificate, now.AddDays(-1), end, RandomNumberGenerator.GetBytes(16));
    }

    private static byte[] Pem(X509Certificate2 certificate) => System.Text.Encoding.ASCII.GetBytes(certificate.ExportCertificatePem() + "\n");

    private static X509Certificate2 Load(byte[] pfx, string file)
    {
        try
        {
            return X509CertificateLoader.LoadPkcs12(pfx, null);
        }
        catch (CryptographicException e)
        {
            throw new StorageException($"{file} holds no certificate authority. Restore it from a backup, or remove it together with ca.pem to have a new CA made (every device must then trust the new ca.pem).", e);
        }
    }
}
