using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Sekisho.Storage;

/// <summary>
/// A change prepared once within a transaction, bound and stepped by SQLite's own calls: for hot paths, because Microsoft.Data.Sqlite would copy
/// each blob into an array of its exact length. Parameters count from 1 and keep their values from run to run. One thread at a time.
/// </summary>
public sealed class SqliteStatement : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;
    private byte[] _text = new byte[256];

    /// <summary>Prepares it.</summary>
    /// <param name="transaction">The transaction it runs in; dispose of the statement before its end.</param>
    /// <param name="sql">A statement that gives no rows, its parameters written ?1, ?2, ….</param>
    public SqliteStatement(SqliteTransaction transaction, string sql)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        _database = transaction.Connection!.Handle!;
        Check(raw.sqlite3_prepare_v2(_database, sql, out _statement));
    }

    /// <summary>Binds a number.</summary>
    public void Bind(int parameter, long value) => Check(raw.sqlite3_bind_int64(_statement, parameter, value));

    /// <summary>Binds bytes; they are copied.</summary>
    public void Bind(int parameter, ReadOnlySpan<byte> value) => Check(raw.sqlite3_bind_blob(_statement, parameter, value));

    /// <summary>Binds a text, or nothing for null.</summary>
    public void Bind(int parameter, string? value)
    {
        if (value is null)
        {
            BindNull(parameter);
            return;
        }

        if (_text.Length < value.Length * 3)
        {
            _text = new byte[value.Length * 3];
        }

        Check(raw.sqlite3_bind_text(_statement, parameter, _text.AsSpan(0, Encoding.UTF8.GetBytes(value, _text))));
    }

    /// <summary>Binds nothing.</summary>
    public void BindNull(int parameter) => Check(raw.sqlite3_bind_null(_statement, parameter));

    /// <summary>Runs it; it may be bound and run again.</summary>
    /// <exception cref="SqliteException">It failed.</exception>
    public void Run()
    {
        var result = raw.sqlite3_step(_statement);

        // After a failed step, reset gives the same code again.
        raw.sqlite3_reset(_statement);
        if (result != raw.SQLITE_DONE)
        {
            SqliteException.ThrowExceptionForRC(result, _database);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _statement.Dispose();

    private void Check(int result) => SqliteException.ThrowExceptionForRC(result, _database);
}
