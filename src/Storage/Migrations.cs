using System.Data.Common;
using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Dapper;

namespace Sekisho.Storage;

/// <summary>
/// The tables of one stage: numbered SQL files Migrations/sqlite/NNNN_what.sql and Migrations/postgresql/NNNN_what.sql, embedded in the
/// stage's assembly. Each is applied once, in order, in a transaction of its own, and must never change afterwards.
/// </summary>
/// <param name="Stage">Name of the stage, unique.</param>
/// <param name="Assembly">Where the files are embedded.</param>
/// <param name="InJournal">True for tables that belong to the journal's database.</param>
/// <param name="Folder">Folder of the files, for a stage that has tables in both databases.</param>
public sealed record StageMigrations(string Stage, Assembly Assembly, bool InJournal = false, string Folder = "Migrations");

/// <summary>Brings databases to the version of the program.</summary>
public static class Migrations
{
    /// <summary>Applies what is missing.</summary>
    /// <exception cref="StorageException">A file changed after it was applied, or the database is newer than the program.</exception>
    public static async Task ApplyAsync(Databases databases, IEnumerable<StageMigrations> stages, TimeProvider clock)
    {
        foreach (var stage in stages)
        {
            await ApplyAsync(stage.InJournal ? databases.Journal : databases.State, stage, clock).ConfigureAwait(false);
        }
    }

    private static async Task ApplyAsync(Database database, StageMigrations stage, TimeProvider clock)
    {
        await database.WriteAsync(t => Execute(t, "CREATE TABLE IF NOT EXISTS migration (stage TEXT NOT NULL, number BIGINT NOT NULL, hash TEXT NOT NULL, applied_at BIGINT NOT NULL, PRIMARY KEY (stage, number))")).ConfigureAwait(false);
        var applied = (await database.ReadAsync(c => c.QueryAsync<(long Number, string Hash)>(
            "SELECT number, hash FROM migration WHERE stage = @Stage", new { stage.Stage })).ConfigureAwait(false)).ToDictionary(r => r.Number, r => r.Hash);
        var files = Files(database.Dialect, stage);
        if (applied.Keys.Except(files.Select(f => f.Number)).Any())
        {
            throw new StorageException($"The database was written by a newer version of Sekisho (stage {stage.Stage}). Start that version, or restore a backup made by this one.");
        }

        foreach (var (number, sql) in files)
        {
            var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql)));
            if (applied.TryGetValue(number, out var before))
            {
                if (before != hash)
                {
                    throw new StorageException($"Migration {number} of {stage.Stage} is not the one this database was made with. Use the program version that made it.");
                }

                continue;
            }

            await database.WriteAsync(async t =>
            {
                await Execute(t, sql).ConfigureAwait(false);
                await t.Connection!.ExecuteAsync(
                    "INSERT INTO migration (stage, number, hash, applied_at) VALUES (@Stage, @number, @hash, @at)",
                    new { stage.Stage, number, hash, at = clock.GetUtcNow().ToUnixTimeMilliseconds() },
                    t).ConfigureAwait(false);
            }).ConfigureAwait(false);
        }
    }

    private static List<(long Number, string Sql)> Files(Dialect dialect, StageMigrations stage)
    {
        var folder = stage.Folder + (dialect == Dialect.Sqlite ? "/sqlite/" : "/postgresql/");
        var files = new List<(long, string)>();
        foreach (var name in stage.Assembly.GetManifestResourceNames().Where(n => n.StartsWith(folder, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(stage.Assembly.GetManifestResourceStream(name)!);
            files.Add((long.Parse(name[folder.Length..].Split('_')[0], CultureInfo.InvariantCulture), reader.ReadToEnd()));
        }

        return files;
    }

    private static Task Execute(DbTransaction transaction, string sql) => transaction.Connection!.ExecuteAsync(sql, transaction: transaction);
}

/// <summary>The store cannot be used as it is; the message says why and what to do.</summary>
public sealed class StorageException(string message, Exception? inner = null) : Exception(message, inner);
