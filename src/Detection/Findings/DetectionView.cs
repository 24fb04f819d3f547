using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Findings;

/// <summary>A detection as the API shows it.</summary>
internal sealed record DetectionView
{
    public required string Id { get; init; }

    public required string? FieldId { get; init; }

    public required string? DeviceId { get; init; }

    public required string Scope { get; init; }

    public required string ScopeKey { get; init; }

    public required string Condition { get; init; }

    public required string ConditionKey { get; init; }

    public required string TemplateId { get; init; }

    public required int TemplateVersion { get; init; }

    public required string Risk { get; init; }

    public required string? Threat { get; init; }

    public required string Level { get; init; }

    public required string Effect { get; init; }

    public required string? Stage { get; init; }

    public required DateTimeOffset RaisedAt { get; init; }

    public required DateTimeOffset? DeviceTime { get; init; }

    public required DateTimeOffset? ClearedAt { get; init; }

    /// <summary>Why it was taken back, in the language of the request; null when it was not.</summary>
    public required string? Retracted { get; init; }

    public required string Status { get; init; }

    public required string? ClosedAs { get; init; }

    public required DateTimeOffset? HandledAt { get; init; }

    public required string? HandledBy { get; init; }

    public required string? Note { get; init; }

    public required long Position { get; init; }

    public required string CorrelationId { get; init; }

    /// <summary>What it claims, in the language of the request.</summary>
    public required string Sentence { get; init; }

    /// <summary>What would have kept it quiet, in the language of the request.</summary>
    public required string Counterfactual { get; init; }

    /// <summary>Why it was raised, in sentences.</summary>
    public required Explanation Explanation { get; init; }

    /// <summary>What findings of one cause have in common: "cause" of the list narrows to them.</summary>
    public required string Cause { get; init; }

    public required Evidence Evidence { get; init; }

    public static DetectionView Of(KeptFinding kept, Sentences sentences, string language)
    {
        var finding = kept.Finding;
        return new DetectionView
        {
            Id = finding.Id,
            FieldId = finding.FieldId,
            DeviceId = finding.DeviceId,
            Scope = finding.Scope,
            ScopeKey = finding.ScopeKey,
            Condition = finding.Condition,
            ConditionKey = finding.ConditionKey,
            TemplateId = finding.TemplateId,
            TemplateVersion = finding.TemplateVersion,
            Risk = finding.Risk,
            Threat = finding.Threat,
            Level = finding.Level,
            Effect = finding.Effect,
            Stage = finding.Stage,
            RaisedAt = finding.RaisedAt,
            DeviceTime = finding.DeviceTime,
            ClearedAt = kept.ClearedAt,
            Retracted = kept.RetractedBecause is { } reason ? sentences.Retracted(reason, language) : null,
            Status = kept.Status,
            ClosedAs = kept.ClosedAs,
            HandledAt = kept.HandledAt,
            HandledBy = kept.HandledBy,
            Note = kept.Note,
            Position = finding.Position,
            CorrelationId = finding.CorrelationId,
            Sentence = sentences.Of(finding, language),
            Counterfactual = sentences.Counterfactual(finding, language),
            Explanation = Explanation.Of(finding, sentences, language),
            Cause = kept.Cause,
            Evidence = finding.Evidence,
        };
    }
}

/// <summary>Why a finding was raised, in sentences of the language asked for.</summary>
/// <param name="Measured">What was measured.</param>
/// <param name="Expected">What was expected, and whether the template, the device's history, its peers or a person says so.</param>
/// <param name="Events">Which events it rests on.</param>
/// <param name="Effect">What follows from it.</param>
/// <param name="Exceptions">Which exceptions were tried, and why each did not hold.</param>
internal sealed record Explanation(string Measured, string Expected, string Events, string Effect, IReadOnlyList<string> Exceptions)
{
    public static Explanation Of(Finding finding, Sentences sentences, string language) => new(
        sentences.Measured(finding, language),
        sentences.Expected(finding, language),
        sentences.Events(finding, language),
        sentences.Effect(finding, language),
        [.. finding.Evidence.ExceptionsTried.Select(t => sentences.Missed(t, language))]);
}
