using System.Data.Common;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Sekisho.Storage;

/// <summary>The two SQL dialects. SQL is shared where both understand it; migrations stand once for each.</summary>
public enum Dialect
{
    /// <summary>The embedded file.</summary>
    Sqlite,

    /// <summary>PostgreSQL 15 or later.</summary>
    PostgreSql,
}

/// <summary>
/// One database. Times are stored as BIGINT Unix milliseconds (UTC), flags as 0/1, bytes encrypted by the application. Any thread.
/// On SQLite all changes go through one connection, one at a time, with synchronous=FULL; readers have connections of their own.
/// </summary>
public sealed class Database : IAsyncDisposable
{
    // Result codes of SQLite (sqlite3.h).
    private const int Busy = 5;
    private const int Locked = 6;
    private const int ReadOnly = 8;
    private const int InputOutput = 10;
    private const int Corrupt = 11;
    private const int Full = 13;
    private const int CannotOpen = 14;
    private const int NoDatabase = 26;

    private readonly NpgsqlDataSource? _postgres;
    private readonly string? _sqlite;
    private readonly SemaphoreSlim _writerTurn = new(1, 1); // guards _writer
    private readonly int _checkpointPages;
    private SqliteConnection? _writer;

    private Database(string? sqlite, NpgsqlDataSource? postgres, int checkpointPages = 0) =>
        (_sqlite, _postgres, _checkpointPages) = (sqlite, postgres, checkpointPages);

    /// <summary>Which SQL it speaks.</summary>
    public Dialect Dialect => _postgres is null ? Dialect.Sqlite : Dialect.PostgreSql;

    /// <summary>The file of an embedded database; null on PostgreSQL.</summary>
    public string? File { get; private init; }

    /// <summary>An embedded database file, made when absent.</summary>
    /// <param name="file">Path of the file.</param>
    /// <param name="checkpointPages">
    /// Pages in the write-ahead log after which a commit moves them into the file; 0 when the owner calls <see cref="Checkpoint"/> itself, so
    /// that no commit waits for it (the journal).
    /// </param>
    public static Database Sqlite(string file, int checkpointPages = 16_000) => new(
        new SqliteConnectionStringBuilder { DataSource = file, ForeignKeys = true, Pooling = true, DefaultTimeout = 30 }.ToString(), null, checkpointPages)
    { File = file };

    /// <summary>A PostgreSQL database that exists.</summary>
    public static Database PostgreSql(string connectionString) => new(null, NpgsqlDataSource.Create(connectionString));

    /// <summary>True for an Npgsql connection string that names a host.</summary>
    public static bool IsPostgreSqlConnection(string connectionString)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(connectionString).Host is { Length: > 0 };
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>
    /// True when the store as a whole cannot work now (disk full, failing or read-only, server away, too busy), false when the statement is at
    /// fault. It is worth trying again later.
    /// </summary>
    public static bool IsUnavailable(DbException fault) => fault switch
    {
        SqliteException e => InDoubt(e) || e.SqliteErrorCode is Busy or Locked,
        NpgsqlException { IsTransient: true } => true,
        PostgresException e => e.SqlState is { } state && (state.StartsWith("53", StringComparison.Ordinal) || state.StartsWith("57P", StringComparison.Ordinal) || state == "25006"),
        NpgsqlException e => e.InnerException is IOException or System.Net.Sockets.SocketException or TimeoutException,
        _ => false,
    };

    /// <summary>Runs a query on a connection of its own.</summary>
    public async Task<T> ReadAsync<T>(Func<DbConnection, Task<T>> query, CancellationToken cancellation = default)
    {
        await using var connection = await OpenReaderAsync(cancellation).ConfigureAwait(false);
        return await query(connection).ConfigureAwait(false);
    }

    /// <summary>
    /// Runs a change in one transaction: committed and durable when the task completes, rolled back when <paramref name="change"/> throws.
    /// </summary>
    public async Task<T> WriteAsync<T>(Func<DbTransaction, Task<T>> change, CancellationToken cancellation = default)
    {
        if (_postgres is not null)
        {
            await using var connection = await _postgres.OpenConnectionAsync(cancellation).ConfigureAwait(false);
            await using var transaction = await connection.BeginTransactionAsync(cancellation).ConfigureAwait(false);
            var result = await change(transaction).ConfigureAwait(false);
            await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
            return result;
        }

        await _writerTurn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            await using var transaction = Writer().BeginTransaction(deferred: false);
            var result = await change(transaction).ConfigureAwait(false);
            transaction.Commit();
            return result;
        }
        catch (SqliteException e) when (InDoubt(e))
        {
            CloseWriter();
            throw;
        }
        finally
        {
            _writerTurn.Release();
        }
    }

    /// <inheritdoc cref="WriteAsync{T}"/>
    public Task WriteAsync(Func<DbTransaction, Task> change, CancellationToken cancellation = default) =>
        WriteAsync(
            async transaction =>
            {
                await change(transaction).ConfigureAwait(false);
                return true;
            },
            cancellation);

    /// <summary>The same for a thread of its own (journal, lanes): synchronous from begin to commit.</summary>
    public void Write(Action<DbTransaction> change)
    {
        if (_postgres is not null)
        {
            using var connection = _postgres.OpenConnection();
            using var transaction = connection.BeginTransaction();
            change(transaction);
            transaction.Commit();
            return;
        }

        _writerTurn.Wait();
        try
        {
            using var transaction = Writer().BeginTransaction(deferred: false);
            change(transaction);
            transaction.Commit();
        }
        catch (SqliteException e) when (InDoubt(e))
        {
            CloseWriter();
            throw;
        }
        finally
        {
            _writerTurn.Release();
        }
    }

    /// <summary>
    /// Moves the write-ahead log into the file as far as nobody is in the way; no writer waits for it. Does nothing on PostgreSQL.
    /// </summary>
    /// <returns>Pages in the log, and how many of them are in the file now; the log starts over with the next change when both are equal.</returns>
    public (long Pages, long Moved) Checkpoint()
    {
        if (_sqlite is null)
        {
            return default;
        }

        using var connection = new SqliteConnection(_sqlite);
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA wal_checkpoint(PASSIVE)";
        using var reader = command.ExecuteReader();
        return reader.Read() ? (reader.GetInt64(1), reader.GetInt64(2)) : default;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _writerTurn.WaitAsync().ConfigureAwait(false);
        if (_writer is not null)
        {
            await _writer.DisposeAsync().ConfigureAwait(false);
            SqliteConnection.ClearPool(_writer);
        }

        if (_postgres is not null)
        {
            await _postgres.DisposeAsync().ConfigureAwait(false);
        }

        _writerTurn.Dispose();
    }

    private async Task<DbConnection> OpenReaderAsync(CancellationToken cancellation)
    {
        if (_postgres is not null)
        {
            return await _postgres.OpenConnectionAsync(cancellation).ConfigureAwait(false);
        }

        var connection = new SqliteConnection(_sqlite);
        await connection.OpenAsync(cancellation).ConfigureAwait(false);
        return connection;
    }

    private SqliteConnection Writer()
    {
        if (_writer is not null)
        {
            return _writer;
        }

        var writer = new SqliteConnection(_sqlite);
        writer.Open();
        using var pragmas = writer.CreateCommand();

        // secure_delete stays off: every byte worth hiding is ciphertext already.
        pragmas.CommandText = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint="
            + _checkpointPages.ToString(System.Globalization.CultureInfo.InvariantCulture);
        pragmas.ExecuteNonQuery();
        return _writer = writer;
    }

    // After these SQLite may have rolled back by itself or hold a file that is gone: a new connection finds out what is on disk.
    private static bool InDoubt(SqliteException e) => e.SqliteErrorCode is ReadOnly or InputOutput or Corrupt or Full or CannotOpen or NoDatabase;

    private void CloseWriter()
    {
        if (_writer is { } writer)
        {
            _writer = null;
            SqliteConnection.ClearPool(writer);
            writer.Dispose();
        }
    }
}

/// <summary>The gateway's two databases: on SQLite two files, so that the journal's sync waits for nobody; on PostgreSQL one.</summary>
/// <param name="State">Everything but the journal.</param>
/// <param name="Journal">The event journal.</param>
public sealed record Databases(Database State, Database Journal);
