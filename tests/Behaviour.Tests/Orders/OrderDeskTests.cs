using System.Data.Common;
using System.Security.Cryptography;
using Dapper;
using Sekisho.Behaviour.Intake;
using Sekisho.Behaviour.Orders;
using Sekisho.Behaviour.Sensors;
using Sekisho.Domain.Devices;
using Sekisho.Domain.History;
using Sekisho.Storage;
using Sekisho.Tests.Support;
using Sekisho.Wire.Orders;

namespace Sekisho.Behaviour.Tests.Orders;

public class OrderDeskTests
{
    private const string One = "s000000000000001";
    private const string Two = "s000000000000002";
    private const string Measure = "l000000000000001";
    private static readonly TimeSpan s_wait = TimeSpan.FromSeconds(15);

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task An_order_is_in_force_once_one_enforcer_says_so_and_ended_once_each_that_has_it_does(Dialect dialect)
    {
        await using var site = await Site.OpenAsync(dialect);
        Assert.Equal(NetworkOutcomeKind.NobodyOnline, (await site.RestrictAsync()).Kind);
        Assert.Empty(await site.AskAsync(One));
        Assert.Equal(1, await site.Network.OnlineAsync("plant", default));

        var restricting = site.RestrictAsync();
        var order = Assert.Single(await site.UntilAsync(One));
        Assert.Equal((NetworkOrderKind.Quarantine, One, Measure), (order.Kind, order.SensorId, order.Measure));
        Assert.Equal(site.Clock.GetUtcNow().AddHours(1).ToUnixTimeMilliseconds(), order.ExpiresAt);
        Assert.Equal([0x0200_0000_0001UL], order.Macs);
        Assert.Equal(["192.0.2.7"], order.Addresses.Select(a => a.ToString()));
        Assert.Equal(("198.51.100.10", 6, 443), order.Reachable.Select(r => (r.Address.ToString(), (int)r.Protocol, (int)r.Port)).Single());

        // Until it is answered it is the same order, with the same number.
        Assert.Equal(order.Sequence, Assert.Single(await site.AskAsync(One)).Sequence);
        Assert.False(restricting.IsCompleted);
        Assert.Empty(await site.AskAsync(One, order.Sequence, new EnforcerAnswer(order.Sequence, "applied", "")));
        Assert.Equal(NetworkOutcomeKind.InForce, (await restricting).Kind);

        // One that comes later gets what stands.
        var second = Assert.Single(await site.AskAsync(Two));
        Assert.Equal((Two, Measure), (second.SensorId, second.Measure));
        await site.AskAsync(Two, second.Sequence, new EnforcerAnswer(second.Sequence, "applied", ""));

        var lifting = site.Network.LiftAsync(Measure, s_wait, "c", default);
        var lift = Assert.Single(await site.UntilAsync(One, order.Sequence));
        Assert.Equal(NetworkOrderKind.Lift, lift.Kind);
        await site.AskAsync(One, lift.Sequence, new EnforcerAnswer(lift.Sequence, "lifted", ""));
        Assert.False(lifting.IsCompleted);
        var other = Assert.Single(await site.AskAsync(Two, second.Sequence));
        await site.AskAsync(Two, other.Sequence, new EnforcerAnswer(other.Sequence, "lifted", ""));
        Assert.True(await lifting);
        Assert.Empty(await site.AskAsync(One, lift.Sequence));
        Assert.Equal(["network-applied", "network-applied", "network-lifted", "network-lifted"], site.History);

        // Ordered again it is a new order.
        var again = site.RestrictAsync();
        Assert.True(Assert.Single(await site.UntilAsync(One, lift.Sequence)).Sequence > lift.Sequence);
        site.Clock.Advance(s_wait);
        Assert.Equal(NetworkOutcomeKind.Unanswered, (await again).Kind);
    }

    [Fact]
    public async Task What_all_refuse_or_nobody_answers_is_withdrawn()
    {
        await using var site = await Site.OpenAsync(Dialect.Sqlite);
        await site.AskAsync(One);
        await site.AskAsync(Two);
        var restricting = site.RestrictAsync();
        var (first, second) = (Assert.Single(await site.UntilAsync(One)), Assert.Single(await site.UntilAsync(Two)));
        await site.AskAsync(One, first.Sequence, new EnforcerAnswer(first.Sequence, "refused", "protected"));
        Assert.False(restricting.IsCompleted);
        await site.AskAsync(Two, second.Sequence, new EnforcerAnswer(second.Sequence, "refused", "protected"));
        Assert.Equal(new NetworkOutcome(NetworkOutcomeKind.Refused, "protected"), await restricting);
        Assert.Empty(await site.AskAsync(One, first.Sequence));

        // One took the order and its answer was lost: once the measure is withdrawn it is lifted there.
        restricting = site.RestrictAsync();
        var taken = Assert.Single(await site.UntilAsync(One, first.Sequence));
        site.Clock.Advance(s_wait);
        Assert.Equal(NetworkOutcomeKind.Unanswered, (await restricting).Kind);
        Assert.Equal(NetworkOrderKind.Lift, Assert.Single(await site.AskAsync(One, taken.Sequence, new EnforcerAnswer(taken.Sequence, "applied", ""))).Kind);

        // An enforcer that is silent is away.
        site.Clock.Advance(NetworkEnforcement.OnlineFor + TimeSpan.FromSeconds(20));
        Assert.Equal(NetworkOutcomeKind.NobodyOnline, (await site.RestrictAsync()).Kind);
    }

    [Fact]
    public async Task An_enforcer_that_lost_its_disk_is_told_again_and_one_of_another_field_hears_nothing()
    {
        await using var site = await Site.OpenAsync(Dialect.Sqlite);
        await site.AskAsync(One);
        var restricting = site.RestrictAsync();
        var order = Assert.Single(await site.UntilAsync(One));
        await site.AskAsync(One, order.Sequence, new EnforcerAnswer(order.Sequence, "applied", "nonsense that is too long for a stable name or has capitals"));
        await restricting;

        var again = Assert.Single(await site.AskAsync(One));
        Assert.Equal(Measure, again.Measure);
        Assert.True(again.Sequence > order.Sequence);
        Assert.Empty(await site.AskAsync("s000000000000003"));

        // A gateway that was set back goes on above what its enforcer has seen.
        Assert.True(Assert.Single(await site.AskAsync(Two, last: again.Sequence + 1_000_000_000)).Sequence > again.Sequence + 1_000_000_000);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task What_is_in_force_ends_where_the_enforcer_says_that_it_would_touch_the_protected_and_for_no_other_cause(Dialect dialect)
    {
        await using var site = await Site.OpenAsync(dialect);
        await site.AskAsync(One);
        var restricting = site.RestrictAsync();
        var order = Assert.Single(await site.UntilAsync(One));
        await site.AskAsync(One, order.Sequence, new EnforcerAnswer(order.Sequence, "applied", ""));
        await restricting;
        await site.AskAsync(One, order.Sequence, new EnforcerAnswer(order.Sequence, "refused", "repeated"));
        Assert.Equal("applied", Assert.Single(await site.Store.OrdersOfAsync(Measure, default)).Outcome);
        Assert.Empty(await site.AskAsync(One, order.Sequence, new EnforcerAnswer(order.Sequence, "refused", "protected")));
        Assert.Equal(("refused", "protected"), (await site.Store.OrdersOfAsync(Measure, default)).Select(o => (o.Outcome, o.Cause)).Single());
        Assert.Equal(["network-applied", "network-refused"], site.History);

        // Nothing is left there to be lifted.
        Assert.True(await site.Network.LiftAsync(Measure, TimeSpan.Zero, "c", default));
        Assert.Empty(await site.AskAsync(One, order.Sequence));
    }

    [Theory]
    [InlineData(Dialect.Sqlite, "full")]
    [InlineData(Dialect.PostgreSql, "clock")]
    public async Task An_enforcer_that_could_not_follow_is_asked_again_while_another_holds_the_measure(Dialect dialect, string cause)
    {
        await using var site = await Site.OpenAsync(dialect);
        await site.AskAsync(One);
        await site.AskAsync(Two);
        var restricting = site.RestrictAsync();
        var (first, second) = (Assert.Single(await site.UntilAsync(One)), Assert.Single(await site.UntilAsync(Two)));
        await site.AskAsync(One, first.Sequence, new EnforcerAnswer(first.Sequence, "applied", ""));
        Assert.Equal(NetworkOutcomeKind.InForce, (await restricting).Kind);
        Assert.Empty(await site.AskAsync(Two, second.Sequence, new EnforcerAnswer(second.Sequence, "refused", cause)));

        site.Clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Empty(await site.AskAsync(One, first.Sequence));
        var again = Assert.Single(await site.AskAsync(Two, second.Sequence));
        Assert.Equal((NetworkOrderKind.Quarantine, Measure), (again.Kind, again.Measure));
        Assert.True(again.Sequence > second.Sequence);

        // For as long as it passes; what was refused does not pile up.
        Assert.Empty(await site.AskAsync(Two, again.Sequence, new EnforcerAnswer(again.Sequence, "refused", cause)));
        site.Clock.Advance(TimeSpan.FromSeconds(61));
        var third = Assert.Single(await site.AskAsync(Two, again.Sequence));
        Assert.Equal(2, await site.OrdersKeptAsync());
        Assert.Empty(await site.AskAsync(Two, third.Sequence, new EnforcerAnswer(third.Sequence, "applied", "")));
        Assert.All(await site.Store.OrdersOfAsync(Measure, default), o => Assert.Equal("applied", o.Outcome));

        // One that protects whom the order would touch is not asked again.
        await site.AskAsync(Two, third.Sequence, new EnforcerAnswer(third.Sequence, "refused", "protected"));
        site.Clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Empty(await site.AskAsync(Two, third.Sequence));
    }

    [Fact]
    public async Task A_measure_longer_than_an_order_may_be_is_renewed_and_one_that_ended_is_over()
    {
        await using var site = await Site.OpenAsync(Dialect.Sqlite);
        await site.AskAsync(One);
        var restricting = site.RestrictAsync(TimeSpan.FromDays(10));
        var first = Assert.Single(await site.UntilAsync(One));
        Assert.Equal(site.Clock.GetUtcNow().AddDays(7).ToUnixTimeMilliseconds(), first.ExpiresAt);
        await site.AskAsync(One, first.Sequence, new EnforcerAnswer(first.Sequence, "applied", ""));
        await restricting;
        site.Clock.Advance(TimeSpan.FromDays(5));
        Assert.Empty(await site.AskAsync(One, first.Sequence));
        site.Clock.Advance(TimeSpan.FromDays(1.5));
        var second = Assert.Single(await site.AskAsync(One, first.Sequence));
        Assert.Equal(first.IssuedAt + (long)TimeSpan.FromDays(10).TotalMilliseconds, second.ExpiresAt);
        await site.AskAsync(One, second.Sequence, new EnforcerAnswer(second.Sequence, "applied", ""));
        site.Clock.Advance(TimeSpan.FromDays(4));
        Assert.Empty(await site.AskAsync(One, second.Sequence));
        Assert.True(await site.Network.LiftAsync(Measure, TimeSpan.Zero, "c", default));
    }

    [Fact]
    public async Task A_device_is_known_by_its_MAC_its_own_addresses_on_the_site_or_what_a_person_named()
    {
        await using var site = await Site.OpenAsync(Dialect.Sqlite);
        Assert.Null(await site.Network.FindAsync("d2", default));
        Assert.Null(await site.Network.FindAsync("d9", default));
        Assert.Equal(["02:00:00:00:00:01"], (await site.Network.FindAsync("d1", default))!.Macs);

        // 10.0.0.9 is another device's as well, 203.0.113.5 may be anybody's.
        await site.SeeAsync(0x0200_0000_0001, "10.0.0.7", "203.0.113.5", "10.0.0.9", "0.0.0.0", "fe80::7", "fd00::7");
        await site.SeeAsync(0x0200_0000_0002, "10.0.0.9");
        Assert.Equal(["10.0.0.7", "fe80::7", "fd00::7"], (await site.Network.FindAsync("d1", default))!.Addresses);

        await site.Store.WriteAsync(t => site.Store.PutLinkAsync("plant", "d2", new LinkBody(null, ["203.0.113.9"]), "hanako", site.Clock.GetUtcNow(), t), default);
        var named = (await site.Network.FindAsync("d2", default))!;
        Assert.Equal((0, "203.0.113.9"), (named.Macs.Count, named.Addresses.Single()));
    }

    private sealed class Site : IAsyncDisposable, IHistory, ISensorAuthority, IDeviceDirectory, IDeviceMacs
    {
        private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        private readonly TestStore _store;
        private readonly Sealed _secrets;
        private readonly SensorStore _sensors;
        private readonly SensorBook _book;
        private readonly IntervalStore _seen;
        private readonly OrderDesk _desk;

        private Site(TestStore store, ManualClock clock)
        {
            (_store, Clock) = (store, clock);
            _secrets = new Sealed(store.Key);
            _sensors = new SensorStore(store.Databases, _secrets);
            _book = new SensorBook(_sensors);
            _seen = new IntervalStore(store.Databases, _secrets, new SensorSettings());
            Store = new MeasureStore(store.Databases, _secrets);
            var signal = new OrderSignal();
            _desk = new OrderDesk(Store, signal, this, this, clock);
            Network = new NetworkEnforcement(Store, _seen, _book, signal, this, this, clock);
        }

        public ManualClock Clock { get; }

        public MeasureStore Store { get; }

        public NetworkEnforcement Network { get; }

        public List<string> History { get; } = [];

        public int? Port => null;

        public string CertificatePem => "";

        public string Fingerprint => "";

        public string OrderKeyPem => _key.ExportSubjectPublicKeyInfoPem();

        public IReadOnlyCollection<FieldProfile> Fields => [];

        public static async Task<Site> OpenAsync(Dialect dialect)
        {
            var clock = new ManualClock();
            var site = new Site(await TestStore.CreateAsync(dialect, clock, new StageMigrations("Behaviour", typeof(BehaviourFeature).Assembly)), clock);
            foreach (var (id, field) in ((string, string)[])[(One, "plant"), (Two, "plant"), ("s000000000000003", "other")])
            {
                var entry = new SensorEntry(new Sensor { Id = id, FieldId = field, Name = id, State = SensorStates.Active, CreatedBy = "hanako", CreatedAt = clock.GetUtcNow() });
                await site._sensors.WriteAsync(t => site._sensors.PutAsync(entry.Sensor, t), default);
                site._book.Put(entry);
            }

            return site;
        }

        public Task<NetworkOutcome> RestrictAsync(TimeSpan? life = null) => Network.RestrictAsync(
            new NetworkMeasure
            {
                Id = Measure,
                FieldId = "plant",
                DeviceId = "d1",
                Identity = new NetworkIdentity(["02:00:00:00:00:01"], ["192.0.2.7"]),
                Reachable = [new ReachableService("198.51.100.10", "tcp", 443)],
                ExpiresAt = Clock.GetUtcNow() + (life ?? TimeSpan.FromHours(1)),
            },
            s_wait, "c", default);

        /// <summary>Asks as an enforcer does, and reads what comes as it does.</summary>
        public async Task<IReadOnlyList<NetworkOrder>> AskAsync(string sensor, long last = 0, params EnforcerAnswer[] answers)
        {
            var entry = _book.All.Single(e => e.Sensor.Id == sensor);
            var orders = await _desk.AskAsync(entry, last, answers, TimeSpan.Zero, "c", default);
            return [.. orders.Select(o =>
            {
                Assert.Equal(OrderFault.None, NetworkOrderCodec.TryDecode(o.Order, _key, out var order));
                Assert.Equal(OrderFault.None, NetworkOrderCodec.Check(order!, sensor, last, Clock.GetUtcNow()));
                Assert.Equal(o.Sequence, order!.Sequence);
                return order;
            })];
        }

        /// <summary>Asks until there is something.</summary>
        public async Task<IReadOnlyList<NetworkOrder>> UntilAsync(string sensor, long last = 0)
        {
            IReadOnlyList<NetworkOrder> orders = [];
            await Until.TrueAsync(async () => (orders = await AskAsync(sensor, last)).Count > 0, "there is no order");
            return orders;
        }

        public Task<long> OrdersKeptAsync() => _store.Databases.State.ReadAsync(c => c.ExecuteScalarAsync<long>("SELECT COUNT(*) FROM network_order"), default);

        public Task SeeAsync(ulong mac, params string[] addresses) => _sensors.WriteAsync(
            t => _seen.PutAsync(One, [new SeenDevice(_secrets.Device(mac, default), 1, 2, new DeviceIdentity(mac, null, addresses))], t), default);

        public void Append(HistoryRecord record, DbTransaction transaction) => History.Add(record.What);

        public SensorCertificate? Issue(ReadOnlySpan<byte> request, string sensorId, TimeSpan life) => null;

        public byte[] SignOrder(byte[] order) => _key.SignData(order, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

        public DeviceProfile? Device(string deviceId) => deviceId == "d9" ? null : new DeviceProfile
        {
            DeviceId = deviceId,
            FieldId = "plant",
            Name = deviceId,
            Kind = "k",
            UniqueIdType = UniqueIdTypes.Mac,
            Cadence = Cadences.Irregular,
            State = LifecycleStates.Active,
            Assurance = "device",
        };

        public FieldProfile? Field(string fieldId) => null;

        public IReadOnlyCollection<DeviceProfile> DevicesOf(string fieldId) => [];

        public string? MacOf(string deviceId) => deviceId == "d1" ? "02:00:00:00:00:01" : null;

        public async ValueTask DisposeAsync()
        {
            _secrets.Dispose();
            _key.Dispose();
            await _store.DisposeAsync();
        }
    }
}
