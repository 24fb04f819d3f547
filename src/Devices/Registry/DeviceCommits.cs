using System.Data.Common;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.Storage;

namespace Sekisho.Devices.Registry;

/// <summary>Writes a changed device: store and history in one transaction, then memory. Call it in the device's turn.</summary>
internal sealed class DeviceCommits(DeviceStore store, DeviceIndex index, PersonalData personal, IHistory history, TimeProvider clock)
{
    /// <summary>Now, in the whole milliseconds that the store keeps.</summary>
    public DateTimeOffset Now => DateTimeOffset.FromUnixTimeMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>Where devices are stored.</summary>
    public Database Database => store.Database;

    /// <summary>The device in another state.</summary>
    public DeviceEntry Moved(DeviceEntry entry, string state, string reason, Caller caller) => entry with
    {
        Profile = entry.Profile with { State = state },
        StateReason = personal.Protect("reason", entry.Id, reason),
        StateActor = caller.Actor,
        StateAt = Now,
    };

    /// <summary>Commits the device as it is to be from now on.</summary>
    /// <param name="after">The device.</param>
    /// <param name="records">What the history keeps of it.</param>
    /// <param name="also">What else belongs to the transaction.</param>
    /// <param name="cancellation">Cancels before the change; never half of it.</param>
    public async Task CommitAsync(DeviceEntry after, IReadOnlyList<HistoryRecord> records, Func<DbTransaction, Task> also, CancellationToken cancellation)
    {
        await store.Database.WriteAsync(
            async t =>
            {
                await store.UpdateAsync(after, t);
                await also(t);
                foreach (var record in records)
                {
                    history.Append(record, t);
                }
            },
            cancellation);
        index.Put(after);
    }

    public Task CommitAsync(DeviceEntry after, HistoryRecord record, CancellationToken cancellation) =>
        CommitAsync(after, [record], _ => Task.CompletedTask, cancellation);

    /// <summary>The record of a transition.</summary>
    public HistoryRecord Transition(DeviceEntry before, DeviceEntry after, string reason, Caller caller) =>
        caller.Record(HistoryKinds.DeviceState, after.State, Now, after.Profile.FieldId, after.Id, new { from = before.State, to = after.State, reason });

    /// <summary>The event that tells detection.</summary>
    public DeviceChangedEvent Event(DeviceEntry entry, string state, string reason, Caller caller) => new()
    {
        ArrivedAt = Now,
        CorrelationId = caller.CorrelationId,
        FieldId = entry.Profile.FieldId,
        DeviceId = entry.Id,
        State = state,
        Reason = reason,
    };
}
