using Sekisho.Api;
using Sekisho.Devices.Credentials;
using Sekisho.Devices.Registry;
using Sekisho.Devices.Tokens;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;

namespace Sekisho.Devices.Binding;

/// <summary>Opens, confirms and decides conflicts of two senders. Any thread; the methods that say so are called in the device's turn.</summary>
internal sealed class BindingDesk(DeviceIndex index, DeviceCommits commits, PendingBindings pending, TokenTable tokens, Turns turns, ChangeReports reports)
{
    /// <summary>The newer sender waits, whether or not it did before. Call it in the device's turn.</summary>
    public async Task<PendingBinding> WaitAsync(DeviceEntry device, Attempt attempt, CancellationToken cancellation)
    {
        var before = pending.Of(device.Id);
        if (before is { Stage: ConflictStage.Accepted } || (before is { Open: true } && Sources.Same(before.Source, attempt.Source)))
        {
            return before;
        }

        // One waits at a time: a third sender takes the place of the second, but not the time at which the conflict began.
        var binding = before is { Open: true }
            ? before with { Source = attempt.Source }
            : new PendingBinding(NewCredential.Id('b'), device.Id, device.Profile.FieldId, attempt.Source, commits.Now);
        var record = new Caller(device.Id, attempt.CorrelationId).Record(HistoryKinds.Authentication, "waiting", commits.Now, device.Profile.FieldId, device.Id, new { source = attempt.Source }) with { Subject = binding.BindingId };
        await commits.CommitAsync(device, [record], t => pending.SaveAsync(binding, t), cancellation);
        pending.Put(binding);
        device.Holder.Watch(binding.Source);
        return binding;
    }

    /// <summary>
    /// It is certain that two senders are alive: the device is marked and detection hears of it, if not now then as soon as the journal works.
    /// Does nothing when it was certain before. Call it in the device's turn.
    /// </summary>
    public async Task ConfirmAsync(DeviceEntry device, string? client, string correlationId, CancellationToken cancellation)
    {
        if (pending.Of(device.Id) is not { Stage: ConflictStage.Provisional } before)
        {
            return;
        }

        const string Reason = "two senders";
        var now = commits.Now;
        var caller = Caller.Gateway(correlationId);
        var binding = before with { ConfirmedAt = now };
        var moves = device.State == LifecycleStates.Active;
        var after = moves ? commits.Moved(device, LifecycleStates.Pending, Reason, caller) : device;
        List<HistoryRecord> records = [caller.Record(HistoryKinds.Authentication, AuthenticationOutcomes.Pending, now, device.Profile.FieldId, device.Id, new { source = binding.Source, incumbent = device.Holder.LastSource }) with { Subject = binding.BindingId }];
        if (moves)
        {
            records.Add(commits.Transition(device, after, Reason, caller));
        }

        await commits.CommitAsync(after, records, t => pending.SaveAsync(binding, t), cancellation);
        pending.Put(binding);
        DevicesMetrics.Authentication(AuthenticationOutcomes.Pending);
        var reported = new AuthenticationEvent
        {
            ArrivedAt = now,
            CorrelationId = correlationId,
            FieldId = device.Profile.FieldId,
            DeviceId = device.Id,
            Outcome = AuthenticationOutcomes.Pending,
            Source = binding.Source,
            Client = client,
            UserId = device.Profile.UserId,
        };
        await reports.ReportAsync(moves ? [reported, commits.Event(after, after.State, Reason, caller)] : [reported]);
    }

    /// <summary>The incumbent showed itself or used its new token: makes that durable. Takes the device's turn.</summary>
    public async Task SettleAsync(TokenHolder holder, CancellationToken cancellation)
    {
        using var turn = await turns.DeviceAsync(holder.DeviceId, cancellation);
        if (index.Find(holder.DeviceId) is not { } device)
        {
            return;
        }

        if (holder.Tokens is { Previous: { } previous, Present: { Used: true } present })
        {
            await commits.Database.WriteAsync(t => TokenStore.DeleteAsync(previous, t), cancellation);
            tokens.Put(new TokenPair(present, null));
        }

        if (holder.UsedElsewhere != default)
        {
            await ConfirmAsync(device, client: null, Correlation.New(), cancellation);
        }
    }

    /// <summary>A person decides. Takes the device's turn.</summary>
    /// <returns>The binding as decided; null when there is none that waits under this identifier.</returns>
    public async Task<PendingBinding?> DecideAsync(string fieldId, string bindingId, bool accept, Caller caller, CancellationToken cancellation)
    {
        if (pending.Find(fieldId, bindingId) is not { } found)
        {
            return null;
        }

        using var turn = await turns.DeviceAsync(found.DeviceId, cancellation);
        if (pending.Of(found.DeviceId) is not { } before || before.BindingId != bindingId || index.Find(found.DeviceId) is not { } device)
        {
            return null;
        }

        var now = commits.Now;
        var what = accept ? "binding-accepted" : "binding-refused";
        var binding = accept ? before with { AcceptedAt = now, RefusedAt = null } : before with { RefusedAt = now, AcceptedAt = null };
        var moves = device.State == LifecycleStates.Pending;
        var after = (moves ? commits.Moved(device, LifecycleStates.Active, what, caller) : device) with { Epoch = accept ? device.Epoch + 1 : device.Epoch };

        // What was handed out to the one who is put out must not bring it back.
        after = accept ? after with { NewSecretHash = null } : after;
        List<HistoryRecord> records = [caller.Record(HistoryKinds.Operator, what, now, fieldId, device.Id) with { Subject = bindingId }];
        if (moves)
        {
            records.Add(commits.Transition(device, after, what, caller));
        }

        await commits.CommitAsync(
            after,
            records,
            async t =>
            {
                await pending.SaveAsync(binding, t);
                if (accept)
                {
                    await TokenStore.DeleteAllAsync(device.Id, t);
                }
            },
            cancellation);
        pending.Put(binding);
        device.Holder.Watch(null);
        if (accept)
        {
            tokens.Revoke(device.Holder);
        }

        if (moves)
        {
            await reports.ReportAsync(commits.Event(after, after.State, what, caller));
        }

        return binding;
    }
}
