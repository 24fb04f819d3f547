using Npgsql;
using NpgsqlTypes;

namespace Sekisho.Detection.Lanes;

/// <summary>PostgreSQL: a delta is a round trip, the rest is sent together.</summary>
internal sealed class PostgreSqlLaneRows(NpgsqlTransaction transaction) : ILaneRows
{
    private const string InsertDelta = "INSERT INTO lane_delta (position, part, data) VALUES ($1, $2, $3)";
    private const string DeleteDeltas = "DELETE FROM lane_delta WHERE position <= $1";
    private const string DeleteSubject = "DELETE FROM lane_subject WHERE scope = $1 AND area = $2 AND subject = $3";

    private const string UpsertSubject = """
        INSERT INTO lane_subject (scope, area, subject, lane, field_id, key, state, delta) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (scope, area, subject) DO UPDATE SET lane = excluded.lane, field_id = excluded.field_id, state = excluded.state, delta = excluded.delta
        """;

    private const int BatchStatements = 500;

    private readonly NpgsqlBatch _batch = new(transaction.Connection, transaction);

    public void Delta(long position, int part, ReadOnlyMemory<byte> data)
    {
        using var command = new NpgsqlCommand(InsertDelta, transaction.Connection, transaction);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = position });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = part });
        command.Parameters.Add(new NpgsqlParameter<ReadOnlyMemory<byte>> { TypedValue = data });
        command.ExecuteNonQuery();
    }

    public void Settle(in SubjectRow row)
    {
        var parameters = Add(UpsertSubject, row.Id);
        parameters.Add(new NpgsqlParameter<long> { TypedValue = row.Lane });
        parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Text, Value = (object?)row.FieldId ?? DBNull.Value });
        parameters.Add(new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Bytea, Value = (object?)row.Key ?? DBNull.Value });
        parameters.Add(new NpgsqlParameter<ReadOnlyMemory<byte>> { TypedValue = row.State });
        parameters.Add(new NpgsqlParameter<long> { TypedValue = row.Delta });
    }

    public void Forget(in StoredId id) => Add(DeleteSubject, id);

    public void Done(long position)
    {
        _batch.BatchCommands.Add(new NpgsqlBatchCommand(DeleteDeltas) { Parameters = { new NpgsqlParameter<long> { TypedValue = position } } });
        Send();
    }

    public void Dispose() => _batch.Dispose();

    private NpgsqlParameterCollection Add(string sql, in StoredId id)
    {
        if (_batch.BatchCommands.Count == BatchStatements)
        {
            Send();
        }

        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = id.Scope });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = id.Area });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = id.Subject });
        _batch.BatchCommands.Add(command);
        return command.Parameters;
    }

    private void Send()
    {
        _batch.ExecuteNonQuery();
        _batch.BatchCommands.Clear();
    }
}
