using Sekisho.Response.Sim.Template;

namespace Sekisho.Response.Sim.Cards;

/// <summary>How a field reaches its carrier. Stored encrypted, replaced whole.</summary>
internal sealed record SimConfig
{
    public required string FieldId { get; init; }

    /// <summary>"soracom" or "http".</summary>
    public required string Kind { get; init; }

    /// <summary>Base address.</summary>
    public required string BaseUrl { get; init; }

    /// <summary>Credentials by name; never shown.</summary>
    public required IReadOnlyDictionary<string, string> Secrets { get; init; }

    /// <summary>The carrier's API for "http".</summary>
    public SimTemplate? Template { get; init; }

    /// <summary>SIMs of this field that no response may touch: ICCIDs, IMSIs or the carrier's identifiers.</summary>
    public required IReadOnlyList<string> Forbidden { get; init; }

    /// <summary>How often traffic and session of each SIM are asked for; null for never.</summary>
    public int? PollMinutes { get; init; }

    /// <summary>Requests that asking may take within a minute.</summary>
    public required int RequestsPerMinute { get; init; }

    /// <summary>When it was set, milliseconds since 1970, and later than the one before.</summary>
    public required long Version { get; init; }
}
