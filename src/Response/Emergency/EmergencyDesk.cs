using System.Globalization;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Actions.SuspendAuthentication;
using Sekisho.Response.Leases;
using Sekisho.Response.Orders;
using Sekisho.Response.Policies;

namespace Sekisho.Response.Emergency;

/// <summary>Locks a field down, and releases it step by step. Each device has a lease of its own, so that what is locked, why and by whom is seen and undone as any other response. Any thread.</summary>
internal sealed class EmergencyDesk(LockdownStore store, LeaseStore leases, IDeviceDirectory directory, Notices notices, QueueSignal signal, TimeProvider clock) : IDisposable
{
    // Two people who press the button at the same moment lock down once.
    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>Condition of the leases of a lock-down.</summary>
    public const string Condition = "emergency";

    /// <summary>The devices that a lock-down would lock, in the order of their identifiers.</summary>
    public IReadOnlyList<DeviceProfile> Devices(string fieldId, LockdownScope scope) =>
        [.. directory.DevicesOf(fieldId)
            .Where(d => d.State != LifecycleStates.Retired && (scope.Kind is null || d.Kind == scope.Kind) && (scope.ParentId is null || d.ParentId == scope.ParentId || d.DeviceId == scope.ParentId))
            .OrderBy(d => d.DeviceId, StringComparer.Ordinal)];

    /// <summary>Locks down: it is recorded, and every device's response waits in the queue, when this returns. A rehearsal records and tells, and locks nothing.</summary>
    /// <returns>The lock-down, and whether it is a new one: where another of the same scope holds all its devices already, that one is meant, so that one release lets them in.</returns>
    public async Task<(Lockdown Lockdown, bool Fresh)> LockAsync(string fieldId, LockdownScope scope, bool isRehearsal, string by, string reason, string correlationId, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            return !isRehearsal && await HoldingAsync(fieldId, scope, cancellation) is { } before
                ? (before, false)
                : (await OrderAsync(fieldId, scope, isRehearsal, by, reason, correlationId, cancellation), true);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    /// <summary>The lock-down of the same scope that still keeps every device of it out; whoever let one in again, and however, ends that.</summary>
    private async Task<Lockdown?> HoldingAsync(string fieldId, LockdownScope scope, CancellationToken cancellation)
    {
        var devices = Devices(fieldId, scope);
        var locking = await leases.LockingAsync(fieldId, SuspendAuthenticationAction.ActionName, Condition, cancellation);
        bool Holds(Lockdown lockdown)
        {
            var locked = lockdown.Details.Locked.ToHashSet(StringComparer.Ordinal);
            return devices.All(d => locked.Contains(d.DeviceId) && locking.TryGetValue(LeaseOf(lockdown.Id, d.DeviceId), out var locks) && (locks || LifecycleStates.IsLockedOut(d.State)));
        }

        return (await store.ListAsync(fieldId, cancellation)).FirstOrDefault(l => l is { EndedAt: null, Details.IsRehearsal: false } && l.Details.Scope == scope && Holds(l));
    }

    private async Task<Lockdown> OrderAsync(string fieldId, LockdownScope scope, bool isRehearsal, string by, string reason, string correlationId, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var devices = Devices(fieldId, scope);
        var id = "e" + Lease.IdOf($"{fieldId} {now.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture)} {correlationId}", Condition, scope.ToString())[1..];
        var lockdown = new Lockdown(id, fieldId, 0, now, isRehearsal ? now : null, new LockdownDetails(by, reason, scope, isRehearsal, [.. devices.Select(d => d.DeviceId)], []));
        await store.AddAsync(
            lockdown,
            t =>
            {
                foreach (var device in isRehearsal ? [] : devices)
                {
                    leases.Insert(Order(lockdown, device.DeviceId, by, reason, correlationId, now), t);
                }

                notices.Tell(
                    fieldId, isRehearsal ? Notices.Names.Rehearsal : Notices.Names.Emergency, id, Levels.Critical, null, correlationId, t,
                    ("by", by), ("reason", reason), ("devices", devices.Count.ToString(CultureInfo.InvariantCulture)), ("scope", scope.ToString()));
            },
            cancellation);
        signal.Wake();
        return lockdown;
    }

    /// <summary>Releases some of its devices; null when none of them is held by it.</summary>
    /// <param name="lockdown">The lock-down.</param>
    /// <param name="choose">Picks from the devices that are still locked.</param>
    /// <param name="by">Who.</param>
    /// <param name="reason">Why.</param>
    /// <param name="correlationId">Correlation id of the request.</param>
    /// <param name="cancellation">Cancels before the change.</param>
    public async Task<Lockdown?> ReleaseAsync(Lockdown lockdown, Func<IReadOnlyList<string>, IEnumerable<string>> choose, string by, string reason, string correlationId, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var released = Array.Empty<string>();
        var after = await store.ChangeAsync(
            lockdown.FieldId,
            lockdown.Id,
            l =>
            {
                released = [.. choose(l.Details.Locked).Intersect(l.Details.Locked, StringComparer.Ordinal)];
                var details = l.Details with { Steps = [.. l.Details.Steps, new ReleaseStep(now, by, reason, released)] };
                return released.Length == 0 ? null : l with { Details = details, EndedAt = details.Locked.Count == 0 ? now : null };
            },
            (l, t) =>
            {
                // All or nothing: what has not been locked yet is not locked any more; what is in force is undone by the queue, tried until it works.
                leases.ChangeAll(released.Select(d => LeaseOf(lockdown.Id, d)), lease => LeaseMachine.TakenBack(lease, canUndo: true, by, reason, now), t);
                if (l.EndedAt is not null)
                {
                    notices.Tell(l.FieldId, Notices.Names.EmergencyEnded, l.Id, Levels.Important, null, correlationId, t, ("by", by), ("scope", l.Details.Scope.ToString()));
                }
            },
            cancellation);
        signal.Wake();
        return after;
    }

    /// <summary>The lease of a device in a lock-down.</summary>
    public static string LeaseOf(string lockdownId, string deviceId) => Lease.IdOf(lockdownId, SuspendAuthenticationAction.ActionName, deviceId);

    private static Lease Order(Lockdown lockdown, string deviceId, string by, string reason, string correlationId, DateTimeOffset now) => new()
    {
        Id = LeaseOf(lockdown.Id, deviceId),
        FieldId = lockdown.FieldId,
        DeviceId = deviceId,
        Action = SuspendAuthenticationAction.ActionName,
        Target = deviceId,
        State = LeaseStates.Due,

        // Nobody has to be found guilty: it holds until a person releases it, as for a takeover.
        Risk = Risks.Takeover,
        Level = Levels.Critical,
        Condition = Condition,
        Approval = Approvals.Automatic,
        CreatedAt = now,
        NextTryAt = now,
        CorrelationId = correlationId,
        Details = new LeaseDetails { Owner = by, Actor = by, Reason = reason },
    };
}
