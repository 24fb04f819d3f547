using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Sekisho.Distribution.Tests.Gateway;
using Sekisho.Domain.Devices;
using Sekisho.Domain.History;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Distribution.Tests.Forwarding;

/// <summary>A device in quarantine sends, and its field's cloud sees nothing of it until the quarantine ends.</summary>
public class QuarantineTests
{
    [Theory]
    [InlineData(Dialect.Sqlite, true)]
    [InlineData(Dialect.PostgreSql, true)]
    [InlineData(Dialect.Sqlite, false)]
    [InlineData(Dialect.PostgreSql, false)]
    public async Task What_a_device_sends_in_quarantine_waits_also_across_a_restart_and_goes_in_order_or_is_dropped(Dialect dialect, bool forward)
    {
        await using var cloud = await Receiver.StartAsync();
        await using var gateway = await TestGateway.StartAsync(dialect, settings: ForwardingTests.Fast);
        await gateway.PutAsync(ForwardingTests.Cars + "/destination", cloud.Destination(batch: 7));
        await HoldAsync(gateway, "c1", "lease-1", TimeSpan.FromHours(1));
        await HoldAsync(gateway, "c1", "lease-1", TimeSpan.FromHours(1)); // ordered twice, it is one
        await FeedMixedAsync(gateway, 0, 20);
        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Forwarded) == 20, "the others");
        Assert.Equal(Enumerable.Range(0, 20), cloud.TakenSequences("c2"));
        Assert.Empty(cloud.TakenSequences("c1"));

        await gateway.RestartAsync();
        await FeedMixedAsync(gateway, 20, 10);
        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Forwarded) == 30, "the others after the restart");
        Assert.Empty(cloud.TakenSequences("c1"));
        Assert.Equal(30, Quarantines(gateway).Of("c1")!.Waiting);
        Assert.Null(Quarantines(gateway).Of("c2"));
        var connector = await gateway.GetAsync(ForwardingTests.Cars + "/connector");
        Assert.Equal((0, 30), ((int)connector["waitingMessages"]!, (int)connector["quarantinedMessages"]!));
        var rows = (await gateway.GetAsync(ForwardingTests.Cars + "/deliveries?state=quarantined&limit=100"))["items"]!.AsArray();
        Assert.All(rows, r => Assert.Equal(("quarantined", "c1"), ((string?)r!["state"], (string?)r["deviceId"])));
        Assert.Equal(30, rows.Sum(r => (int)r!["messages"]!));
        var flight = await gateway.Services.GetRequiredService<ILedgerSource>().CountAsync(default);
        Assert.Equal((30, 30), (flight.Queued["cars"], flight.Quarantined!["cars"]));

        Assert.True(await Quarantines(gateway).EndAsync("c1", "lease-1", forward, "hanako", "", default));
        Assert.True(await Quarantines(gateway).EndAsync("c1", "lease-1", !forward, "hanako", "", default));
        Assert.Null(Quarantines(gateway).Of("c1"));
        await gateway.FeedAsync("c1", 30, 3);
        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Forwarded) == (forward ? 63 : 33), "what may go");
        Assert.Equal(forward ? Enumerable.Range(0, 33) : Enumerable.Range(30, 3), cloud.TakenSequences("c1"));
        Assert.Equal(forward ? 0 : 30, gateway.History.Count("cars", LedgerStates.Dropped));
        await NothingWaitsAsync(gateway);
        var record = Assert.Single(gateway.History.Records, r => r.DeviceId == "c1" && r.Details!.Contains("quarantined", StringComparison.Ordinal));
        Assert.Equal((forward ? "quarantine-released" : "dropped", "hanako"), (record.What, record.Actor));
        Assert.Equal(30, (int)JsonNode.Parse(record.Details!)!["messages"]!);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task What_waited_before_the_order_waits_on_and_the_last_of_two_holders_lets_go(Dialect dialect)
    {
        await using var cloud = await Receiver.StartAsync();
        await using var gateway = await TestGateway.StartAsync(dialect, settings: ForwardingTests.Fast);
        await gateway.PutAsync(ForwardingTests.Cars + "/destination", cloud.Destination());
        using (await gateway.Http.PostAsync(ForwardingTests.Cars + "/connector/stop", null))
        {
        }

        await FeedMixedAsync(gateway, 0, 10);
        Assert.Equal((10, false), await Quarantines(gateway).QueuedAsync("cars", "c1", default));
        await HoldAsync(gateway, "c1", "lease-1", TimeSpan.FromHours(1));
        await HoldAsync(gateway, "c1", "lease-2", TimeSpan.FromHours(2));
        using (await gateway.Http.PostAsync(ForwardingTests.Cars + "/connector/start", null))
        {
        }

        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Forwarded) == 10, "the others");
        Assert.False(await Quarantines(gateway).EndAsync("c1", "lease-2", forward: false, "hanako", "", default));
        Assert.Equal(10, Quarantines(gateway).Of("c1")!.Waiting);
        Assert.True(await Quarantines(gateway).EndAsync("c1", "lease-1", forward: true, "hanako", "", default));
        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Forwarded) == 20, "all");
        Assert.Equal(Enumerable.Range(0, 10), cloud.TakenSequences("c1"));
        Assert.All(cloud.Taken.Where(m => (string?)m["deviceId"] == "c1"), m => Assert.True((bool)m["backlog"]!));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_quarantine_ends_by_itself_also_while_the_gateway_is_off_and_nothing_overtakes_what_waited(bool forward)
    {
        var clock = new ManualClock();
        await using var cloud = await Receiver.StartAsync();
        await using var gateway = await TestGateway.StartAsync(clock: clock, settings: ForwardingTests.Fast);
        await gateway.PutAsync(ForwardingTests.Cars + "/destination", cloud.Destination());
        await Quarantines(gateway).HoldAsync(new QuarantineOrder("cars", "c1", "lease-1", clock.GetUtcNow().AddHours(1), forward), default);
        await FeedMixedAsync(gateway, 0, 10);
        await Until.TrueAsync(() => Quarantines(gateway).Of("c1")!.Waiting == 10, "the quarantine");

        // Over by the clock, and the first thing that happens is that more comes.
        clock.Advance(TimeSpan.FromMinutes(59.9));
        await Quarantines(gateway).HoldAsync(new QuarantineOrder("cars", "c3", "lease-3", clock.GetUtcNow().AddHours(9), true), default);
        clock.Leap(TimeSpan.FromHours(2));
        await gateway.RestartAsync();
        await gateway.FeedAsync("c1", 10, 5);
        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Forwarded) == (forward ? 25 : 15), "what may go");

        // What the end had begun to deliver before the gateway went off comes again after it, as always.
        Assert.Equal(Enumerable.Range(forward ? 0 : 10, forward ? 15 : 5), cloud.TakenSequences("c1").Distinct());
        Assert.Equal(forward ? 0 : 10, gateway.History.Count("cars", LedgerStates.Dropped));
        Assert.Null(Quarantines(gateway).Of("c1"));
        Assert.NotNull(Quarantines(gateway).Of("c3"));
    }

    [Fact]
    public async Task What_waits_too_long_expires_and_what_waits_gives_way_before_another_device_loses_anything()
    {
        var clock = new ManualClock();
        await using var cloud = await Receiver.StartAsync();
        await using var gateway = await TestGateway.StartAsync(clock: clock, settings: ForwardingTests.Fast);
        await gateway.PutAsync(ForwardingTests.Cars + "/destination", cloud.Destination(maxAge: 3600, maxBytes: 1024));
        await HoldAsync(gateway, "c1", "lease-1", TimeSpan.FromDays(1), clock);
        await gateway.FeedAsync("c1", 0, 5);
        await Until.TrueAsync(() => Quarantines(gateway).Of("c1")!.Waiting == 5, "the quarantine");
        clock.Advance(TimeSpan.FromMinutes(61));
        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Expired) == 5 && Quarantines(gateway).Of("c1")!.Waiting == 0, "the old ones");

        // The cloud is down: more waits than may, most of it of the device in quarantine.
        await gateway.FeedAsync("c1", 100, 120);
        await Until.TrueAsync(() => Quarantines(gateway).Of("c1")?.Waiting > 0 || gateway.History.Count("cars", LedgerStates.Dropped) > 0, "the quarantine");
        await gateway.FeedAsync("c2", 0, 30);
        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Forwarded) == 30, "the others");
        Assert.Equal(Enumerable.Range(0, 30), cloud.TakenSequences("c2"));
        Assert.Empty(cloud.TakenSequences("c1"));
        clock.Advance(TimeSpan.FromSeconds(31));
        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Dropped) == 120, "what gives way");
        Assert.Contains(gateway.History.Records, r => r.What == LedgerStates.Dropped && r.Details!.Contains("space", StringComparison.Ordinal));
        await NothingWaitsAsync(gateway);
    }

    [Fact]
    public async Task A_field_that_forwards_nothing_any_more_drops_what_waited_in_quarantine()
    {
        await using var cloud = await Receiver.StartAsync();
        await using var gateway = await TestGateway.StartAsync(settings: ForwardingTests.Fast);
        await gateway.PutAsync(ForwardingTests.Cars + "/destination", cloud.Destination());
        await HoldAsync(gateway, "c1", "lease-1", TimeSpan.FromHours(1));
        await gateway.FeedAsync("c1", 0, 5);
        await Until.TrueAsync(() => Quarantines(gateway).Of("c1")!.Waiting == 5, "the quarantine");
        await gateway.PutAsync(ForwardingTests.Cars + "/destination", new { kind = "none", reason = "over" });
        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Dropped) == 5 && Quarantines(gateway).Of("c1")!.Waiting == 0, "the drop");
        await Quarantines(gateway).EndAsync("c1", "lease-1", forward: true, "hanako", "", default);
        await NothingWaitsAsync(gateway);
    }

    [Fact]
    public async Task Others_get_through_about_as_fast_beside_a_device_in_quarantine_that_sends_as_much_as_all_of_them()
    {
        var free = await MeasureAsync(hold: false);
        var held = await MeasureAsync(hold: true);
        TestContext.Current.TestOutputHelper?.WriteLine(FormattableString.Invariant($"10,000 messages of another device: {free.TotalSeconds:0.00} s with none in quarantine (20,000 forwarded), {held.TotalSeconds:0.00} s beside 10,000 that wait"));
        Assert.True(held < (free * 4) + TimeSpan.FromSeconds(10), $"{held} against {free}");

        static async Task<TimeSpan> MeasureAsync(bool hold)
        {
            await using var cloud = await Receiver.StartAsync();
            await using var gateway = await TestGateway.StartAsync(
                settings: [.. ForwardingTests.Fast, ("Distribution:Limits:DeviceMessagesPerSecond", "100000"), ("Distribution:Limits:DeviceBurst", "100000")]);
            await gateway.PutAsync(ForwardingTests.Cars + "/destination", cloud.Destination());
            if (hold)
            {
                await HoldAsync(gateway, "c1", "lease-1", TimeSpan.FromHours(1));
            }

            var begun = Stopwatch.StartNew();
            for (var i = 0; i < 100; i++)
            {
                await FeedMixedAsync(gateway, i * 100, 100);
            }

            await Until.TrueAsync(() => !cloud.Deliveries.IsEmpty && gateway.History.Count("cars", LedgerStates.Forwarded) == (hold ? 10_000 : 20_000), "the other device's");
            var took = begun.Elapsed;
            Assert.Equal(Enumerable.Range(0, 10_000), cloud.TakenSequences("c2"));
            Assert.Equal(hold ? 10_000 : 0, Quarantines(gateway).Of("c1")?.Waiting ?? 0);
            return took;
        }
    }

    /// <summary>The stand-in for the ledger counts within the transaction, so the store may be a moment behind it.</summary>
    private static async Task NothingWaitsAsync(TestGateway gateway)
    {
        var source = gateway.Services.GetRequiredService<ILedgerSource>();
        for (var i = 0; i < 100 && (await source.CountAsync(default)).Queued.Count > 0; i++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }

        Assert.Empty((await source.CountAsync(default)).Queued);
    }

    private static ITrafficQuarantine Quarantines(TestGateway gateway) => gateway.Services.GetRequiredService<ITrafficQuarantine>();

    private static Task HoldAsync(TestGateway gateway, string device, string holder, TimeSpan lasts, TimeProvider? clock = null) =>
        Quarantines(gateway).HoldAsync(new QuarantineOrder("cars", device, holder, (clock ?? TimeProvider.System).GetUtcNow() + lasts, ForwardAtEnd: true), default);

    /// <summary>So many messages of c1 and c2 in turns within one chunk, as the lanes put them.</summary>
    private static async Task FeedMixedAsync(TestGateway gateway, int from, int count)
    {
        var before = gateway.Feed.LastPosition;
        foreach (var device in (string[])["c1", "c2"])
        {
            using var answer = await gateway.SendAsync(device, "[" + string.Join(',', Enumerable.Range(from, count).Select(i => $"{{\"seq\":{i}}}")) + "]");
            Assert.True(answer.IsSuccessStatusCode);
        }

        var messages = await gateway.JournaledAsync(before);
        var (one, other) = (messages.Where(m => m.DeviceId == "c1").ToList(), messages.Where(m => m.DeviceId == "c2").ToList());
        await gateway.CommitAsync([.. one.Zip(other).SelectMany(p => new[] { p.First, p.Second })]);
    }
}
