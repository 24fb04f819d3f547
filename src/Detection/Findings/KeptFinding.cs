using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Findings;

/// <summary>A finding with what people made of it.</summary>
internal sealed record KeptFinding
{
    public required Finding Finding { get; init; }

    /// <summary>When what it claims was over; null while it lasts.</summary>
    public DateTimeOffset? ClearedAt { get; init; }

    /// <summary>Why it was taken back; null when it was not.</summary>
    public string? RetractedBecause { get; init; }

    /// <summary>What findings of one cause have in common.</summary>
    public required string Cause { get; init; }

    /// <summary>One of <see cref="FindingStatus"/>.</summary>
    public required string Status { get; init; }

    /// <summary>One of <see cref="Closings"/> when closed.</summary>
    public string? ClosedAs { get; init; }

    public DateTimeOffset? HandledAt { get; init; }

    public string? HandledBy { get; init; }

    public string? Note { get; init; }
}

/// <summary>Stable names of how far people are with a finding.</summary>
internal static class FindingStatus
{
    public const string Open = "open";
    public const string Acknowledged = "acknowledged";
    public const string Closed = "closed";
    public static readonly string[] All = [Open, Acknowledged, Closed];
}

/// <summary>Which findings to list; null means any.</summary>
internal sealed record FindingFilter(string? Device, string? Condition, string? Risk, string? Level, string? Status, DateTimeOffset? From, DateTimeOffset? To, string? Effect = null, string? Threat = null)
{
    public string? ConditionKey { get; init; }

    public string? ClosedAs { get; init; }

    public string? Cause { get; init; }
}

/// <summary>Findings of one cause, counted.</summary>
internal sealed record FindingGroup
{
    public string Cause { get; init; } = "";

    public long Findings { get; init; }

    public long Subjects { get; init; }

    /// <summary>Not closed yet.</summary>
    public long Unfinished { get; init; }

    /// <summary>Unix milliseconds.</summary>
    public long First { get; init; }

    /// <summary>Unix milliseconds.</summary>
    public long Last { get; init; }

    /// <summary>Of the last one.</summary>
    public long Position { get; init; }
}

/// <summary>Findings of a condition, counted.</summary>
internal sealed record FindingCount
{
    public string ConditionKey { get; init; } = "";

    public string Effect { get; init; } = "";

    public long Findings { get; init; }

    public long Subjects { get; init; }

    public long Retracted { get; init; }

    public long Incidents { get; init; }

    public long Changes { get; init; }

    public long FalseAlarms { get; init; }
}
