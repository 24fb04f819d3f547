using System.Text.Json;
using Sekisho.Domain.Detection;

namespace Sekisho.Response.Soc.Events;

/// <summary>One technique of MITRE ATT&amp;CK.</summary>
/// <param name="Id">"T0856", "T1565.002".</param>
/// <param name="Name">Its name.</param>
/// <param name="Matrix">"enterprise" or "ics".</param>
/// <param name="Tactics">What it is for; at least one.</param>
internal sealed record Technique(string Id, string Name, string Matrix, IReadOnlyList<Tactic> Tactics)
{
    /// <summary>Its page.</summary>
    public string Url => "https://attack.mitre.org/techniques/" + Id.Replace('.', '/');

    /// <summary>The technique that this is a part of, or itself.</summary>
    public string ParentId => Id.Split('.')[0];

    /// <summary>Page of the technique that this is a part of, or its own.</summary>
    public string ParentUrl => "https://attack.mitre.org/techniques/" + ParentId;

    /// <summary>Name of the technique that this is a part of, or its own.</summary>
    public string ParentName => Name.Split(": ")[0];

    /// <summary>Its own name when it is a part of another; else null.</summary>
    public string? PartName => Id.Contains('.', StringComparison.Ordinal) ? Name.Split(": ")[1] : null;
}

/// <summary>One tactic of MITRE ATT&amp;CK.</summary>
/// <param name="Id">"TA0006".</param>
/// <param name="Name">Its name.</param>
/// <param name="Phase">Its name in chains of phases, "credential-access".</param>
internal sealed record Tactic(string Id, string Name, string Phase)
{
    /// <summary>Its page.</summary>
    public string Url => "https://attack.mitre.org/tactics/" + Id;
}

/// <summary>Which technique a finding may be a sign of: attack.json by its condition, by its threat where no condition fits. Immutable; any thread.</summary>
internal static class Attack
{
    private static readonly Table Known = Read();

    /// <summary>Conditions that are signs of a technique.</summary>
    public static IReadOnlyDictionary<string, string[]> Conditions => Known.Conditions;

    /// <summary>Conditions that no technique fits.</summary>
    public static IReadOnlyList<string> NoneFits => Known.NoneFits;

    /// <summary>Techniques by threat.</summary>
    public static IReadOnlyDictionary<string, string[]> Threats => Known.Threats;

    /// <summary>Version of the matrices that the names are from.</summary>
    public static string Version => Known.Version;

    public static IReadOnlyList<Technique> Of(Finding finding) => Of(finding.Condition, finding.Threat);

    /// <summary>Those of the condition; else those of the threat; may be none.</summary>
    public static IReadOnlyList<Technique> Of(string condition, string? threat)
    {
        var ids = Known.Conditions.GetValueOrDefault(condition) ?? (threat is null ? null : Known.Threats.GetValueOrDefault(threat)) ?? [];
        return [.. ids.Select(Technique)];
    }

    private static Technique Technique(string id)
    {
        var named = Known.Techniques[id];
        return new Technique(id, named.Name, named.Matrix, [.. named.Tactics.Select(phase => new Tactic(Known.Tactics[named.Matrix][phase].Id, Known.Tactics[named.Matrix][phase].Name, phase))]);
    }

    private static Table Read()
    {
        using var stream = typeof(Attack).Assembly.GetManifestResourceStream("Soc/attack.json")!;
        return JsonSerializer.Deserialize<Table>(stream, JsonSerializerOptions.Web)!;
    }

    private sealed record NamedTactic(string Id, string Name);

    private sealed record Named(string Name, string Matrix, string[] Tactics);

    private sealed record Table(
        string Version, Dictionary<string, Dictionary<string, NamedTactic>> Tactics, Dictionary<string, Named> Techniques, Dictionary<string, string[]> Conditions, string[] NoneFits, Dictionary<string, string[]> Threats);
}
