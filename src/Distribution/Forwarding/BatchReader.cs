using Sekisho.Domain.Events;
using Sekisho.Domain.History;

namespace Sekisho.Distribution.Forwarding;

/// <summary>A part of a row that goes into a request.</summary>
/// <param name="Row">The row.</param>
/// <param name="Count">How many of its first messages.</param>
/// <param name="Rest">Bytes and oldest arrival of what stays behind.</param>
internal readonly record struct OutboxPartOfRow(OutboxRow Row, int Count, (long Bytes, long OldestAt) Rest);

/// <summary>What goes out with one request.</summary>
/// <param name="Parts">Rows it comes from, in order.</param>
/// <param name="Messages">The messages, in order.</param>
/// <param name="Bytes">Bytes of their payloads.</param>
/// <param name="OldestAt">Arrival of the next message, Unix ms; 0 when none waits.</param>
/// <param name="Lost">Rows that cannot be sent at all, with state and reason.</param>
/// <param name="Held">Rows with messages of devices in quarantine, to be divided before anything goes.</param>
internal sealed record OutboxBatch(
    IReadOnlyList<OutboxPartOfRow> Parts, IReadOnlyList<Outgoing> Messages, long Bytes, long OldestAt, IReadOnlyList<(OutboxRow Row, string State, string Reason)> Lost,
    IReadOnlyList<(OutboxRow Row, IReadOnlyList<MessageEvent> Chunk)> Held);

/// <summary>Joins the next rows of a field into a batch within the destination's limits. One loop at a time.</summary>
internal sealed class BatchReader(string fieldId, ForwardingPorts ports)
{
    private const int MaxRows = 64;

    // Chunks of the batch before: with small batches the same chunk is read many times.
    private Dictionary<long, IReadOnlyList<MessageEvent>> _chunks = [];

    public async Task<OutboxBatch> ReadAsync(Destination destination, int limit, CancellationToken cancellation)
    {
        limit = Math.Min(limit, destination.BatchMessages);
        var rows = await ports.Outbox.NextAsync(fieldId, destination.Order == Destination.LiveFirst, Math.Min(limit, MaxRows), cancellation).ConfigureAwait(false);
        var parts = new List<OutboxPartOfRow>();
        var messages = new List<Outgoing>();
        var lost = new List<(OutboxRow, string, string)>();
        var held = new List<(OutboxRow, IReadOnlyList<MessageEvent>)>();
        var used = new Dictionary<long, IReadOnlyList<MessageEvent>>();
        long bytes = 0;
        long size = 2;
        foreach (var row in rows)
        {
            var known = used.GetValueOrDefault(row.ChunkId) ?? _chunks.GetValueOrDefault(row.ChunkId);
            var chunk = known ?? await ports.Messages.ReadChunkAsync(row.ChunkId, cancellation).ConfigureAwait(false);
            if (chunk is null || chunk.Count < row.ToIndex)
            {
                lost.Add((row, LedgerStates.Expired, "retention"));
                break;
            }

            if (known is null && chunk.Any(m => m.FieldId != fieldId))
            {
                // Never happens; if it ever does, one field's data must not reach another's cloud.
                lost.Add((row, LedgerStates.DeadLettered, "foreign-field"));
                break;
            }

            used[row.ChunkId] = chunk;
            if (HasHeld(row, chunk))
            {
                held.Add((row, chunk));
                continue;
            }

            var count = 0;
            for (; count < row.Count && messages.Count < limit; count++)
            {
                var message = chunk[(int)row.FromIndex + count];
                size += message.Payload.Length + Envelope.EntryOverhead;
                if (size > destination.BatchBytes && messages.Count > 0)
                {
                    break;
                }

                messages.Add(new Outgoing(message, row.Backlog != 0));
                bytes += message.Payload.Length;
            }

            if (count > 0)
            {
                parts.Add(new OutboxPartOfRow(row, count, Rest(chunk, row, count)));
            }

            if (count < row.Count)
            {
                break;
            }
        }

        _chunks = used;

        // What comes before a lost row goes first, so that order holds.
        return new OutboxBatch(parts, messages, bytes, rows.Count > 0 ? rows[0].OldestAt : 0, messages.Count > 0 ? [] : lost, held);
    }

    private bool HasHeld(OutboxRow row, IReadOnlyList<MessageEvent> chunk)
    {
        if (ports.Quarantines.None)
        {
            return false;
        }

        for (var i = (int)row.FromIndex; i < row.ToIndex; i++)
        {
            if (ports.Quarantines.Holds(chunk[i].DeviceId))
            {
                return true;
            }
        }

        return false;
    }

    private static (long Bytes, long OldestAt) Rest(IReadOnlyList<MessageEvent> chunk, OutboxRow row, int count)
    {
        if (count == row.Count)
        {
            return default;
        }

        long bytes = 0;
        for (var i = (int)row.FromIndex + count; i < row.ToIndex; i++)
        {
            bytes += chunk[i].Payload.Length;
        }

        // A replayed row counts its age from the replay.
        return (bytes, Math.Max(row.OldestAt, chunk[(int)row.FromIndex + count].ArrivedAt.ToUnixTimeMilliseconds()));
    }
}
