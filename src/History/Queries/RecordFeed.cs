using System.Data.Common;
using Dapper;
using Sekisho.Domain.History;
using Sekisho.History.Store;
using Sekisho.Storage;

namespace Sekisho.History.Queries;

/// <summary>
/// Records by the order of their numbers. On SQLite there is one writer, so numbers are committed in order. On PostgreSQL a transaction takes a
/// number long before it commits: what others have committed behind it must wait until it is over, or its record would never be seen. Any thread.
/// </summary>
internal sealed class RecordFeed(Databases databases, DetailsCipher cipher) : IHistoryFeed, IDisposable
{
    private const string Columns = "id AS Id, at AS At, kind AS Kind, what AS What, field_id AS FieldId, device_id AS DeviceId, actor AS Actor, correlation_id AS CorrelationId, subject AS Subject, details AS Details";
    private const string Newest = "SELECT COALESCE(MAX(id), 0) FROM history_record";

    // Whoever has taken a number holds this lock on the table from before that until the end of the transaction.
    private const string Writers = """
        SELECT virtualtransaction FROM pg_locks
        WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted AND relation = 'history_record'::regclass
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """;

    private readonly SemaphoreSlim _turn = new(1, 1); // guards the three below
    private long _settled;
    private long _candidate;
    private HashSet<string> _writers = [];

    /// <inheritdoc/>
    public Task<long> EndAsync(CancellationToken cancellation) => databases.State.ReadAsync(c => EndAsync(c, cancellation), cancellation);

    /// <inheritdoc/>
    public Task<HistoryStretch> ReadAsync(HistoryReach reach, long after, int limit, CancellationToken cancellation) => databases.State.ReadAsync(
        async connection =>
        {
            var end = await EndAsync(connection, cancellation).ConfigureAwait(false);
            if (end <= after)
            {
                return new HistoryStretch([], after, AtEnd: true);
            }

            var (last, seen) = await connection.QuerySingleAsync<(long?, long)>(new CommandDefinition(
                "SELECT MAX(id), COUNT(*) FROM (SELECT id FROM history_record WHERE id > @after AND id <= @end ORDER BY id LIMIT @limit) AS stretch",
                new { after, end, limit },
                cancellationToken: cancellation)).ConfigureAwait(false);
            var through = seen < limit ? end : last!.Value;
            var rows = await connection.QueryAsync<Row>(new CommandDefinition(
                $"SELECT {Columns} FROM history_record WHERE id > @after AND id <= @through AND {Within(reach)} ORDER BY id",
                Values(reach, after, through),
                cancellationToken: cancellation)).ConfigureAwait(false);
            return new HistoryStretch([.. rows.Select(r => new PlacedRecord(r.Id, Open(r)))], through, AtEnd: through >= end);
        },
        cancellation);

    /// <inheritdoc/>
    public Task<HistoryExcess?> ExcessAsync(HistoryReach reach, long after, DateTimeOffset oldest, long most, CancellationToken cancellation) => databases.State.ReadAsync(
        async connection =>
        {
            var end = await EndAsync(connection, cancellation).ConfigureAwait(false);
            var values = Values(reach, after, end);
            values.Add("oldest", oldest.ToUnixTimeMilliseconds());
            values.Add("most", most);
            var where = $"id > @after AND id <= @through AND {Within(reach)}";
            var (old, many) = await connection.QuerySingleAsync<(long?, long?)>(new CommandDefinition(
                $"SELECT (SELECT MAX(id) FROM history_record WHERE {where} AND at < @oldest), (SELECT id FROM history_record WHERE {where} ORDER BY id DESC LIMIT 1 OFFSET @most)",
                values,
                cancellationToken: cancellation)).ConfigureAwait(false);
            if (Math.Max(old ?? 0, many ?? 0) is not (> 0 and var through))
            {
                return null;
            }

            var count = await connection.ExecuteScalarAsync<long>(new CommandDefinition(
                $"SELECT COUNT(*) FROM history_record WHERE {where}", Values(reach, after, through), cancellationToken: cancellation)).ConfigureAwait(false);
            return (HistoryExcess?)new HistoryExcess(through, count);
        },
        cancellation);

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    private async Task<long> EndAsync(DbConnection connection, CancellationToken cancellation)
    {
        if (databases.State.Dialect == Dialect.Sqlite)
        {
            return await connection.ExecuteScalarAsync<long>(new CommandDefinition(Newest, cancellationToken: cancellation)).ConfigureAwait(false);
        }

        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (_candidate > _settled)
            {
                if (_writers.Overlaps(await WritersAsync(connection, cancellation).ConfigureAwait(false)))
                {
                    return _settled;
                }

                _settled = _candidate;
            }

            // The number first, then those who may still hold a lower one.
            _candidate = await connection.ExecuteScalarAsync<long>(new CommandDefinition(Newest, cancellationToken: cancellation)).ConfigureAwait(false);
            if (_candidate > _settled)
            {
                _writers = [.. await WritersAsync(connection, cancellation).ConfigureAwait(false)];
                _settled = _writers.Count == 0 ? _candidate : _settled;
            }

            return _settled;
        }
        finally
        {
            _turn.Release();
        }
    }

    private static Task<IEnumerable<string>> WritersAsync(DbConnection connection, CancellationToken cancellation) =>
        connection.QueryAsync<string>(new CommandDefinition(Writers, cancellationToken: cancellation));

    // Lists are arrays on PostgreSQL and spread out on SQLite.
    private string In(string column, string list) => databases.State.Dialect == Dialect.PostgreSql ? $"{column} = ANY({list})" : $"{column} IN {list}";

    private string Within(HistoryReach reach)
    {
        var fields = (reach.Gateway, reach.Fields.Count > 0) switch
        {
            _ when reach.EveryField => reach.Gateway ? "1 = 1" : "field_id IS NOT NULL",
            (true, true) => $"(field_id IS NULL OR {In("field_id", "@fields")})",
            (true, false) => "field_id IS NULL",
            (false, true) => In("field_id", "@fields"),
            _ => "1 = 0",
        };
        return reach.Kinds.Count == 0 ? "1 = 0" : $"{fields} AND {In("kind", "@kinds")}";
    }

    private static DynamicParameters Values(HistoryReach reach, long after, long through)
    {
        var values = new DynamicParameters();
        values.Add("after", after);
        values.Add("through", through);
        if (reach.Fields.Count > 0)
        {
            values.Add("fields", reach.Fields.ToArray());
        }

        if (reach.Kinds.Count > 0)
        {
            values.Add("kinds", reach.Kinds.ToArray());
        }

        return values;
    }

    private HistoryRecord Open(Row row) => new()
    {
        At = DateTimeOffset.FromUnixTimeMilliseconds(row.At),
        Kind = row.Kind,
        What = row.What,
        FieldId = row.FieldId,
        DeviceId = row.DeviceId,
        Actor = row.Actor,
        CorrelationId = row.CorrelationId,
        Subject = row.Subject,
        Details = row.Details is null ? null : cipher.Open(row.Details, row.At, row.Kind, row.What, row.FieldId, row.DeviceId, row.CorrelationId),
    };

    private sealed record Row(long Id, long At, string Kind, string What, string? FieldId, string? DeviceId, string Actor, string CorrelationId, string? Subject, byte[]? Details);
}
