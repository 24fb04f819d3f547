namespace Sekisho.Distribution.Forwarding;

/// <summary>A destination to set, whole. What is secret and not given is kept as it is.</summary>
/// <param name="Kind">"https", or "none" to forward nothing on purpose.</param>
/// <param name="Reason">Why nothing is forwarded; needed for "none".</param>
/// <param name="Url">HTTPS address.</param>
/// <param name="AllowHttp">True to allow an http address that is not on this machine.</param>
/// <param name="Headers">Headers to send; a null value keeps the one that is set.</param>
/// <param name="Signed">True to sign each request (default).</param>
/// <param name="Secret">Key of the signature, 16 to 256 characters; null keeps the one that is set, or makes one that is shown once.</param>
/// <param name="ClientCertificate">Certificate to present; null for none.</param>
/// <param name="TrustedCa">PEM of the authorities to trust instead of the machine's; null for the machine's.</param>
/// <param name="BatchMessages">Messages per request, 1 to 10000; with 1 the body is the payload itself.</param>
/// <param name="BatchBytes">Bytes per request, 1 KiB to 16 MiB.</param>
/// <param name="Order">"arrival" or "live-first".</param>
/// <param name="MaxAgeSeconds">Age after which a waiting message expires.</param>
/// <param name="MaxBytes">Bytes that may wait; beyond them the oldest are dropped.</param>
/// <param name="TimeoutSeconds">How long an answer may take.</param>
/// <param name="Version">When given, must be the one in force (0 for none).</param>
internal sealed record DestinationChange(
    string? Kind,
    string? Reason,
    string? Url,
    bool? AllowHttp,
    IReadOnlyDictionary<string, string?>? Headers,
    bool? Signed,
    string? Secret,
    ClientCertificateChange? ClientCertificate,
    string? TrustedCa,
    int? BatchMessages,
    int? BatchBytes,
    string? Order,
    long? MaxAgeSeconds,
    long? MaxBytes,
    int? TimeoutSeconds,
    long? Version);

/// <summary>A client certificate to set.</summary>
/// <param name="Keep">True to keep the one that is set.</param>
/// <param name="Pfx">PKCS #12 with private key, base64.</param>
/// <param name="Password">Its password; null for none.</param>
internal sealed record ClientCertificateChange(bool? Keep, string? Pfx, string? Password);

/// <summary>A destination without its secrets.</summary>
internal sealed record DestinationView(
    long Version,
    string Kind,
    string? Reason,
    string? Url,
    bool AllowHttp,
    IReadOnlyDictionary<string, string?> Headers,
    bool Signed,
    string? Secret,
    CertificateView? ClientCertificate,
    string? TrustedCa,
    int BatchMessages,
    int BatchBytes,
    string Order,
    long MaxAgeSeconds,
    long MaxBytes,
    int TimeoutSeconds,
    bool Stopped)
{
    /// <param name="now">What is in force.</param>
    /// <param name="shownOnce">A secret that was just made.</param>
    public static DestinationView Of(DestinationInForce now, string? shownOnce = null)
    {
        var d = now.Destination;
        return new DestinationView(
            now.Version,
            d.Kind,
            d.Reason,
            d.Kind == Destination.None ? null : d.Url,
            d.AllowHttp,
            d.Headers.ToDictionary(h => h.Key, _ => (string?)null),
            d.Secret is not null,
            shownOnce,
            d.ClientCertificate is null ? null : CertificateView.Of(d),
            d.TrustedCa,
            d.BatchMessages,
            d.BatchBytes,
            d.Order,
            d.MaxAgeSeconds,
            d.MaxBytes,
            d.TimeoutSeconds,
            now.Stopped);
    }
}

/// <summary>What may be known of a client certificate; null parts when it cannot be read.</summary>
internal sealed record CertificateView(string? Subject, string? Thumbprint, DateTimeOffset? NotAfter)
{
    public static CertificateView Of(Destination destination)
    {
        try
        {
            using var certificate = Certificates.LoadPfx(destination.ClientCertificate!, destination.ClientCertificatePassword);
            return new CertificateView(
                certificate.Subject, certificate.GetCertHashString(System.Security.Cryptography.HashAlgorithmName.SHA256), certificate.NotAfter.ToUniversalTime());
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            return new CertificateView(null, null, null);
        }
    }
}

/// <summary>A line of the outbox; it names a device only while, or because, that device is in quarantine.</summary>
internal sealed record DeliveryView(
    string Id, int Messages, bool Backlog, string State, long Bytes, DateTimeOffset OldestAt, long Attempts, string? Reason, DateTimeOffset? SettledAt, string? DeviceId)
{
    public static DeliveryView Of(OutboxRow row) => new(
        row.Id,
        row.Count,
        row.Backlog != 0,
        row.State,
        row.Bytes,
        DateTimeOffset.FromUnixTimeMilliseconds(row.OldestAt),
        row.Attempts,
        row.Reason,
        row.SettledAt is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null,
        row.HeldDevice);
}

/// <summary>A dead letter; device and message are null when the message itself is gone.</summary>
internal sealed record DeadLetterView(
    string Id, string? DeviceId, string? MessageId, int Messages, long Bytes, string? Reason, long Attempts, DateTimeOffset SettledAt);

/// <summary>Dead letters to replay: all, or those of the identifiers.</summary>
internal sealed record ReplayRequest(bool? All, IReadOnlyList<string>? Ids);

/// <summary>How many messages wait again.</summary>
internal sealed record ReplayResult(int Messages);
