using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Findings;

/// <summary>Who a state belongs to.</summary>
/// <param name="Scope">One of the scopes.</param>
/// <param name="FieldId">Field whose conditions watch it; null for the gateway's. A device has one state whatever its field: always null there.</param>
/// <param name="Key">Device identifier, user identifier, source address or field.</param>
internal readonly record struct SubjectId(string Scope, string? FieldId, string Key) : IComparable<SubjectId>
{
    public int CompareTo(SubjectId other)
    {
        var byScope = string.CompareOrdinal(Scope, other.Scope);
        var byField = byScope != 0 ? byScope : string.CompareOrdinal(FieldId, other.FieldId);
        return byField != 0 ? byField : string.CompareOrdinal(Key, other.Key);
    }
}

/// <summary>A finding with what only its store needs.</summary>
/// <param name="Finding">The finding.</param>
/// <param name="Subject">Whose.</param>
/// <param name="Identity">Identity of the condition.</param>
internal sealed record RaisedFinding(Finding Finding, SubjectId Subject, ulong Identity);

/// <summary>A raised condition is over.</summary>
/// <param name="Subject">Whose.</param>
/// <param name="FieldId">Field concerned; null for the gateway.</param>
/// <param name="Identity">Identity of the condition.</param>
/// <param name="At">Arrival time of the event that ended it, Unix milliseconds.</param>
/// <param name="Position">Its position; what was raised at or before it is over.</param>
/// <param name="CorrelationId">Correlation id of that event.</param>
internal sealed record Clearance(SubjectId Subject, string? FieldId, ulong Identity, long At, long Position, string CorrelationId)
{
    /// <summary>Why it is taken back; null when it is just over.</summary>
    public string? Reason { get; init; }

    /// <summary>What the responses are told of it; null when none followed, or when it is just over.</summary>
    public Retraction? Told { get; init; }
}
