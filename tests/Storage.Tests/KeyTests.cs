using System.Security.Cryptography;
using System.Text;
using Dapper;
using Sekisho.Storage.Keys;
using Sekisho.Tests.Support;

namespace Sekisho.Storage.Tests;

public class KeyTests
{
    [Fact]
    public void A_value_decrypts_only_with_its_key_and_context()
    {
        using var mine = new ColumnCipher(NewKey(), "payload");
        using var other = new ColumnCipher(NewKey(), "payload");
        var data = mine.Protect("温度 21", "row 1");

        Assert.Equal("温度 21", mine.UnprotectText(data, "row 1"));
        Assert.Throws<StorageException>(() => mine.UnprotectText(data, "row 2"));
        Assert.Throws<StorageException>(() => other.UnprotectText(data, "row 1"));
        Assert.Equal(-1, data.AsSpan().IndexOf("21"u8));
    }

    [Fact]
    public void Every_changed_or_missing_byte_is_noticed()
    {
        using var cipher = new ColumnCipher(NewKey(), "payload");
        var data = cipher.Protect(Encoding.UTF8.GetBytes("payload"), []);
        for (var i = 0; i < data.Length; i++)
        {
            var changed = (byte[])data.Clone();
            changed[i] ^= 1;
            Assert.Throws<StorageException>(() => cipher.Unprotect(changed, []));
            Assert.Throws<StorageException>(() => cipher.Unprotect(data.AsSpan(0, i), []));
        }
    }

    [Fact]
    public void A_key_derived_for_one_purpose_is_none_for_another()
    {
        var key = NewKey();
        Assert.NotEqual(key.Derive("payload"), key.Derive("unique-id"));
        Assert.Equal(key.Derive("payload"), key.Derive("payload"));
    }

    [Fact]
    public void The_first_start_makes_a_key_beside_the_data_folder_for_its_owner_only()
    {
        var folder = Directory.CreateTempSubdirectory("sekisho-key-").FullName;
        try
        {
            var data = Path.Combine(folder, "data");
            var (first, created) = MasterKey.Find(data, _ => null, mayCreate: true);
            var (again, createdAgain) = MasterKey.Find(data + "/", _ => null, mayCreate: false);

            Assert.Equal(data + ".key", created);
            Assert.Null(createdAgain);
            Assert.Equal(first.Derive("x"), again.Derive("x"));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(created!));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_missing_key_for_existing_data_stops_with_the_place_to_put_it()
    {
        var e = Assert.Throws<StorageException>(() => MasterKey.Find("/nowhere/data", _ => null, mayCreate: false));
        Assert.Contains("/nowhere/data.key", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not base64!")]
    [InlineData("c2hvcnQ=")]
    public void A_broken_key_is_refused_by_name(string text)
    {
        var e = Assert.Throws<StorageException>(() => MasterKey.Find("/x", name => name == "SEKISHO_MASTER_KEY" ? text : null, mayCreate: false));
        Assert.Contains("SEKISHO_MASTER_KEY", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(text, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_store_opens_with_its_own_key_only(Dialect dialect)
    {
        await using var store = await TestStore.CreateAsync(dialect, new ManualClock());
        await KeyCheck.EnsureAsync(store.Databases.State, store.Key);
        await store.ReopenAsync();
        await KeyCheck.EnsureAsync(store.Databases.State, store.Key);
        var e = await Assert.ThrowsAsync<StorageException>(() => KeyCheck.EnsureAsync(store.Databases.State, NewKey()));
        Assert.Contains("another master key", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_change_that_throws_leaves_nothing(Dialect dialect)
    {
        await using var store = await TestStore.CreateAsync(dialect, new ManualClock());
        await store.Databases.State.WriteAsync(t => t.Connection!.ExecuteAsync("CREATE TABLE thing (id BIGINT PRIMARY KEY)", transaction: t));
        await Assert.ThrowsAsync<InvalidOperationException>(() => store.Databases.State.WriteAsync(async t =>
        {
            await t.Connection!.ExecuteAsync("INSERT INTO thing (id) VALUES (1)", transaction: t);
            throw new InvalidOperationException("no");
        }));
        await store.Databases.State.WriteAsync(t => t.Connection!.ExecuteAsync("INSERT INTO thing (id) VALUES (2)", transaction: t));
        Assert.Equal([2L], await store.Databases.State.ReadAsync(c => c.QueryAsync<long>("SELECT id FROM thing")));
    }

    [Fact]
    public void Encrypting_into_a_buffer_holds_its_budget()
    {
        using var cipher = new ColumnCipher(NewKey(), "journal");
        var plain = new byte[512];
        var into = new byte[plain.Length + ColumnCipher.Overhead];
        var measured = Budget.Measure("encrypt", () => cipher.Protect(plain, "block"u8, into));
        Assert.Equal(plain, cipher.Unprotect(into, "block"u8));
        TestContext.Current.TestOutputHelper!.WriteLine(measured.ToString());
        Assert.True(measured.Holds, measured.ToString());
    }

    [Fact]
    public void What_is_on_disk_today_stays_readable()
    {
        // Written once by this version; a change of derivation, layout or algorithm would make every data folder unreadable.
        var key = new MasterKey(Enumerable.Range(0, MasterKey.Size).Select(i => (byte)i).ToArray());
        Assert.Equal(GoldenDerived, Convert.ToHexStringLower(key.Derive("golden")));
        Assert.Equal(GoldenHash, Convert.ToHexStringLower(new KeyedHash(key, "golden").Of("温度 21")));
        using var cipher = new ColumnCipher(key, "golden");
        Assert.Equal("温度 21", cipher.UnprotectText(Convert.FromHexString(GoldenCipher), "row 1"));
        Assert.Equal(29, ColumnCipher.Overhead);
    }

    [Fact]
    public void A_file_that_was_half_written_at_a_crash_is_made_anew_and_a_whole_one_is_never_replaced()
    {
        var folder = Directory.CreateTempSubdirectory("sekisho-file-").FullName;
        try
        {
            var file = Path.Combine(folder, "data.key");
            File.WriteAllText(file + ".part", "half of a longer k");
            DurableFile.Create(file, "whole"u8);
            Assert.Equal("whole", File.ReadAllText(file));
            Assert.Equal(["data.key"], Directory.GetFiles(folder).Select(Path.GetFileName));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            Assert.Throws<IOException>(() => DurableFile.Create(file, "other"u8));
            Assert.Equal("whole", File.ReadAllText(file));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private const string GoldenDerived = "f597f3ca15a62a1558cb827fc3a033347fadc3e814a203989872032d912f6cf6";
    private const string GoldenHash = "6cd507ab06a42ca3d0a281f344cc0ca3af3e3ef4ad2e2ac7fc228e827d3e8e88";
    private const string GoldenCipher = "01000102030405060708090a0b037b51137d9a0e4955a2658ce809a083373896f7b4ee220136";

    private static MasterKey NewKey() => new(RandomNumberGenerator.GetBytes(MasterKey.Size));
}
