using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Actions;
using Sekisho.Response.Leases;
using Sekisho.Response.Policies;

namespace Sekisho.Response.Orders;

/// <summary>Makes leases of what policies decide, and says how far a field may be disturbed. Any thread.</summary>
internal sealed class LeaseOrders(IEnumerable<IResponseAction> actions, IDeviceDirectory directory, LeaseSettings settings, GuardSettings guard, TimeProvider clock)
{
    private readonly Dictionary<string, IResponseAction> _actions = actions.ToDictionary(a => a.Name, StringComparer.Ordinal);

    /// <summary>Names of the actions that take something away from a device.</summary>
    public IReadOnlyCollection<string> Disturbing { get; } = [.. actions.Where(a => a.Disturbs).Select(a => a.Name)];

    /// <summary>All actions by name.</summary>
    public IReadOnlyDictionary<string, IResponseAction> Actions => _actions;

    /// <summary>From when on disturbed devices count.</summary>
    public DateTimeOffset Since => clock.GetUtcNow() - guard.Window;

    /// <summary>How many devices of the field responses may disturb by themselves in the window.</summary>
    public int Allowed(string? fieldId) => guard.Allowed(fieldId is null ? 0 : directory.DevicesOf(fieldId).Count);

    /// <summary>Every device (or other target) that a response takes something away from.</summary>
    public IReadOnlyCollection<string> Reach(Lease lease) => Reach(lease.Action, lease.DeviceId, lease.Target);

    /// <summary>The same for what is disturbed already.</summary>
    public IEnumerable<string> Reached(IEnumerable<Disturbance> disturbed) => disturbed.SelectMany(d => Reach(d.Action, d.DeviceId, d.Target));

    public bool Disturbs(Lease lease) => _actions.TryGetValue(lease.Action, out var action) && action.Disturbs;

    /// <summary>The lease for an action that is due for a finding, before the guard has looked at it.</summary>
    public Lease Of(Finding finding, DueAction due)
    {
        var (target, refusal) = !_actions.TryGetValue(due.Action, out var action) ? (null, LeaseCauses.UnknownAction)
            : due.Script is { } script ? (script, null)
            : action.TargetOf(finding);
        var now = clock.GetUtcNow();

        // What may destroy something never runs by itself, whatever a rule says; what a script orders takes two persons whatever it says.
        var approval = action is { Destroys: true } && (due.Approval == Approvals.Automatic || due.Owner != DueAction.Policy) ? Approvals.TwoPersons : due.Approval;

        // Whoever guesses at a device's credentials must not get it locked out by that.
        var isOthersDoing = approval == Approvals.Automatic && action is { Disturbs: true } && finding.CountsWrongCredentials;
        approval = isOthersDoing ? Approvals.OnePerson : approval;
        var lease = new Lease
        {
            Id = Lease.IdOf(finding.Id, due.Action, target ?? ""),
            FindingId = finding.Id,
            FieldId = finding.FieldId,
            DeviceId = finding.DeviceId,
            Action = due.Action,
            Target = target ?? "",
            State = refusal is not null ? LeaseStates.Refused : due.After > TimeSpan.Zero ? LeaseStates.Planned : LeaseStates.Due,
            Risk = finding.Risk,
            Level = finding.Level,
            Condition = finding.Condition,
            Approval = approval,
            CreatedAt = now,
            EndedAt = refusal is null ? null : now,
            NextTryAt = refusal is null ? now + due.After : null,
            CorrelationId = finding.CorrelationId,
            Details = new LeaseDetails { Owner = due.Owner, Actor = "gateway", Reason = due.Reason, Cause = refusal ?? (isOthersDoing ? LeaseCauses.OthersDoing : null) },
        };
        return lease.State == LeaseStates.Due && Approvals.Needed(approval) > 0 ? LeaseMachine.Waiting(lease, now, settings) : lease;
    }

    /// <summary>The lease as it waits because too much of the field is disturbed already.</summary>
    public Lease Held(Lease lease) => LeaseMachine.Waiting(lease, clock.GetUtcNow(), settings) with
    {
        Approval = Approvals.Stricter(lease.Approval, Approvals.OnePerson),
        Details = lease.Details with { Cause = LeaseCauses.BlastRadius },
    };

    private IReadOnlyCollection<string> Reach(string name, string? deviceId, string target) => _actions.TryGetValue(name, out var action) ? action.Reaches(deviceId, target) : [deviceId ?? target];
}
