using System.Text.Json.Serialization;
using Sekisho.Devices.Credentials;
using Sekisho.Devices.Registry;
using Sekisho.Devices.Tokens;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;

namespace Sekisho.Devices.Binding;

/// <summary>A token as the device gets it.</summary>
/// <param name="DeviceId">The device.</param>
/// <param name="Token">The token.</param>
/// <param name="ExpiresAt">When it runs out.</param>
/// <param name="RenewSecretBefore">By when the device is to fetch a new secret; absent when nobody wants it.</param>
internal sealed record IssuedToken(
    string DeviceId, string Token, DateTimeOffset ExpiresAt, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] DateTimeOffset? RenewSecretBefore = null);

/// <summary>Issues tokens. Call it in the device's turn.</summary>
internal sealed class TokenIssue(DeviceCommits commits, CredentialHashes hashes, TokenStore store, TokenTable table, PendingBindings pending, BindingSettings settings)
{
    /// <summary>More than this share of its life left: the device lost its token, so its counters may restart.</summary>
    private const double LostShare = 0.1;

    /// <summary>Issues a token and commits it; the events are for the journal, to be stored before the answer.</summary>
    /// <param name="before">The device.</param>
    /// <param name="attempt">Who asks.</param>
    /// <param name="holdsToken">The sender showed a token of this device, so it lost none.</param>
    /// <param name="keepWaiting">A newer sender goes on waiting.</param>
    /// <param name="byNewSecret">It used a new secret for the first time: the old one ends, with its tokens and whoever waits by it.</param>
    /// <param name="cancellation">Cancels before the change; never half of it.</param>
    public async Task<(IssuedToken Token, IReadOnlyList<GatewayEvent> Events)> IssueAsync(DeviceEntry before, Attempt attempt, bool holdsToken, bool keepWaiting, bool byNewSecret, CancellationToken cancellation)
    {
        var now = commits.Now;
        var caller = new Caller(before.Id, attempt.CorrelationId);
        var holder = before.Holder;
        var present = holder.Tokens?.Present;
        var secret = NewCredential.Secret();
        hashes.TryToken(secret, out var hash);
        var token = new TokenEntry(holder, hash, EpochAfter(before, present, holdsToken, now), now, now + settings.TokenLife, (present?.Place ?? 0) + 1);

        // The token in use stays valid until the new one is used: the answer may get lost. One that was never used gives way at once.
        var pair = new TokenPair(token, present is null || byNewSecret ? null : present.Used ? present : holder.Tokens!.Previous ?? present);
        var first = before.State == LifecycleStates.Registered || (before.State == LifecycleStates.Pending && !keepWaiting);
        var reason = before.State == LifecycleStates.Pending ? "conflict over" : "first token";
        var after = (first ? commits.Moved(before, LifecycleStates.Active, reason, Caller.Gateway(attempt.CorrelationId)) : before) with { Epoch = token.Epoch, Bound = true };
        after = byNewSecret ? after with { SecretHash = before.NewSecretHash, NewSecretHash = null, RenewBefore = null } : after;
        var outcome = present is null ? AuthenticationOutcomes.Bound : AuthenticationOutcomes.Renewed;
        List<HistoryRecord> records = [caller.Record(HistoryKinds.Authentication, outcome, now, before.Profile.FieldId, before.Id, new { source = attempt.Source, epoch = token.Epoch })];
        if (first)
        {
            records.Add(commits.Transition(before, after, reason, Caller.Gateway(attempt.CorrelationId)));
        }

        if (byNewSecret)
        {
            records.Add(caller.Record(HistoryKinds.Authentication, "secret-renewed", now, before.Profile.FieldId, before.Id));
        }

        await commits.CommitAsync(
            after,
            records,
            async t =>
            {
                foreach (var old in (TokenEntry?[])[present, holder.Tokens?.Previous])
                {
                    if (old is not null && old != pair.Previous)
                    {
                        await TokenStore.DeleteAsync(old, t);
                    }
                }

                await store.InsertAsync(token, attempt.Source, t);
                if (byNewSecret)
                {
                    await SecretOrders.FollowedAsync(before.Id, now, t);
                }

                if (!keepWaiting)
                {
                    await PendingBindings.DeleteAsync(before.Id, t);
                }
            },
            cancellation);
        table.Put(pair);
        if (!keepWaiting)
        {
            pending.Remove(before.Id);
            holder.Watch(null);
        }

        holder.Note(now, attempt.Source);
        DevicesMetrics.Authentication(outcome);
        var events = new List<GatewayEvent> { attempt.Event(after, outcome, now) };
        if (first)
        {
            events.Add(commits.Event(after, after.State, reason, caller));
        }

        if (byNewSecret)
        {
            events.Add(commits.Event(after, after.State, DeviceChangedEvent.SecretRenewed, caller));
        }

        return (new IssuedToken(before.Id, secret, token.ExpiresAt, after.RenewBefore), events);
    }

    private static int EpochAfter(DeviceEntry device, TokenEntry? present, bool holdsToken, DateTimeOffset now)
    {
        var lost = present is not null && !holdsToken && present.ExpiresAt - now > LostShare * (present.ExpiresAt - present.IssuedAt);
        return device.Epoch == 0 || lost ? device.Epoch + 1 : device.Epoch;
    }
}
