namespace Sekisho.Domain.Devices;

/// <summary>Issues certificates that traffic sensors show. Implemented by Gateway, whose private CA it is; called by Behaviour. Any thread.</summary>
public interface ISensorAuthority
{
    /// <summary>Port of the listener for sensors; null while it is closed.</summary>
    int? Port { get; }

    /// <summary>The CA's certificate as PEM.</summary>
    string CertificatePem { get; }

    /// <summary>SHA-256 fingerprint of the CA's certificate, upper-case hex.</summary>
    string Fingerprint { get; }

    /// <summary>Issues a client certificate for a request (PKCS #10, DER) that proves possession of a P-256 key.</summary>
    /// <param name="request">Its names and extensions are not taken over.</param>
    /// <param name="sensorId">Becomes the common name.</param>
    /// <param name="life">How long from now it is valid.</param>
    /// <returns>Null when the request is none, is not signed by its own key, or has another kind of key.</returns>
    SensorCertificate? Issue(ReadOnlySpan<byte> request, string sensorId, TimeSpan life);

    /// <summary>Public part of the key that orders to enforcers are signed with, as PEM (SubjectPublicKeyInfo, P-256).</summary>
    string OrderKeyPem { get; }

    /// <summary>Signs an order: ECDSA on P-256 with SHA-256, 64 bytes (IEEE P1363).</summary>
    byte[] SignOrder(byte[] order);
}

/// <summary>A certificate that was just issued.</summary>
/// <param name="Pem">The certificate as PEM.</param>
/// <param name="Hash">SHA-256 of it, 32 bytes.</param>
/// <param name="NotAfter">Until when it is valid (UTC).</param>
public sealed record SensorCertificate(string Pem, byte[] Hash, DateTimeOffset NotAfter);
