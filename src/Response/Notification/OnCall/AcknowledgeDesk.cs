using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;
using Sekisho.Domain.Operations;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Notification.OnCall;

/// <summary>What a link shows.</summary>
internal enum AcknowledgeState
{
    /// <summary>Nobody has it in hand: there is a button.</summary>
    Open,

    /// <summary>Somebody has.</summary>
    Acknowledged,

    /// <summary>The detection was taken back.</summary>
    Retracted,

    /// <summary>The call is over in another way.</summary>
    Over,
}

/// <summary>What a link would acknowledge.</summary>
/// <param name="State">How it stands.</param>
/// <param name="Lease">The lease.</param>
/// <param name="Finding">The detection.</param>
/// <param name="Members">Leases that the same call is for, this one counted.</param>
/// <param name="Field">The field; null for the gateway itself.</param>
internal sealed record AcknowledgeSubject(AcknowledgeState State, Lease Lease, Finding Finding, IReadOnlyList<Lease> Members, FieldProfile? Field);

/// <summary>Follows links of on-call mails. Any thread.</summary>
internal sealed class AcknowledgeDesk(
    AcknowledgeLinks links, LeaseStore leases, GroupStore groups, NotificationStore notifications, IFindings findings, IFindingLabels labels, IDeviceDirectory directory, IOperatorAudit audit,
    Texts texts, TimeProvider clock)
{
    private const int AtOnce = 200;

    /// <summary>What the ticket would acknowledge; null when it is good for nothing (any more), for whatever reason.</summary>
    public async Task<AcknowledgeSubject?> FindAsync(AcknowledgeTicket? ticket, CancellationToken cancellation)
    {
        if (ticket is null || links.IsOver(ticket) || await leases.FindAsync(ticket.Lease, cancellation) is not { FindingId: { } findingId } lease
            || await findings.FindAsync(findingId, cancellation) is not { } finding)
        {
            return null;
        }

        // Whoever was taken off the order acknowledges nothing any more.
        var order = (await notifications.FindAsync(lease.FieldId, cancellation))?.Times?.OnCall;
        if (order?.Persons.Contains(ticket.Person, StringComparer.OrdinalIgnoreCase) != true)
        {
            return null;
        }

        var members = lease.GroupKey is { } group ? await groups.GroupAsync(group, cancellation) : [lease];
        var state = lease.Details.Retracted is not null ? AcknowledgeState.Retracted
            : lease.Details.Acknowledged is not null || await findings.IsHandledAsync(findingId, cancellation) ? AcknowledgeState.Acknowledged
            : lease.State is LeaseStates.Due or LeaseStates.Running || lease.Details.Cause == LeaseCauses.NobodyAcknowledged ? AcknowledgeState.Open
            : AcknowledgeState.Over;
        return new AcknowledgeSubject(state, lease, finding, members, lease.FieldId is { } id ? directory.Field(id) : null);
    }

    /// <summary>Acknowledges what is open; a repeat changes nothing.</summary>
    public async Task AcknowledgeAsync(AcknowledgeSubject subject, string person, string correlationId)
    {
        await audit.RecordAsync(new OperatorAction(person, "detection.acknowledge-by-link", subject.Lease.FieldId, "leaseId=" + subject.Lease.Id, "asked", correlationId), CancellationToken.None);
        var note = texts.Get("notification.link.note", subject.Field?.Language == "en" ? "en" : "ja", ("response", subject.Lease.Id));

        // What has joined the call since the last mail was told to nobody yet.
        foreach (var some in subject.Members.Where(m => m.Details.Progress is not null).Append(subject.Lease).Select(m => m.FindingId).OfType<string>().Distinct(StringComparer.Ordinal).Chunk(AtOnce))
        {
            await labels.LabelAsync(some, null, note, person, clock.GetUtcNow(), correlationId, CancellationToken.None);
        }
    }
}
