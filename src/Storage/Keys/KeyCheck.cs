using System.Security.Cryptography;
using Dapper;

namespace Sekisho.Storage.Keys;

/// <summary>Ties a database to its master key, so that a copy started with another key stops at once with a clear sentence.</summary>
public static class KeyCheck
{
    /// <summary>True when the database was never tied to a key.</summary>
    public static async Task<bool> IsNewAsync(Database database)
    {
        ArgumentNullException.ThrowIfNull(database);
        var table = database.Dialect == Dialect.Sqlite
            ? "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'key_check'"
            : "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'key_check'";
        return await database.ReadAsync(c => c.ExecuteScalarAsync<long>(table)).ConfigureAwait(false) == 0;
    }

    /// <summary>Remembers the key in a new database, compares it in an old one.</summary>
    /// <exception cref="StorageException">The database belongs to another key.</exception>
    public static async Task EnsureAsync(Database database, MasterKey key)
    {
        ArgumentNullException.ThrowIfNull(database);
        ArgumentNullException.ThrowIfNull(key);
        var mine = new KeyedHash(key, "key-check").Of("sekisho");
        await database.WriteAsync(async t =>
        {
            await t.Connection!.ExecuteAsync("CREATE TABLE IF NOT EXISTS key_check (id BIGINT PRIMARY KEY, hash " + (database.Dialect == Dialect.Sqlite ? "BLOB" : "BYTEA") + " NOT NULL)", transaction: t).ConfigureAwait(false);
            var stored = await t.Connection!.QuerySingleOrDefaultAsync<byte[]>("SELECT hash FROM key_check WHERE id = 1", transaction: t).ConfigureAwait(false);
            if (stored is null)
            {
                await t.Connection!.ExecuteAsync("INSERT INTO key_check (id, hash) VALUES (1, @mine)", new { mine }, t).ConfigureAwait(false);
            }
            else if (!CryptographicOperations.FixedTimeEquals(stored, mine))
            {
                throw new StorageException("This data was written with another master key and cannot be read with the one given. Start with the key that belongs to it (SEKISHO_MASTER_KEY, SEKISHO_MASTER_KEY_FILE, or the .key file beside the data folder).");
            }
        }).ConfigureAwait(false);
    }
}
