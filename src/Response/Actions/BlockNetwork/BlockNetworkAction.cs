using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Actions.BlockNetwork;

/// <summary>What the action does to the device.</summary>
/// <param name="Name">Name of the action.</param>
/// <param name="Quarantines">The device reaches what the settings name; else nothing of it passes.</param>
internal sealed record NetworkRestriction(string Name, bool Quarantines)
{
    public static readonly NetworkRestriction Block = new("block-network", Quarantines: false);

    public static readonly NetworkRestriction Quarantine = new("quarantine-network", Quarantines: true);
}

/// <summary>
/// Restricts the device of the finding on the network, through enforcers in its path. It is done only once an enforcer has confirmed it, and it ends by
/// the enforcer's own clock, also when the gateway is gone by then. Any thread.
/// </summary>
internal sealed class BlockNetworkAction(NetworkRestriction restriction, INetworkEnforcement network, IDeviceDirectory directory, NetworkSettings settings, LeaseSettings leases, TimeProvider clock) : IResponseAction
{
    public string Name => restriction.Name;

    public bool CanUndo => true;

    // Its end is the enforcer's clock, so it can shut nobody out for good.
    public bool LocksOut => false;

    public bool Disturbs => true;

    public bool Destroys => false;

    public (string? Target, string? Refusal) TargetOf(Finding finding) =>
        finding.DeviceId is not { } device ? (null, LeaseCauses.NoDevice)
        : restriction.Quarantines && settings.Reachable.Length == 0 ? (null, LeaseCauses.NothingReachable)
        : (device, null);

    public string? Before(Lease lease) => null;

    public async Task<IReadOnlyList<PreviewLine>> PreviewAsync(ActionOrder order, CancellationToken cancellation)
    {
        var device = order.Lease.DeviceId!;
        if (directory.Device(device) is not { } found)
        {
            return [new("response.preview.device-gone")];
        }

        if (await network.FindAsync(device, cancellation) is not { } identity)
        {
            return [new("response.cause.no-network-link")];
        }

        var lines = new List<PreviewLine>
        {
            new("response.preview.network-identity", ("device", found.Name), ("known", string.Join(", ", [.. identity.Addresses, .. identity.Macs]))),
            restriction.Quarantines
                ? new("response.preview.network-quarantine", ("reachable", string.Join(", ", settings.Services().Select(Text))))
                : new("response.preview.network-block"),
        };
        if (await network.OnlineAsync(found.FieldId, cancellation) == 0)
        {
            lines.Add(new("response.preview.network-nobody"));
        }

        return lines;
    }

    public async Task<ActionOutcome> RunAsync(ActionOrder order, CancellationToken cancellation)
    {
        var lease = order.Lease;
        if (directory.Device(lease.DeviceId!) is not { } device)
        {
            return new ActionOutcome.Refused(LeaseCauses.DeviceGone);
        }

        if (await network.FindAsync(device.DeviceId, cancellation) is not { } identity)
        {
            return new ActionOutcome.Refused(LeaseCauses.NoNetworkLink);
        }

        var lasts = leases.RestrictionLasts < settings.Longest ? leases.RestrictionLasts : settings.Longest;
        var measure = new NetworkMeasure
        {
            Id = lease.Id,
            FieldId = device.FieldId,
            DeviceId = device.DeviceId,
            Identity = identity,
            Reachable = restriction.Quarantines ? settings.Services() : null,
            ExpiresAt = clock.GetUtcNow() + lasts,
        };
        var outcome = await network.RestrictAsync(measure, settings.Confirmation, lease.CorrelationId, cancellation);
        return outcome.Kind switch
        {
            NetworkOutcomeKind.InForce => new ActionOutcome.Done { Until = measure.ExpiresAt },
            NetworkOutcomeKind.Refused when outcome.Cause == "protected" => new ActionOutcome.Refused(LeaseCauses.NetworkProtected),
            NetworkOutcomeKind.Refused => new ActionOutcome.Retry($"The enforcers do not follow the order ({outcome.Cause})."),
            NetworkOutcomeKind.NobodyOnline => new ActionOutcome.Retry("No enforcer is online."),
            _ => new ActionOutcome.Retry("No enforcer has confirmed it in time."),
        };
    }

    public async Task<string?> UndoAsync(ActionOrder order, CancellationToken cancellation) =>
        await network.LiftAsync(order.Lease.Id, settings.Confirmation, order.Lease.CorrelationId, cancellation)
            ? null
            : throw new TimeoutException("An enforcer has not confirmed the end yet.");

    private static string Text(ReachableService service) => service.Address.Contains(':', StringComparison.Ordinal)
        ? FormattableString.Invariant($"[{service.Address}]:{service.Port}/{service.Protocol}")
        : FormattableString.Invariant($"{service.Address}:{service.Port}/{service.Protocol}");
}
