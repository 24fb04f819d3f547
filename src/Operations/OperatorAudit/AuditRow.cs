namespace Sekisho.Operations.OperatorAudit;

/// <summary>One entry of the operator audit as it is stored.</summary>
internal sealed record AuditRow
{
    /// <summary>Counts from 1 without gaps.</summary>
    public long Id { get; init; }

    /// <summary>Unix milliseconds (UTC).</summary>
    public long At { get; init; }

    public string Actor { get; init; } = "";

    public string Action { get; init; } = "";

    public string? FieldId { get; init; }

    public string Target { get; init; } = "";

    public string Outcome { get; init; } = "";

    public string CorrelationId { get; init; } = "";

    /// <summary>Hash of the entry before; zeros for the first.</summary>
    public byte[] PreviousHash { get; init; } = [];

    /// <summary>Hash of this entry.</summary>
    public byte[] Hash { get; init; } = [];
}

/// <summary>What the newest entry is, kept apart from the entries so that cutting the end off shows.</summary>
internal sealed record AuditHead
{
    public long LastId { get; init; }

    public byte[] LastHash { get; init; } = [];

    /// <summary>Keyed hash over both, so that nobody can move it back without the master key.</summary>
    public byte[] Seal { get; init; } = [];
}
