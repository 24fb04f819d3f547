using Sekisho.Domain.Devices;
using Sekisho.Response.Emergency;
using Sekisho.Response.Leases;
using Sekisho.Response.Orders;
using Sekisho.Response.Queue;

namespace Sekisho.Response.Incidents;

/// <summary>A device of an incident, and what keeps it from its normal state.</summary>
/// <param name="DeviceId">The device.</param>
/// <param name="Name">Its name; null when it does not exist any more.</param>
/// <param name="State">Its state; null when it does not exist any more.</param>
/// <param name="IsNormal">Allowed (one that never authenticated may do so), with nothing in force on it; a device that is out of service for good waits for nothing either.</param>
/// <param name="HeldBy">Responses in force on it.</param>
internal sealed record DeviceStanding(string DeviceId, string? Name, string? State, bool IsNormal, IReadOnlyList<Lease> HeldBy);

/// <summary>Closes incidents and leads through the recovery. Any thread.</summary>
internal sealed class IncidentDesk(
    IncidentStore store, IncidentLeases reader, LeaseStore leases, LeaseOrders orders, LeaseRunner runner, IDeviceDirectory directory, QueueSignal queue, IncidentSignal signal, TimeProvider clock)
{
    /// <summary>Undos that a person waits for; more are left to the queue.</summary>
    private const int MostAtOnce = 50;

    private const int Portion = 500;

    // What restricts no device holds none: a held command is decided on by itself, and an order to renew a secret stands.
    private readonly IReadOnlyList<string> _actions = [.. orders.Actions.Values.Where(a => a.Disturbs).Select(a => a.Name)];

    /// <summary>How each device of the incident stands, at most so many, those that are not normal first.</summary>
    public async Task<IReadOnlyList<DeviceStanding>> StandingsAsync(Incident incident, int most, CancellationToken cancellation)
    {
        var (devices, _) = await store.DevicesAsync(incident.Id, int.MaxValue, cancellation);
        var held = (await reader.OnDevicesAsync(incident.Id, _actions, 10_000, cancellation)).Where(IsInForce).ToLookup(l => l.DeviceId!, StringComparer.Ordinal);
        return [.. devices.Select(d => Standing(d.DeviceId, [.. held[d.DeviceId]])).OrderBy(s => s.IsNormal).Take(most)];
    }

    /// <summary>Closes it, unless responses hold a device of it that nobody decided on.</summary>
    /// <returns>The incident after, or what holds which device; both empty when it is closed already.</returns>
    public async Task<(Incident? After, IReadOnlyList<DeviceStanding> Held)> CloseAsync(Incident incident, string closedAs, IncidentNote note, CancellationToken cancellation)
    {
        if (!incident.Details.Recovery.Any(s => s is { Step: RecoverySteps.Release, IsSkipped: true }))
        {
            var held = (await StandingsAsync(incident, int.MaxValue, cancellation)).Where(s => s.HeldBy.Count > 0).ToList();
            if (held.Count > 0 && incident.State != IncidentStates.Closed)
            {
                return (null, held);
            }
        }

        var after = await store.ChangeAsync(incident.Id, i => IncidentMachine.Close(i, closedAs, note), null, cancellation);
        signal.Wake();
        return (after, []);
    }

    /// <summary>Does the next step of the recovery. The release undoes what is in force on the devices, and ends when all of them are normal; until then it goes on by itself.</summary>
    public async Task<(Incident? After, IncidentRefusal Refusal)> StepAsync(Incident incident, string step, bool isSkipped, IncidentNote note, CancellationToken cancellation)
    {
        var refusal = IncidentRefusal.None;
        var after = await store.ChangeAsync(
            incident.Id,
            i =>
            {
                (var change, refusal) = IncidentMachine.Step(i, step, isSkipped, note);
                return change;
            },
            null,
            cancellation);
        if (after is { ReleaseAskedAt: not null, RecoveredAt: null })
        {
            // It is recorded: whatever happens from here on, the worker carries it on.
            after = await ReleaseAsync(after, isWaitedFor: true, CancellationToken.None);
        }

        return (after, refusal);
    }

    /// <summary>Undoes what is in force on the devices of an incident that a person released, and notes when all of them are normal. May be repeated.</summary>
    public async Task<Incident> ReleaseAsync(Incident incident, bool isWaitedFor, CancellationToken cancellation)
    {
        var step = incident.Details.Recovery.First(s => s.Step == RecoverySteps.Release);
        bool Undoes(Lease lease) => IsOurs(lease) && lease.CreatedAt <= step.At && lease.UndoAskedAt is null;
        var asked = (await reader.OnDevicesAsync(incident.Id, _actions, 10_000, cancellation)).Where(Undoes).Select(l => l.Id).ToList();
        foreach (var portion in asked.Chunk(Portion))
        {
            await leases.ChangeAllAsync(portion, l => Undoes(l) ? LeaseMachine.TakenBack(l, runner.CanUndo(l), step.By, step.Note, step.At) : null, cancellation);
        }

        // Letting a device in again does not wait for the queue, not even for a held one.
        foreach (var id in isWaitedFor ? asked.Take(MostAtOnce) : [])
        {
            if (await leases.FindAsync(id, cancellation) is { State: LeaseStates.Done, UndoAskedAt: not null } lease)
            {
                await runner.TryAsync(lease, cancellation);
            }
        }

        queue.Wake();
        var left = await StandingsAsync(incident, 1, cancellation);
        return left.All(s => s.IsNormal)
            ? await store.ChangeAsync(incident.Id, i => IncidentMachine.Recovered(i, clock.GetUtcNow()), null, cancellation) ?? incident
            : incident;
    }

    // A lock-down is released by those who may, and only there.
    private bool IsOurs(Lease lease) => lease.Condition != EmergencyDesk.Condition && lease.Details.Notice is null
        && (LeaseMachine.MayBeInForce(lease) ? runner.CanUndo(lease) : orders.Disturbs(lease));

    private bool IsInForce(Lease lease) => lease.State switch
    {
        LeaseStates.Done => runner.CanUndo(lease),
        LeaseStates.Due or LeaseStates.Running => orders.Disturbs(lease),
        _ => false,
    };

    private DeviceStanding Standing(string device, IReadOnlyList<Lease> held)
    {
        var found = directory.Device(device);
        var gone = found is null or { State: LifecycleStates.Retired };
        return new DeviceStanding(device, found?.Name, found?.State, gone || (found!.State is LifecycleStates.Active or LifecycleStates.Registered && held.Count == 0), gone ? [] : held);
    }
}
