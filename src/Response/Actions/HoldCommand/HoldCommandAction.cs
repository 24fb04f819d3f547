using System.Globalization;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Actions.HoldCommand;

/// <summary>
/// Shows a command that its field's list holds, and lets people decide on it: the undo lets it go to its device, a refusal withdraws it, and with its validity it lapses. The
/// command was held before anybody found anything, so that nothing goes through while this waits in the queue; the lease takes nothing away that the list has not. Any thread.
/// </summary>
internal sealed class HoldCommandAction(IDeviceCommands commands) : IResponseAction
{
    public const string ActionName = "hold-command";

    public string Name => ActionName;

    public bool CanUndo => true;

    public bool LocksOut => false;

    // The list holds the command, not this; the guard has nothing to count.
    public bool Disturbs => false;

    public bool Destroys => false;

    public bool UndoTakesPerson => true;

    public bool CanRefuse => true;

    public (string? Target, string? Refusal) TargetOf(Finding finding) =>
        finding.DeviceId is null ? (null, LeaseCauses.NoDevice)
        : finding.Evidence.Facts.GetValueOrDefault(FindingTexts.CommandFact) is { } command ? (command, null)
        : (null, LeaseCauses.NoCommand);

    public string? Before(Lease lease) => null;

    public async Task<IReadOnlyList<PreviewLine>> PreviewAsync(ActionOrder order, CancellationToken cancellation) =>
        await commands.FindAsync(order.Lease.Target, cancellation) is not { } command ? [new("response.cause.command-gone")]
        : command.State != CommandStates.Held ? [new("response.cause.command-settled")]
        : [new("response.preview.holds-command", ("command", command.Name), ("sender", command.Sender), ("until", command.ValidUntil.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)))];

    public async Task<ActionOutcome> RunAsync(ActionOrder order, CancellationToken cancellation) =>
        await commands.FindAsync(order.Lease.Target, cancellation) is not { } command ? new ActionOutcome.Refused(LeaseCauses.CommandGone)
        : command.State != CommandStates.Held ? new ActionOutcome.Refused(LeaseCauses.CommandSettled)
        : new ActionOutcome.Done { Until = command.ValidUntil };

    public async Task<string?> UndoAsync(ActionOrder order, CancellationToken cancellation)
    {
        var lease = order.Lease;
        if (lease.Details.Cause == LeaseCauses.RanOut)
        {
            // With its validity the command has lapsed.
            return null;
        }

        if (lease.Details.Cause == LeaseCauses.FindingRetracted)
        {
            return LeaseCauses.CommandStaysHeld;
        }

        var (by, reason) = (lease.Details.Actor, lease.Details.Reason ?? "");
        return (lease.Details.Declines
            ? await commands.WithdrawAsync(lease.Target, by, reason, lease.CorrelationId, cancellation)
            : await commands.ReleaseAsync(lease.Target, by, reason, lease.CorrelationId, cancellation)) switch
        {
            CommandDecision.Done => null,
            CommandDecision.Gone => LeaseCauses.CommandGone,
            CommandDecision.SamePerson => LeaseCauses.CommandStaysHeld,
            _ => LeaseCauses.CommandSettled,
        };
    }

    public async Task<bool> MayUndoAsync(Lease lease, string by, CancellationToken cancellation) =>
        await commands.FindAsync(lease.Target, cancellation) is not { } command || !string.Equals(command.Sender, "account:" + by, StringComparison.OrdinalIgnoreCase);
}
