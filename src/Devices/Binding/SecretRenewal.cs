using Microsoft.AspNetCore.Http;
using Sekisho.Api.Problems;
using Sekisho.Devices.Credentials;
using Sekisho.Devices.Registry;
using Sekisho.Devices.Tokens;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;

namespace Sekisho.Devices.Binding;

/// <summary>A new secret, shown once.</summary>
/// <param name="DeviceId">The device.</param>
/// <param name="CommonAuthId">Its common authentication ID, as before.</param>
/// <param name="AuthSecret">The new secret. The old one is good until this one is used.</param>
internal sealed record RenewedSecret(string DeviceId, string CommonAuthId, string AuthSecret)
{
    /// <summary>Says nothing of the secret.</summary>
    public override string ToString() => nameof(RenewedSecret);
}

/// <summary>
/// Renews secrets on order. The device fetches the new one with its token; from then on both secrets are good, and the first use of the new one ends the old one with all
/// its tokens. Asked again before that use (the answer was lost) the device gets another one, and the one before ends unused. Any thread; takes the device's turn.
/// </summary>
internal sealed class SecretRenewal(DeviceIndex index, DeviceCommits commits, CredentialHashes hashes, PendingBindings pending, AttemptLimits limits, Turns turns) : ISecretRenewal
{
    /// <summary>Nobody wants the device to renew its secret.</summary>
    public static readonly ProblemType NotOrdered = new("secret-renewal-not-ordered", StatusCodes.Status409Conflict);

    public async Task<SecretRenewalOutcome> OrderAsync(string deviceId, string holder, DateTimeOffset before, string correlationId, CancellationToken cancellation)
    {
        using var turn = await turns.DeviceAsync(deviceId, cancellation);
        if (index.Find(deviceId) is not { State: not LifecycleStates.Retired } device)
        {
            return SecretRenewalOutcome.NoDevice;
        }

        if (device.LineId is not null)
        {
            return SecretRenewalOutcome.Shared;
        }

        await commits.CommitAsync(
            device with { RenewBefore = device.RenewBefore < before ? device.RenewBefore : before },
            [Caller(holder, correlationId).Record(HistoryKinds.Authentication, "secret-renewal-ordered", commits.Now, device.Profile.FieldId, deviceId, new { before })],
            t => SecretOrders.SaveAsync(deviceId, holder, before, t),
            cancellation);
        return SecretRenewalOutcome.Ordered;
    }

    public async Task<bool> WithdrawAsync(string deviceId, string holder, string correlationId, CancellationToken cancellation)
    {
        using var turn = await turns.DeviceAsync(deviceId, cancellation);
        if (index.Find(deviceId) is not { } device)
        {
            return false;
        }

        var (renewed, before) = await commits.Database.WriteAsync(
            async t => (await SecretOrders.RemoveAsync(deviceId, holder, t), await SecretOrders.BeforeAsync(deviceId, t)), cancellation);
        index.Put(device with { RenewBefore = before });
        return renewed;
    }

    /// <summary>Makes a new secret for the holder of a token.</summary>
    public async Task<(RenewedSecret? Secret, ProblemType? Problem, TimeSpan Retry)> IssueAsync(string deviceId, string source, string correlationId, CancellationToken cancellation)
    {
        using var turn = await turns.DeviceAsync(deviceId, cancellation);
        if (index.Find(deviceId) is not { CommonAuthId: { } commonAuthId, RenewBefore: not null } device)
        {
            return (null, NotOrdered, default);
        }

        // Whoever waits for a decision on this identity is not the one to be given its future.
        if (pending.Of(deviceId) is { Open: true } waiting && Sources.Same(waiting.Source, source))
        {
            return (null, DeviceProblems.For(RefusalReasons.Pending), default);
        }

        if (limits.Succeeded(device.Holder, source) is { Ticks: > 0 } wait)
        {
            return (null, CommonProblems.TooMany, wait);
        }

        var secret = NewCredential.Secret();
        await commits.CommitAsync(
            device with { NewSecretHash = hashes.Secret(secret) },
            new Caller(deviceId, correlationId).Record(HistoryKinds.Authentication, "secret-handed-out", commits.Now, device.Profile.FieldId, deviceId, new { source, again = device.NewSecretHash is not null }),
            cancellation);
        return (new RenewedSecret(deviceId, commonAuthId, secret), null, default);
    }

    private static Caller Caller(string holder, string correlationId) => new("response:" + holder, correlationId);
}
