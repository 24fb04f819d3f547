using Microsoft.Data.Sqlite;
using Sekisho.Storage;

namespace Sekisho.Detection.Lanes;

/// <summary>SQLite: statements prepared at first use, bound and stepped by SQLite's own calls.</summary>
internal sealed class SqliteLaneRows(SqliteTransaction transaction) : ILaneRows
{
    private const string InsertDelta = "INSERT INTO lane_delta (position, part, data) VALUES (?1, ?2, ?3)";
    private const string DeleteDeltas = "DELETE FROM lane_delta WHERE position <= ?1";
    private const string DeleteSubject = "DELETE FROM lane_subject WHERE scope = ?1 AND area = ?2 AND subject = ?3";

    private const string UpsertSubject = """
        INSERT INTO lane_subject (scope, area, subject, lane, field_id, key, state, delta) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        ON CONFLICT (scope, area, subject) DO UPDATE SET lane = excluded.lane, field_id = excluded.field_id, state = excluded.state, delta = excluded.delta
        """;

    private SqliteStatement? _upsert;
    private SqliteStatement? _delete;

    public void Delta(long position, int part, ReadOnlyMemory<byte> data)
    {
        using var insert = new SqliteStatement(transaction, InsertDelta);
        insert.Bind(1, position);
        insert.Bind(2, part);
        insert.Bind(3, data.Span);
        insert.Run();
    }

    public void Settle(in SubjectRow row)
    {
        _upsert ??= new SqliteStatement(transaction, UpsertSubject);
        Bind(_upsert, row.Id);
        _upsert.Bind(4, row.Lane);
        _upsert.Bind(5, row.FieldId);
        if (row.Key is null)
        {
            _upsert.BindNull(6);
        }
        else
        {
            _upsert.Bind(6, row.Key.AsSpan());
        }

        _upsert.Bind(7, row.State.Span);
        _upsert.Bind(8, row.Delta);
        _upsert.Run();
    }

    public void Forget(in StoredId id)
    {
        _delete ??= new SqliteStatement(transaction, DeleteSubject);
        Bind(_delete, id);
        _delete.Run();
    }

    public void Done(long position)
    {
        using var delete = new SqliteStatement(transaction, DeleteDeltas);
        delete.Bind(1, position);
        delete.Run();
    }

    public void Dispose()
    {
        _upsert?.Dispose();
        _delete?.Dispose();
    }

    private static void Bind(SqliteStatement statement, in StoredId id)
    {
        statement.Bind(1, id.Scope);
        statement.Bind(2, id.Area);
        statement.Bind(3, id.Subject);
    }
}
