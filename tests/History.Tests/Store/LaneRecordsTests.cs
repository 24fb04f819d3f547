using System.Text;
using Dapper;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.Storage;

namespace Sekisho.History.Tests.Store;

public class LaneRecordsTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_committed_chunk_reads_back_and_a_gone_one_is_null(Dialect dialect)
    {
        await using var host = await HistoryHost.StartAsync(dialect);
        var live = Enumerable.Range(1, 50).Select(i => Samples.Message(i, "d" + (i % 7))).ToArray();
        var backlog = new[] { Samples.Message(60, "d1"), Samples.Message(61, "d1") };
        host.Commit(Samples.Batch([new MessageChunk("car", false, live), new MessageChunk("car", true, backlog)]));

        var store = host.Get<IMessageStore>();
        Assert.Equal(live.Select(m => m.Stored().Content()), (await store.ReadChunkAsync(1, CancellationToken.None))!.Select(m => m.Content()));
        Assert.Equal(backlog.Select(m => m.Stored().Content()), (await store.ReadChunkAsync(60, CancellationToken.None))!.Select(m => m.Content()));

        // The first time they came from memory, which gives them once.
        Assert.Equal(live.Select(m => m.Stored().Content()), (await store.ReadChunkAsync(1, CancellationToken.None))!.Select(m => m.Content()));
        Assert.Null(await store.ReadChunkAsync(2, CancellationToken.None));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_batch_whose_transaction_fails_leaves_nothing_and_may_be_written_again(Dialect dialect)
    {
        await using var host = await HistoryHost.StartAsync(dialect);
        var batch = Samples.Batch([new MessageChunk("car", false, [Samples.Message(1)])], [Samples.Message(2)], [Refusal("car")]);
        Assert.Throws<InvalidOperationException>(() => host.Store.Databases.State.Write(t =>
        {
            host.Get<ILaneCommitPart>().Write(batch, t);
            throw new InvalidOperationException("another part failed");
        }));
        foreach (var table in (string[])["message_chunk", "message_index_block", "history_record", "ledger"])
        {
            Assert.Equal(0, await host.Store.Databases.State.ReadAsync(c => c.QuerySingleAsync<long>($"SELECT COUNT(*) FROM {table}")));
        }

        host.Commit(batch);
        Assert.NotNull(await host.Get<IMessageStore>().ReadChunkAsync(1, CancellationToken.None));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Refusals_and_repeats_become_records(Dialect dialect)
    {
        await using var host = await HistoryHost.StartAsync(dialect);
        host.Commit(Samples.Batch([], [Samples.Message(5, "d1"), Samples.Message(6, "d2"), Samples.Message(7, "d1")], [Refusal("car"), Refusal(null)]));

        var (_, field) = await host.GetAsync("/api/v1/fields/car/history");
        var lines = field["items"]!.AsArray().Select(l => l!.AsObject()).ToArray();
        Assert.Equal(3, lines.Length);
        var repeat = lines.Single(l => (string)l["what"]! == "repeat" && (string)l["deviceId"]! == "d1");
        Assert.Equal("data-in", (string)repeat["kind"]!);
        Assert.Equal(2, (int)repeat["details"]!["messages"]!);
        Assert.Equal(Samples.Message(7).CorrelationId, (string)repeat["correlationId"]!);
        var refusal = lines.Single(l => (string)l["kind"]! == "refusal");
        Assert.Equal("bad-token", (string)refusal["what"]!);
        Assert.Equal("198.51.100.9", (string)refusal["details"]!["source"]!);
        Assert.Equal(4, (int)refusal["details"]!["count"]!);
        Assert.Equal("source", (string)refusal["actor"]!);

        var (_, gateway) = await host.GetAsync("/ops/v1/history", "maintainer");
        Assert.Equal("refusal", (string)Assert.Single(gateway["items"]!.AsArray())!["kind"]!);
    }

    [Fact]
    public async Task An_attempt_of_a_locked_out_device_becomes_a_record_and_outcomes_that_the_device_s_own_change_records_do_not()
    {
        await using var host = await HistoryHost.StartAsync(Dialect.Sqlite);
        GatewayEvent Attempt(string outcome) => new AuthenticationEvent
        {
            Position = 9,
            ArrivedAt = Samples.Start.AddSeconds(9),
            CorrelationId = Samples.Hex(9),
            FieldId = "car",
            DeviceId = "d1",
            Outcome = outcome,
            Source = "198.51.100.9",
        };
        host.Commit(Samples.Batch([], [], [Attempt(AuthenticationOutcomes.Suspended), Attempt(AuthenticationOutcomes.Bound)]));
        var (_, field) = await host.GetAsync("/api/v1/fields/car/history");
        var line = Assert.Single(field["items"]!.AsArray())!;
        Assert.Equal(("authentication", "suspended", "d1", "198.51.100.9"), ((string)line["kind"]!, (string)line["what"]!, (string)line["deviceId"]!, (string)line["details"]!["source"]!));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_changed_byte_or_a_moved_chunk_is_told_and_never_shown(Dialect dialect)
    {
        await using var host = await HistoryHost.StartAsync(dialect);
        host.Commit(Samples.Batch([new MessageChunk("car", false, [Samples.Message(1)]), new MessageChunk("home", false, [Samples.Message(2, field: "home")])]));
        var data = await host.Store.Databases.State.ReadAsync(c => c.QuerySingleAsync<byte[]>("SELECT data FROM message_chunk WHERE id = 1"));
        var store = host.Get<IMessageStore>();
        foreach (var id in (long[])[1, 2])
        {
            // Out of memory, so that the next one reads the table.
            Assert.NotNull(await store.ReadChunkAsync(id, CancellationToken.None));
        }

        foreach (var at in (int[])[0, 1, 13, 29, data.Length - 1])
        {
            var changed = (byte[])data.Clone();
            changed[at] ^= 1;
            await Change("UPDATE message_chunk SET data = @changed WHERE id = 1", new { changed });
            await Assert.ThrowsAsync<StorageException>(() => store.ReadChunkAsync(1, CancellationToken.None));
        }

        var (status, problem) = await host.GetAsync("/api/v1/fields/car/messages", language: "ja");
        Assert.Equal(500, status);
        Assert.Equal("urn:sekisho:problem:history-damaged", (string)problem["type"]!);
        Assert.Equal("保存された履歴が壊れています", (string)problem["title"]!);

        // Another field's row shows nothing of this one.
        await Change("UPDATE message_chunk SET data = @data, field_id = 'home' WHERE id = 1", new { data });
        await Assert.ThrowsAsync<StorageException>(() => store.ReadChunkAsync(1, CancellationToken.None));
        await Change("UPDATE message_chunk SET data = @data WHERE id = 2", new { data });
        await Assert.ThrowsAsync<StorageException>(() => store.ReadChunkAsync(2, CancellationToken.None));

        Task Change(string sql, object values) => host.Store.Databases.State.WriteAsync(t => t.Connection!.ExecuteAsync(sql, values, t));
    }

    [Fact]
    public async Task No_file_of_the_store_shows_a_payload_a_source_or_details()
    {
        await using var host = await HistoryHost.StartAsync(Dialect.Sqlite);
        var message = Samples.Message(1, payload: """{"note":"MARKER-PAYLOAD"}""", source: "203.0.113.77") with { Transient = "MARKER-TRANSIENT"u8.ToArray(), Sequence = "MARKER-SEQUENCE" };
        host.Commit(Samples.Batch([new MessageChunk("car", false, [message])], [message with { Position = 2 }], [Refusal("car") with { Source = "203.0.113.77", Detail = "MARKER-DETAIL" }]));
        host.Record(new HistoryRecord { At = Samples.Start, Kind = HistoryKinds.Operator, What = "x", FieldId = "car", Actor = "a", CorrelationId = "", Details = """{"x":"MARKER-RECORD"}""" });

        var files = Directory.GetFiles(host.Store.Folder);
        Assert.Contains(files, f => f.EndsWith("-wal", StringComparison.Ordinal));
        Assert.True(Holds(files, "d000000000000001"), "the search itself must find what is stored in clear");
        foreach (var marker in (string[])["MARKER-", "203.0.113.77"])
        {
            Assert.False(Holds(files, marker), marker);
        }

        static bool Holds(string[] files, string marker) => files.Any(f =>
        {
            using var stream = new FileStream(f, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(marker)) >= 0;
        });
    }

    private static RefusalEvent Refusal(string? field) => new()
    {
        Position = 9,
        ArrivedAt = Samples.Start.AddSeconds(9),
        CorrelationId = Samples.Hex(9),
        Reason = RefusalReasons.BadToken,
        Source = "198.51.100.9",
        FieldId = field,
        Count = 4,
        Bytes = 99,
    };
}
