using System.Data.Common;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Sekisho.Domain.Detection;
using Sekisho.Response.Actions;
using Sekisho.Response.Emergency;
using Sekisho.Response.Leases;
using Sekisho.Response.Orders;
using Sekisho.Response.Policies;

namespace Sekisho.Response.Queue;

/// <summary>
/// Tries one lease: claims it (recorded), runs the action or its undo within the time limit, records the outcome. Killed in between, the
/// claim runs out and the lease is tried again. Any thread, any node; the claim decides who works.
/// </summary>
internal sealed partial class LeaseRunner(
    LeaseOrders orders, LeaseStore leases, GroupStore groups, Notices notices, ScriptedResponses scripted, IFindings findings, LeaseSettings settings, TimeProvider clock, ILogger<LeaseRunner> log) : IDisposable
{
    // Steps of ladders are counted by the guard one after another, so that two at once cannot both be the last one allowed.
    private readonly SemaphoreSlim _guardTurn = new(1);

    /// <summary>Name under which this node claims leases.</summary>
    public static string Node => Environment.MachineName;

    /// <summary>The actions there are.</summary>
    public IReadOnlyCollection<IResponseAction> Actions => [.. orders.Actions.Values];

    /// <summary>Only a person may undo it.</summary>
    public bool UndoTakesPerson(Lease lease) => orders.Actions.TryGetValue(lease.Action, out var action) && action.UndoTakesPerson;

    /// <summary>It is in force and can be refused.</summary>
    public bool CanRefuse(Lease lease) => lease is { State: LeaseStates.Done, UndoAskedAt: null } && orders.Actions.TryGetValue(lease.Action, out var action) && action.CanRefuse;

    /// <summary>False when this account may not undo it.</summary>
    public Task<bool> MayUndoAsync(Lease lease, string by, CancellationToken cancellation) =>
        orders.Actions.TryGetValue(lease.Action, out var action) ? action.MayUndoAsync(lease, by, cancellation) : Task.FromResult(true);

    public bool CanUndo(Lease lease) => orders.Actions.TryGetValue(lease.Action, out var action) && action.CanUndo;

    /// <summary>Ways of undoing the lease that a person may choose between.</summary>
    public IReadOnlyList<string> UndoChoices(Lease lease) => orders.Actions.TryGetValue(lease.Action, out var action) ? action.UndoChoices : [];

    /// <summary>Does what is due for the lease.</summary>
    /// <returns>False when a try failed or there was nothing to do; the caller turns to something else then.</returns>
    public async Task<bool> TryAsync(Lease lease, CancellationToken cancellation)
    {
        var action = orders.Actions[lease.Action];
        return lease switch
        {
            { State: LeaseStates.WaitingApproval } => await EndWaitAsync(lease, cancellation),
            { State: LeaseStates.Done, UndoAskedAt: null, ExpiresAt: null } => await RemindAsync(lease, cancellation),
            { State: LeaseStates.Done } => await UndoAsync(lease, action, cancellation),
            { State: LeaseStates.Planned } => await StepAsync(lease, action, cancellation),
            _ => await RunAsync(lease, action, cancellation),
        };
    }

    public void Dispose() => _guardTurn.Dispose();

    /// <summary>Nobody agreed in time.</summary>
    private async Task<bool> EndWaitAsync(Lease lease, CancellationToken cancellation)
    {
        var ended = await leases.ChangeAsync(
            lease.Id,
            l => LeaseMachine.ApprovalRanOut(l, clock.GetUtcNow()),
            (l, t) => notices.Tell(l.FieldId, Notices.About(Notices.Names.ApprovalRanOut, l), l.Id, l.Level, l, l.CorrelationId, t),
            cancellation);
        Count(ended);
        return ended is not null;
    }

    /// <summary>A lock-out still holds: its time only brings it back to people's minds.</summary>
    private async Task<bool> RemindAsync(Lease lease, CancellationToken cancellation) => await leases.ChangeAsync(
        lease.Id,
        l => LeaseMachine.Remind(l, clock.GetUtcNow(), settings),
        (l, t) =>
        {
            var since = (l.EndedAt ?? l.CreatedAt).ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
            if (l.Condition == EmergencyDesk.Condition)
            {
                // The devices of a lock-down are one thing to be reminded of.
                notices.Tell(l.FieldId, Notices.Names.EmergencyHolds, $"{l.CorrelationId} {l.Details.Reminders}", l.Level, null, l.CorrelationId, t, ("since", since), ("by", l.Details.Owner));
            }
            else
            {
                notices.Tell(
                    l.FieldId, Notices.About(Notices.Names.StillLocked, l, ("device", l.DeviceId ?? l.Target), ("since", since)), $"{l.Id} {l.Details.Reminders}", l.Level, l, l.CorrelationId, t);
            }
        },
        cancellation) is not null;

    /// <summary>A later step of a ladder: only where nobody has taken the finding in hand, and within what the guard allows.</summary>
    private async Task<bool> StepAsync(Lease lease, IResponseAction action, CancellationToken cancellation)
    {
        var handled = lease.FindingId is { } id && await findings.IsHandledAsync(id, cancellation);
        await _guardTurn.WaitAsync(cancellation);
        Lease? ready;
        try
        {
            var (disturbed, _) = await leases.DisturbedAsync(lease.FieldId, orders.Disturbing, orders.Since, cancellation);
            var guard = new BlastRadius(orders.Reached(disturbed), orders.Allowed(lease.FieldId));
            var allowed = !action.Disturbs || guard.Allows(orders.Reach(lease));
            ready = await leases.ChangeAsync(
                lease.Id,
                l => LeaseMachine.StepComes(l, handled, clock.GetUtcNow(), settings) is { } next ? next.State == LeaseStates.Due && !allowed ? orders.Held(next) : next : null,
                (l, t) => notices.TellWaiting(l, guard.Disturbed, orders.Allowed(l.FieldId), t),
                cancellation);
        }
        finally
        {
            _guardTurn.Release();
        }

        Count(ready);
        return ready is { State: LeaseStates.Due } ? await RunAsync(ready, action, cancellation) : ready is not null;
    }

    private async Task<bool> RunAsync(Lease lease, IResponseAction action, CancellationToken cancellation)
    {
        var before = action.Before(lease);
        var claimed = await leases.ChangeAsync(lease.Id, l => LeaseMachine.Claim(l, Node, before, action.CanUndo, clock.GetUtcNow(), settings), cancellation);
        if (claimed is null || claimed.State != LeaseStates.Running)
        {
            Count(claimed);
            return false;
        }

        var outcome = await RunWithinLimitAsync(claimed, action, cancellation);

        // The outcome is recorded even while the gateway stops: the world has changed already.
        if (outcome is ActionOutcome.Done { Covers: { } covers })
        {
            await leases.ChangeAllAsync([.. covers.Where(id => id != claimed.Id)], l => LeaseMachine.Covered(l, LeaseCauses.InSummary, clock.GetUtcNow()), CancellationToken.None);
        }

        var now = clock.GetUtcNow();
        Lease Answered(Lease l) => outcome.Answer is null ? l : l with { Details = l.Details with { Answer = outcome.Answer } };
        if (outcome is ActionOutcome.Join { With: { } others } with)
        {
            await leases.ChangeAllAsync([.. others.Where(id => id != claimed.Id)], l => LeaseMachine.JoinedFor(l, with.Group, with.Until, with.Progress), CancellationToken.None);
        }

        var ended = await RecordAsync(
            claimed.Id,
            outcome,
            l => outcome switch
            {
                ActionOutcome.Done done => LeaseMachine.Done(
                    Answered(l with { Details = l.Details with { Ticket = done.Ticket ?? l.Details.Ticket, RefusedAddresses = done.RefusedAddresses } }), action.CanUndo, action.LocksOut, done.Holds, done.Cause, now, settings, action.Stays, done.Until),

                // What a person decided while it was being looked at is looked at now.
                ActionOutcome.Wait wait => LeaseMachine.Waits(l, wait.Cause, l.UndoAskedAt == claimed.UndoAskedAt && l.Details.Retracted == claimed.Details.Retracted ? wait.Until : now),
                ActionOutcome.Refused refused => LeaseMachine.RefusedBecause(Answered(l), refused.Cause, refused.Error, now),
                ActionOutcome.Join join => LeaseMachine.Joined(l, join.Group, join.Until, join.Progress, now),
                ActionOutcome.Retry retry => LeaseMachine.TryFailed(l, retry.Error, retry.Progress, action.CanUndo, now, settings),
                _ => throw new InvalidOperationException($"No such outcome: {outcome.GetType().Name}."),
            });
        Count(ended);
        if (outcome is not ActionOutcome.Retry failure)
        {
            return true;
        }

        TryFailed(claimed.Id, claimed.Action, claimed.Attempts, failure.Error);
        if (ended is { GroupKey: { } group })
        {
            var members = await groups.GroupAsync(group, CancellationToken.None);
            await leases.ChangeAllAsync([.. members.Select(m => m.Id)], m => LeaseMachine.TryFailedFor(m, ended, failure.Progress, now), CancellationToken.None);
        }

        return false;
    }

    /// <summary>Records the outcome with what it brings along. The orders of scripts are counted by the guard one after another, like steps of ladders.</summary>
    private async Task<Lease?> RecordAsync(string leaseId, ActionOutcome outcome, Func<Lease, Lease?> change)
    {
        if (outcome is { Along: null, Orders: null, Fault: null })
        {
            return await leases.ChangeAsync(leaseId, change, (l, t) => TellNobodyCame(l, outcome, t), CancellationToken.None);
        }

        await _guardTurn.WaitAsync(CancellationToken.None);
        try
        {
            return await leases.ChangeAsync(leaseId, change, (l, t) => scripted.Record(l, outcome, t), CancellationToken.None);
        }
        finally
        {
            _guardTurn.Release();
            scripted.Recorded(outcome);
        }
    }

    /// <summary>All on call were told and none acknowledged, or nobody could be told: the administrators learn of it in the same transaction.</summary>
    private void TellNobodyCame(Lease lease, ActionOutcome outcome, DbTransaction transaction)
    {
        if (lease is { State: LeaseStates.Done, Details.Cause: LeaseCauses.NobodyAcknowledged or LeaseCauses.NobodyReached })
        {
            var name = lease.Details.Cause == LeaseCauses.NobodyReached ? Notices.Names.NobodyReached : Notices.Names.NobodyAcknowledged;
            var count = ((outcome as ActionOutcome.Done)?.Covers?.Count ?? 1).ToString(CultureInfo.InvariantCulture);
            notices.Tell(lease.FieldId, name, lease.Id, Levels.Critical, lease, lease.CorrelationId, transaction, ("finding", lease.FindingId ?? ""), ("count", count), ("response", lease.Id));
        }
    }

    private async Task<ActionOutcome> RunWithinLimitAsync(Lease lease, IResponseAction action, CancellationToken cancellation)
    {
        using var limit = new CancellationTokenSource(settings.TryTimeout, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            var finding = lease.FindingId is { } id ? await findings.FindAsync(id, both.Token) : null;
            return lease.FindingId is not null && finding is null
                ? new ActionOutcome.Refused(LeaseCauses.FindingGone)
                : await action.RunAsync(new ActionOrder(lease, finding), both.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new ActionOutcome.Retry($"Not done within {settings.TryTimeout}.");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Whatever an action throws is this lease's fault alone: it is recorded, tried again and shown, and the others go on.
            ActionThrew(e, lease.Id, lease.Action);
            return new ActionOutcome.Retry($"The action failed inside the gateway ({e.GetType().Name}).");
        }
    }

    private async Task<bool> UndoAsync(Lease lease, IResponseAction action, CancellationToken cancellation)
    {
        var claimed = await leases.ChangeAsync(lease.Id, l => LeaseMachine.ClaimUndo(l, Node, clock.GetUtcNow(), settings), cancellation);
        if (claimed is null)
        {
            return false;
        }

        using var limit = new CancellationTokenSource(settings.TryTimeout, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            var (cause, waits) = await action.BeginUndoAsync(new ActionOrder(claimed, null), both.Token);
            Count(await leases.ChangeAsync(claimed.Id, l => waits is { } until ? LeaseMachine.UndoWaits(l, until) : LeaseMachine.UndoDone(l, cause, clock.GetUtcNow()), (l, t) => TellNotFollowed(l, t, claimed.ExpiresAt), CancellationToken.None));
            return true;
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            // The undo stays asked for and is tried again until it works; the fault is recorded with the lease.
            ActionThrew(e, claimed.Id, claimed.Action);
            await leases.ChangeAsync(claimed.Id, l => LeaseMachine.UndoFailed(l, $"The undo failed ({e.GetType().Name}).", clock.GetUtcNow(), settings), CancellationToken.None);
            return false;
        }
    }

    private void TellNotFollowed(Lease lease, DbTransaction transaction, DateTimeOffset? before)
    {
        if (lease is { State: LeaseStates.Failed, Details.Cause: LeaseCauses.SecretNotRenewed })
        {
            notices.Tell(
                lease.FieldId, Notices.Names.SecretNotRenewed, $"{lease.Id} {lease.Details.Retries}", lease.Level, lease, lease.CorrelationId, transaction,
                ("device", lease.DeviceId ?? lease.Target), ("response", lease.Id), ("before", before?.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture) ?? ""));
        }
    }

    private static void Count(Lease? lease)
    {
        if (lease is not null)
        {
            ResponseMetrics.Outcome(lease.Action, lease.State);
        }
    }

    [LoggerMessage(4001, LogLevel.Warning, "Response {Lease} ({Action}), try {Attempt}: {Error}")]
    private partial void TryFailed(string lease, string action, int attempt, string error);

    [LoggerMessage(4002, LogLevel.Error, "Response {Lease} ({Action}) failed unexpectedly")]
    private partial void ActionThrew(Exception fault, string lease, string action);
}
