using System.Text.Json;
using Dapper;
using Sekisho.Detection.Conditions;
using Sekisho.Detection.Findings;
using Sekisho.Detection.Lanes;
using Sekisho.Domain.Events;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Detection.Tests.Lanes;

public class LaneStoreTests
{
    [Theory]
    [InlineData(Dialect.Sqlite, 1, 1, 10_000)]
    [InlineData(Dialect.Sqlite, 2, 3, 10_000)]
    [InlineData(Dialect.Sqlite, 3, 1, 4)]
    [InlineData(Dialect.Sqlite, 4, 32, 64)]
    [InlineData(Dialect.PostgreSql, 5, 1, 10_000)]
    [InlineData(Dialect.PostgreSql, 6, 3, 4)]
    public async Task Wherever_it_restarts_states_and_findings_are_those_of_a_run_without_restart(Dialect dialect, int seed, int subjects, int commits)
    {
        var random = new Random(seed);
        var events = LaneTests.Traffic(seed).SelectMany(e => WithFacts(e, random)).ToList();
        var whole = LaneTests.New();
        whole.Run(events);

        await using var store = await OpenAsync(dialect);
        var settings = new LaneSettings { SettleSubjects = subjects, SettleCommits = commits };
        var lab = LaneTests.New();
        var position = await LoadAsync(store, settings, lab);
        var restarts = 0;
        var most = 0L;
        for (var i = 0; i < events.Count;)
        {
            var length = random.Next(1, 120);
            position = Commit(store, settings, lab, position, lab.Run(events.Skip(i).Take(length)));
            i += length;
            most = Math.Max(most, await store.Databases.State.ReadAsync(c => c.QuerySingleAsync<long>("SELECT COUNT(DISTINCT position) FROM lane_delta")));
            if (random.Next(4) == 0)
            {
                var before = LaneTests.States(lab);
                Assert.Equal(position, await LoadAsync(store, settings, lab));
                Assert.Equal(before, LaneTests.States(lab));
                restarts++;
            }
        }

        Assert.True(restarts > 5);
        Assert.InRange(most, subjects < 20 ? 2 : 0, 30); // there are about twenty subjects
        Assert.Equal(whole.Findings.Select(f => JsonSerializer.Serialize(f)), lab.Findings.Select(f => JsonSerializer.Serialize(f)));
        Assert.Equal(whole.Results.SelectMany(r => r.Cleared), lab.Results.SelectMany(r => r.Cleared));
        Assert.Equal(LaneTests.States(whole), LaneTests.States(lab));
    }

    [Fact]
    public async Task A_condition_that_was_raised_and_left_the_plan_while_the_gateway_was_down_ends_once_and_is_calm_when_it_comes_back()
    {
        await using var store = await OpenAsync(Dialect.Sqlite);
        var settings = new LaneSettings { SettleSubjects = 1 };
        var both = Lab.BookOf(Lab.TemplateOf($"[{Lab.Condition("size", "bytes: 10", key: "keep")}, {Lab.Condition("size", "bytes: 20", key: "drop")}]"));
        var one = Lab.BookOf(Lab.TemplateOf($"[{Lab.Condition("size", "bytes: 10", key: "keep")}]"));
        var lab = new Lab { Book = both };
        var position = await LoadAsync(store, settings, lab);

        // The first is settled at once; what was raised for the last stands in a delta only.
        position = Commit(store, settings, lab, position, lab.Run(Enumerable.Range(1, 5).Select(i => Lab.Message(Lab.Start, $"d{i}", size: 5))));
        position = Commit(store, settings, lab, position, lab.Run(Lab.Message(Lab.Start.AddSeconds(1), "d5", size: 30)));
        Assert.Equal(2, lab.Findings.Count);

        lab.Book = one;
        await LoadAsync(store, settings, lab);
        var result = lab.Run(Lab.Message(Lab.Start.AddSeconds(2), "d1", size: 5));
        Assert.Equal(StableHash.Of("drop", "size"), Assert.Single(result.Cleared).Identity);
        position = Commit(store, settings, lab, position, result);

        await LoadAsync(store, settings, lab);
        result = lab.Run(Lab.Message(Lab.Start.AddSeconds(3), "d1", size: 5));
        Assert.Empty(result.Cleared);
        Commit(store, settings, lab, position, result);

        lab.Book = both;
        await LoadAsync(store, settings, lab);
        var device = lab.Table.FindDevice("d5")!;
        Assert.False(Judged.IsRaised(device.StateOf(device.Plan.Conditions.Single(c => c.Definition.Key == "drop"))));
        lab.Run(Lab.Message(Lab.Start.AddSeconds(4), "d5", size: 30));
        Assert.Equal("drop", lab.Findings[^1].ConditionKey);
    }

    [Fact]
    public async Task A_commit_settles_few_subjects_and_deltas_stay_bounded_while_many_change()
    {
        await using var store = await OpenAsync(Dialect.Sqlite);
        var settings = new LaneSettings { SettleSubjects = 4, SettleCommits = 8 };
        var lab = new Lab($"[{Lab.Condition("size", "bytes: 1000")}]");
        var position = await LoadAsync(store, settings, lab);
        for (var round = 0; round < 60; round++)
        {
            var result = lab.Run(Enumerable.Range(0, 200).Select(i => Lab.Message(Lab.Start.AddSeconds(round), $"d{i}", sequence: round)));
            Assert.InRange(result.States.Settled.Count, 4, 200 / 8);
            position = Commit(store, settings, lab, position, result);
            Assert.InRange(await CountAsync(store), 1, 2 * 8);
        }

        // A calm minute later all of it is settled.
        for (var round = 60; round < 120; round++)
        {
            position = Commit(store, settings, lab, position, lab.Run(Lab.Message(Lab.Start.AddSeconds(round), "d0", sequence: round)));
        }

        Assert.Equal(0, await CountAsync(store));
    }

    [Fact]
    public async Task A_delta_that_lacks_what_it_builds_upon_is_refused()
    {
        await using var store = await OpenAsync(Dialect.Sqlite);
        var settings = new LaneSettings { SettleSubjects = 1 };
        var lab = new Lab($"[{Lab.Condition("size", "bytes: 1000")}]");
        var position = await LoadAsync(store, settings, lab);
        for (var round = 0; round < 5; round++)
        {
            position = Commit(store, settings, lab, position, lab.Run(Enumerable.Range(0, 3).Select(i => Lab.Message(Lab.Start.AddSeconds(round), $"d{i}", sequence: round))));
        }

        await store.Databases.State.WriteAsync(t => t.Connection!.ExecuteAsync("DELETE FROM lane_subject", transaction: t));
        await Assert.ThrowsAsync<InvalidDataException>(() => LoadAsync(store, settings, lab));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task States_and_deltas_are_sealed_and_bound_to_their_place_and_plain_ones_of_older_versions_are_read(Dialect dialect)
    {
        await using var store = await OpenAsync(dialect);
        var settings = new LaneSettings { SettleSubjects = 1 };
        var lab = new Lab($"[{Lab.Condition("value", "pointer: /heat, sides: both, alarms: 0.2", "judge: learnt")}]");
        var position = await LoadAsync(store, settings, lab);
        for (var round = 0; round < 5; round++)
        {
            position = Commit(store, settings, lab, position, lab.Run(Enumerable.Range(0, 3).Select(i =>
                Lab.Message(Lab.Start.AddSeconds(round), $"d{i}", sequence: round) with { Payload = "{\"heat\":36.6}"u8.ToArray() })));
        }

        var before = LaneTests.States(lab);
        var states = await store.Databases.State.ReadAsync(c => c.QueryAsync<(string Subject, byte[] State)>("SELECT subject, state FROM lane_subject ORDER BY subject"));
        var deltas = await store.Databases.State.ReadAsync(c => c.QueryAsync<byte[]>("SELECT data FROM lane_delta"));
        Assert.NotEmpty(deltas);
        Assert.All(states.Select(s => s.State).Concat(deltas), row => Assert.Equal(SubjectKeys.Sealed, row[0]));
        await LoadAsync(store, settings, lab);
        Assert.Equal(before, LaneTests.States(lab));

        // As older versions wrote it.
        using (var keys = new SubjectKeys(store.Key))
        {
            var (subject, state) = states.First();
            var plain = keys.Open(state, StateLoader.StateContext(new StoredId("device", "", subject)));
            Assert.Equal(SubjectCodec.WholeVersion, plain[0]);
            await store.Databases.State.WriteAsync(t => t.Connection!.ExecuteAsync("UPDATE lane_subject SET state = @plain WHERE subject = @subject", new { plain, subject }, t));
        }

        await LoadAsync(store, settings, lab);
        Assert.Equal(before, LaneTests.States(lab));

        // What belongs to another device is refused.
        var (own, other) = (states.Last(), states.First(s => s.Subject != states.Last().Subject));
        await store.Databases.State.WriteAsync(t => t.Connection!.ExecuteAsync("UPDATE lane_subject SET state = @State WHERE subject = @Subject", new { other.State, own.Subject }, t));
        await Assert.ThrowsAsync<StorageException>(() => LoadAsync(store, settings, lab));
    }

    /// <summary>Now and then what a carrier says of the device comes in between.</summary>
    private static IEnumerable<GatewayEvent> WithFacts(GatewayEvent happened, Random random) => happened is MessageEvent message && random.Next(20) == 0
        ? [message, Lab.Sim(message.ArrivedAt, cell: $"cell-{random.Next(3)}") with { DeviceId = message.DeviceId }]
        : [happened];

    private static Task<long> CountAsync(TestStore store) => store.Databases.State.ReadAsync(c => c.QuerySingleAsync<long>("SELECT COUNT(*) FROM lane_delta"));

    private static Task<TestStore> OpenAsync(Dialect dialect) =>
        TestStore.CreateAsync(dialect, new ManualClock(), new StageMigrations("Detection", typeof(DetectionFeature).Assembly));

    private static async Task<long> LoadAsync(TestStore store, LaneSettings settings, Lab lab)
    {
        using var keys = new SubjectKeys(store.Key);
        (lab.Runner, var position) = await new LaneStore(store.Databases, keys, lab.Directory, settings).LoadAsync(lab.Book, LaneBooks.Empty, CancellationToken.None);
        lab.Table = lab.Runner.Subjects;
        return position;
    }

    private static long Commit(TestStore store, LaneSettings settings, Lab lab, long position, StepResult result)
    {
        using var keys = new SubjectKeys(store.Key);
        var lanes = new LaneStore(store.Databases, keys, lab.Directory, settings);
        var rows = lanes.Prepare(result.States, result.Batch.LastPosition);
        store.Databases.State.Write(transaction =>
        {
            Assert.True(LaneStore.Move(position, result.Batch.LastPosition, result.Clock, transaction));
            lanes.Write(result.States, rows, result.Batch.LastPosition, transaction);
        });
        return result.Batch.LastPosition;
    }
}
