using Sekisho.Devices.Lifecycle;
using Sekisho.Devices.Registry;
using Sekisho.Domain.Events;

namespace Sekisho.Devices.Binding;

/// <summary>What became of an attempt. Exactly one part is set, except that Retry goes with Refused "rate-limited".</summary>
/// <param name="Token">The token.</param>
/// <param name="Waiting">The binding that waits.</param>
/// <param name="Refused">One of <see cref="RefusalReasons"/>.</param>
/// <param name="Retry">How long to wait.</param>
internal readonly record struct Authentication(IssuedToken? Token = null, PendingBinding? Waiting = null, string? Refused = null, TimeSpan Retry = default);

/// <summary>Authenticates devices by three elements. Any thread; one attempt per device at a time goes past the comparison.</summary>
internal sealed class Authenticator(
    CredentialCheck credentials, AttemptLimits limits, Turns turns, DeviceIndex index, Conflicts conflicts, BindingDesk desk, TokenIssue issue, IRefusals refusals, IEventJournal journal)
{
    /// <exception cref="JournalUnavailableException">No token is given out that the journal does not know of; the old one stays valid.</exception>
    public async Task<Authentication> AuthenticateAsync(Attempt attempt, CancellationToken cancellation)
    {
        var (device, known, identity, _) = credentials.Identify(attempt.Elements);
        if (device is null)
        {
            var wait = limits.Failed(attempt.Source, identity);
            return wait > TimeSpan.Zero
                ? Refuse(attempt, RefusalReasons.RateLimited, known, wait)
                : Refuse(attempt, known is null ? RefusalReasons.Unregistered : RefusalReasons.WrongSecret, known);
        }

        if (limits.Succeeded(device.Holder, attempt.Source) is { Ticks: > 0 } pause)
        {
            return Refuse(attempt, RefusalReasons.RateLimited, device, pause);
        }

        using var turn = await turns.DeviceAsync(device.Id, cancellation);

        // It may have been changed, or deleted, or issued a new secret, while this attempt waited for its turn.
        (device, _, _, var byNewSecret) = credentials.Identify(attempt.Elements);
        if (device is null)
        {
            return Refuse(attempt, RefusalReasons.Unregistered, null);
        }

        if (LifecycleRules.Refusal(device.State) is not null)
        {
            await journal.AppendAsync([attempt.Event(device, AuthenticationOutcomes.Suspended, conflicts.Now)], cancellation);
            DevicesMetrics.Authentication(AuthenticationOutcomes.Suspended);
            return new Authentication(Refused: RefusalReasons.Suspended);
        }

        // Only the incumbent was given the new secret, so whoever shows it is the incumbent, wherever it is now.
        var situation = conflicts.Look(device, attempt);
        situation = situation with { ProvesIncumbent = situation.ProvesIncumbent || byNewSecret };
        switch (ConflictRule.Judge(situation))
        {
            case Ruling.Refuse:
                return Refuse(attempt, RefusalReasons.Pending, device);
            case Ruling.Wait:
                var waiting = await desk.WaitAsync(device, attempt, cancellation);
                Refuse(attempt, RefusalReasons.Pending, device);
                return new Authentication(Waiting: waiting);
            case Ruling.Confirm:
                await desk.ConfirmAsync(device, attempt.Client, attempt.CorrelationId, cancellation);
                Refuse(attempt, RefusalReasons.Pending, device);
                return new Authentication(Waiting: await desk.WaitAsync(index.Find(device.Id)!, attempt, cancellation));
            case Ruling.GrantIncumbent:
                await desk.ConfirmAsync(device, client: null, attempt.CorrelationId, cancellation);
                return await GrantAsync(index.Find(device.Id)!, attempt, situation.ProvesIncumbent, keepWaiting: !byNewSecret, byNewSecret, cancellation);
            default:
                return await GrantAsync(device, attempt, situation.ProvesIncumbent, situation.Stage == ConflictStage.Refused && !byNewSecret, byNewSecret, cancellation);
        }
    }

    private async Task<Authentication> GrantAsync(DeviceEntry device, Attempt attempt, bool holdsToken, bool keepWaiting, bool byNewSecret, CancellationToken cancellation)
    {
        var (token, events) = await issue.IssueAsync(device, attempt, holdsToken, keepWaiting, byNewSecret, cancellation);

        // Not cancelled when the sender goes away: what was committed is also told.
        await journal.AppendAsync(events, CancellationToken.None);
        return new Authentication(Token: token);
    }

    private Authentication Refuse(Attempt attempt, string reason, DeviceEntry? device, TimeSpan retry = default)
    {
        refusals.Count(attempt.Refusal(reason, device));
        DevicesMetrics.Authentication(reason);
        return new Authentication(Refused: reason, Retry: retry);
    }
}
