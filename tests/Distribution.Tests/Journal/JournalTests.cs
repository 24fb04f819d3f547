using Sekisho.Distribution.Journal;
using Sekisho.Domain.Events;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Distribution.Tests.Journal;

public class JournalTests
{
    private static readonly DateTimeOffset Noon = new(2026, 4, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Positions_have_no_gaps_and_go_on_after_a_restart(Dialect dialect)
    {
        var clock = new ManualClock();
        await using var store = await TestStore.CreateAsync(dialect, clock, JournalRig.Tables);
        await using (var rig = await JournalRig.StartAsync(store, clock))
        {
            await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(async () => await rig.AppendAsync(i, Noon))));
            Assert.Equal(Enumerable.Range(1, 200).Select(i => (long)i), (await rig.ReadAllAsync()).Select(e => e.Position));
        }

        await store.ReopenAsync();
        await using (var rig = await JournalRig.StartAsync(store, clock))
        {
            Assert.Equal(201, await rig.AppendAsync(200, Noon));
            var all = await rig.ReadAllAsync();
            Assert.Equal(Enumerable.Range(1, 201).Select(i => (long)i), all.Select(e => e.Position));
            Assert.Equal(201, all.Cast<MessageEvent>().Select(m => m.MessageId).Distinct().Count());
        }
    }

    [Fact]
    public async Task A_crowd_that_does_not_come_back_keeps_nobody_waiting()
    {
        var clock = new ManualClock();
        await using var store = await TestStore.CreateAsync(Dialect.Sqlite, clock, JournalRig.Tables);
        await using var rig = await JournalRig.StartAsync(store, clock);
        for (var round = 0; round < 20; round++)
        {
            // Many at once make the journal gather before its next commit; then one comes alone.
            await Task.WhenAll(Enumerable.Range(0, 64).Select(i => rig.AppendAsync(i, Noon).AsTask()));
            await rig.AppendAsync(64, Noon).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        }

        Assert.Equal(20 * 65, rig.Feed.LastPosition);
    }

    [Fact]
    public async Task A_commit_waits_for_a_reader_that_is_far_behind_until_it_has_caught_up()
    {
        var clock = new ManualClock();
        await using var store = await TestStore.CreateAsync(Dialect.Sqlite, clock, JournalRig.Tables);
        await using var rig = await JournalRig.StartAsync(store, clock, new JournalSettings { MinFreeMiB = 0, BrakeMiB = 1, BrakeMs = 10_000 });
        rig.Feed.Release(0);

        // What makes it too much is stored at once, and what comes after it waits.
        await rig.AppendAsync(0, Noon, size: 1_200_000);
        var next = rig.AppendAsync(1, Noon).AsTask();
        Assert.False(next.IsCompleted);
        Assert.Equal(1, rig.Feed.LastPosition);

        rig.Feed.Release(1);
        Assert.Equal(2, await next.WaitAsync(TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task A_reader_that_stands_still_holds_up_one_commit_at_most()
    {
        var clock = new ManualClock();
        await using var store = await TestStore.CreateAsync(Dialect.Sqlite, clock, JournalRig.Tables);
        await using var rig = await JournalRig.StartAsync(store, clock, new JournalSettings { MinFreeMiB = 0, BrakeMiB = 1, BrakeMs = 1000 });
        rig.Feed.Release(0);
        await rig.AppendAsync(0, Noon, size: 1_200_000);
        for (var i = 1; i < 61; i++)
        {
            // Sixty waits of a second would not fit.
            await rig.AppendAsync(i, Noon).AsTask().WaitAsync(TimeSpan.FromSeconds(10));
        }

        Assert.Equal(61, rig.Feed.LastPosition);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Arrival_time_never_runs_backwards_along_positions(Dialect dialect)
    {
        var clock = new ManualClock();
        await using var store = await TestStore.CreateAsync(dialect, clock, JournalRig.Tables);
        await using var rig = await JournalRig.StartAsync(store, clock);
        await rig.AppendAsync(0, Noon.AddSeconds(10));
        await rig.Journal.AppendAsync([JournalRig.Message(1, Noon), JournalRig.Message(2, Noon.AddTicks(200_000_001)), JournalRig.Message(3, Noon)], CancellationToken.None);
        Assert.Equal([10_000, 10_000, 20_000, 20_000], (await rig.ReadAllAsync()).Select(e => (e.ArrivedAt - Noon).TotalMilliseconds));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Unprocessed_messages_are_counted_to_the_event_and_released_blocks_go(Dialect dialect)
    {
        var clock = new ManualClock();
        await using var store = await TestStore.CreateAsync(dialect, clock, JournalRig.Tables);
        await using (var rig = await JournalRig.StartAsync(store, clock))
        {
            for (var i = 0; i < 10; i++)
            {
                await rig.Journal.AppendAsync([JournalRig.Message(i, Noon), new TickEvent { ArrivedAt = Noon, CorrelationId = "" }], CancellationToken.None);
            }

            Assert.Equal((10, 10), await rig.Feed.CountAsync(CancellationToken.None));
            rig.Feed.Release(13);
            Assert.Equal((10, 3), await rig.Feed.CountAsync(CancellationToken.None));
        }

        await store.ReopenAsync();
        await using (var rig = await JournalRig.StartAsync(store, clock))
        {
            await rig.Feed.ReadAsync(13, 1, CancellationToken.None);
            Assert.Equal((10, 3), await rig.Feed.CountAsync(CancellationToken.None));
            rig.Feed.Release(20);
            for (var i = 0; i < 40; i++)
            {
                await rig.AppendAsync(i, Noon);
            }

            Assert.Equal((50, 40), await rig.Feed.CountAsync(CancellationToken.None));
            rig.Feed.Release(60);
            await rig.AppendAsync(1, Noon);
        }

        await store.ReopenAsync();
        await using (var rig = await JournalRig.StartAsync(store, clock))
        {
            Assert.Equal(62, await rig.AppendAsync(1, Noon));
            Assert.True((await rig.Feed.ReadAsync(0, 1, CancellationToken.None))[0].Position > 20);
            Assert.Equal(52, (await rig.Feed.CountAsync(CancellationToken.None)).Journaled);
        }
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_full_journal_refuses_and_accepts_again_when_detection_has_caught_up(Dialect dialect)
    {
        var clock = new ManualClock();
        await using var store = await TestStore.CreateAsync(dialect, clock, JournalRig.Tables);
        await using var rig = await JournalRig.StartAsync(store, clock, new JournalSettings { MaxMiB = 1, MinFreeMiB = 0 });
        var stored = 0;
        JournalUnavailableException? full = null;
        while (full is null)
        {
            try
            {
                await rig.AppendAsync(stored, Noon, 100_000);
                stored++;
            }
            catch (JournalUnavailableException e)
            {
                full = e;
            }
        }

        Assert.InRange(stored, 10, 11);
        Assert.Equal(TimeSpan.FromSeconds(5), full.RetryAfter);
        Assert.False(rig.Journal.Status.Healthy);
        Assert.Equal(stored, (await rig.ReadAllAsync()).Count);

        rig.Feed.Release(stored);
        Assert.Equal(stored + 1, await rig.AppendAsync(1, Noon));
        Assert.True(rig.Journal.Status.Healthy);
    }

    [Fact]
    public async Task The_feed_waits_for_the_next_event_and_ends_with_its_cancellation()
    {
        var clock = new ManualClock();
        await using var store = await TestStore.CreateAsync(Dialect.Sqlite, clock, JournalRig.Tables);
        await using var rig = await JournalRig.StartAsync(store, clock);
        var waiting = rig.Feed.ReadAsync(0, 10, CancellationToken.None).AsTask();
        Assert.False(waiting.IsCompleted);
        await rig.AppendAsync(0, Noon);
        Assert.Equal(1, Assert.Single(await waiting).Position);

        using var stop = new CancellationTokenSource();
        var cancelled = rig.Feed.ReadAsync(1, 10, stop.Token).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
    }

    [Fact]
    public async Task What_no_longer_is_in_memory_comes_from_disk_in_order()
    {
        var clock = new ManualClock();
        await using var store = await TestStore.CreateAsync(Dialect.Sqlite, clock, JournalRig.Tables);
        await using var rig = await JournalRig.StartAsync(store, clock, new JournalSettings { RecentMiB = 1, MinFreeMiB = 0 });
        for (var i = 0; i < 40; i++)
        {
            await rig.AppendAsync(i, Noon, 100_000);
        }

        foreach (var limit in new[] { 1, 3, 1000 })
        {
            Assert.Equal(Enumerable.Range(0, 40).Select(i => i.ToString(System.Globalization.CultureInfo.InvariantCulture)), (await rig.ReadAllAsync(limit)).Cast<MessageEvent>().Select(m => m.Sequence));
        }
    }

    [Fact]
    public async Task A_paused_or_stopped_journal_refuses_and_stores_what_it_had_taken()
    {
        var clock = new ManualClock();
        await using var store = await TestStore.CreateAsync(Dialect.Sqlite, clock, JournalRig.Tables);
        await using (var rig = await JournalRig.StartAsync(store, clock))
        {
            rig.Journal.Pause();
            await Assert.ThrowsAsync<JournalUnavailableException>(async () => await rig.AppendAsync(0, Noon));
            rig.Journal.Resume();
            var taken = Enumerable.Range(0, 50).Select(i => rig.AppendAsync(i, Noon).AsTask()).ToList();
            await rig.Journal.StopAsync(CancellationToken.None);
            await Task.WhenAll(taken);
            await Assert.ThrowsAsync<JournalUnavailableException>(async () => await rig.AppendAsync(0, Noon));
        }
    }

    [Fact]
    public async Task Ticks_come_at_their_interval_by_the_clock()
    {
        var clock = new ManualClock();
        await using var store = await TestStore.CreateAsync(Dialect.Sqlite, clock, JournalRig.Tables);
        await using var rig = await JournalRig.StartAsync(store, clock);
        using var ticks = new TickSource(rig.Journal, new TickSettings(), clock);
        await ticks.StartAsync(CancellationToken.None);
        for (var i = 1; i <= 3; i++)
        {
            await Until.TrueAsync(
                () =>
                {
                    // A tick that falls due while one is under way is left out.
                    clock.Advance(TimeSpan.FromSeconds(1));
                    return rig.Feed.LastPosition >= i;
                },
                "tick " + i);
        }

        await ticks.StopAsync(CancellationToken.None);
        var all = await rig.ReadAllAsync();
        Assert.All(all, e => Assert.IsType<TickEvent>(e));
        Assert.All(all, e => Assert.Equal(0, e.ArrivedAt.Millisecond));
        Assert.Equal(all.Count, all.Select(e => e.ArrivedAt).Distinct().Count());
    }
}
