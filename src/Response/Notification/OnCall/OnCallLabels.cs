using System.Data.Common;
using Sekisho.Domain.Detection;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Notification.OnCall;

/// <summary>Whoever acknowledges or closes a finding, by whatever way, ends its call, in the same transaction. Any thread.</summary>
internal sealed class OnCallLabels(LeaseStore leases) : IFindingLabelPart
{
    /// <summary>Name of the action that calls people.</summary>
    public const string Action = "mail-on-call";

    public void Labelled(FindingLabel label, DbTransaction transaction)
    {
        if (label.Label == FindingLabel.Reopened)
        {
            return;
        }

        foreach (var finding in label.FindingIds)
        {
            leases.ChangeOf(finding, l => l is { Action: Action, Details.TellsRetraction: false } ? LeaseMachine.Acknowledged(l, label.Actor, label.At) : null, transaction);
        }
    }
}
