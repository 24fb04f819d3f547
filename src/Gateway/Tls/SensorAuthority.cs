using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Sekisho.Domain.Devices;

namespace Sekisho.Gateway.Tls;

/// <summary>The private CA as sensors need it. Any thread.</summary>
internal sealed class SensorAuthority(PrivateAuthority authority, OrderKey orders, int port, TimeProvider clock) : ISensorAuthority
{
    private const string P256 = "1.2.840.10045.3.1.7";

    public int? Port => port == 0 ? null : port;

    public string CertificatePem => authority.CertificatePem;

    public string Fingerprint => authority.Fingerprint;

    public string OrderKeyPem => orders.PublicPem;

    public byte[] SignOrder(byte[] order) => orders.Sign(order);

    public SensorCertificate? Issue(ReadOnlySpan<byte> request, string sensorId, TimeSpan life)
    {
        try
        {
            // Checks that the request is signed by its own key; of the rest only the key is used.
            var asked = CertificateRequest.LoadSigningRequest(request.ToArray(), HashAlgorithmName.SHA256, out var read, CertificateRequestLoadOptions.Default);
            using var key = asked.PublicKey.GetECDsaPublicKey();
            if (read != request.Length || key?.ExportParameters(includePrivateParameters: false).Curve.Oid.Value != P256)
            {
                return null;
            }

            using var issued = authority.IssueClient(key, sensorId, clock.GetUtcNow(), life);
            return new SensorCertificate(issued.ExportCertificatePem(), issued.GetCertHash(HashAlgorithmName.SHA256), issued.NotAfter.ToUniversalTime());
        }
        catch (CryptographicException)
        {
            // The bytes are the sender's; that they are no request is an answer, not a fault.
            return null;
        }
    }
}
