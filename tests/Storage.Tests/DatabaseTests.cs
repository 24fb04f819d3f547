using System.Data.Common;
using Dapper;
using Sekisho.Tests.Support;
using Sekisho.Verification.Processes;

namespace Sekisho.Storage.Tests;

public class DatabaseTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Changes_of_many_callers_all_happen_whole_and_readers_see_only_what_is_committed(Dialect dialect)
    {
        await using var store = await TestStore.CreateAsync(dialect, new ManualClock());
        var database = store.Databases.State;
        await database.WriteAsync(t => t.Connection!.ExecuteAsync("CREATE TABLE pair (id BIGINT PRIMARY KEY, value BIGINT NOT NULL)", transaction: t));
        var odd = 0;
        var writers = Enumerable.Range(0, 40).Select(i => Task.Run(async () =>
        {
            if (i % 2 == 0)
            {
                await database.WriteAsync(async t =>
                {
                    await t.Connection!.ExecuteAsync("INSERT INTO pair VALUES (@a, 0)", new { a = 2 * i }, t);
                    await t.Connection!.ExecuteAsync("INSERT INTO pair VALUES (@b, 0)", new { b = (2 * i) + 1 }, t);
                });
            }
            else
            {
                database.Write(t => t.Connection!.Execute("INSERT INTO pair VALUES (@a, 0), (@b, 0)", new { a = 2 * i, b = (2 * i) + 1 }, t));
            }
        })).ToArray();
        while (!writers.All(w => w.IsCompleted))
        {
            odd += (int)(await database.ReadAsync(c => c.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM pair")) % 2);
        }

        await Task.WhenAll(writers);
        Assert.Equal(0, odd);
        Assert.Equal(80, await database.ReadAsync(c => c.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM pair")));
    }

    [Fact]
    public async Task A_full_disk_is_unavailable_and_the_writer_goes_on_when_there_is_room()
    {
        await using var store = await TestStore.CreateAsync(Dialect.Sqlite, new ManualClock());
        var database = store.Databases.State;
        await database.WriteAsync(t => t.Connection!.ExecuteAsync("CREATE TABLE big (body BLOB); PRAGMA max_page_count = 5", transaction: t));
        var fault = await Assert.ThrowsAnyAsync<DbException>(() => database.WriteAsync(t => t.Connection!.ExecuteAsync("INSERT INTO big VALUES (zeroblob(1000000))", transaction: t)));
        Assert.True(Database.IsUnavailable(fault), fault.Message);

        // The limit was the writer's own; a fresh one finds the room, and nothing of the failed change.
        await database.WriteAsync(t => t.Connection!.ExecuteAsync("INSERT INTO big VALUES (zeroblob(1000000))", transaction: t));
        Assert.Equal(1, await database.ReadAsync(c => c.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM big")));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_wrong_statement_is_a_fault_of_the_program_and_not_of_the_store(Dialect dialect)
    {
        await using var store = await TestStore.CreateAsync(dialect, new ManualClock());
        await store.Databases.State.WriteAsync(t => t.Connection!.ExecuteAsync("CREATE TABLE one (id BIGINT PRIMARY KEY)", transaction: t));
        foreach (var sql in (string[])["SELECT nothing FROM nowhere", "INSERT INTO one VALUES (1), (1)"])
        {
            var fault = await Assert.ThrowsAnyAsync<DbException>(() => store.Databases.State.WriteAsync(t => t.Connection!.ExecuteAsync(sql, transaction: t)));
            Assert.False(Database.IsUnavailable(fault), fault.Message);
        }
    }

    [Fact]
    public async Task A_server_that_is_away_is_unavailable()
    {
        await using var database = Database.PostgreSql($"Host=127.0.0.1;Port={FreePort.Next()};Username=nobody;Timeout=5");
        var fault = await Assert.ThrowsAnyAsync<DbException>(() => database.ReadAsync(c => c.ExecuteScalarAsync<long>("SELECT 1")));
        Assert.True(Database.IsUnavailable(fault), fault.Message);
    }

    [Theory]
    [InlineData("Host=localhost;Database=sekisho", true)]
    [InlineData("", false)]
    [InlineData("Database=sekisho", false)]
    [InlineData("Host=localhost;Colour=blue", false)]
    [InlineData("Host=localhost;Port=many", false)]
    [InlineData("no connection string", false)]
    public void A_connection_string_names_a_host(string text, bool good) => Assert.Equal(good, Database.IsPostgreSqlConnection(text));

    [Fact]
    public async Task A_checkpoint_moves_what_was_committed_into_the_file()
    {
        await using var store = await TestStore.CreateAsync(Dialect.Sqlite, new ManualClock());
        var journal = store.Databases.Journal;
        await journal.WriteAsync(t => t.Connection!.ExecuteAsync("CREATE TABLE big (body BLOB)", transaction: t));
        for (var i = 0; i < 10; i++)
        {
            journal.Write(t => t.Connection!.Execute("INSERT INTO big VALUES (zeroblob(100000))", transaction: t));
        }

        var before = new FileInfo(journal.File!).Length;
        var (pages, moved) = journal.Checkpoint();
        Assert.True(pages > 200, $"{pages} pages in the log");
        Assert.Equal(pages, moved);
        Assert.True(new FileInfo(journal.File!).Length > before + 900_000);
    }
}
