using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Sekisho.Sensor.Uplink;

/// <summary>
/// Who a sensor is, and whom it trusts: ca.pem (the gateway's CA, and no other is trusted) and identity.pem (certificate and private key, for the
/// owner only) in one folder. A renewed identity replaces the file at once.
/// </summary>
public sealed class SensorIdentity : IDisposable
{
    private const string AuthorityFile = "ca.pem";
    private const string IdentityFile = "identity.pem";

    private SensorIdentity(X509Certificate2 authority, X509Certificate2 certificate) => (Authority, Certificate) = (authority, certificate);

    /// <summary>The CA that the gateway's certificate must come from.</summary>
    public X509Certificate2 Authority { get; }

    /// <summary>The client certificate with its key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>True once a third of its life or less is left.</summary>
    public bool IsToBeRenewed(DateTimeOffset now)
    {
        var (from, to) = (Certificate.NotBefore.ToUniversalTime(), Certificate.NotAfter.ToUniversalTime());
        return now.UtcDateTime >= to - ((to - from) / 3);
    }

    /// <summary>True when a folder holds an identity.</summary>
    public static bool Exists(string folder) => File.Exists(Path.Combine(folder, IdentityFile));

    /// <summary>When the identity was written last: another time means another certificate.</summary>
    internal static DateTime Written(string folder) => File.GetLastWriteTimeUtc(Path.Combine(folder, IdentityFile));

    /// <summary>Loads an identity.</summary>
    /// <exception cref="UplinkException">There is none, or its files cannot be used.</exception>
    public static SensorIdentity Load(string folder)
    {
        try
        {
            // Through PKCS #12, because TLS does not take a key that is only in memory on every system.
            using var pem = X509Certificate2.CreateFromPemFile(Path.Combine(folder, IdentityFile));
            return new SensorIdentity(X509CertificateLoader.LoadCertificateFromFile(Path.Combine(folder, AuthorityFile)), X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pfx), null));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new UplinkException(UplinkFault.NotEnrolled, folder, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new UplinkException(UplinkFault.DamagedIdentity, $"{folder}: {e.Message}", e);
        }
    }

    /// <summary>A new P-256 key and a request to certify it.</summary>
    internal static (ECDsa Key, string RequestPem) NewRequest()
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return (key, new CertificateRequest("CN=Sekisho sensor", key, HashAlgorithmName.SHA256).CreateSigningRequestPem());
    }

    /// <summary>Keeps a certificate that was issued for a key.</summary>
    /// <exception cref="UplinkException">The certificate is none, or of another key.</exception>
    internal static void Keep(string folder, string certificatePem, ECDsa key)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(certificatePem);
            using var own = certificate.GetECDsaPublicKey();
            if (own is null || !own.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()))
            {
                throw new UplinkException(UplinkFault.NoCertificate);
            }

            PrivateFile.Replace(Path.Combine(folder, IdentityFile), Encoding.ASCII.GetBytes(certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n"));
        }
        catch (CryptographicException e)
        {
            throw new UplinkException(UplinkFault.NoCertificate, cause: e);
        }
    }

    /// <summary>Keeps the gateway's CA.</summary>
    internal static void KeepAuthority(string folder, X509Certificate2 authority)
    {
        PrivateFile.Folder(folder);
        PrivateFile.Replace(Path.Combine(folder, AuthorityFile), Encoding.ASCII.GetBytes(authority.ExportCertificatePem() + "\n"));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Authority.Dispose();
        Certificate.Dispose();
    }
}
