namespace Sekisho.Domain.Detection;

/// <summary>Which actions a field's template binds to a kind of threat. Implemented by Detection (templates), read by Response.</summary>
public interface IResponseBindings
{
    /// <summary>The bindings in force for the field; empty when it has no template. For null: the gateway's own bindings.</summary>
    IReadOnlyList<ResponseBinding> For(string? fieldId);
}

/// <summary>"For this risk from this level on, do this."</summary>
/// <param name="Risk">One of <see cref="Risks"/>, or "*" for all.</param>
/// <param name="MinimumLevel">One of <see cref="Levels"/>: the lowest level that triggers it.</param>
/// <param name="Action">Name of a response action ("mail", "webhook", "suspend-authentication").</param>
/// <param name="Condition">Only for this condition key; null for all.</param>
/// <param name="Approval">"automatic", "one-person" or "two-persons".</param>
public sealed record ResponseBinding(string Risk, string MinimumLevel, string Action, string? Condition, string Approval)
{
    /// <summary>Only for this class of threat, one of <see cref="Threats"/>; null for all.</summary>
    public string? Threat { get; init; }

    /// <summary>Name of the response script to run, for the action that runs one; else null.</summary>
    public string? Script { get; init; }

    /// <summary>A step of a ladder: so long after the finding, and only when no person has taken it in hand by then. Zero for at once.</summary>
    public TimeSpan After { get; init; }

    /// <summary>True when the action is due for the finding.</summary>
    public bool AppliesTo(Finding finding)
    {
        ArgumentNullException.ThrowIfNull(finding);
        return (Risk == "*" || Risk == finding.Risk) && (Threat is null || Threat == finding.Threat) && (Condition is null || Condition == finding.ConditionKey) && Levels.Rank(finding.Level) >= Levels.Rank(MinimumLevel);
    }
}

/// <summary>Reads findings back. Implemented by Detection, called by Response for the texts of notifications.</summary>
public interface IFindings
{
    /// <summary>The finding, or null when there is none of that identifier.</summary>
    Task<Finding?> FindAsync(string findingId, CancellationToken cancellation);

    /// <summary>Whether a person has taken the finding in hand: acknowledged or closed it. A finding that is not kept any more counts as handled.</summary>
    Task<bool> IsHandledAsync(string findingId, CancellationToken cancellation);

    /// <summary>Findings of a field since a moment, oldest first, at most so many: what rules would have done about them is tried out on these.</summary>
    Task<IReadOnlyList<Finding>> SinceAsync(string fieldId, DateTimeOffset since, int most, CancellationToken cancellation);

    /// <summary>What was found about a device from one moment to another (both included) and was not taken back, newest first, at most so many. What is only suggested or tried out is not among it.</summary>
    Task<IReadOnlyList<Finding>> RecentAsync(string fieldId, string deviceId, DateTimeOffset from, DateTimeOffset to, int most, CancellationToken cancellation);
}
