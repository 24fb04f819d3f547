using System.Data.Common;
using Dapper;
using Sekisho.Tests.Support;

namespace Sekisho.Storage.Tests;

public class MigrationTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task What_is_missing_is_applied_in_order_and_once(Dialect dialect)
    {
        await using var store = await TestStore.CreateAsync(dialect, new ManualClock(), Stage("shorter"));
        await WriteAsync(store, "INSERT INTO thing (id) VALUES (1)");
        await Migrations.ApplyAsync(store.Databases, [Stage("first")], new ManualClock());
        await Migrations.ApplyAsync(store.Databases, [Stage("first")], new ManualClock());
        await WriteAsync(store, "UPDATE thing SET name = 'kept'");
        Assert.Equal("kept", await store.Databases.State.ReadAsync(c => c.ExecuteScalarAsync<string>("SELECT name FROM thing WHERE id = 1")));
        Assert.Equal([1L, 2L], await store.Databases.State.ReadAsync(c => c.QueryAsync<long>("SELECT number FROM migration WHERE stage = 'Thing' ORDER BY number")));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_database_of_a_newer_version_is_left_alone(Dialect dialect)
    {
        await using var store = await TestStore.CreateAsync(dialect, new ManualClock(), Stage("first"));
        var e = await Assert.ThrowsAsync<StorageException>(() => Migrations.ApplyAsync(store.Databases, [Stage("shorter")], new ManualClock()));
        Assert.Contains("newer version", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_migration_that_changed_after_it_was_applied_is_named(Dialect dialect)
    {
        await using var store = await TestStore.CreateAsync(dialect, new ManualClock(), Stage("first"));
        var e = await Assert.ThrowsAsync<StorageException>(() => Migrations.ApplyAsync(store.Databases, [Stage("changed")], new ManualClock()));
        Assert.Contains("Migration 2 of Thing", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_migration_that_fails_leaves_nothing_of_itself(Dialect dialect)
    {
        await using var store = await TestStore.CreateAsync(dialect, new ManualClock(), Stage("shorter"));
        await Assert.ThrowsAnyAsync<DbException>(() => Migrations.ApplyAsync(store.Databases, [Stage("broken")], new ManualClock()));
        await Assert.ThrowsAnyAsync<DbException>(() => store.Databases.State.ReadAsync(c => c.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM half")));
        await Migrations.ApplyAsync(store.Databases, [Stage("first")], new ManualClock());
    }

    private static StageMigrations Stage(string folder) => new("Thing", typeof(MigrationTests).Assembly, Folder: "Migrations/" + folder);

    private static Task WriteAsync(TestStore store, string sql) => store.Databases.State.WriteAsync(t => t.Connection!.ExecuteAsync(sql, transaction: t));
}
