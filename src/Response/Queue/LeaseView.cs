using System.Text.Json.Nodes;
using Sekisho.Domain.Localization;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Queue;

/// <summary>A response as people and programs see it.</summary>
internal sealed record LeaseView
{
    public required string Id { get; init; }

    /// <summary>The finding it answers; null for a test notification.</summary>
    public string? FindingId { get; init; }

    public string? FieldId { get; init; }

    public string? DeviceId { get; init; }

    public required string Action { get; init; }

    /// <summary>The same in the reader's language.</summary>
    public required string ActionName { get; init; }

    public required string Target { get; init; }

    public required string State { get; init; }

    /// <summary>The same in the reader's language.</summary>
    public required string StateName { get; init; }

    public required string Risk { get; init; }

    public required string Level { get; init; }

    public required string Condition { get; init; }

    public required string Approval { get; init; }

    public required IReadOnlyList<LeaseApproval> Approvals { get; init; }

    /// <summary>Who ordered it.</summary>
    public required string Owner { get; init; }

    /// <summary>Who moved it last.</summary>
    public required string Actor { get; init; }

    /// <summary>That person's reason.</summary>
    public string? Reason { get; init; }

    /// <summary>The gateway's reason, a stable name.</summary>
    public string? Cause { get; init; }

    /// <summary>The same in the reader's language.</summary>
    public string? CauseText { get; init; }

    /// <summary>The ticket that it opened or shares.</summary>
    public LeaseTicket? Ticket { get; init; }

    /// <summary>It tells that the finding was taken back, not the finding itself.</summary>
    public required bool TellsRetraction { get; init; }

    /// <summary>Who took in hand what people were called for, and when; null for nobody yet.</summary>
    public LeaseAcknowledgement? Acknowledged { get; init; }

    /// <summary>Masked addresses that the mail server refuses; empty for none.</summary>
    public required IReadOnlyList<string> RefusedAddresses { get; init; }

    public string? LastError { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public DateTimeOffset? UndoAskedAt { get; init; }

    public DateTimeOffset? NextTryAt { get; init; }

    /// <summary>Until when it waits for people to agree.</summary>
    public DateTimeOffset? WaitsUntil { get; init; }

    /// <summary>Reminders of a lock-out that only people release.</summary>
    public required int Reminders { get; init; }

    public required int Attempts { get; init; }

    /// <summary>It is in force, or might be although its tries failed, and can be undone.</summary>
    public required bool CanUndo { get; init; }

    /// <summary>Ways of undoing it that one may choose between; empty when there is nothing to choose.</summary>
    public required IReadOnlyList<string> UndoChoices { get; init; }

    /// <summary>What was chosen.</summary>
    public string? Choice { get; init; }

    /// <summary>It can be refused: it waits for people, or keeps something back that could be refused for good.</summary>
    public required bool CanRefuse { get; init; }

    /// <summary>What the device said of it; of a wipe that is the proof.</summary>
    public JsonNode? DeviceAnswer { get; init; }

    /// <summary>It was not done and can be tried again.</summary>
    public required bool CanRetry { get; init; }

    public required string CorrelationId { get; init; }

    public static LeaseView Of(Lease lease, LeaseRunner runner, Texts texts, string language) => new()
    {
        Id = lease.Id,
        FindingId = lease.FindingId,
        FieldId = lease.FieldId,
        DeviceId = lease.DeviceId,
        Action = lease.Action,
        ActionName = texts.Name("response.action", lease.Action, language),
        Target = lease.Target,
        State = lease.State,
        StateName = texts.Name("incident.lease", lease.State, language),
        Risk = lease.Risk,
        Level = lease.Level,
        Condition = lease.Condition,
        Approval = lease.Approval,
        Approvals = lease.Details.Approvals,
        Owner = lease.Details.Owner,
        Actor = lease.Details.Actor,
        Reason = lease.Details.Reason,
        Cause = lease.Details.Cause ?? LeaseGroups.Cause(lease),
        CauseText = (lease.Details.Cause ?? LeaseGroups.Cause(lease)) is { } cause ? texts.Get("response.cause." + cause, language) : null,
        Ticket = lease.Details.Ticket,
        TellsRetraction = lease.Details.TellsRetraction,
        Acknowledged = lease.Details.Acknowledged,
        RefusedAddresses = lease.Details.RefusedAddresses,
        LastError = lease.Details.LastError,
        CreatedAt = lease.CreatedAt,
        StartedAt = lease.StartedAt,
        EndedAt = lease.EndedAt,
        ExpiresAt = lease.ExpiresAt,
        UndoAskedAt = lease.UndoAskedAt,
        NextTryAt = lease.State is LeaseStates.Due or LeaseStates.Planned || lease.UndoAskedAt is not null ? lease.NextTryAt : null,
        WaitsUntil = lease.State == LeaseStates.WaitingApproval ? lease.NextTryAt : null,
        Reminders = lease.Details.Reminders,
        Attempts = lease.Attempts,
        CanUndo = (LeaseMachine.MayBeInForce(lease) && runner.CanUndo(lease)) || (LeaseMachine.IsWaiting(lease) && lease.UndoAskedAt is null),
        CanRefuse = lease.State == LeaseStates.WaitingApproval || runner.CanRefuse(lease),
        DeviceAnswer = lease.Details.Answer is { } answer ? JsonNode.Parse(answer) : null,
        UndoChoices = LeaseMachine.MayBeInForce(lease) ? runner.UndoChoices(lease) : [],
        Choice = lease.Details.Choice,
        CanRetry = LeaseMachine.CanRetry(lease),
        CorrelationId = lease.CorrelationId,
    };
}

/// <summary>Why a person decided so.</summary>
/// <param name="Reason">1 to 500 characters.</param>
/// <param name="Choice">How it is to be undone, one of the response's choices; absent for as the settings say.</param>
internal sealed record DecisionRequest(string? Reason, string? Choice = null);
