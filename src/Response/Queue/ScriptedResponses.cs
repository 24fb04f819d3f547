using System.Data.Common;
using Sekisho.Domain.Detection;
using Sekisho.Response.Actions;
using Sekisho.Response.Leases;
using Sekisho.Response.Orders;
using Sekisho.Response.Policies;
using Sekisho.Response.Rules;

namespace Sekisho.Response.Queue;

/// <summary>
/// Makes responses of what scripts order, in the transaction that records their run: all of them or none, and by identifiers that follow from the detection, so that no repeat orders
/// anything twice. Any thread.
/// </summary>
internal sealed class ScriptedResponses(LeaseOrders orders, LeaseStore leases, Notices notices, ResponseRules rules, QueueSignal signal, TimeProvider clock)
{
    /// <summary>Records what an outcome brings along.</summary>
    /// <param name="run">The lease that ran the script, as it is now.</param>
    /// <param name="outcome">What came of it.</param>
    /// <param name="transaction">The transaction.</param>
    public void Record(Lease run, ActionOutcome outcome, DbTransaction transaction)
    {
        outcome.Along?.Invoke(transaction);
        var fault = outcome.Fault;

        // A detection that was taken back while the script ran is not answered any more.
        if (outcome.Orders is { } scripted && run is { Details.Retracted: null, UndoAskedAt: null })
        {
            // Own rules that cannot be read make everything cautious, whoever orders it.
            rules.For(run.FieldId, transaction.Connection!, transaction);
            var cautious = rules.IsUnreadable(run.FieldId);
            var guarded = new GuardedOrders(orders, leases, notices, clock, transaction);
            foreach (var due in scripted.Orders)
            {
                var known = orders.Actions.TryGetValue(due.Action, out var action);
                fault = known ? fault : FormattableString.Invariant($"{due.Owner}: there is no action '{due.Action}'");
                guarded.Add(orders.Of(scripted.Finding, cautious && action is { Disturbs: true } ? due with { Approval = Approvals.Stricter(due.Approval, Approvals.OnePerson) } : due));
            }
        }

        if (fault is not null)
        {
            notices.Tell(
                run.FieldId, Notices.Names.ScriptFault, run.Target + " " + Notices.Hour(clock.GetUtcNow()), Levels.Critical, run, run.CorrelationId, transaction,
                ("script", run.Target), ("fault", fault), ("response", run.Id));
        }
    }

    /// <summary>After the transaction: there may be something to do.</summary>
    public void Recorded(ActionOutcome outcome)
    {
        if (outcome.Orders is { Orders.Count: > 0 } || outcome.Fault is not null)
        {
            signal.Wake();
        }
    }
}
