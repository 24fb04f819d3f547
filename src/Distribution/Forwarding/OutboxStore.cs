using System.Data.Common;
using Dapper;
using Sekisho.Domain.History;
using Sekisho.Storage;

namespace Sekisho.Distribution.Forwarding;

/// <summary>A stretch of a chunk in the outbox.</summary>
internal sealed record OutboxRow(
    long ChunkId, long FromIndex, long ToIndex, string FieldId, long Backlog, string State, long Bytes, long OldestAt, long Attempts, string? Reason, long? SettledAt, string? HeldDevice = null)
{
    public int Count => (int)(ToIndex - FromIndex);

    public string Id => FormattableString.Invariant($"{ChunkId}-{FromIndex}");
}

/// <summary>The outbox. A row that stops waiting (queued, quarantined), or waits again, is told to the ledger in the same transaction. Any thread.</summary>
internal sealed class OutboxStore(Databases databases, ILedger ledger, TimeProvider clock)
{
    private const string Columns = "chunk_id, from_index, to_index, field_id, backlog, state, bytes, oldest_at, attempts, reason, settled_at, held_device";
    private const string Select = """
        SELECT chunk_id AS ChunkId, from_index AS FromIndex, to_index AS ToIndex, field_id AS FieldId, backlog AS Backlog, state AS State, bytes AS Bytes,
            oldest_at AS OldestAt, attempts AS Attempts, reason AS Reason, settled_at AS SettledAt, held_device AS HeldDevice
        FROM outbox
        """;

    private readonly Database _database = databases.State;

    /// <summary>Adds a row in the caller's transaction; a state other than queued counts as settled at once.</summary>
    public void Add(OutboxRow row, DbTransaction t)
    {
        Insert(row, t);
        if (row.State != LedgerStates.Queued)
        {
            ledger.Settle(row.FieldId, row.State, row.Count, t);
        }
    }

    /// <summary>The rows that are to be delivered next.</summary>
    public async Task<IReadOnlyList<OutboxRow>> NextAsync(string fieldId, bool liveFirst, int limit, CancellationToken cancellation) =>
        (await _database.ReadAsync(
            c => c.QueryAsync<OutboxRow>(
                $"{Select} WHERE field_id = @fieldId AND state = 'queued' ORDER BY {(liveFirst ? "backlog, " : "")}chunk_id, from_index LIMIT @limit",
                new { fieldId, limit }),
            cancellation).ConfigureAwait(false)).AsList();

    /// <summary>The oldest rows of a field that a quarantine keeps back.</summary>
    public async Task<IReadOnlyList<OutboxRow>> HeldAsync(string fieldId, int limit, CancellationToken cancellation) =>
        (await _database.ReadAsync(
            c => c.QueryAsync<OutboxRow>($"{Select} WHERE field_id = @fieldId AND state = 'quarantined' ORDER BY chunk_id, from_index LIMIT @limit", new { fieldId, limit }),
            cancellation).ConfigureAwait(false)).AsList();

    /// <summary>Settles the first <paramref name="count"/> messages of a row; the rest of it stays as it is.</summary>
    /// <param name="row">A row that waits.</param>
    /// <param name="count">How many of its messages.</param>
    /// <param name="rest">Bytes and arrival of the rest; ignored when there is none.</param>
    /// <param name="state">What became of them.</param>
    /// <param name="reason">Stable name; null when the state says all.</param>
    /// <param name="t">The transaction.</param>
    /// <returns>False when it does not wait any more as it did.</returns>
    public bool Settle(OutboxRow row, int count, (long Bytes, long OldestAt) rest, string state, string? reason, DbTransaction t)
    {
        var whole = count == row.Count;
        var changed = t.Connection!.Execute(
            """
            UPDATE outbox SET to_index = @to, bytes = @bytes, state = @next, reason = @reason, settled_at = @at, attempts = attempts + 1
            WHERE chunk_id = @ChunkId AND from_index = @FromIndex AND state = @State
            """,
            new { to = row.FromIndex + count, bytes = whole ? row.Bytes : row.Bytes - rest.Bytes, next = state, reason, at = Now(), row.ChunkId, row.FromIndex, row.State },
            t);
        if (changed == 0)
        {
            return false;
        }

        if (!whole)
        {
            Insert(row with { FromIndex = row.FromIndex + count, Bytes = rest.Bytes, OldestAt = rest.OldestAt, Attempts = 0, Reason = null }, t);
        }

        ledger.Settle(row.FieldId, state, count, t);
        return true;
    }

    /// <summary>Divides a queued row into stretches that follow one another; those with a device leave the queue for that device's quarantine.</summary>
    /// <param name="row">The row.</param>
    /// <param name="stretches">Messages, bytes, oldest arrival and device of each, which add up to the row.</param>
    /// <param name="t">The transaction.</param>
    public static void Divide(OutboxRow row, IReadOnlyList<(int Count, long Bytes, long OldestAt, string? Device)> stretches, DbTransaction t)
    {
        var from = row.FromIndex;
        foreach (var (count, bytes, oldestAt, device) in stretches)
        {
            var part = row with
            {
                FromIndex = from,
                ToIndex = from + count,
                Bytes = bytes,
                OldestAt = oldestAt,
                State = device is null ? LedgerStates.Queued : LedgerStates.Quarantined,
                HeldDevice = device,
            };
            if (from == row.FromIndex)
            {
                t.Connection!.Execute(
                    "UPDATE outbox SET to_index = @ToIndex, bytes = @Bytes, oldest_at = @OldestAt, state = @State, held_device = @HeldDevice WHERE chunk_id = @ChunkId AND from_index = @FromIndex AND state = 'queued'", part, t);
            }
            else
            {
                Insert(part, t);
            }

            from += count;
        }
    }

    /// <summary>Ends the quarantine of a device's messages: they are in the queue again at their old place, marked as delivered late, or dropped.</summary>
    /// <returns>Messages and bytes.</returns>
    public (long Messages, long Bytes) EndQuarantine(string fieldId, string deviceId, bool forward, DbTransaction t)
    {
        var (messages, bytes) = t.Connection!.QuerySingle<(long, long)>(
            """
            SELECT CAST(COALESCE(SUM(to_index - from_index), 0) AS BIGINT), CAST(COALESCE(SUM(bytes), 0) AS BIGINT)
            FROM outbox WHERE held_device = @deviceId AND state = 'quarantined' AND field_id = @fieldId
            """,
            new { fieldId, deviceId },
            t);
        t.Connection!.Execute(
            forward
                ? "UPDATE outbox SET state = 'queued', held_device = NULL, backlog = 1 WHERE held_device = @deviceId AND state = 'quarantined' AND field_id = @fieldId"
                : "UPDATE outbox SET state = 'dropped', reason = 'quarantined', settled_at = @at WHERE held_device = @deviceId AND state = 'quarantined' AND field_id = @fieldId",
            new { fieldId, deviceId, at = Now() },
            t);
        if (!forward && messages > 0)
        {
            ledger.Settle(fieldId, LedgerStates.Dropped, (int)messages, t);
        }

        return (messages, bytes);
    }

    /// <summary>What quarantines keep back, by device.</summary>
    public async Task<IReadOnlyList<(string Field, string Device, long Messages, long Bytes)>> QuarantinedAsync(CancellationToken cancellation) =>
        (await _database.ReadAsync(
            c => c.QueryAsync<(string, string, long, long)>(
                """
                SELECT field_id, held_device, CAST(SUM(to_index - from_index) AS BIGINT), CAST(SUM(bytes) AS BIGINT)
                FROM outbox WHERE state = 'quarantined' GROUP BY field_id, held_device
                """),
            cancellation).ConfigureAwait(false)).AsList();

    /// <summary>Notes a failed attempt.</summary>
    public Task FailedAsync(IEnumerable<OutboxRow> rows, string reason, CancellationToken cancellation) => _database.WriteAsync(
        t => t.Connection!.ExecuteAsync(
            "UPDATE outbox SET attempts = attempts + 1, reason = @reason WHERE chunk_id = @ChunkId AND from_index = @FromIndex",
            rows.Select(r => new { reason, r.ChunkId, r.FromIndex }).ToList(),
            t),
        cancellation);

    /// <summary>Runs several settlements in one transaction.</summary>
    public Task ChangeAsync(Action<DbTransaction> change, CancellationToken cancellation) => _database.WriteAsync(
        t =>
        {
            change(t);
            return Task.CompletedTask;
        },
        cancellation);

    /// <summary>Messages and bytes of the field that wait.</summary>
    public Task<(long Messages, long Bytes)> SizeAsync(string fieldId, CancellationToken cancellation) => _database.ReadAsync(
        c => c.QuerySingleAsync<(long, long)>(
            """
            SELECT CAST(COALESCE(SUM(to_index - from_index), 0) AS BIGINT), CAST(COALESCE(SUM(bytes), 0) AS BIGINT)
            FROM outbox WHERE field_id = @fieldId AND state = 'queued'
            """,
            new { fieldId }),
        cancellation);

    /// <summary>Messages per field that wait, and how many of them in quarantine; from one statement and so from one moment.</summary>
    public async Task<IReadOnlyDictionary<string, (long Messages, long Quarantined)>> QueuedAsync(CancellationToken cancellation) =>
        (await _database.ReadAsync(
            c => c.QueryAsync<(string Field, long Messages, long Quarantined)>(
                """
                SELECT field_id, CAST(SUM(messages) AS BIGINT), CAST(SUM(kept_back) AS BIGINT) FROM (
                    SELECT field_id, to_index - from_index AS messages, 0 AS kept_back FROM outbox WHERE state = 'queued'
                    UNION ALL
                    SELECT field_id, to_index - from_index, to_index - from_index FROM outbox WHERE state = 'quarantined') AS waiting
                GROUP BY field_id
                """),
            cancellation).ConfigureAwait(false)).ToDictionary(r => r.Field, r => (r.Messages, r.Quarantined), StringComparer.Ordinal);

    /// <summary>Rows of a field, newest first.</summary>
    /// <param name="fieldId">The field.</param>
    /// <param name="state">Only this state; null for all.</param>
    /// <param name="before">Row to go on after; null for the newest.</param>
    /// <param name="limit">Rows at most.</param>
    /// <param name="cancellation">Cancels.</param>
    public async Task<IReadOnlyList<OutboxRow>> ListAsync(string fieldId, string? state, (long Chunk, long From)? before, int limit, CancellationToken cancellation) =>
        (await _database.ReadAsync(
            c => c.QueryAsync<OutboxRow>(
                $"""
                {Select} WHERE field_id = @fieldId {(state is null ? "" : "AND state = @state")}
                AND (chunk_id < @chunk OR (chunk_id = @chunk AND from_index < @from))
                ORDER BY chunk_id DESC, from_index DESC LIMIT @limit
                """,
                new { fieldId, state, chunk = before?.Chunk ?? long.MaxValue, from = before?.From ?? 0, limit }),
            cancellation).ConfigureAwait(false)).AsList();

    /// <summary>Puts dead letters back into the queue; they count as delivered late.</summary>
    /// <param name="fieldId">The field.</param>
    /// <param name="ids">Which; null for all.</param>
    /// <param name="cancellation">Cancels.</param>
    /// <returns>Messages that wait again.</returns>
    public async Task<int> ReplayAsync(string fieldId, IReadOnlyList<(long Chunk, long From)>? ids, CancellationToken cancellation)
    {
        var total = 0;
        var wanted = ids?.ToHashSet();
        await ChangeAsync(
            t =>
            {
                total = 0;
                var rows = t.Connection!.Query<OutboxRow>($"{Select} WHERE field_id = @fieldId AND state = 'dead-lettered'", new { fieldId }, t);
                foreach (var row in rows.Where(r => wanted is null || wanted.Contains((r.ChunkId, r.FromIndex))).ToList())
                {
                    // The age counts anew: a person has asked for it now.
                    t.Connection!.Execute(
                        """
                        UPDATE outbox SET state = 'queued', reason = NULL, settled_at = NULL, backlog = 1, attempts = 0, oldest_at = @at
                        WHERE chunk_id = @ChunkId AND from_index = @FromIndex
                        """,
                        new { at = Now(), row.ChunkId, row.FromIndex },
                        t);
                    total += row.Count;
                }

                if (total > 0)
                {
                    ledger.Settle(fieldId, LedgerStates.DeadLettered, -total, t);
                }
            },
            cancellation).ConfigureAwait(false);
        return total;
    }

    /// <summary>Removes a slice of rows that were settled before a time; dead letters stay.</summary>
    /// <returns>How many.</returns>
    public Task<int> RemoveSettledAsync(DateTimeOffset before, int limit, CancellationToken cancellation) => _database.WriteAsync(
        t => t.Connection!.ExecuteAsync(
            """
            DELETE FROM outbox WHERE (chunk_id, from_index) IN (
                SELECT chunk_id, from_index FROM outbox WHERE settled_at < @at AND state <> 'dead-lettered' ORDER BY settled_at LIMIT @limit)
            """,
            new { at = before.ToUnixTimeMilliseconds(), limit },
            t),
        cancellation);

    private static void Insert(OutboxRow row, DbTransaction t) => t.Connection!.Execute(
        $"""
        INSERT INTO outbox ({Columns})
        VALUES (@ChunkId, @FromIndex, @ToIndex, @FieldId, @Backlog, @State, @Bytes, @OldestAt, @Attempts, @Reason, @SettledAt, @HeldDevice)
        """,
        row,
        t);

    private long Now() => clock.GetUtcNow().ToUnixTimeMilliseconds();
}
