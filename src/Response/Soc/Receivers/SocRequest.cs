using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Sekisho.Api.Problems;
using Sekisho.Domain.History;
using Sekisho.Domain.Localization;

namespace Sekisho.Response.Soc.Receivers;

/// <summary>A receiver as its owner sends it.</summary>
/// <param name="Name">1 to 60 characters.</param>
/// <param name="Host">Name or address.</param>
/// <param name="Port">1 to 65535; 6514 unless said.</param>
/// <param name="Enabled">Nothing is sent while false; true unless said.</param>
/// <param name="Tls">False only for this machine itself; true unless said.</param>
/// <param name="TrustAnchors">Certificates (PEM) to trust; those of the machine unless said.</param>
/// <param name="ServerName">Name in the receiver's certificate, when it is not the host.</param>
/// <param name="ClientCertificate">Own certificate (PEM), with its chain behind it.</param>
/// <param name="ClientKey">Its key (PEM); may be left out when the certificate stays the same.</param>
/// <param name="Format">"cef", "ocsf" or "ecs".</param>
/// <param name="Language">"ja" or "en"; "en" unless said.</param>
/// <param name="ByteOrderMark">Whether a byte order mark stands before each body; false unless said.</param>
/// <param name="Include">What is sent; the usual kinds unless said.</param>
/// <param name="Exclude">What of it is not.</param>
/// <param name="Allowed">Which marked properties may leave; none unless said.</param>
/// <param name="ReportsAs">Account or API key by which the receiver reports back.</param>
/// <param name="MostAge">From 00:01:00 to 90 days; 7 days unless said.</param>
/// <param name="MostRecords">From 1 to 100 million; one million unless said.</param>
internal sealed record SocReceiverRequest(
    string? Name, string? Host, int? Port, bool? Enabled, bool? Tls, string? TrustAnchors, string? ServerName, string? ClientCertificate, string? ClientKey, string? Format,
    string? Language, bool? ByteOrderMark, SocFilterRequest? Include, SocFilterRequest? Exclude, IReadOnlyList<string?>? Allowed, string? ReportsAs, string? MostAge, long? MostRecords)
{
    private const int LongestName = 60;
    private const int LongestPem = 64 * 1024;
    private const int LongestReporter = 100;
    private const long MostRecordsEver = 100_000_000;
    private static readonly TimeSpan UsualAge = TimeSpan.FromDays(7);
    private static readonly TimeSpan LongestAge = TimeSpan.FromDays(90);

    /// <summary>The receiver, or every fault. Pure.</summary>
    /// <param name="id">Its identifier.</param>
    /// <param name="fieldId">Whose it is.</param>
    /// <param name="before">What it replaces; null for a new one.</param>
    /// <param name="texts">For the faults.</param>
    /// <param name="language">Language of the faults.</param>
    public (SocReceiver? Receiver, IReadOnlyList<Fault> Faults) Read(string id, string? fieldId, SocReceiver? before, Texts texts, string language)
    {
        var faults = new List<Fault>();
        void Need(bool right, string place, string text, string allowed = "")
        {
            if (!right)
            {
                faults.Add(new Fault(place, texts.Get("soc.fault." + text, language, ("allowed", allowed), ("most", $"{LongestName}"))));
            }
        }

        var (name, host, format) = (Name?.Trim() ?? "", Host?.Trim() ?? "", Format ?? "");
        var key = ClientKey ?? (before is not null && ClientCertificate is not null && before.ClientCertificate == ClientCertificate ? before.ClientKey : null);
        var age = MostAge is null ? UsualAge : TimeSpan.TryParse(MostAge, CultureInfo.InvariantCulture, out var parsed) ? parsed : TimeSpan.Zero;
        Need(name.Length is > 0 and <= LongestName && !name.Any(char.IsControl), "/name", "name");
        Need(host.Length <= 253 && Uri.CheckHostName(host) is UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6, "/host", "host");
        Need(Port is null or (>= 1 and <= 65535), "/port", "port");
        Need(Tls is not false || IsLoopback(host), "/tls", "tls");
        Need(Tls is not false || (TrustAnchors is null && ClientCertificate is null && ServerName is null), "/tls", "tls-parts");
        Need(TrustAnchors is null || AreCertificates(TrustAnchors), "/trustAnchors", "anchors");
        Need(ServerName is null || (ServerName.Length <= 253 && Uri.CheckHostName(ServerName) is not UriHostNameType.Unknown), "/serverName", "host");
        Need((ClientCertificate is null && ClientKey is null) || IsPair(ClientCertificate, key), "/clientCertificate", "client-certificate");
        Need(SocFormats.All.Contains(format), "/format", "one-of", string.Join(", ", SocFormats.All));
        Need(Language is null || Texts.Languages.Contains(Language), "/language", "one-of", string.Join(", ", Texts.Languages));
        Need((Allowed ?? []).All(a => PrivacyMarks.All.Contains(a)), "/allowed", "some-of", string.Join(", ", PrivacyMarks.All));
        Need(ReportsAs is null || (ReportsAs.Length is > 0 and <= LongestReporter && !ReportsAs.Any(char.IsControl)), "/reportsAs", "reporter");
        Need(age >= TimeSpan.FromMinutes(1) && age <= LongestAge, "/mostAge", "age");
        Need(MostRecords is null or (>= 1 and <= MostRecordsEver), "/mostRecords", "records");
        var include = (Include ?? new SocFilterRequest()).Read("/include", faults, texts, language);
        var exclude = (Exclude ?? new SocFilterRequest()).Read("/exclude", faults, texts, language);
        return faults.Count > 0
            ? (null, faults)
            : (new SocReceiver
            {
                Id = id,
                FieldId = fieldId,
                Name = name,
                Enabled = Enabled ?? true,
                Host = host,
                Port = Port ?? 6514,
                Tls = Tls ?? true,
                TrustAnchors = TrustAnchors,
                ServerName = ServerName,
                ClientCertificate = ClientCertificate,
                ClientKey = ClientCertificate is null ? null : key,
                Format = format,
                Language = Language ?? "en",
                ByteOrderMark = ByteOrderMark ?? false,
                Include = include.Kinds.Count == 0 ? include with { Kinds = SocFilter.UsualKinds } : include,
                Exclude = exclude,
                Allowed = [.. (Allowed ?? []).Distinct()!],
                ReportsAs = ReportsAs,
                MostAge = age,
                MostRecords = MostRecords ?? 1_000_000,
            }, []);
    }

    /// <summary>This very machine, by address or as "localhost".</summary>
    public static bool IsLoopback(string host) => host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    private static bool AreCertificates(string pem)
    {
        if (pem.Length > LongestPem)
        {
            return false;
        }

        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(pem);
            return certificates.Count > 0;
        }
        catch (CryptographicException)
        {
            return false;
        }
        finally
        {
            foreach (var certificate in certificates)
            {
                certificate.Dispose();
            }
        }
    }

    private static bool IsPair(string? certificate, string? key)
    {
        if (certificate is null || key is null || certificate.Length > LongestPem || key.Length > LongestPem)
        {
            return false;
        }

        try
        {
            using var pair = X509Certificate2.CreateFromPem(certificate, key);
            return pair.HasPrivateKey;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return false;
        }
    }
}

/// <summary>A filter as it is sent; empty or missing lists mean any.</summary>
internal sealed record SocFilterRequest(
    IReadOnlyList<string?>? Kinds = null, IReadOnlyList<string?>? Levels = null, IReadOnlyList<string?>? Risks = null, IReadOnlyList<string?>? Threats = null,
    IReadOnlyList<string?>? Conditions = null, IReadOnlyList<string?>? Fields = null, IReadOnlyList<string?>? Devices = null)
{
    private const int MostValues = 200;
    private const int LongestValue = 64;

    public SocFilter Read(string place, List<Fault> faults, Texts texts, string language)
    {
        IReadOnlyList<string> Known(string name, IReadOnlyList<string?>? values, IReadOnlyList<string>? allowed)
        {
            var right = (values ?? []).Count <= MostValues && (values ?? []).All(v => v is not null && (allowed is null
                ? v.Length is > 0 and <= LongestValue && v.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
                : allowed.Contains(v)));
            if (!right)
            {
                faults.Add(new Fault($"{place}/{name}", allowed is null
                    ? texts.Get("soc.fault.values", language, ("most", $"{MostValues}"))
                    : texts.Get("soc.fault.some-of", language, ("allowed", string.Join(", ", allowed)))));
            }

            return [.. (values ?? []).OfType<string>().Distinct()];
        }

        return new SocFilter
        {
            Kinds = Known("kinds", Kinds, HistoryKinds.All),
            Levels = Known("levels", Levels, Domain.Detection.Levels.All),
            Risks = Known("risks", Risks, Domain.Detection.Risks.All),
            Threats = Known("threats", Threats, Domain.Detection.Threats.All),
            Conditions = Known("conditions", Conditions, null),
            Fields = Known("fields", Fields, null),
            Devices = Known("devices", Devices, null),
        };
    }
}

/// <summary>What a field says of itself to SOCs.</summary>
/// <param name="Sector">One of the fourteen sectors; null or empty for none.</param>
/// <param name="Shared">Whether receivers of the gateway itself may have the field's records too.</param>
internal sealed record SocFieldRequest(string? Sector, bool? Shared);
