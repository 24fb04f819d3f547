using System.Collections.Immutable;
using System.Text.Json;
using Dapper;
using Microsoft.Extensions.Hosting;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.Storage;

namespace Sekisho.Distribution.Forwarding;

/// <summary>
/// Devices in quarantine, and what waits of them. A device counts as held until its quarantine is ended, not until its time is over: between the two nothing newer of
/// it may overtake what waits. Any thread; a look-up takes no lock.
/// </summary>
internal sealed class Quarantines(Databases databases, OutboxStore outbox, IMessageStore messages, IHistory history, TimeProvider clock) : ITrafficQuarantine, IHostedService, IDisposable
{
    /// <summary>Reason of what a quarantine drops.</summary>
    public const string Reason = "quarantined";

    // Rows of the queue that a preview looks at.
    private const int MostLookedAt = 200;

    // Nobody divides rows for a quarantine while one begins or ends, so that none is left behind.
    private readonly SemaphoreSlim _turn = new(1);
    private ImmutableDictionary<string, ImmutableArray<Hold>> _held = ImmutableDictionary.Create<string, ImmutableArray<Hold>>(StringComparer.Ordinal);
    private ImmutableDictionary<string, (string Field, long Messages, long Bytes)> _waiting = ImmutableDictionary.Create<string, (string Field, long Messages, long Bytes)>(StringComparer.Ordinal);

    /// <summary>Called with field, messages and bytes that are in the queue again. Set before anything ends.</summary>
    public Action<string, long, long> Released { get; set; } = (_, _, _) => { };

    /// <summary>True when no device is in quarantine.</summary>
    public bool None => Volatile.Read(ref _held).IsEmpty;

    /// <summary>Whether the device's messages are kept back.</summary>
    public bool Holds(string deviceId) => Volatile.Read(ref _held).ContainsKey(deviceId);

    public Quarantine? Of(string deviceId) => Volatile.Read(ref _held).TryGetValue(deviceId, out var holds)
        ? new Quarantine(holds.Max(h => h.Until), Volatile.Read(ref _waiting).GetValueOrDefault(deviceId).Messages)
        : null;

    /// <summary>Messages and bytes of a field that are kept back.</summary>
    public (long Messages, long Bytes) WaitingOf(string fieldId)
    {
        var (count, bytes) = (0L, 0L);
        foreach (var waiting in Volatile.Read(ref _waiting).Values.Where(w => w.Field == fieldId))
        {
            count += waiting.Messages;
            bytes += waiting.Bytes;
        }

        return (count, bytes);
    }

    public async Task HoldAsync(QuarantineOrder order, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            await databases.State.WriteAsync(
                t => t.Connection!.ExecuteAsync(
                    "INSERT INTO quarantine (device_id, holder, field_id, until, forward) VALUES (@DeviceId, @Holder, @FieldId, @until, @forward) " +
                    "ON CONFLICT (device_id, holder) DO UPDATE SET until = excluded.until, forward = excluded.forward",
                    new { order.DeviceId, order.Holder, order.FieldId, until = order.Until.ToUnixTimeMilliseconds(), forward = order.ForwardAtEnd ? 1 : 0 },
                    t),
                cancellation).ConfigureAwait(false);
            var added = new Hold(order.Holder, order.FieldId, order.Until, order.ForwardAtEnd);
            ImmutableInterlocked.AddOrUpdate(ref _held, order.DeviceId, [added], (_, holds) => [.. holds.Where(h => h.Holder != order.Holder), added]);
        }
        finally
        {
            _turn.Release();
        }
    }

    public async Task<bool> EndAsync(string deviceId, string holder, bool forward, string actor, string correlationId, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var holds = Volatile.Read(ref _held).GetValueOrDefault(deviceId, []);
            if (holds.FirstOrDefault(h => h.Holder == holder) is not { } own)
            {
                return true;
            }

            if (holds.Any(h => h != own && h.Until > clock.GetUtcNow()))
            {
                await databases.State.WriteAsync(
                    t => t.Connection!.ExecuteAsync("DELETE FROM quarantine WHERE device_id = @deviceId AND holder = @holder", new { deviceId, holder }, t), cancellation).ConfigureAwait(false);
                ImmutableInterlocked.TryUpdate(ref _held, deviceId, holds.Remove(own), holds);
                return false;
            }

            await CloseAsync(own.FieldId, deviceId, forward, actor, correlationId, cancellation).ConfigureAwait(false);
            return true;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Ends the quarantines of a field whose time is over, as their orders say.</summary>
    public async Task EndDueAsync(string fieldId, CancellationToken cancellation)
    {
        if (None)
        {
            return;
        }

        var now = clock.GetUtcNow();
        foreach (var device in Volatile.Read(ref _held).Where(h => h.Value[0].FieldId == fieldId && h.Value.All(x => x.Until <= now)).Select(h => h.Key).ToList())
        {
            await _turn.WaitAsync(cancellation).ConfigureAwait(false);
            try
            {
                if (Volatile.Read(ref _held).TryGetValue(device, out var holds) && holds.All(h => h.Until <= now))
                {
                    var last = holds.MaxBy(h => h.Until)!;
                    await CloseAsync(fieldId, device, last.ForwardAtEnd, "response:" + last.Holder, "", cancellation).ConfigureAwait(false);
                }
            }
            finally
            {
                _turn.Release();
            }
        }
    }

    /// <summary>Takes the messages of held devices out of queued rows; those of other devices stay in the queue at their places.</summary>
    /// <returns>Messages and bytes that left the queue.</returns>
    public async Task<(long Messages, long Bytes)> DivideAsync(IReadOnlyList<(OutboxRow Row, IReadOnlyList<MessageEvent> Chunk)> rows, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            // As it stands in this turn: a quarantine may have ended since the rows were read.
            var held = Volatile.Read(ref _held);
            var divided = rows.Select(r => (r.Row, Stretches: Stretches(r.Row, r.Chunk, held))).ToList();
            await outbox.ChangeAsync(
                t =>
                {
                    foreach (var (row, stretches) in divided)
                    {
                        OutboxStore.Divide(row, stretches, t);
                    }
                },
                cancellation).ConfigureAwait(false);
            var left = (Messages: 0L, Bytes: 0L);
            foreach (var (row, stretches) in divided)
            {
                foreach (var (count, bytes, _, device) in stretches.Where(s => s.Device is not null))
                {
                    Count(row.FieldId, device!, count, bytes);
                    left = (left.Messages + count, left.Bytes + bytes);
                }
            }

            return left;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>A row that was kept back has expired or was dropped.</summary>
    public void Settled(OutboxRow row) => Count(row.FieldId, row.HeldDevice!, -row.Count, -row.Bytes);

    public async Task<(int Messages, bool More)> QueuedAsync(string fieldId, string deviceId, CancellationToken cancellation)
    {
        var count = 0;
        var rows = await outbox.NextAsync(fieldId, liveFirst: false, MostLookedAt, cancellation).ConfigureAwait(false);
        foreach (var group in rows.GroupBy(r => r.ChunkId))
        {
            if (await messages.ReadChunkAsync(group.Key, cancellation).ConfigureAwait(false) is { } chunk)
            {
                count += group.Sum(r => chunk.Skip((int)r.FromIndex).Take(r.Count).Count(m => m.DeviceId == deviceId));
            }
        }

        return (count, rows.Count == MostLookedAt);
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var rows = await databases.State.ReadAsync(
            c => c.QueryAsync<(string Device, string Holder, string Field, long Until, long Forward)>("SELECT device_id, holder, field_id, until, forward FROM quarantine"), cancellationToken).ConfigureAwait(false);
        _held = rows.GroupBy(r => r.Device, StringComparer.Ordinal).ToImmutableDictionary(
            g => g.Key, g => g.Select(r => new Hold(r.Holder, r.Field, DateTimeOffset.FromUnixTimeMilliseconds(r.Until), r.Forward != 0)).ToImmutableArray(), StringComparer.Ordinal);
        _waiting = (await outbox.QuarantinedAsync(cancellationToken).ConfigureAwait(false)).ToImmutableDictionary(w => w.Device, w => (w.Field, w.Messages, w.Bytes), StringComparer.Ordinal);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _turn.Dispose();

    /// <summary>Call it in the turn.</summary>
    private async Task CloseAsync(string fieldId, string deviceId, bool forward, string actor, string correlationId, CancellationToken cancellation)
    {
        var (count, bytes) = await databases.State.WriteAsync(
            async t =>
            {
                await t.Connection!.ExecuteAsync("DELETE FROM quarantine WHERE device_id = @deviceId", new { deviceId }, t).ConfigureAwait(false);
                var ended = outbox.EndQuarantine(fieldId, deviceId, forward, t);
                history.Append(Record(fieldId, deviceId, forward, ended.Messages, actor, correlationId), t);
                return ended;
            },
            cancellation).ConfigureAwait(false);

        // Memory follows the store: a message that is read as held meanwhile is looked at again in the turn.
        ImmutableInterlocked.TryRemove(ref _waiting, deviceId, out _);
        ImmutableInterlocked.TryRemove(ref _held, deviceId, out _);
        if (!forward)
        {
            DistributionMetrics.ForwardedMessages.Add(count, new("field", fieldId), new("state", LedgerStates.Dropped));
        }

        Released(fieldId, forward ? count : 0, forward ? bytes : 0);
    }

    private HistoryRecord Record(string fieldId, string deviceId, bool forward, long count, string actor, string correlationId) => new()
    {
        At = clock.GetUtcNow(),
        Kind = HistoryKinds.DataOut,
        What = forward ? "quarantine-released" : LedgerStates.Dropped,
        FieldId = fieldId,
        DeviceId = deviceId,
        Actor = actor,
        CorrelationId = correlationId,
        Details = JsonSerializer.Serialize(new { reason = Reason, messages = count }),
    };

    private void Count(string fieldId, string deviceId, long count, long bytes) => ImmutableInterlocked.AddOrUpdate(
        ref _waiting, deviceId, (fieldId, Math.Max(0, count), Math.Max(0, bytes)), (_, now) => (fieldId, Math.Max(0, now.Item2 + count), Math.Max(0, now.Item3 + bytes)));

    private static List<(int Count, long Bytes, long OldestAt, string? Device)> Stretches(OutboxRow row, IReadOnlyList<MessageEvent> chunk, ImmutableDictionary<string, ImmutableArray<Hold>> held)
    {
        var all = new List<(int Count, long Bytes, long OldestAt, string? Device)>();
        for (var i = (int)row.FromIndex; i < row.ToIndex; i++)
        {
            var message = chunk[i];
            var device = held.ContainsKey(message.DeviceId) ? message.DeviceId : null;
            if (all.Count > 0 && all[^1].Device == device)
            {
                all[^1] = all[^1] with { Count = all[^1].Count + 1, Bytes = all[^1].Bytes + message.Payload.Length };
            }
            else
            {
                // A replayed row counts its age from the replay.
                all.Add((1, message.Payload.Length, Math.Max(row.OldestAt, message.ArrivedAt.ToUnixTimeMilliseconds()), device));
            }
        }

        return all;
    }

    private sealed record Hold(string Holder, string FieldId, DateTimeOffset Until, bool ForwardAtEnd);
}
