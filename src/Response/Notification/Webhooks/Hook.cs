using System.Security.Cryptography;

namespace Sekisho.Response.Notification.Webhooks;

/// <summary>One of the named webhooks of a field (or of the gateway itself), with a secret of its own. Stored encrypted, replaced whole.</summary>
internal sealed record Hook
{
    /// <summary>Named webhooks of one field, at most.</summary>
    public const int Most = 10;

    public const int LongestName = 100;

    /// <summary>"w" and 15 characters of 0-9 and a-z.</summary>
    public required string Id { get; init; }

    /// <summary>Its field; null for the gateway itself.</summary>
    public required string? FieldId { get; init; }

    public required string Name { get; init; }

    public required string Url { get; init; }

    /// <summary>Signs what is posted.</summary>
    public required string Secret { get; init; }

    /// <summary>"ja" or "en".</summary>
    public required string Language { get; init; }

    /// <summary>What it is told of.</summary>
    public HookFilter Include { get; init; } = HookFilter.None;

    /// <summary>What it is not told of, although <see cref="Include"/> names it.</summary>
    public HookFilter Exclude { get; init; } = HookFilter.None;

    /// <summary>JSON with places, see <see cref="BodyTemplate"/>; null for the gateway's own body.</summary>
    public string? Template { get; init; }

    /// <summary>Further header fields with their values.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    public static string NewId() => "w" + RandomNumberGenerator.GetString("0123456789abcdefghijklmnopqrstuvwxyz", 15);

    public static string NewSecret() => "whsec_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    /// <summary>Whether something of this level and risk goes there. A notice about responses has no risk, a test has no level: what a filter cannot know it does not hold back.</summary>
    public bool Wants(string level, string risk) => (Include.Levels.Count == 0 || level.Length == 0 || Include.Levels.Contains(level)) && !Exclude.Levels.Contains(level)
        && (Include.Risks.Count == 0 || risk.Length == 0 || Include.Risks.Contains(risk)) && !Exclude.Risks.Contains(risk);
}

/// <summary>Levels and risks; an empty list names all of them where it includes, none where it excludes.</summary>
internal sealed record HookFilter(IReadOnlyList<string> Levels, IReadOnlyList<string> Risks)
{
    public static readonly HookFilter None = new([], []);
}
