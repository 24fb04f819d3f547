using System.Data.Common;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Response.Actions.RotateCredentials;
using Sekisho.Response.Leases;
using Sekisho.Response.Orders;
using Sekisho.Response.Policies;
using Sekisho.Response.Rules;

namespace Sekisho.Response.Queue;

/// <summary>
/// The response's part in the commit of the lanes: each finding's due actions become leases in the same transaction, so that no finding is
/// ever known without its responses, and none is ordered twice. One thread at a time.
/// </summary>
internal sealed class LeaseIntake(ResponseRules rules, LeaseOrders orders, LeaseStore leases, Notices notices, QueueSignal signal, TimeProvider clock) : ILaneCommitPart
{
    public void Write(LaneBatch batch, DbTransaction transaction)
    {
        var guarded = new GuardedOrders(orders, leases, notices, clock, transaction);
        foreach (var finding in batch.Findings)
        {
            foreach (var due in ResponsePolicy.Due(finding, rules.For(finding.FieldId, transaction.Connection!, transaction)))
            {
                guarded.Add(orders.Of(finding, due));
            }
        }

        foreach (var field in batch.Findings.Select(f => f.FieldId).Distinct().Where(rules.IsUnreadable))
        {
            notices.Tell(field, Notices.Names.RulesUnreadable, Notices.Hour(clock.GetUtcNow()), Levels.Critical, null, batch.Findings.First(f => f.FieldId == field).CorrelationId, transaction);
        }

        foreach (var retraction in batch.Retractions)
        {
            foreach (var findingId in retraction.FindingIds)
            {
                TakeBack(findingId, retraction, transaction);
            }
        }

        // A person who lets a device in ends the leases that held it; what is shown as in force has to be in force.
        foreach (var change in batch.Facts.OfType<DeviceChangedEvent>())
        {
            if (change.Reason == DeviceChangedEvent.SecretRenewed)
            {
                leases.ChangeOfTarget(RotateCredentialsAction.ActionName, change.FieldId, change.DeviceId, l => LeaseMachine.Followed(l, LeaseCauses.SecretRenewed, clock.GetUtcNow()), transaction);
            }

            if (!LifecycleStates.IsLockedOut(change.State))
            {
                var gone = change.State is LifecycleStates.Retired or DeviceChangedEvent.Deleted;
                leases.EndHolds(change.DeviceId, change.ArrivedAt, gone ? LeaseCauses.DeviceGone : LeaseCauses.ReleasedElsewhere, null, transaction);
            }
        }
    }

    public void Committed(LaneBatch batch)
    {
        if (batch.Findings.Count > 0 || batch.Retractions.Count > 0)
        {
            signal.Wake();
        }
    }

    /// <summary>Ends what the finding ordered, and tells those who were told of it.</summary>
    private void TakeBack(string findingId, Retraction retraction, DbTransaction transaction)
    {
        var now = clock.GetUtcNow();
        bool CanUndo(Lease lease) => orders.Actions.TryGetValue(lease.Action, out var action) && action.CanUndo;
        foreach (var lease in leases.ChangeOf(findingId, l => l.Details.Retracted is null ? LeaseMachine.Retract(l, CanUndo(l), retraction.Reason, now) : null, transaction))
        {
            // A try under way may reach people; whoever gets the news of the retraction alone is not harmed.
            var action = orders.Actions.GetValueOrDefault(lease.Action);
            var told = lease.Details.Retracted is null && action?.Tells != false
                && (lease.State is LeaseStates.Done or LeaseStates.Running || lease is { State: LeaseStates.Due, Details.Progress: not null });
            if (told)
            {
                leases.Insert(Notice(lease, action?.RetractionTarget(lease.Target) ?? lease.Target, retraction, now), transaction);
            }
        }
    }

    private static Lease Notice(Lease told, string target, Retraction retraction, DateTimeOffset now) => told with
    {
        Id = Lease.IdOf(told.FindingId + "\nretracted", told.Action, told.Target),
        Version = 0,
        Target = target,
        State = LeaseStates.Due,
        Approval = Approvals.Automatic,
        CreatedAt = now,
        StartedAt = null,
        EndedAt = null,
        ExpiresAt = null,
        NextTryAt = now,
        UndoAskedAt = null,
        Attempts = 0,
        GroupKey = null,
        ClaimedBy = null,
        CorrelationId = retraction.CorrelationId.Length > 0 ? retraction.CorrelationId : told.CorrelationId,
        Details = new LeaseDetails { Owner = "policy", Actor = "gateway", Retracted = retraction.Reason, TellsRetraction = true },
    };
}
