using Microsoft.Extensions.Logging;
using Sekisho.Domain.Detection;
using Sekisho.Response.Actions;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Queue;

/// <summary>
/// Tries one lease: claims it (recorded), runs the action or its undo within the time limit, records the outcome. Killed in between, the
/// claim runs out and the lease is tried again. Any thread, any node; the claim decides who works.
/// </summary>
internal sealed partial class LeaseRunner(
    IEnumerable<IResponseAction> actions, LeaseStore leases, IFindings findings, LeaseSettings settings, TimeProvider clock, ILogger<LeaseRunner> log)
{
    private readonly Dictionary<string, IResponseAction> _actions = actions.ToDictionary(a => a.Name, StringComparer.Ordinal);

    /// <summary>Name under which this node claims leases.</summary>
    public static string Node => Environment.MachineName;

    /// <summary>The actions there are.</summary>
    public IReadOnlyCollection<IResponseAction> Actions => _actions.Values;

    public bool CanUndo(Lease lease) => _actions.TryGetValue(lease.Action, out var action) && action.CanUndo;

    /// <summary>Does what is due for the lease.</summary>
    /// <returns>False when a try failed or there was nothing to do; the caller turns to something else then.</returns>
    public async Task<bool> TryAsync(Lease lease, CancellationToken cancellation)
    {
        var action = _actions[lease.Action];
        return lease.State == LeaseStates.Done
            ? await UndoAsync(lease, action, cancellation)
            : await RunAsync(lease, action, cancellation);
    }

    private async Task<bool> RunAsync(Lease lease, IResponseAction action, CancellationToken cancellation)
    {
        var before = action.Before(lease);
        var claimed = await leases.ChangeAsync(lease.Id, l => LeaseMachine.Claim(l, Node, before, clock.GetUtcNow(), settings), cancellation);
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
        var ended = await leases.ChangeAsync(
            claimed.Id,
            l => outcome switch
            {
                ActionOutcome.Done done => LeaseMachine.Done(l, action.CanUndo, action.LocksOut, done.Holds, done.Cause, now, settings),
                ActionOutcome.Refused refused => LeaseMachine.RefusedBecause(l, refused.Cause, now),
                ActionOutcome.Join join => LeaseMachine.Joined(l, join.Group, join.Until),
                ActionOutcome.Retry retry => LeaseMachine.TryFailed(l, retry.Error, retry.Progress, now, settings),
                _ => throw new InvalidOperationException($"No such outcome: {outcome.GetType().Name}."),
            },
            CancellationToken.None);
        Count(ended);
        if (outcome is not ActionOutcome.Retry failure)
        {
            return true;
        }

        TryFailed(claimed.Id, claimed.Action, claimed.Attempts, failure.Error);
        if (ended is { GroupKey: { } group })
        {
            var members = await leases.GroupAsync(group, CancellationToken.None);
            await leases.ChangeAllAsync([.. members.Select(m => m.Id)], m => LeaseMachine.TryFailedFor(m, ended, now), CancellationToken.None);
        }

        return false;
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
            var cause = await action.UndoAsync(new ActionOrder(claimed, null), both.Token);
            Count(await leases.ChangeAsync(claimed.Id, l => LeaseMachine.UndoDone(l, cause, clock.GetUtcNow()), CancellationToken.None));
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
