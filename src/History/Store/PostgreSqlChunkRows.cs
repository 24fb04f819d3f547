using Npgsql;
using NpgsqlTypes;

namespace Sekisho.History.Store;

/// <summary>PostgreSQL: a chunk and all rows of its index are one round trip each. One thread at a time.</summary>
internal sealed class PostgreSqlChunkRows(NpgsqlTransaction transaction) : IChunkRows
{
    private const string InsertChunk = """
        INSERT INTO message_chunk (id, field_id, backlog, first_at, last_at, messages, devices, bytes, device_id, correlation_id, correlations, data)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """;

    private const string InsertIndex = """
        INSERT INTO message_index (chunk_id, device_id, last_at, first_at, messages, bytes)
        SELECT $1, d, l, f, m, b FROM unnest($2, $3, $4, $5, $6) AS r (d, l, f, m, b)
        """;

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
    public void Index(long chunkId, Dictionary<string, MessageSum> devices)
    {
        using var command = new NpgsqlCommand(InsertIndex, transaction.Connection, transaction);
        var parameters = command.Parameters;
        parameters.Add(new NpgsqlParameter<long> { TypedValue = chunkId });
        parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. devices.Keys] });
        parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. devices.Values.Select(s => s.Last)] });
        parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. devices.Values.Select(s => s.First)] });
        parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. devices.Values.Select(s => s.Messages)] });
        parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. devices.Values.Select(s => s.Bytes)] });
        command.ExecuteNonQuery();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The commands are closed as they are used.
    }
}
