using Microsoft.Extensions.Logging.Abstractions;
using Sekisho.Distribution.Journal;
using Sekisho.Domain.Events;
using Sekisho.Storage;
using Sekisho.Storage.Keys;
using Sekisho.Tests.Support;

namespace Sekisho.Distribution.Tests.Journal;

/// <summary>A journal without a host.</summary>
internal sealed class JournalRig : IAsyncDisposable
{
    public static readonly StageMigrations Tables = new("Distribution.Journal", typeof(DistributionFeature).Assembly, InJournal: true, Folder: "JournalMigrations");
    private readonly JournalStore _store;

    public JournalRig(Databases databases, MasterKey key, TimeProvider clock, JournalSettings? settings = null)
    {
        settings ??= new JournalSettings { MinFreeMiB = 0 };
        _store = new JournalStore(databases, key);
        Feed = new EventFeed(_store, settings);
        Journal = new EventJournal(_store, Feed, settings, clock, NullLogger<EventJournal>.Instance);
    }

    public EventFeed Feed { get; }

    public EventJournal Journal { get; }

    public static async Task<JournalRig> StartAsync(TestStore store, TimeProvider clock, JournalSettings? settings = null)
    {
        var rig = new JournalRig(store.Databases, store.Key, clock, settings);
        await rig.Journal.StartAsync(CancellationToken.None);
        return rig;
    }

    public static MessageEvent Message(int number, DateTimeOffset at, int size = 20) => new()
    {
        ArrivedAt = at,
        CorrelationId = "c",
        FieldId = "cars",
        DeviceId = "d" + (number % 10),
        Epoch = 1,
        Sequence = number.ToString(System.Globalization.CultureInfo.InvariantCulture),
        Source = "192.0.2.1",
        Size = size,
        Payload = new byte[size],
        MessageId = number.ToString("x32", System.Globalization.CultureInfo.InvariantCulture),
    };

    public ValueTask<long> AppendAsync(int number, DateTimeOffset at, int size = 20) => Journal.AppendAsync([Message(number, at, size)], CancellationToken.None);

    public async Task<List<GatewayEvent>> ReadAllAsync(int limit = 7)
    {
        var all = new List<GatewayEvent>();
        while (all.Count == 0 ? Feed.LastPosition > 0 : all[^1].Position < Feed.LastPosition)
        {
            all.AddRange(await Feed.ReadAsync(all.Count == 0 ? 0 : all[^1].Position, limit, CancellationToken.None));
        }

        return all;
    }

    public async ValueTask DisposeAsync()
    {
        await Journal.StopAsync(CancellationToken.None);
        Journal.Dispose();
        Feed.Dispose();
        _store.Dispose();
    }
}
