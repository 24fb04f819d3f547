using Sekisho.Detection.Conditions;
using System.Data.Common;
using System.Text.Json;
using Dapper;
using Microsoft.Extensions.Logging.Abstractions;
using Sekisho.Detection.Findings;
using Sekisho.Detection.Lanes;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Detection.Tests.Lanes;

public class PumpTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "templates");
    private static readonly StageMigrations Tables = new("Detection", typeof(DetectionFeature).Assembly);

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_restart_neither_loses_nor_repeats_a_finding(Dialect dialect)
    {
        var events = LaneTests.Traffic(4).Take(2500).ToList();
        var whole = await RunAsync(dialect, events, [events.Count]);
        var restarted = await RunAsync(dialect, events, [1, 300, 301, 900, 1700, events.Count]);
        Assert.True(whole.Findings.Count > 10);
        Assert.Equal(whole.Findings, restarted.Findings);
        Assert.Equal(whole.Messages, restarted.Messages);
        Assert.Equal(whole.Messages.Distinct(), whole.Messages);
        Assert.Equal(whole.Findings.Count, whole.History);
        Assert.Equal(whole.History, restarted.History);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task What_is_taken_back_names_the_findings_that_lasted_and_only_those(Dialect dialect)
    {
        var clock = new ManualClock();
        await using var store = await NewStoreAsync(dialect, clock);
        await using var node = await Node.StartAsync(store, clock);
        var lab = new Lab($"[{Lab.Condition("size", "bytes: 10", "repeatAfter: \"00:01:00\"")}]");
        var raised = lab.Run(
            Lab.Message(Lab.Start, size: 10), Lab.Message(Lab.Start.AddMinutes(2), size: 10), Lab.Message(Lab.Start.AddMinutes(3), size: 1), Lab.Message(Lab.Start.AddMinutes(4), size: 10),
            Lab.Message(Lab.Start.AddMinutes(6), size: 10), Lab.Message(Lab.Start, "d2", size: 10));
        var first = raised.Raised[2];
        var told = new Retraction("field", Scopes.Device, "d1", "c1", "explained", Lab.Start.AddHours(1), 99, "");
        var clearance = new Clearance(first.Subject, "field", first.Identity, Lab.Start.AddHours(1).ToUnixTimeMilliseconds(), 99, "") { Reason = "explained", Told = told };
        var shadowed = clearance with { Subject = raised.Raised[^1].Subject, Told = null };
        var retractions = await store.Databases.State.WriteAsync(t => Task.FromResult(node.Findings.Write(raised.Raised, [.. raised.Cleared, clearance, shadowed], t)));
        Assert.Equal(raised.Raised.Skip(2).Take(2).Select(r => r.Finding.Id).Order(StringComparer.Ordinal), Assert.Single(retractions).FindingIds);
        Assert.Equal(3, (await node.Findings.ListAsync("field", new FindingFilter(null, null, null, null, null, null, null), null, 10, CancellationToken.None)).Count(f => f.RetractedBecause == "explained"));
    }

    [Fact]
    public async Task Exceptions_outlive_restarts_and_allow_the_same_as_without_them()
    {
        var events = LaneTests.Traffic(4).Take(2500).ToList();
        var plain = await RunAsync(Dialect.Sqlite, events, [events.Count]);
        events.InsertRange(100, [Lab.Allow(events[100].ArrivedAt, "x1", subject: "d1"), Lab.Allow(events[100].ArrivedAt, "x2", subject: "d2"), Lab.Allow(events[100].ArrivedAt, "x3", group: "kind:lamp")]);
        events.Insert(900, Lab.Allow(events[900].ArrivedAt, "x2", inForce: false));
        var whole = await RunAsync(Dialect.Sqlite, events, [events.Count]);
        var restarted = await RunAsync(Dialect.Sqlite, events, [101, 103, 500, 901, 1700, events.Count]);
        Assert.True(whole.Findings.Count < plain.Findings.Count);
        Assert.Equal(whole.Findings, restarted.Findings);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_commit_that_fails_is_repeated_with_the_same_batch_and_judges_nothing_twice(Dialect dialect)
    {
        var events = LaneTests.Traffic(4).Take(1500).ToList();
        var whole = await RunAsync(dialect, events, [events.Count]);
        var failing = await RunAsync(dialect, events, [events.Count], failures: 3);
        Assert.Equal(whole.Findings, failing.Findings);
        Assert.Equal(whole.Messages, failing.Messages);
        Assert.Equal(3, failing.Failed);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_commit_whose_answer_was_lost_is_not_written_twice(Dialect dialect)
    {
        var clock = new ManualClock();
        await using var store = await NewStoreAsync(dialect, clock);
        await using var node = await Node.StartAsync(store, clock);
        node.Feed.Append([Lab.Message(Lab.Start)]);
        await node.DoneAsync();
        await store.Databases.State.WriteAsync(t =>
        {
            Assert.False(LaneStore.Move(0, 1, default, t));
            Assert.Throws<LanesMovedException>(() => LaneStore.Move(7, 8, default, t));
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task While_paused_nothing_is_decided_and_after_resuming_all_of_it_in_order()
    {
        var clock = new ManualClock();
        await using var store = await NewStoreAsync(Dialect.Sqlite, clock);
        await using var node = await Node.StartAsync(store, clock);
        node.Feed.Append([Lab.Message(Lab.Start)]);
        await node.DoneAsync();
        node.Pump.Pause();
        node.Feed.Append(Enumerable.Range(0, 50).Select(i => Lab.Message(Lab.Start.AddSeconds(i))));
        using (var moments = new PeriodicTimer(TimeSpan.FromMilliseconds(5)))
        {
            for (var i = 0; i < 10; i++)
            {
                await moments.WaitForNextTickAsync();
                Assert.True(node.Pump.Status is { Paused: true, Waiting: 50 });
            }
        }

        node.Pump.Resume();
        await node.DoneAsync();
        Assert.Equal(Enumerable.Range(1, 51).Select(i => (long)i), await store.Databases.State.ReadAsync(c => c.QueryAsync<long>("SELECT position FROM test_message ORDER BY position")));
        Assert.Equal(51, node.Feed.Released);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Ten_thousand_subjects_are_loaded_in_less_than_four_times_the_time_that_a_message_of_each_took(Dialect dialect)
    {
        var clock = new ManualClock();
        await using var store = await NewStoreAsync(dialect, clock);
        var feed = new FakeFeed();
        TimeSpan judged;
        await using (var node = await Node.StartAsync(store, clock, feed))
        {
            await node.Plans.SetAsync("field", node.Catalog.Find("car-mobility")!, new Dictionary<string, ParameterValue>(), new RevisionStore.Change("tester", RevisionKinds.Set, null, ""));
            var began = System.Diagnostics.Stopwatch.GetTimestamp();
            node.Feed.Append(Enumerable.Range(0, 10_000).Select(i => Lab.Message(Lab.Start, $"d{i:d15}", sequence: i)));
            await node.DoneAsync();
            judged = System.Diagnostics.Stopwatch.GetElapsedTime(began);
        }

        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        await using var again = await Node.StartAsync(store, clock, feed);
        Assert.InRange(System.Diagnostics.Stopwatch.GetElapsedTime(started) / judged, 0, 4);
    }

    [Fact]
    public async Task No_source_address_evidence_or_person_stands_in_any_file()
    {
        var clock = new ManualClock();
        await using var store = await NewStoreAsync(Dialect.Sqlite, clock);
        await using (var node = await Node.StartAsync(store, clock))
        {
            node.Feed.Append(Enumerable.Range(0, 10).Select(i => Lab.Refusal(Lab.Start, RefusalReasons.Unregistered, null, "203.0.113.77")));
            await node.DoneAsync();
            var kept = Assert.Single(await node.Findings.ListAsync(null, new FindingFilter(null, null, null, null, null, null, null), null, 10, CancellationToken.None));
            Assert.Equal("203.0.113.77", kept.Finding.ScopeKey);
            Assert.Equal([kept.Finding.Id], await node.Findings.HandleAsync([kept.Finding], "incident", "secretnote", "personname", Lab.Start, ""));
            Assert.Equal(("personname", "secretnote"), ((await node.Findings.FindAsync(null, kept.Finding.Id, CancellationToken.None))!.HandledBy, (await node.Findings.FindAsync(null, kept.Finding.Id, CancellationToken.None))!.Note));
        }

        await store.ReopenAsync();
        foreach (var file in Directory.GetFiles(store.Folder))
        {
            var bytes = await File.ReadAllBytesAsync(file);
            foreach (var marker in new[] { "203.0.113.77", "counterfactual", "secretnote", "personname" })
            {
                Assert.Equal(-1, bytes.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(marker)));
            }
        }
    }

    private static async Task<TestStore> NewStoreAsync(Dialect dialect, ManualClock clock)
    {
        var store = await TestStore.CreateAsync(dialect, clock, Tables);
        await store.Databases.State.WriteAsync(t => t.Connection!.ExecuteAsync(
            "CREATE TABLE test_history (what TEXT, subject TEXT); CREATE TABLE test_message (position BIGINT PRIMARY KEY)", transaction: t));
        return store;
    }

    private static async Task<(List<string> Findings, List<long> Messages, long History, int Failed)> RunAsync(Dialect dialect, List<GatewayEvent> events, int[] stops, int failures = 0)
    {
        var clock = new ManualClock();
        await using var store = await NewStoreAsync(dialect, clock);
        var feed = new FakeFeed { LargestRead = 97 };
        var part = new KeepMessages { Failures = failures };
        var done = 0;
        foreach (var stop in stops)
        {
            await using var node = await Node.StartAsync(store, clock, feed, part);
            if (done == 0)
            {
                await node.Plans.SetAsync("field", node.Catalog.Find("car-mobility")!, new Dictionary<string, ParameterValue>(), new RevisionStore.Change("tester", RevisionKinds.Set, null, ""));
            }

            feed.Append(events.Skip(done).Take(stop - done));
            done = stop;
            await node.DoneAsync();
        }

        var findings = new FindingStore(store.Databases, store.Key, new SubjectKeys(store.Key), new FakeHistory());
        var fields = await findings.ListAsync("field", new FindingFilter(null, null, null, null, null, null, null), null, 100_000, CancellationToken.None);
        var gateway = await findings.ListAsync(null, new FindingFilter(null, null, null, null, null, null, null), null, 100_000, CancellationToken.None);
        return (
            // The cause is hashed with the store's own key.
            [.. fields.Concat(gateway).Select(f => JsonSerializer.Serialize(f with { Cause = "" }))],
            [.. await store.Databases.State.ReadAsync(c => c.QueryAsync<long>("SELECT position FROM test_message ORDER BY position"))],
            await store.Databases.State.ReadAsync(c => c.QuerySingleAsync<long>("SELECT COUNT(*) FROM test_history WHERE what NOT LIKE 'finding-%' AND what NOT LIKE 'exception-%' AND what <> 'template-set'")),
            failures - part.Failures);
    }

    /// <summary>Keeps the positions of messages; the primary key refuses a second writing. Fails as often as told, after it has written.</summary>
    private sealed class KeepMessages : ILaneCommitPart
    {
        public int Failures { get; set; }

        public void Write(LaneBatch batch, DbTransaction transaction)
        {
            transaction.Connection!.Execute("INSERT INTO test_message (position) VALUES (@Position)", batch.Chunks.SelectMany(c => c.Messages).Select(m => new { m.Position }), transaction);
            if (Failures > 0)
            {
                Failures--;
                throw new IOException("No space left on device");
            }
        }

        public void Committed(LaneBatch batch)
        {
        }
    }

    /// <summary>A pump on a store. Disposal stops it as a shutdown does: what is not committed is forgotten.</summary>
    private sealed class Node : IAsyncDisposable
    {
        private readonly CancellationTokenSource _end = new();
        private Task _time = Task.CompletedTask;

        public required FakeFeed Feed { get; init; }

        public required LanePump Pump { get; init; }

        public required FieldPlans Plans { get; init; }

        public required TemplateCatalog Catalog { get; init; }

        public required FindingStore Findings { get; init; }

        public static async Task<Node> StartAsync(TestStore store, ManualClock clock, FakeFeed? feed = null, ILaneCommitPart? part = null)
        {
            feed ??= new FakeFeed();
            var directory = new FakeDirectory();
            var history = new FakeHistory();
            var catalog = TemplateCatalog.Load(Folder, new TemplateReader(DetectionFeature.Kinds));
            var files = new TemplateStore(store.Databases, catalog, new TemplateReader(DetectionFeature.Kinds), history, clock);
            var plans = new FieldPlans(store.Databases, new RevisionStore(store.Databases, store.Key), catalog, files, new CalendarStore(store.Databases, history, clock), new FakeFlows(), directory, history, clock);
            var keys = new SubjectKeys(store.Key);
            var findings = new FindingStore(store.Databases, store.Key, keys, history);
            // Fewer than change, so that most of what a restart finds stands in deltas.
            var settings = new LaneSettings { GatherMs = 0, SettleSubjects = 2 };
            var node = new Node
            {
                Feed = feed,
                Plans = plans,
                Catalog = catalog,
                Findings = findings,
                Pump = new LanePump(
                    feed, new LaneStore(store.Databases, keys, directory, settings), new BookStore(store.Databases, store.Key, new ScriptTable(store.Databases, store.Key, new NoHistory()), history), findings, plans, [part ?? new KeepMessages()], store.Databases, settings, clock, NullLogger<LanePump>.Instance),
            };
            await node.Pump.StartAsync(CancellationToken.None);
            node._time = node.PassTimeAsync(clock);
            return node;
        }

        public async Task DoneAsync()
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            using var moments = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
            while (Pump.Status.Waiting > 0)
            {
                await moments.WaitForNextTickAsync(limit.Token);
            }
        }

        public async ValueTask DisposeAsync()
        {
            await Pump.StopAsync(CancellationToken.None);
            await _end.CancelAsync();
            await _time;
            Pump.Dispose();
        }

        /// <summary>Lets the clock run so that backoffs end.</summary>
        private async Task PassTimeAsync(ManualClock clock)
        {
            using var moments = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
            while (!_end.IsCancellationRequested)
            {
                clock.Advance(TimeSpan.FromSeconds(1));
                await moments.WaitForNextTickAsync();
            }
        }
    }
}
