namespace Sekisho.Distribution.Forwarding;

/// <summary>Where a field's messages go, with its secrets. Stored encrypted, never shown whole. Immutable.</summary>
internal sealed record Destination
{
    /// <summary>Kind: to an HTTPS address.</summary>
    public const string Https = "https";

    /// <summary>Kind: nowhere, on purpose.</summary>
    public const string None = "none";

    /// <summary>Order: as they arrived.</summary>
    public const string Arrival = "arrival";

    /// <summary>Order: live ones first, then what was delivered late.</summary>
    public const string LiveFirst = "live-first";

    public required string Kind { get; init; }

    /// <summary>Why nothing is forwarded (kind none).</summary>
    public string? Reason { get; init; }

    public string Url { get; init; } = "";

    public bool AllowHttp { get; init; }

    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>Key of the signature as text (its UTF-8 bytes are the key); null for no signature.</summary>
    public string? Secret { get; init; }

    /// <summary>PKCS #12 with private key, base64; null for none.</summary>
    public string? ClientCertificate { get; init; }

    public string? ClientCertificatePassword { get; init; }

    /// <summary>PEM of the authorities to trust instead of the machine's; null for the machine's.</summary>
    public string? TrustedCa { get; init; }

    public int BatchMessages { get; init; } = 100;

    public int BatchBytes { get; init; } = 1024 * 1024;

    public string Order { get; init; } = Arrival;

    public long MaxAgeSeconds { get; init; } = 7 * 24 * 3600;

    public long MaxBytes { get; init; } = 1L << 30;

    public int TimeoutSeconds { get; init; } = 30;
}

/// <summary>A destination as it stands in the catalog.</summary>
/// <param name="Destination">What was set.</param>
/// <param name="Version">Counts changes.</param>
/// <param name="Stopped">An administrator holds it: messages wait.</param>
internal sealed record DestinationInForce(Destination Destination, long Version, bool Stopped);
