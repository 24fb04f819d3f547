using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Sekisho.Response.Tests.Support;

/// <summary>A certificate for loopback that this process trusts: OpenSSL's list of roots is pointed at it before the first TLS handshake.</summary>
internal static class TestCertificates
{
    private static readonly string Folder = Directory.CreateTempSubdirectory("sekisho-tls-").FullName;

    public static string CertFile => Path.Combine(Folder, "cert.pem");

    public static string KeyFile => Path.Combine(Folder, "key.pem");

    public static X509Certificate2 Server { get; private set; } = null!;

    [ModuleInitializer]
    internal static void Prepare()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        File.WriteAllText(CertFile, certificate.ExportCertificatePem());
        File.WriteAllText(KeyFile, key.ExportPkcs8PrivateKeyPem());
        Server = X509Certificate2.CreateFromPemFile(CertFile, KeyFile);
        _ = SetEnvironment("SSL_CERT_FILE\0"u8.ToArray(), Encoding.UTF8.GetBytes(CertFile + "\0"), 1);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(Folder, recursive: true);
    }

    // .NET keeps its own copy of the environment; OpenSSL reads the process's.
    [DllImport("libc", EntryPoint = "setenv", ExactSpelling = true)]
    private static extern int SetEnvironment(byte[] name, byte[] value, int overwrite);
}
