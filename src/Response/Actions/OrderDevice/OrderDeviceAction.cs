using System.Globalization;
using System.Text.Json;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Actions.OrderDevice;

/// <summary>What a device is ordered to do.</summary>
/// <param name="Action">Name of the action.</param>
/// <param name="Command">Name of the command.</param>
/// <param name="Undo">Name of the command that undoes it; null when nothing does.</param>
/// <param name="Destroys">What it takes away may be gone for good.</param>
/// <param name="EndsItself">The device itself ends it after the seconds that the command names, because nothing may reach it until then.</param>
internal sealed record DeviceOrder(string Action, string Command, string? Undo = null, bool Destroys = false, bool EndsItself = false)
{
    /// <summary>Back to how it left the factory, or a restart: what the device understands by it.</summary>
    public static readonly DeviceOrder Reset = new("order-reset", "reset", Destroys: true);

    /// <summary>Erases what it keeps, and proves it.</summary>
    public static readonly DeviceOrder Wipe = new("order-wipe", "wipe", Destroys: true);

    /// <summary>Stops its wireless communication for a while.</summary>
    public static readonly DeviceOrder RadioOff = new("order-radio-off", "radio-off", "radio-on", EndsItself: true);

    /// <summary>Stops what it does to the world: motors, doses, heat.</summary>
    public static readonly DeviceOrder Stop = new("order-stop", "stop", "resume");

    /// <summary>Installs software or settings.</summary>
    public static readonly DeviceOrder Update = new("order-update", "update");

    public static readonly IReadOnlyList<DeviceOrder> All = [Reset, Wipe, RadioOff, Stop, Update];
}

/// <summary>
/// Orders the device of the finding to do something, and is done when the device says so. Until then it waits, which is no failed try; what the device does not answer within its
/// time is not done. The order has the lease's name, so a try that comes twice is one command. Any thread.
/// </summary>
internal sealed class OrderDeviceAction(DeviceOrder kind, IDeviceCommands commands, IDeviceDirectory directory, OrderSettings settings, LeaseSettings leases, TimeProvider clock) : IResponseAction
{
    // Answers wake the lease; this is for those that were lost with a gateway that was killed.
    private static readonly TimeSpan LookAgain = TimeSpan.FromMinutes(1);

    public string Name => kind.Action;

    public bool CanUndo => kind.Undo is not null;

    // A device that was ordered to stop still talks, and one without radio comes back by itself.
    public bool LocksOut => false;

    public bool Disturbs => true;

    public bool Destroys => kind.Destroys;

    public bool Tells => false;

    public (string? Target, string? Refusal) TargetOf(Finding finding) => finding.DeviceId is { } device ? (device, null) : (null, LeaseCauses.NoDevice);

    public string? Before(Lease lease) => null;

    public async Task<IReadOnlyList<PreviewLine>> PreviewAsync(ActionOrder order, CancellationToken cancellation)
    {
        if (directory.Device(order.Lease.DeviceId!) is not { } device)
        {
            return [new("response.preview.device-gone")];
        }

        var (_, last) = await commands.OutlookAsync(device.DeviceId, cancellation);
        return
        [
            new("response.preview." + kind.Action, ("device", device.Name), ("artefact", settings.UpdateArtefact), ("version", settings.UpdateVersion), ("lasts", Lasts())),
            last is { } at
                ? new("response.preview.device-fetches", ("time", at.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)))
                : new("response.preview.device-never-fetched"),
        ];
    }

    public async Task<ActionOutcome> RunAsync(ActionOrder order, CancellationToken cancellation)
    {
        var lease = order.Lease;
        var ordered = (await commands.OfHolderAsync(lease.Id, cancellation)).Where(c => c.Name == kind.Command).ToList();
        var calledOff = lease.UndoAskedAt is not null ? LeaseCauses.TakenBack : lease.Details.Retracted is not null ? LeaseCauses.FindingRetracted : null;
        if (ordered.LastOrDefault(c => c.Ordinal == lease.Details.Retries) is not { } command)
        {
            return calledOff is not null ? new ActionOutcome.Refused(calledOff)

                // It was ordered, and nobody looked until its row was forgotten: not a second time.
                : LeaseMachine.IsWaiting(lease) ? new ActionOutcome.Refused(LeaseCauses.DeviceSilent)
                : directory.Device(lease.DeviceId!) is not { State: not LifecycleStates.Retired } device ? new ActionOutcome.Refused(LeaseCauses.DeviceGone)
                : Waits(await commands.OrderAsync(Order(lease, device, kind.Command, lease.Details.Retries, Arguments()), cancellation));
        }

        if (calledOff is not null && command.State == CommandStates.Queued
            && await commands.WithdrawAsync(command.Id, "response:" + lease.Id, lease.Details.Reason ?? calledOff, lease.CorrelationId, cancellation) == CommandDecision.Done)
        {
            return new ActionOutcome.Refused(calledOff);
        }

        return command.State switch
        {
            CommandStates.Done => new ActionOutcome.Done { Answer = command.Answer },
            CommandStates.Failed => new ActionOutcome.Refused(LeaseCauses.DeviceFailed) { Answer = command.Answer },
            CommandStates.Refused => new ActionOutcome.Refused(LeaseCauses.DeviceRefused) { Answer = command.Answer },
            CommandStates.Withdrawn => new ActionOutcome.Refused(calledOff ?? LeaseCauses.TakenBack),
            CommandStates.Queued or CommandStates.Expired when command is { IsDamaged: true, FetchedAt: null } => new ActionOutcome.Refused(LeaseCauses.OrderDamaged),

            // It has the order, and may have done it: what has an undo counts as in force, so that it ends.
            CommandStates.Expired when CanUndo && command.FetchedAt is not null => new ActionOutcome.Done(Cause: LeaseCauses.DeviceSilent),
            CommandStates.Expired or CommandStates.Lapsed => new ActionOutcome.Refused(LeaseCauses.DeviceSilent),
            _ => Waits(command),
        };
    }

    public Task<string?> UndoAsync(ActionOrder order, CancellationToken cancellation) => throw new NotSupportedException("The undo of an order waits for the device.");

    public async Task<UndoOutcome> BeginUndoAsync(ActionOrder order, CancellationToken cancellation)
    {
        var lease = order.Lease;
        var now = clock.GetUtcNow();
        if (kind.EndsItself && lease.ExpiresAt <= now)
        {
            return new UndoOutcome(null, null);
        }

        if (directory.Device(lease.DeviceId!) is not { State: not LifecycleStates.Retired } device)
        {
            return new UndoOutcome(LeaseCauses.DeviceGone, null);
        }

        var ordered = (await commands.OfHolderAsync(lease.Id, cancellation)).Where(c => c.Name == kind.Undo).ToList();
        var last = ordered.LastOrDefault();
        if (last is { State: CommandStates.Done })
        {
            return new UndoOutcome(null, null);
        }

        if (last is { EndedAt: { } ended } && now - ended < settings.AgainAfter)
        {
            return new UndoOutcome(null, Earlier(ended + settings.AgainAfter, lease));
        }

        if (last is null or { EndedAt: not null })
        {
            await commands.OrderAsync(Order(lease, device, kind.Undo!, last is null ? 0 : last.Ordinal + 1, "{}"), cancellation);
        }

        return new UndoOutcome(null, Earlier(now + LookAgain, lease));
    }

    private DateTimeOffset Earlier(DateTimeOffset time, Lease lease) => kind.EndsItself && lease.ExpiresAt < time ? lease.ExpiresAt.Value : time;

    private ActionOutcome.Wait Waits(DeviceCommand command)
    {
        var now = clock.GetUtcNow();
        return new ActionOutcome.Wait(LeaseCauses.WaitsForDevice, command.ValidUntil > now && command.ValidUntil < now + LookAgain ? command.ValidUntil : now + LookAgain);
    }

    private CommandOrder Order(Lease lease, DeviceProfile device, string command, int number, string arguments) =>
        new(device.FieldId, device.DeviceId, lease.Id, command, number, arguments, clock.GetUtcNow() + settings.ValidFor, lease.CorrelationId);

    // A device without radio hears nothing more, so it is told beforehand when to come back.
    private string Arguments() => kind.EndsItself ? JsonSerializer.Serialize(new { seconds = (long)leases.RestrictionLasts.TotalSeconds })
        : kind == DeviceOrder.Update ? JsonSerializer.Serialize(new { artefact = settings.UpdateArtefact, version = settings.UpdateVersion })
        : "{}";

    private string Lasts() => leases.RestrictionLasts.ToString("c", CultureInfo.InvariantCulture);
}
