using System.Text.Json;
using Sekisho.Domain.History;

namespace Sekisho.Distribution.Forwarding;

/// <summary>
/// Keeps a field's queue within its age and size: what is too old expires, and when the queue is too large the oldest go, so that live data
/// flows. Each is settled with its reason and recorded. One loop at a time.
/// </summary>
internal sealed class OutboxTrimmer(string fieldId, ForwardingPorts ports)
{
    private const int Slice = 256;

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

        if (waitingBytes <= destination.MaxBytes)
        {
            return any;
        }

        // The figure at hand is a running sum; what is dropped is decided by the exact one.
        var (_, bytes) = await ports.Outbox.SizeAsync(fieldId, cancellation).ConfigureAwait(false);
        while (bytes > destination.MaxBytes)
        {
            var rows = await ports.Outbox.NextAsync(fieldId, liveFirst: false, Slice, cancellation).ConfigureAwait(false);
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
        while (await ports.Outbox.NextAsync(fieldId, liveFirst: false, Slice, cancellation).ConfigureAwait(false) is { Count: > 0 } rows)
        {
            await SettleAsync(rows, LedgerStates.Dropped, reason, cancellation).ConfigureAwait(false);
        }
    }

    private async Task SettleAsync(IReadOnlyList<OutboxRow> rows, string state, string reason, CancellationToken cancellation)
    {
        await ports.Outbox.ChangeAsync(
            t =>
            {
                foreach (var row in rows)
                {
                    ports.Outbox.Settle(row, row.Count, default, state, reason, t);
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
        DistributionMetrics.ForwardedMessages.Add(rows.Sum(r => r.Count), new("field", fieldId), new("state", state));
    }
}
