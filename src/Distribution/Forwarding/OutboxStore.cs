using System.Data.Common;
using Dapper;
using Sekisho.Domain.History;
using Sekisho.Storage;

namespace Sekisho.Distribution.Forwarding;

/// <summary>A stretch of a chunk in the outbox.</summary>
internal sealed record OutboxRow(
    long ChunkId, long FromIndex, long ToIndex, string FieldId, long Backlog, string State, long Bytes, long OldestAt, long Attempts, string? Reason, long? SettledAt)
{
    public int Count => (int)(ToIndex - FromIndex);

    public string Id => FormattableString.Invariant($"{ChunkId}-{FromIndex}");
}

/// <summary>The outbox. A row that leaves the state "queued", or comes back to it, is told to the ledger in the same transaction. Any thread.</summary>
internal sealed class OutboxStore(Databases databases, ILedger ledger, TimeProvider clock)
{
    private const string Columns = "chunk_id, from_index, to_index, field_id, backlog, state, bytes, oldest_at, attempts, reason, settled_at";
    private const string Select = """
        SELECT chunk_id AS ChunkId, from_index AS FromIndex, to_index AS ToIndex, field_id AS FieldId, backlog AS Backlog, state AS State, bytes AS Bytes,
            oldest_at AS OldestAt, attempts AS Attempts, reason AS Reason, settled_at AS SettledAt
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

    /// <summary>Settles the first <paramref name="count"/> messages of a row; the rest of it stays queued.</summary>
    /// <param name="row">A queued row.</param>
    /// <param name="count">How many of its messages.</param>
    /// <param name="rest">Bytes and arrival of the rest; ignored when there is none.</param>
    /// <param name="state">What became of them.</param>
    /// <param name="reason">Stable name; null when the state says all.</param>
    /// <param name="t">The transaction.</param>
    public void Settle(OutboxRow row, int count, (long Bytes, long OldestAt) rest, string state, string? reason, DbTransaction t)
    {
        var whole = count == row.Count;
        t.Connection!.Execute(
            """
            UPDATE outbox SET to_index = @to, bytes = @bytes, state = @state, reason = @reason, settled_at = @at, attempts = attempts + 1
            WHERE chunk_id = @ChunkId AND from_index = @FromIndex AND state = 'queued'
            """,
            new { to = row.FromIndex + count, bytes = whole ? row.Bytes : row.Bytes - rest.Bytes, state, reason, at = Now(), row.ChunkId, row.FromIndex },
            t);
        if (!whole)
        {
            Insert(row with { FromIndex = row.FromIndex + count, Bytes = rest.Bytes, OldestAt = rest.OldestAt, Attempts = 0, Reason = null }, t);
        }

        ledger.Settle(row.FieldId, state, count, t);
    }

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

    /// <summary>Messages per field that wait.</summary>
    public async Task<IReadOnlyDictionary<string, long>> QueuedAsync(CancellationToken cancellation) =>
        (await _database.ReadAsync(
            c => c.QueryAsync<(string Field, long Messages)>(
                "SELECT field_id, CAST(SUM(to_index - from_index) AS BIGINT) FROM outbox WHERE state = 'queued' GROUP BY field_id"),
            cancellation).ConfigureAwait(false)).ToDictionary(r => r.Field, r => r.Messages, StringComparer.Ordinal);

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
        VALUES (@ChunkId, @FromIndex, @ToIndex, @FieldId, @Backlog, @State, @Bytes, @OldestAt, @Attempts, @Reason, @SettledAt)
        """,
        row,
        t);

    private long Now() => clock.GetUtcNow().ToUnixTimeMilliseconds();
}
