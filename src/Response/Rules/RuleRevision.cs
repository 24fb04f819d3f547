using Sekisho.Domain.Detection;

namespace Sekisho.Response.Rules;

/// <summary>One state of a field's own rules.</summary>
/// <param name="Revision">Number, 1 for the first.</param>
/// <param name="Rules">The rules; null when those of the template are in force again.</param>
/// <param name="ChangedBy">Who.</param>
/// <param name="Reason">Why.</param>
/// <param name="ChangedAt">When.</param>
internal sealed record RuleRevision(long Revision, IReadOnlyList<ResponseBinding>? Rules, string ChangedBy, string Reason, DateTimeOffset ChangedAt)
{
    /// <summary>False when what is stored is not what the gateway sealed: damaged, or written by somebody else.</summary>
    public bool IsReadable { get; init; } = true;
}
