using Npgsql;
using NpgsqlTypes;

namespace Sekisho.History.Store;

/// <summary>PostgreSQL: a chunk, and all blocks of the index, are one round trip each. One thread at a time.</summary>
internal sealed class PostgreSqlChunkRows(NpgsqlTransaction transaction) : IChunkRows
{
    private const string InsertChunk = """
        INSERT INTO message_chunk (id, field_id, backlog, first_at, last_at, messages, devices, bytes, device_id, correlation_id, correlations, data)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """;

    private const string InsertIndex = """
        INSERT INTO message_index_block (device_id, last_at, last_chunk, data) SELECT * FROM unnest($1, $2, $3, $4)
        ON CONFLICT (device_id, last_at, last_chunk) DO UPDATE SET data = excluded.data
        """;

    private const string SetMark = "UPDATE message_index_mark SET chunk_id = $1";

    /// <inheritdoc/>
    public void Chunk(in ChunkRow row)
    {
        using var command = new NpgsqlCommand(InsertChunk, transaction.Connection, transaction);
        var parameters = command.Parameters;
        parameters.Add(new NpgsqlParameter<long> { TypedValue = row.Id });
        parameters.Add(new NpgsqlParameter<string> { TypedValue = row.FieldId });
        parameters.Add(new NpgsqlParameter<long> { TypedValue = row.Backlog ? 1 : 0 });
        parameters.Add(new NpgsqlParameter<long> { TypedValue = row.Sum.First });
        parameters.Add(new NpgsqlParameter<long> { TypedValue = row.Sum.Last });
        parameters.Add(new NpgsqlParameter<long> { TypedValue = row.Sum.Messages });
        parameters.Add(new NpgsqlParameter<long> { TypedValue = row.Devices });
        parameters.Add(new NpgsqlParameter<long> { TypedValue = row.Sum.Bytes });
        parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Text, Value = (object?)row.DeviceId ?? DBNull.Value });
        parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Text, Value = (object?)row.CorrelationId ?? DBNull.Value });
        parameters.Add(new NpgsqlParameter<ReadOnlyMemory<byte>> { TypedValue = row.Correlations });
        parameters.Add(new NpgsqlParameter<ReadOnlyMemory<byte>> { TypedValue = row.Data });
        command.ExecuteNonQuery();
    }

    /// <inheritdoc/>
    public void Index(IReadOnlyList<IndexBlock> blocks, long mark)
    {
        using var command = new NpgsqlCommand(InsertIndex, transaction.Connection, transaction);
        var parameters = command.Parameters;
        parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. blocks.Select(b => b.DeviceId)] });
        parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. blocks.Select(b => b.LastAt)] });
        parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. blocks.Select(b => b.LastChunk)] });
        parameters.Add(new NpgsqlParameter<byte[][]> { TypedValue = [.. blocks.Select(b => b.Data.ToArray())] });
        command.ExecuteNonQuery();
        using var move = new NpgsqlCommand(SetMark, transaction.Connection, transaction);
        move.Parameters.Add(new NpgsqlParameter<long> { TypedValue = mark });
        move.ExecuteNonQuery();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The commands are closed as they are used.
    }
}
