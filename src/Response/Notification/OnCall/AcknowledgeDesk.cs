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
/// <param name="Lease">The lease that is shown: the ticket's own, or another one of its call that is open.</param>
/// <param name="Finding">The detection.</param>
/// <param name="Open">Leases that would be acknowledged, this one counted; empty when there is nothing to do.</param>
/// <param name="Field">The field; null for the gateway itself.</param>
internal sealed record AcknowledgeSubject(AcknowledgeState State, Lease Lease, Finding Finding, IReadOnlyList<Lease> Open, FieldProfile? Field)
{
    /// <summary>Stands for the detections that are shown: nobody acknowledges what came on top meanwhile.</summary>
    public string Shown => Leases.Lease.IdOf(string.Join(' ', Open.Select(l => l.Id)), "", "");
}

/// <summary>Follows links of on-call mails. Any thread.</summary>
internal sealed class AcknowledgeDesk(
    AcknowledgeLinks links, LeaseStore leases, GroupStore groups, NotificationStore notifications, IFindings findings, IFindingLabels labels, IDeviceDirectory directory, IOperatorAudit audit,
    Texts texts, TimeProvider clock)
{
    private const int AtOnce = 200;

    /// <summary>What the ticket would acknowledge; null when it is good for nothing (any more), for whatever reason.</summary>
    public async Task<AcknowledgeSubject?> FindAsync(AcknowledgeTicket? ticket, CancellationToken cancellation)
    {
        if (ticket is null || links.IsOver(ticket) || await leases.FindAsync(ticket.Lease, cancellation) is not { FindingId: not null } lease)
        {
            return null;
        }

        // Whoever was taken off the order acknowledges nothing any more.
        var order = (await notifications.FindAsync(lease.FieldId, cancellation))?.Times?.OnCall;
        if (order?.Persons.Contains(ticket.Person, StringComparer.OrdinalIgnoreCase) != true)
        {
            return null;
        }

        // The call may go on when its first detection is settled, and with more than this person was told of.
        IReadOnlyList<Lease> call = (ticket.Call ?? lease.GroupKey) is { } key ? await groups.CallAsync(key, cancellation) : [];
        var state = await StateAsync(lease, cancellation);
        List<Lease> open = state == AcknowledgeState.Open ? [lease] : [];
        foreach (var other in call.Where(l => l.Id != lease.Id && Call.Of([l]).Reached.Contains(ticket.Person, StringComparer.OrdinalIgnoreCase)))
        {
            if (await StateAsync(other, cancellation) == AcknowledgeState.Open)
            {
                open.Add(other);
            }
        }

        var shown = open.FirstOrDefault() ?? lease;
        return await findings.FindAsync(shown.FindingId!, cancellation) is not { } finding
            ? null
            : new AcknowledgeSubject(open.Count > 0 ? AcknowledgeState.Open : state, shown, finding, open, lease.FieldId is { } id ? directory.Field(id) : null);
    }

    /// <summary>Acknowledges what is open; a repeat changes nothing.</summary>
    public async Task AcknowledgeAsync(AcknowledgeSubject subject, string person, string correlationId)
    {
        await audit.RecordAsync(new OperatorAction(person, "detection.acknowledge-by-link", subject.Lease.FieldId, "leaseId=" + subject.Lease.Id, "asked", correlationId), CancellationToken.None);
        var note = texts.Get("notification.link.note", subject.Field?.Language == "en" ? "en" : "ja", ("response", subject.Lease.Id));

        foreach (var some in subject.Open.Select(m => m.FindingId!).Chunk(AtOnce))
        {
            await labels.LabelAsync(some, null, note, person, clock.GetUtcNow(), correlationId, CancellationToken.None);
        }
    }

    private async Task<AcknowledgeState> StateAsync(Lease lease, CancellationToken cancellation) =>
        lease.Details.Retracted is not null ? AcknowledgeState.Retracted
        : lease.Details.Acknowledged is not null || await findings.IsHandledAsync(lease.FindingId!, cancellation) ? AcknowledgeState.Acknowledged
        : lease.State is LeaseStates.Due or LeaseStates.Running || lease.Details.Cause is LeaseCauses.NobodyAcknowledged or LeaseCauses.InSummary ? AcknowledgeState.Open
        : AcknowledgeState.Over;
}
