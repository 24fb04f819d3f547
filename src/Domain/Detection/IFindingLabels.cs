using System.Data.Common;

namespace Sekisho.Domain.Detection;

/// <summary>Notes on findings what somebody made of them. Implemented by Detection, called by Response for what a SOC reports back, and when an incident is taken in hand or closed. Any thread.</summary>
public interface IFindingLabels
{
    /// <summary>Labels findings that are not closed yet; those that are, or are not kept any more, are left. May be repeated.</summary>
    /// <param name="findingIds">The findings, some hundred at a time.</param>
    /// <param name="closedAs">One of <see cref="Closings"/>; null to acknowledge them.</param>
    /// <param name="note">What they say; null keeps the note.</param>
    /// <param name="actor">Who, for the record.</param>
    /// <param name="at">When.</param>
    /// <param name="correlationId">Correlation id of the request.</param>
    /// <param name="cancellation">Cancels before the change.</param>
    /// <returns>Identifiers of those that were changed.</returns>
    Task<IReadOnlyList<string>> LabelAsync(IReadOnlyList<string> findingIds, string? closedAs, string? note, string actor, DateTimeOffset at, string correlationId, CancellationToken cancellation);
}

/// <summary>A stage's part when people label findings, in the transaction that does. Implemented by Response (incidents), called by Detection.</summary>
public interface IFindingLabelPart
{
    /// <summary>Writes this stage's share.</summary>
    void Labelled(FindingLabel label, DbTransaction transaction);
}

/// <summary>What a person said of findings.</summary>
/// <param name="FindingIds">Those that it changed.</param>
/// <param name="Label">One of <see cref="Closings"/>, or <see cref="Acknowledged"/> or <see cref="Reopened"/>.</param>
/// <param name="Note">The person's words; null for none.</param>
/// <param name="Actor">Who.</param>
/// <param name="At">When.</param>
/// <param name="CorrelationId">Correlation id of the request.</param>
public sealed record FindingLabel(IReadOnlyList<string> FindingIds, string Label, string? Note, string Actor, DateTimeOffset At, string CorrelationId)
{
    /// <summary>Taken in hand.</summary>
    public const string Acknowledged = "acknowledged";

    /// <summary>Opened again after it was closed.</summary>
    public const string Reopened = "reopened";
}

/// <summary>Stable names of what findings and incidents turn out to be.</summary>
public static class Closings
{
    /// <summary>Somebody meant to do it.</summary>
    public const string Change = "change";

    /// <summary>It was what it claimed.</summary>
    public const string Incident = "incident";

    /// <summary>It was not.</summary>
    public const string FalseAlarm = "false-alarm";

    /// <summary>All three.</summary>
    public static readonly IReadOnlyList<string> All = [Change, Incident, FalseAlarm];
}
