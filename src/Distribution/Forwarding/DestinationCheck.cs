using System.Security.Cryptography;
using System.Text;
using Sekisho.Api.Problems;

namespace Sekisho.Distribution.Forwarding;

/// <summary>Turns what an administrator asks for into a destination, or names every fault at once. Pure but for a new secret.</summary>
/// <param name="text">Text of a fault by key.</param>
internal sealed class DestinationCheck(Func<string, string> text)
{
    private const int MaxHeaders = 50;
    private static readonly string[] Reserved =
        ["Host", "Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding", "Connection", "Upgrade", "TE", "Trailer", "Expect", "Keep-Alive", "Proxy-Connection"];

    /// <summary>Every fault, in the order of the properties.</summary>
    public List<Fault> Faults { get; } = [];

    /// <summary>The secret that was made, to be shown once; null when none was.</summary>
    public string? MadeSecret { get; private set; }

    /// <summary>Checks a change.</summary>
    /// <param name="change">What is asked for.</param>
    /// <param name="before">What is in force; its secrets may be kept.</param>
    /// <returns>The destination; null when there are faults.</returns>
    public Destination? Apply(DestinationChange change, Destination? before)
    {
        switch (change.Kind)
        {
            case Destination.None:
                Want(change.Reason is { Length: > 0 and <= 200 }, "/reason", "distribution.fault.reason");
                return Faults.Count > 0 ? null : new Destination { Kind = Destination.None, Reason = change.Reason };
            case Destination.Https:
                var result = Https(change, before);
                return Faults.Count > 0 ? null : result;
            default:
                Want(false, "/kind", "distribution.fault.kind");
                return null;
        }
    }

    private Destination Https(DestinationChange change, Destination? before)
    {
        Want(IsAddress(change.Url, change.AllowHttp ?? false), "/url", "distribution.fault.url");
        Want(change.Secret is null or { Length: >= 16 and <= 256 }, "/secret", "distribution.fault.secret");
        Want(change.BatchMessages is null or (>= 1 and <= 10_000), "/batchMessages", "distribution.fault.batch-messages");
        Want(change.BatchBytes is null or (>= 1024 and <= 16 * 1024 * 1024), "/batchBytes", "distribution.fault.batch-bytes");
        Want(change.Order is null or Destination.Arrival or Destination.LiveFirst, "/order", "distribution.fault.order");
        Want(change.MaxAgeSeconds is null or (>= 1 and <= 10L * 366 * 24 * 3600), "/maxAgeSeconds", "distribution.fault.max-age");
        Want(change.MaxBytes is null or (>= 1024 and <= 1L << 44), "/maxBytes", "distribution.fault.max-bytes");
        Want(change.TimeoutSeconds is null or (>= 1 and <= 300), "/timeoutSeconds", "distribution.fault.timeout");
        var (pfx, password) = ClientCertificate(change.ClientCertificate, before);
        if (change.TrustedCa is { } pem)
        {
            Want(Readable(() => Certificates.LoadPem(pem).Count > 0), "/trustedCa", "distribution.fault.trusted-ca");
        }

        var defaults = new Destination { Kind = Destination.Https };
        return new Destination
        {
            Kind = Destination.Https,
            Url = change.Url ?? "",
            AllowHttp = change.AllowHttp ?? false,
            Headers = Headers(change.Headers, before),
            Secret = change.Signed ?? true ? Secret(change.Secret, before) : null,
            ClientCertificate = pfx,
            ClientCertificatePassword = password,
            TrustedCa = change.TrustedCa,
            BatchMessages = change.BatchMessages ?? defaults.BatchMessages,
            BatchBytes = change.BatchBytes ?? defaults.BatchBytes,
            Order = change.Order ?? defaults.Order,
            MaxAgeSeconds = change.MaxAgeSeconds ?? defaults.MaxAgeSeconds,
            MaxBytes = change.MaxBytes ?? defaults.MaxBytes,
            TimeoutSeconds = change.TimeoutSeconds ?? defaults.TimeoutSeconds,
        };
    }

    private Dictionary<string, string> Headers(IReadOnlyDictionary<string, string?>? wanted, Destination? before)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        Want((wanted?.Count ?? 0) <= MaxHeaders, "/headers", "distribution.fault.headers-count");
        foreach (var (name, value) in wanted ?? new Dictionary<string, string?>())
        {
            var place = "/headers/" + Mapping.Pointer.Escape(name);
            var kept = value ?? before?.Headers.FirstOrDefault(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
            Want(IsToken(name) && !Reserved.Contains(name, StringComparer.OrdinalIgnoreCase) && !name.StartsWith("Sekisho-", StringComparison.OrdinalIgnoreCase), place, "distribution.fault.header-name");
            Want(kept is { Length: <= 4096 } && kept.All(c => c is >= ' ' and < '\x7f'), place, "distribution.fault.header-value");
            Want(headers.TryAdd(name, kept ?? ""), place, "distribution.fault.header-twice");
        }

        return headers;
    }

    private string Secret(string? given, Destination? before)
    {
        if (given is not null || before?.Secret is not null)
        {
            return given ?? before!.Secret!;
        }

        return MadeSecret = "sks_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
    }

    private (string? Pfx, string? Password) ClientCertificate(ClientCertificateChange? change, Destination? before)
    {
        if (change is null)
        {
            return (null, null);
        }

        if (change.Keep == true)
        {
            Want(before?.ClientCertificate is not null, "/clientCertificate/keep", "distribution.fault.certificate-keep");
            return (before?.ClientCertificate, before?.ClientCertificatePassword);
        }

        Want(
            change.Pfx is { Length: > 0 and <= 64 * 1024 } && Readable(() =>
            {
                using var certificate = Certificates.LoadPfx(change.Pfx, change.Password);
                return true;
            }),
            "/clientCertificate/pfx",
            "distribution.fault.certificate");
        return (change.Pfx, change.Password);
    }

    private static bool IsAddress(string? url, bool allowHttp) =>
        url is { Length: <= 2048 } && Uri.TryCreate(url, UriKind.Absolute, out var address) && address.UserInfo.Length == 0 && address.Fragment.Length == 0
        && address.Host.Length > 0
        && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && (allowHttp || address.IsLoopback)));

    // RFC 9110 section 5.6.2
    private static bool IsToken(string name) =>
        name.Length is > 0 and <= 128 && name.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal));

    private static bool Readable(Func<bool> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or DecoderFallbackException)
        {
            return false;
        }
    }

    private void Want(bool good, string place, string key)
    {
        if (!good)
        {
            Faults.Add(new Fault(place, text(key)));
        }
    }
}
