using System.Data.Common;
using Sekisho.Response.Leases;
using Sekisho.Response.Policies;

namespace Sekisho.Response.Orders;

/// <summary>
/// Puts orders into the queue in one transaction. The guard counts each before the next; what it does not allow waits for people, and they are told. One transaction, one thread.
/// </summary>
internal sealed class GuardedOrders(LeaseOrders orders, LeaseStore leases, Notices notices, TimeProvider clock, DbTransaction transaction)
{
    private readonly Dictionary<string, BlastRadius> _guards = new(StringComparer.Ordinal);
    private readonly HashSet<(string? Field, string? Cause, string Level)> _told = [];

    /// <summary>Adds the lease, as it is or as it waits because too much of the field is disturbed; one that is there already stays as it is.</summary>
    public void Add(Lease lease)
    {
        if (lease.State == LeaseStates.Due && orders.Disturbs(lease) && !GuardOf(lease.FieldId).Allows(orders.Reach(lease)))
        {
            lease = orders.Held(lease);
        }

        if (!leases.Insert(lease, transaction) || lease.State != LeaseStates.WaitingApproval || !_told.Add((lease.FieldId, lease.Details.Cause, lease.Level)))
        {
            return;
        }

        notices.TellWaiting(lease, lease.Details.Cause == LeaseCauses.BlastRadius ? GuardOf(lease.FieldId).Disturbed : 0, orders.Allowed(lease.FieldId), transaction);
    }

    private BlastRadius GuardOf(string? fieldId)
    {
        if (!_guards.TryGetValue(fieldId ?? "", out var guard))
        {
            var disturbed = LeaseStore.Disturbed(fieldId, orders.Disturbing, orders.Since, clock.GetUtcNow(), transaction.Connection!, transaction);
            _guards.Add(fieldId ?? "", guard = new BlastRadius(orders.Reached(disturbed), orders.Allowed(fieldId)));
        }

        return guard;
    }
}
