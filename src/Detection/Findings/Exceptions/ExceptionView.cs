namespace Sekisho.Detection.Findings.Exceptions;

/// <summary>An exception as the API shows it.</summary>
internal sealed record ExceptionView
{
    public required string Id { get; init; }

    public required string? FieldId { get; init; }

    public required int Revision { get; init; }

    /// <summary>"in-force", "expired" or "ended"; "waiting" while the lanes have not come to it.</summary>
    public required string State { get; init; }

    public required string Kind { get; init; }

    public required string? Condition { get; init; }

    public required string? Scope { get; init; }

    public required string? Subject { get; init; }

    public required string? Group { get; init; }

    public required string? Value { get; init; }

    public required DateTimeOffset? Until { get; init; }

    public required string? Reason { get; init; }

    /// <summary>Who answers for it: whoever said this revision.</summary>
    public required string Owner { get; init; }

    /// <summary>When that was said.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>Journal position from which on it holds.</summary>
    public required long Position { get; init; }

    /// <summary>How often it allowed something.</summary>
    public required long Allowed { get; init; }

    public required DateTimeOffset? LastAllowedAt { get; init; }

    /// <summary>All of it in a sentence.</summary>
    public required string Sentence { get; init; }

    public static ExceptionView Of(KeptException kept, Sentences sentences, DateTimeOffset now, string language, bool waiting = false) => new()
    {
        Id = kept.Change.ExceptionId,
        FieldId = kept.Change.FieldId,
        Revision = kept.Revision,
        State = waiting ? "waiting" : !kept.Change.InForce ? "ended" : kept.Change.Until <= now ? "expired" : "in-force",
        Kind = kept.Change.Kind,
        Condition = kept.Change.ConditionKey,
        Scope = kept.Change.Scope,
        Subject = kept.Change.Subject,
        Group = kept.Change.Group,
        Value = kept.Change.Value,
        Until = kept.Change.Until,
        Reason = kept.Change.Reason,
        Owner = kept.Change.By,
        Since = kept.Change.ArrivedAt,
        Position = kept.Change.Position,
        Allowed = kept.Allowed,
        LastAllowedAt = kept.LastAllowed,
        Sentence = sentences.Exception(kept.Change, language),
    };
}

/// <summary>The exceptions of a field and how they are tried.</summary>
internal sealed record ExceptionList(IReadOnlyList<ExceptionView> Items, string Precedence);

/// <summary>One exception with all its revisions, newest first.</summary>
internal sealed record ExceptionDetail(ExceptionView Present, IReadOnlyList<ExceptionView> Revisions, string Precedence);

/// <summary>Why a person ends or undoes.</summary>
/// <param name="Reason">1 to 500 characters in one line.</param>
/// <param name="Revision">The revision that was read.</param>
internal sealed record ExceptionReason(string? Reason, int? Revision);
