using Sekisho.Distribution.Journal;
using Sekisho.Domain.Events;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Distribution.Tests.Journal;

public class JournalDiskTests
{
    private static readonly DateTimeOffset Noon = new(2026, 4, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Complaint_7_acknowledged_but_lost_every_cut_behind_the_last_sync_keeps_every_acknowledged_event()
    {
        var clock = new ManualClock();
        await using var store = await TestStore.CreateAsync(Dialect.Sqlite, clock, JournalRig.Tables);
        await using var rig = await JournalRig.StartAsync(store, clock);
        const int acknowledged = 20;
        for (var i = 0; i < acknowledged; i++)
        {
            await rig.AppendAsync(i, Noon, 3_000);
        }

        var wal = store.Databases.Journal.File + "-wal";
        var synced = new FileInfo(wal).Length;
        for (var i = 0; i < 5; i++)
        {
            await rig.AppendAsync(acknowledged + i, Noon, 3_000);
        }

        // The log is read while its writer is alive, as a power cut would leave it.
        var log = await File.ReadAllBytesAsync(wal);
        var file = await File.ReadAllBytesAsync(store.Databases.Journal.File!);
        Assert.True(log.Length > synced);
        for (var cut = synced; cut <= log.Length; cut += 1024)
        {
            var folder = Directory.CreateTempSubdirectory("sekisho-cut-").FullName;
            try
            {
                await File.WriteAllBytesAsync(Path.Combine(folder, "journal.db"), file);
                await File.WriteAllBytesAsync(Path.Combine(folder, "journal.db-wal"), log[..(int)cut]);
                await using var database = Database.Sqlite(Path.Combine(folder, "journal.db"), checkpointPages: 0);
                await using var after = new JournalRig(new Databases(database, database), store.Key, clock);
                await after.Journal.StartAsync(CancellationToken.None);
                var events = await after.ReadAllAsync(1000);
                Assert.InRange(events.Count, acknowledged, acknowledged + 5);
                Assert.Equal(Enumerable.Range(0, events.Count).Select(i => (i + 1, i.ToString(System.Globalization.CultureInfo.InvariantCulture))), events.Cast<MessageEvent>().Select(m => ((int)m.Position, m.Sequence!)));
                Assert.Equal(events.Count + 1, await after.AppendAsync(99, Noon));
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    [Fact]
    public async Task On_a_full_disk_nothing_is_acknowledged_nothing_acknowledged_is_lost_and_it_goes_on_when_there_is_room()
    {
        await using var disk = await SmallDisk.MountAsync(mib: 4);
        var clock = new ManualClock();
        await using var database = Database.Sqlite(Path.Combine(disk.Folder, "journal.db"), checkpointPages: 0);
        var databases = new Databases(database, database);
        await Migrations.ApplyAsync(databases, [JournalRig.Tables], clock);
        var key = new Storage.Keys.MasterKey(new byte[32]);
        await using var rig = new JournalRig(databases, key, clock);
        await rig.Journal.StartAsync(CancellationToken.None);
        var ballast = Path.Combine(disk.Folder, "ballast");
        await File.WriteAllBytesAsync(ballast, new byte[1024 * 1024]);

        var stored = new List<int>();
        JournalUnavailableException? full = null;
        for (var i = 0; full is null && i < 500; i++)
        {
            try
            {
                await rig.AppendAsync(i, Noon, 20_000);
                stored.Add(i);
            }
            catch (JournalUnavailableException e)
            {
                full = e;
            }
        }

        Assert.NotNull(full);
        Assert.Contains("full", full.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<JournalUnavailableException>(async () => await rig.AppendAsync(1000, Noon, 20_000));
        Assert.False(rig.Journal.Status.Healthy);

        File.Delete(ballast);
        Assert.Equal(stored.Count + 1, await rig.AppendAsync(2000, Noon, 20_000));
        Assert.True(rig.Journal.Status.Healthy);
        stored.Add(2000);
        Assert.Equal(stored.Select(i => i.ToString(System.Globalization.CultureInfo.InvariantCulture)), (await rig.ReadAllAsync(1000)).Cast<MessageEvent>().Select(m => m.Sequence!));
    }

    [Fact]
    public async Task A_disk_short_of_room_refuses_before_it_is_full()
    {
        await using var disk = await SmallDisk.MountAsync(mib: 4);
        var clock = new ManualClock();
        await using var database = Database.Sqlite(Path.Combine(disk.Folder, "journal.db"), checkpointPages: 0);
        var databases = new Databases(database, database);
        await Migrations.ApplyAsync(databases, [JournalRig.Tables], clock);
        await using var rig = new JournalRig(databases, new Storage.Keys.MasterKey(new byte[32]), clock, new JournalSettings { MinFreeMiB = 100 });
        await rig.Journal.StartAsync(CancellationToken.None);
        var e = await Assert.ThrowsAsync<JournalUnavailableException>(async () => await rig.AppendAsync(1, Noon));
        Assert.Contains("MinFreeMiB", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_read_only_disk_is_named_and_nothing_is_acknowledged()
    {
        await using var disk = await SmallDisk.MountAsync(mib: 4);
        var clock = new ManualClock();
        var key = new Storage.Keys.MasterKey(new byte[32]);
        var file = Path.Combine(disk.Folder, "journal.db");
        await using (var database = Database.Sqlite(file, checkpointPages: 0))
        {
            var databases = new Databases(database, database);
            await Migrations.ApplyAsync(databases, [JournalRig.Tables], clock);
            await using var rig = new JournalRig(databases, key, clock);
            await rig.Journal.StartAsync(CancellationToken.None);
            await rig.AppendAsync(0, Noon);
        }

        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        await disk.RemountAsync("ro");
        await using (var database = Database.Sqlite(file, checkpointPages: 0))
        {
            await using var rig = new JournalRig(new Databases(database, database), key, clock);
            var e = await Record.ExceptionAsync(async () =>
            {
                await rig.Journal.StartAsync(CancellationToken.None);
                await rig.AppendAsync(1, Noon);
            });
            Assert.True(e is JournalUnavailableException or Microsoft.Data.Sqlite.SqliteException, e?.ToString());
        }

        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
    }
}
