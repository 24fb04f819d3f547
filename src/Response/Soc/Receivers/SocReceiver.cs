using System.Security.Cryptography;
using Sekisho.Domain.History;

namespace Sekisho.Response.Soc.Receivers;

/// <summary>Where the history is sent, and what of it. Stored encrypted, replaced whole. Immutable.</summary>
internal sealed record SocReceiver
{
    /// <summary>"s" and 15 characters of 0-9 and a-z.</summary>
    public required string Id { get; init; }

    /// <summary>Null for the gateway itself.</summary>
    public string? FieldId { get; init; }

    public required string Name { get; init; }

    public required bool Enabled { get; init; }

    public required string Host { get; init; }

    public required int Port { get; init; }

    /// <summary>False only for a host that is this very machine.</summary>
    public required bool Tls { get; init; }

    /// <summary>Certificates (PEM) of the authorities to trust; null for those of the machine.</summary>
    public string? TrustAnchors { get; init; }

    /// <summary>Name that the receiver's certificate has to carry; null for the host.</summary>
    public string? ServerName { get; init; }

    /// <summary>Own certificate with its chain (PEM); null for none.</summary>
    public string? ClientCertificate { get; init; }

    /// <summary>Its private key (PEM); never shown.</summary>
    public string? ClientKey { get; init; }

    /// <summary>One of <see cref="SocFormats"/>.</summary>
    public required string Format { get; init; }

    /// <summary>"ja" or "en": language of the sentence in each event.</summary>
    public required string Language { get; init; }

    /// <summary>Whether a byte order mark stands before the body (RFC 5424, 6.4); most receivers take it for a part of the body.</summary>
    public bool ByteOrderMark { get; init; }

    public required SocFilter Include { get; init; }

    public required SocFilter Exclude { get; init; }

    /// <summary>Of <see cref="PrivacyMarks"/>.</summary>
    public required IReadOnlyList<string> Allowed { get; init; }

    /// <summary>Account or key by which the receiver reports status back; null when it does not.</summary>
    public string? ReportsAs { get; init; }

    /// <summary>Records older than this are not sent any more.</summary>
    public required TimeSpan MostAge { get; init; }

    /// <summary>When more records wait, the oldest are not sent any more.</summary>
    public required long MostRecords { get; init; }

    /// <summary>The operation by which a receiver reports back, in records of the history.</summary>
    public const string StatusOperation = "soc.status";

    /// <summary>Who this receiver is in records of the history.</summary>
    public string Actor => ActorOf(Id);

    public static string ActorOf(string id) => "soc:" + id;

    public static string NewId() => "s" + RandomNumberGenerator.GetString("0123456789abcdefghijklmnopqrstuvwxyz", 15);
}

/// <summary>Stable names of the formats of bodies.</summary>
internal static class SocFormats
{
    /// <summary>ArcSight Common Event Format.</summary>
    public const string Cef = "cef";

    /// <summary>Open Cybersecurity Schema Framework, JSON.</summary>
    public const string Ocsf = "ocsf";

    /// <summary>Field names of the Elastic Common Schema, JSON.</summary>
    public const string Ecs = "ecs";

    public static readonly IReadOnlyList<string> All = [Cef, Ocsf, Ecs];
}

/// <summary>
/// Which records. An empty list means any. Levels, risks, threats and conditions say something only about records that have one (detections and
/// responses); the others pass an include of them, and no exclude.
/// </summary>
internal sealed record SocFilter
{
    public static readonly SocFilter None = new();

    /// <summary>Kinds that are sent when an include names none. Refusals and data are many, and named when they are wanted.</summary>
    public static readonly IReadOnlyList<string> UsualKinds = [HistoryKinds.Detection, HistoryKinds.Response, HistoryKinds.Operator, HistoryKinds.DeviceState, HistoryKinds.Authentication];

    public IReadOnlyList<string> Kinds { get; init; } = [];

    public IReadOnlyList<string> Levels { get; init; } = [];

    public IReadOnlyList<string> Risks { get; init; } = [];

    public IReadOnlyList<string> Threats { get; init; } = [];

    public IReadOnlyList<string> Conditions { get; init; } = [];

    public IReadOnlyList<string> Fields { get; init; } = [];

    public IReadOnlyList<string> Devices { get; init; } = [];

    /// <summary>True when every list that is not empty has the value.</summary>
    public bool Includes(in Filterable of) =>
        Has(Kinds, of.Kind, missing: true) && Has(Levels, of.Level, missing: true) && Has(Risks, of.Risk, missing: true) && Has(Threats, of.Threat, missing: of.Level is null)
        && Has(Conditions, of.Condition, missing: true) && Has(Fields, of.FieldId, missing: false) && Has(Devices, of.DeviceId, missing: false);

    /// <summary>True when any list has the value.</summary>
    public bool Excludes(in Filterable of) =>
        Kinds.Contains(of.Kind) || Named(Levels, of.Level) || Named(Risks, of.Risk) || Named(Threats, of.Threat) || Named(Conditions, of.Condition) || Named(Fields, of.FieldId) || Named(Devices, of.DeviceId);

    private static bool Has(IReadOnlyList<string> list, string? value, bool missing) => list.Count == 0 || (value is null ? missing : list.Contains(value));

    private static bool Named(IReadOnlyList<string> list, string? value) => value is not null && list.Contains(value);
}

/// <summary>What filters look at.</summary>
internal readonly record struct Filterable(string Kind, string? Level, string? Risk, string? Threat, string? Condition, string? FieldId, string? DeviceId);
