using Sekisho.Domain.Detection;

namespace Sekisho.Response.Rules;

/// <summary>Where rules came from.</summary>
/// <param name="Field">Field that they were exported from.</param>
/// <param name="SignedAt">When they were signed there; an older file does not replace a newer one.</param>
internal sealed record RuleOrigin(string Field, DateTimeOffset SignedAt);

/// <summary>One state of a field's own rules.</summary>
/// <param name="Revision">Number, 1 for the first.</param>
/// <param name="Rules">The rules; null when those of the template are in force again.</param>
/// <param name="ChangedBy">Who.</param>
/// <param name="Reason">Why.</param>
/// <param name="ChangedAt">When.</param>
internal sealed record RuleRevision(long Revision, IReadOnlyList<ResponseBinding>? Rules, string ChangedBy, string Reason, DateTimeOffset ChangedAt)
{
    /// <summary>Short name of the key that stands for the rules: of the file that they came in, else the gateway's own. Null in revisions from before there were signed rules.</summary>
    public string? Signer { get; init; }

    /// <summary>The signed file that they came in; null when they were set by hand.</summary>
    public RuleOrigin? Origin { get; init; }

    /// <summary>False when what is stored is not what the gateway sealed: damaged, or written by somebody else.</summary>
    public bool IsReadable { get; init; } = true;
}
