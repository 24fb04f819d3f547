using System.Data.Common;
using System.Security.Cryptography;
using Dapper;
using Sekisho.Behaviour.Intake;
using Sekisho.Behaviour.Pictures;
using Sekisho.Behaviour.Sensors;
using Sekisho.Domain.History;
using Sekisho.Storage;
using Sekisho.Tests.Support;
using Sekisho.Wire.Features;

namespace Sekisho.Behaviour.Tests.Intake;

public class IntakeTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Intervals_count_once_however_often_and_in_whatever_batches_they_come(Dialect dialect)
    {
        await using var desk = await Desk.OpenAsync(dialect);
        Assert.Equal(3, (await desk.TakeAsync(1, 2, 3)).UpTo);
        Assert.Equal(SensorProblems.Repeated, (await desk.TakeAsync(1, 2, 3)).Refused);
        Assert.Equal(SensorProblems.Repeated, (await desk.TakeAsync(2)).Refused);
        var together = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => desk.TakeAsync(3, 4, 5)));
        Assert.Single(together, o => o.Refused is null);
        Assert.Equal(8, (await desk.TakeAsync(8)).UpTo);

        var sensor = desk.Entry.Sensor;
        Assert.Equal((8, 2), (sensor.LastSequence, sensor.Missed));
        var window = await desk.Windows.OfAsync(sensor, 3_600, CancellationToken.None);
        Assert.Equal(60, window.Seconds);
        Assert.Equal(6 * 100, window.Devices[(0xA1, default)].Sent.Bytes);

        // As after a restart.
        var book = await desk.ReloadAsync();
        var again = book.Find("plant", sensor.Id)!.Sensor;
        Assert.Equal((sensor.LastSequence, sensor.Missed, sensor.LastSeen, sensor.Name), (again.LastSequence, again.Missed, again.LastSeen, again.Name));
        Assert.Equal(sensor.Status!.State, again.Status!.State);
        Assert.NotNull(book.Certificate(desk.Hash));
        Assert.NotNull(book.ByCode(desk.CodeHash));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Devices_keep_their_first_and_last_time_and_the_least_recent_go_when_there_are_too_many(Dialect dialect)
    {
        await using var desk = await Desk.OpenAsync(dialect, s => s.MostDevices = 3);
        await desk.TakeAsync(Desk.Interval(1, Desk.Device(0xA1, 100, 200)));
        await desk.TakeAsync(Desk.Interval(2, Desk.Device(0xA1, 150, 300, "192.0.2.9"), Desk.Device(0xA2, 250, 260)));
        var devices = await desk.Store.DevicesAsync(desk.Entry.Sensor.Id, CancellationToken.None);
        Assert.Equal([(0xA1UL, 100L, 300L), (0xA2UL, 250L, 260L)], devices.Select(d => (d.Identity.Mac, d.FirstSeen, d.LastSeen)));
        Assert.Equal(["192.0.2.9"], devices[0].Identity.Addresses);

        await desk.TakeAsync(Desk.Interval(3, Desk.Device(0xA3, 400, 400), Desk.Device(0xA4, 500, 500)));
        Assert.Equal([0xA1UL, 0xA3UL, 0xA4UL], (await desk.Store.DevicesAsync(desk.Entry.Sensor.Id, CancellationToken.None)).Select(d => d.Identity.Mac));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Intervals_go_by_number_and_by_age(Dialect dialect)
    {
        await using var desk = await Desk.OpenAsync(dialect, s => s.MostIntervals = 3);
        await desk.TakeAsync(1, 2, 3, 4, 5);
        Assert.Equal(3, await desk.StoredAsync());
        desk.Clock.Advance(TimeSpan.FromDays(2));
        await desk.TakeAsync(6);
        Assert.Equal(1, await desk.StoredAsync());
    }

    [Fact]
    public async Task A_batch_of_which_one_interval_cannot_be_read_changes_nothing()
    {
        await using var desk = await Desk.OpenAsync(Dialect.Sqlite);
        var broken = IntervalCodec.Encode(Desk.Interval(2));
        broken[^1] ^= 0xFF;
        var outcome = await desk.TakeAsync(IntervalBatch.Encode([IntervalCodec.Encode(Desk.Interval(1)), broken[..^2]]));
        Assert.NotNull(outcome.Fault);
        Assert.Equal(0, desk.Entry.Sensor.LastSequence);
        Assert.Equal(0, await desk.StoredAsync());
        Assert.NotNull((await desk.TakeAsync(2, 1)).Fault);
        Assert.NotNull((await desk.TakeAsync(0)).Fault);
    }

    [Fact]
    public async Task Whatever_bytes_come_nothing_is_thrown()
    {
        await using var desk = await Desk.OpenAsync(Dialect.Sqlite);
        var random = Fuzz.Source(43);
        var seed = IntervalBatch.Encode([IntervalCodec.Encode(Desk.Interval(1))]);
        for (var round = 0; round < Fuzz.Rounds(300); round++)
        {
            var bytes = (byte[])seed.Clone();
            for (var i = random.Next(1, 4); i > 0; i--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            await desk.TakeAsync(bytes[..random.Next(1, bytes.Length + 1)]);
        }

        Assert.Equal(long.MaxValue - 1, (await desk.TakeAsync(long.MaxValue - 1)).UpTo);
    }

    [Fact]
    public async Task Behind_a_router_a_device_is_its_address_and_its_peers_are_its_own()
    {
        await using var desk = await Desk.OpenAsync(Dialect.Sqlite);
        var (one, two, server) = (Desk.Address("10.0.0.1"), Desk.Address("10.0.0.2"), Desk.Address("198.51.100.1"));
        await desk.TakeAsync(Desk.Interval(1, Desk.Device(0xA1, 1, 1) with { BehindRouter = one }, Desk.Device(0xA1, 1, 1) with { BehindRouter = two }) with
        {
            Flows = [Desk.Flow(one, server, 500), Desk.Flow(two, server, 700)],
        });
        var window = await desk.Windows.OfAsync(desk.Entry.Sensor, null, CancellationToken.None);
        var devices = await desk.Store.DevicesAsync(desk.Entry.Sensor.Id, CancellationToken.None);
        Assert.Equal(["10.0.0.1", "10.0.0.2"], devices.Select(d => d.Identity.BehindRouter));
        var views = devices.Select(d => Views.Of(d, window, [.. window.Flows.Where(f => Views.Ends(f.Newest, d.Identity).Client)])).ToList();
        Assert.Equal([500L, 700L], views.Select(v => Assert.Single(v.Peers).Sent.Bytes));
        Assert.All(views, v => Assert.Equal(100, v.Sent.Bytes));
    }

    /// <summary>A sensor that is enrolled, and everything it needs.</summary>
    private sealed class Desk : IAsyncDisposable, IHistory
    {
        private readonly TestStore _store;
        private readonly Sealed _secrets;
        private readonly SensorStore _sensors;
        private readonly IntervalIntake _intake;
        private KnownCertificate _known = null!;

        private Desk(TestStore store, ManualClock clock, SensorSettings settings)
        {
            (_store, Clock) = (store, clock);
            _secrets = new Sealed(store.Key);
            _sensors = new SensorStore(store.Databases, _secrets);
            Book = new SensorBook(_sensors);
            Store = new IntervalStore(store.Databases, _secrets, settings);
            Windows = new RecentWindows(Store);
            _intake = new IntervalIntake(_sensors, Book, Store, _secrets, this, clock);
        }

        public ManualClock Clock { get; }

        public SensorBook Book { get; }

        public IntervalStore Store { get; }

        public RecentWindows Windows { get; }

        public SensorEntry Entry { get; } = new(new Sensor { Id = "s1", FieldId = "plant", Name = "プレス", State = SensorStates.Active, CreatedBy = "hanako", CreatedAt = DateTimeOffset.UnixEpoch });

        public byte[] Hash { get; } = RandomNumberGenerator.GetBytes(32);

        public byte[] CodeHash { get; } = RandomNumberGenerator.GetBytes(32);

        public static async Task<Desk> OpenAsync(Dialect dialect, Action<SensorSettings>? change = null)
        {
            var clock = new ManualClock();
            var settings = new SensorSettings();
            change?.Invoke(settings);
            var desk = new Desk(await TestStore.CreateAsync(dialect, clock, new StageMigrations("Behaviour", typeof(BehaviourFeature).Assembly)), clock, settings);
            desk.Entry.Sensor = desk.Entry.Sensor with { CodeHash = desk.CodeHash, CodeExpiresAt = clock.GetUtcNow() };
            await desk._sensors.WriteAsync(
                async t =>
                {
                    await desk._sensors.PutAsync(desk.Entry.Sensor, t);
                    await SensorStore.AddCertificateAsync("s1", desk.Hash, clock.GetUtcNow(), clock.GetUtcNow().AddDays(90), t);
                },
                CancellationToken.None);
            desk._known = new KnownCertificate(desk.Entry, clock.GetUtcNow(), clock.GetUtcNow().AddDays(90));
            desk.Book.Put(desk.Entry);
            desk.Book.Put(desk.Hash, desk._known);
            return desk;
        }

        public static NetAddress Address(string text) => NetAddress.FromIPv6(System.Net.IPAddress.Parse(text).MapToIPv6().GetAddressBytes());

        public static DeviceFeatures Device(ulong mac, long first, long last, string address = "192.0.2.1") => new()
        {
            Mac = mac,
            Addresses = [Address(address)],
            FirstSeen = first,
            LastSeen = last,
            Sent = new Tally { Packets = 1, Bytes = 100, Sizes = [0, 1, 0, 0, 0, 0, 0, 0], Gaps = new uint[8] },
            Received = Tally.None,
        };

        public static FlowFeatures Flow(NetAddress client, NetAddress server, long bytes) => new()
        {
            ClientMac = 0xA1,
            ServerMac = 0xB1,
            Client = client,
            Server = server,
            EtherType = 0x0800,
            Protocol = 6,
            ClientPort = 1,
            ServerPort = 2,
            Service = "mqtt",
            FirstSeen = 1,
            LastSeen = 1,
            Up = new Tally { Packets = 1, Bytes = bytes, Sizes = [0, 0, 0, 1, 0, 0, 0, 0], Gaps = new uint[8] },
            Down = Tally.None,
        };

        public static IntervalFeatures Interval(long sequence, params DeviceFeatures[] devices) =>
            new(sequence, 1_000, 10_000, devices.Length > 0 ? devices : [Device(0xA1, 1, 2)], [], new SensorState { Packets = 1 });

        public Task<IntakeOutcome> TakeAsync(params long[] sequences) => TakeAsync(IntervalBatch.Encode([.. sequences.Select(s => IntervalCodec.Encode(Interval(s)))]));

        public Task<IntakeOutcome> TakeAsync(IntervalFeatures interval) => TakeAsync(IntervalBatch.Encode([IntervalCodec.Encode(interval)]));

        public Task<IntakeOutcome> TakeAsync(byte[] body) => _intake.TakeAsync(_known, Hash, body, "test", CancellationToken.None);

        public Task<long> StoredAsync() => _store.Databases.State.ReadAsync(c => c.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM sensor_interval"));

        public async Task<SensorBook> ReloadAsync()
        {
            var book = new SensorBook(_sensors);
            await book.LoadAsync(CancellationToken.None);
            return book;
        }

        public void Append(HistoryRecord record, DbTransaction transaction)
        {
        }

        public async ValueTask DisposeAsync()
        {
            _secrets.Dispose();
            await _store.DisposeAsync();
        }
    }
}
