using System.Text.Json;
using Sekisho.Domain.History;

namespace Sekisho.Distribution.Forwarding;

/// <summary>
/// Keeps a field's queue within its age and size: what is too old expires, and when the queue is too large the oldest go, so that live data
/// flows; what a quarantine keeps back goes before anything else, so that it never costs another device a message. Each is settled with its reason and recorded.
/// One loop at a time.
/// </summary>
internal sealed class OutboxTrimmer(string fieldId, ForwardingPorts ports)
{
    private const int Slice = 256;

    // What is kept back ages slowly; looking once in a while keeps it out of the way of what is delivered.
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(10);
    private DateTimeOffset _lookedAtHeld;

    /// <summary>Trims.</summary>
    /// <returns>True when something went.</returns>
    public async Task<bool> TrimAsync(Destination destination, long waitingBytes, CancellationToken cancellation)
    {
        var limit = ports.Clock.GetUtcNow().ToUnixTimeMilliseconds() - (destination.MaxAgeSeconds * 1000);
        var any = false;
        while (true)
        {
            var rows = await ports.Outbox.NextAsync(fieldId, liveFirst: false, Slice, cancellation).ConfigureAwait(false);

            // Not only the first of them: a replayed one counts its age anew and must not keep those behind it alive.
            var old = rows.Where(r => r.OldestAt < limit).ToList();
            if (old.Count == 0)
            {
                break;
            }

            await SettleAsync(old, LedgerStates.Expired, "age", cancellation).ConfigureAwait(false);
            any = true;
        }

        var held = ports.Quarantines.WaitingOf(fieldId);
        any |= held.Messages > 0 && await ExpireHeldAsync(limit, cancellation).ConfigureAwait(false);
        if (waitingBytes + held.Bytes <= destination.MaxBytes)
        {
            return any;
        }

        // The figure at hand is a running sum; what is dropped is decided by the exact one.
        var (_, bytes) = await ports.Outbox.SizeAsync(fieldId, cancellation).ConfigureAwait(false);
        bytes += ports.Quarantines.WaitingOf(fieldId).Bytes;
        while (bytes > destination.MaxBytes)
        {
            var rows = await ports.Outbox.HeldAsync(fieldId, Slice, cancellation).ConfigureAwait(false);
            rows = rows.Count > 0 ? rows : await ports.Outbox.NextAsync(fieldId, liveFirst: false, Slice, cancellation).ConfigureAwait(false);
            if (rows.Count == 0)
            {
                break;
            }

            var go = new List<OutboxRow>();
            foreach (var row in rows)
            {
                if (bytes <= destination.MaxBytes)
                {
                    break;
                }

                bytes -= row.Bytes;
                go.Add(row);
            }

            await SettleAsync(go, LedgerStates.Dropped, "space", cancellation).ConfigureAwait(false);
        }

        return true;
    }

    /// <summary>Drops all that waits: the field forwards nothing any more.</summary>
    public async Task DropAllAsync(string reason, CancellationToken cancellation)
    {
        while (ports.Quarantines.WaitingOf(fieldId).Messages > 0 && await ports.Outbox.HeldAsync(fieldId, Slice, cancellation).ConfigureAwait(false) is { Count: > 0 } held)
        {
            await SettleAsync(held, LedgerStates.Dropped, reason, cancellation).ConfigureAwait(false);
        }

        while (await ports.Outbox.NextAsync(fieldId, liveFirst: false, Slice, cancellation).ConfigureAwait(false) is { Count: > 0 } rows)
        {
            await SettleAsync(rows, LedgerStates.Dropped, reason, cancellation).ConfigureAwait(false);
        }
    }

    private async Task<bool> ExpireHeldAsync(long limit, CancellationToken cancellation)
    {
        var now = ports.Clock.GetUtcNow();
        if (now - _lookedAtHeld < BetweenLooks)
        {
            return false;
        }

        _lookedAtHeld = now;
        var any = false;
        while ((await ports.Outbox.HeldAsync(fieldId, Slice, cancellation).ConfigureAwait(false)).Where(r => r.OldestAt < limit).ToList() is { Count: > 0 } old)
        {
            await SettleAsync(old, LedgerStates.Expired, "age", cancellation).ConfigureAwait(false);
            any = true;
        }

        return any;
    }

    private async Task SettleAsync(IReadOnlyList<OutboxRow> all, string state, string reason, CancellationToken cancellation)
    {
        List<OutboxRow> rows = [];
        await ports.Outbox.ChangeAsync(
            t =>
            {
                // One that was kept back may be on its way since it was read.
                rows = [.. all.Where(row => ports.Outbox.Settle(row, row.Count, default, state, reason, t))];
                if (rows.Count == 0)
                {
                    return;
                }

                ports.History.Append(
                    new HistoryRecord
                    {
                        At = ports.Clock.GetUtcNow(),
                        Kind = HistoryKinds.DataOut,
                        What = state,
                        FieldId = fieldId,
                        Actor = "gateway",
                        CorrelationId = "",
                        Subject = rows[0].Id,
                        Details = JsonSerializer.Serialize(new { reason, messages = rows.Sum(r => r.Count) }),
                    },
                    t);
            },
            cancellation).ConfigureAwait(false);
        foreach (var row in rows.Where(r => r.HeldDevice is not null))
        {
            ports.Quarantines.Settled(row);
        }

        DistributionMetrics.ForwardedMessages.Add(rows.Sum(r => r.Count), new("field", fieldId), new("state", state));
    }
}
