using Sekisho.Storage;
using Sekisho.Storage.Keys;

namespace Sekisho.Tests.Support;

/// <summary>A fresh store of either dialect with a key of its own. Theories take both: [InlineData(Dialect.Sqlite)] [InlineData(Dialect.PostgreSql)].</summary>
public sealed class TestStore : IAsyncDisposable
{
    private TestStore(Databases databases, string folder) => (Databases, Folder) = (databases, folder);

    public Databases Databases { get; private set; }

    /// <summary>A folder of its own; on SQLite the files are in it.</summary>
    public string Folder { get; }

    public MasterKey Key { get; } = new(System.Security.Cryptography.RandomNumberGenerator.GetBytes(MasterKey.Size));

    private string? PostgreSql { get; init; }

    public static async Task<TestStore> CreateAsync(Dialect dialect, TimeProvider clock, params StageMigrations[] stages)
    {
        var folder = Directory.CreateTempSubdirectory("sekisho-test-").FullName;
        var postgres = dialect == Dialect.PostgreSql ? await PostgreSqlServer.NewDatabaseAsync() : null;
        var store = new TestStore(Open(folder, postgres), folder) { PostgreSql = postgres };
        await Migrations.ApplyAsync(store.Databases, stages, clock);
        return store;
    }

    /// <summary>Closes and opens the databases again, as a restart does.</summary>
    public async Task ReopenAsync()
    {
        await CloseAsync();
        Databases = Open(Folder, PostgreSql);
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        Directory.Delete(Folder, recursive: true);
    }

    private static Databases Open(string folder, string? postgres)
    {
        if (postgres is not null)
        {
            var one = Database.PostgreSql(postgres);
            return new Databases(one, one);
        }

        return new Databases(Database.Sqlite(Path.Combine(folder, "state.db")), Database.Sqlite(Path.Combine(folder, "journal.db"), checkpointPages: 0));
    }

    private async Task CloseAsync()
    {
        await Databases.State.DisposeAsync();
        if (!ReferenceEquals(Databases.State, Databases.Journal))
        {
            await Databases.Journal.DisposeAsync();
        }
    }
}
