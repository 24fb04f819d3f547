using System.Globalization;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Actions.RotateCredentials;

/// <summary>
/// Has the device renew its secret. It takes nothing away: old and new secret are both good until the new one is used. The lease is in force while the order stands; it ends
/// when the device has renewed, or as not done at the deadline. Any thread.
/// </summary>
internal sealed class RotateCredentialsAction(ISecretRenewal renewal, IDeviceDirectory directory, RotationSettings settings, TimeProvider clock) : IResponseAction
{
    public const string ActionName = "rotate-credentials";

    public string Name => ActionName;

    public bool CanUndo => true;

    public bool LocksOut => false;

    public bool Disturbs => false;

    public bool Destroys => false;

    public (string? Target, string? Refusal) TargetOf(Finding finding) => finding.DeviceId is { } device ? (device, null) : (null, LeaseCauses.NoDevice);

    public string? Before(Lease lease) => null;

    public Task<IReadOnlyList<PreviewLine>> PreviewAsync(ActionOrder order, CancellationToken cancellation)
    {
        var device = directory.Device(order.Lease.DeviceId!);
        return Task.FromResult<IReadOnlyList<PreviewLine>>(
            device is null ? [new("response.preview.device-gone")]
            : device.Assurance != "device" ? [new("response.cause.secret-shared")]
            : [new("response.preview.rotate-credentials", ("device", device.Name), ("hours", Math.Ceiling(settings.Within.TotalHours).ToString(CultureInfo.InvariantCulture)))]);
    }

    public async Task<ActionOutcome> RunAsync(ActionOrder order, CancellationToken cancellation)
    {
        var before = clock.GetUtcNow() + settings.Within;
        return await renewal.OrderAsync(order.Lease.DeviceId!, order.Lease.Id, before, order.Lease.CorrelationId, cancellation) switch
        {
            SecretRenewalOutcome.Ordered => new ActionOutcome.Done(Cause: LeaseCauses.SecretOrdered) { Until = before },
            SecretRenewalOutcome.Shared => new ActionOutcome.Refused(LeaseCauses.SecretShared),
            _ => new ActionOutcome.Refused(LeaseCauses.DeviceGone),
        };
    }

    public async Task<string?> UndoAsync(ActionOrder order, CancellationToken cancellation)
    {
        var lease = order.Lease;
        return await renewal.WithdrawAsync(lease.DeviceId!, lease.Id, lease.CorrelationId, cancellation) ? LeaseCauses.SecretRenewed
            : lease.Details.Cause == LeaseCauses.RanOut ? LeaseCauses.SecretNotRenewed
            : null;
    }
}
