using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Sekisho.History.Store;

/// <summary>
/// SQLite: statements prepared once per transaction, bound and stepped by SQLite's own calls. Microsoft.Data.Sqlite would copy each block
/// into an array of its exact length. One thread at a time.
/// </summary>
internal sealed class SqliteChunkRows : IChunkRows
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _chunk;
    private byte[] _text = new byte[256];

    /// <summary>Prepares within the transaction.</summary>
    public SqliteChunkRows(SqliteTransaction transaction)
    {
        _database = transaction.Connection!.Handle!;
        _chunk = Prepare("INSERT INTO message_chunk (id, field_id, backlog, first_at, last_at, messages, devices, bytes, device_id, correlation_id, correlations, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
    }

    /// <inheritdoc/>
    public void Chunk(in ChunkRow row)
    {
        Bind(_chunk, 1, row.Id);
        Bind(_chunk, 2, row.FieldId);
        Bind(_chunk, 3, row.Backlog ? 1 : 0);
        Bind(_chunk, 4, row.Sum.First);
        Bind(_chunk, 5, row.Sum.Last);
        Bind(_chunk, 6, row.Sum.Messages);
        Bind(_chunk, 7, row.Devices);
        Bind(_chunk, 8, row.Sum.Bytes);
        Bind(_chunk, 9, row.DeviceId);
        Bind(_chunk, 10, row.CorrelationId);
        Check(raw.sqlite3_bind_blob(_chunk, 11, row.Correlations.Span));
        Check(raw.sqlite3_bind_blob(_chunk, 12, row.Data.Span));
        Step(_chunk);
    }

    /// <inheritdoc/>
    public void Index(IReadOnlyList<IndexBlock> blocks, long mark)
    {
        using var insert = Prepare("INSERT INTO message_index_block (device_id, last_at, last_chunk, data) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (device_id, last_at, last_chunk) DO UPDATE SET data = excluded.data");
        foreach (var block in blocks)
        {
            Bind(insert, 1, block.DeviceId);
            Bind(insert, 2, block.LastAt);
            Bind(insert, 3, block.LastChunk);
            Check(raw.sqlite3_bind_blob(insert, 4, block.Data.Span));
            Step(insert);
        }

        using var move = Prepare("UPDATE message_index_mark SET chunk_id = ?1");
        Bind(move, 1, mark);
        Step(move);
    }

    /// <inheritdoc/>
    public void Dispose() => _chunk.Dispose();

    private sqlite3_stmt Prepare(string sql)
    {
        Check(raw.sqlite3_prepare_v2(_database, sql, out var statement));
        return statement;
    }

    private void Bind(sqlite3_stmt statement, int index, long value) => Check(raw.sqlite3_bind_int64(statement, index, value));

    private void Bind(sqlite3_stmt statement, int index, string? value)
    {
        if (value is null)
        {
            Check(raw.sqlite3_bind_null(statement, index));
            return;
        }

        if (_text.Length < value.Length * 3)
        {
            _text = new byte[value.Length * 3];
        }

        Check(raw.sqlite3_bind_text(statement, index, _text.AsSpan(0, Encoding.UTF8.GetBytes(value, _text))));
    }

    private void Step(sqlite3_stmt statement)
    {
        var result = raw.sqlite3_step(statement);

        // After a failed step, reset gives the same code again.
        raw.sqlite3_reset(statement);
        if (result != raw.SQLITE_DONE)
        {
            SqliteException.ThrowExceptionForRC(result, _database);
        }
    }

    private void Check(int result) => SqliteException.ThrowExceptionForRC(result, _database);
}
