using Dapper;
using Sekisho.Domain.Detection;
using Sekisho.History.Queries;
using Sekisho.History.Store;
using Sekisho.Storage;

namespace Sekisho.History.Tests.Store;

/// <summary>The index of messages by device: in memory, in the table, and between the two.</summary>
public class DeviceIndexTests
{
    private const int Devices = 150;

    /// <summary>
    /// Random chunks of many devices while time goes on; commits that fail, commits whose confirmation is lost, and restarts at any point. At
    /// every look each device's chunks are what a plain scan of all chunks says, for random time ranges and places.
    /// </summary>
    [Theory]
    [InlineData(Dialect.Sqlite, 1)]
    [InlineData(Dialect.Sqlite, 2)]
    [InlineData(Dialect.PostgreSql, 3)]
    public async Task A_search_by_device_equals_a_plain_scan_whatever_happened_before(Dialect dialect, int seed)
    {
        await using var host = await HistoryHost.StartAsync(dialect);
        var random = new Random(seed);
        var chunks = new List<MessageChunk>();
        var (position, now) = (1L, 0.0);
        for (var step = 0; step < 250; step++)
        {
            now += random.Next(10) == 0 ? random.Next(1000) : random.NextDouble();
            var batch = Samples.Batch([.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Chunk())]);
            var luck = random.Next(20);
            if (luck == 0)
            {
                Assert.Throws<InvalidOperationException>(() => host.Store.Databases.State.Write(t =>
                {
                    host.Get<ILaneCommitPart>().Write(batch, t);
                    throw new InvalidOperationException("another part failed");
                }));
            }
            else if (luck == 1)
            {
                // Durable, but nobody was told; then either the process ends or the next batch comes.
                host.Store.Databases.State.Write(t => host.Get<ILaneCommitPart>().Write(batch, t));
                chunks.AddRange(batch.Chunks);
                if (random.Next(2) == 0)
                {
                    await host.RestartAsync();
                }
                else
                {
                    host.Commit(Samples.Batch([], facts: []));
                }
            }
            else
            {
                host.Commit(batch);
                chunks.AddRange(batch.Chunks);
            }

            host.Clock.Advance(TimeSpan.FromSeconds(random.Next(4) == 0 ? random.Next(60) : random.NextDouble()));
            if (random.Next(25) == 0)
            {
                await host.RestartAsync();
            }

            if (step % 5 == 0)
            {
                await LookAsync();
            }
        }

        await LookAsync();
        Assert.NotEqual(0, await CountAsync(host, "message_index_block"));

        MessageChunk Chunk() => new("car", random.Next(4) == 0, [.. Enumerable.Range(0, random.Next(1, 40)).Select(
            _ => Samples.Message(position++, "d" + (random.Next(3) == 0 ? random.Next(Devices) : random.Next(3)), second: Math.Round(now + random.NextDouble() - (random.Next(9) == 0 ? 20 : 0), 3)))]);

        async Task LookAsync()
        {
            for (var i = 0; i < 4; i++)
            {
                var device = "d" + (random.Next(2) == 0 ? random.Next(3) : random.Next(Devices));
                var start = random.Next(2) == 0 ? long.MinValue : At(random.NextDouble() * now);
                var end = random.Next(2) == 0 ? long.MaxValue : At(random.NextDouble() * now);
                var all = chunks.Select(c => (c.Id, c.Backlog, Sum: Sum(c, device))).Where(c => c.Sum.Messages > 0).ToList();
                var place = random.Next(2) == 0 || all.Count == 0 ? (long.MaxValue, long.MaxValue) : all.Select(c => (c.Sum.Last, c.Id)).ElementAt(random.Next(all.Count));
                var expected = all.Where(c => c.Sum.Last >= start && (c.Sum.Last, c.Id).CompareTo(place) < 0 && c.Sum.First <= end)
                    .OrderByDescending(c => c.Sum.Last).ThenByDescending(c => c.Id).Select(c => (c.Id, c.Sum, c.Backlog)).ToList();
                var found = await host.Store.Databases.State.ReadAsync(
                    async c => await host.Get<DeviceChunks>().FindAsync(c, "car", device, start, place, end, withFilter: false, CancellationToken.None).ToListAsync());
                Assert.Equal(expected, found.Select(f => (f.Chunk.Id, f.Chunk.Sum, f.Backlog != 0)));
            }
        }
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Blocks_grow_for_a_minute_and_leave_64_with_a_commit(Dialect dialect)
    {
        await using var host = await HistoryHost.StartAsync(dialect);
        var position = 1L;
        for (var second = 0; second < 59; second++)
        {
            Commit();
        }

        Assert.Equal(0, await CountAsync(host, "message_index_block"));
        Assert.Equal(100, host.Get<DeviceTail>().Count);
        Commit();
        Commit();
        Assert.Equal(64, await CountAsync(host, "message_index_block"));
        Commit();
        Assert.Equal(100, await CountAsync(host, "message_index_block"));
        Assert.Equal(6000, await host.Store.Databases.State.ReadAsync(c => c.QuerySingleAsync<long>("SELECT chunk_id FROM message_index_mark")));

        void Commit()
        {
            host.Commit(Samples.Batch([new MessageChunk("car", false, [.. Enumerable.Range(0, 100).Select(i => Samples.Message(position++, "d" + i, second: position / 100))])]));
            host.Clock.Advance(TimeSpan.FromSeconds(1));
        }
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_chunk_damaged_above_the_mark_does_not_keep_the_stage_from_starting(Dialect dialect)
    {
        await using var host = await HistoryHost.StartAsync(dialect);
        host.Commit(Samples.Batch([new MessageChunk("car", false, [Samples.Message(1, "d1"), Samples.Message(2, "d2")])]));
        host.Commit(Samples.Batch([new MessageChunk("car", false, [Samples.Message(3, "d1"), Samples.Message(4, "d2")])]));
        await host.Store.Databases.State.WriteAsync(t => t.Connection!.ExecuteAsync("UPDATE message_chunk SET data = @data WHERE id = 1", new { data = new byte[50] }, t));
        await host.RestartAsync();
        var (status, page) = await host.GetAsync("/api/v1/fields/car/messages?device=d1");
        Assert.Equal(200, status);
        Assert.Equal("3", Assert.Single(page["items"]!.AsArray())!["position"]!.ToString());
    }

    [Fact]
    public async Task An_index_that_is_gone_is_built_anew_from_the_chunks()
    {
        await using var host = await HistoryHost.StartAsync(Dialect.Sqlite);
        for (var i = 0; i < 60; i++)
        {
            var at = i;
            host.Commit(Samples.Batch([new MessageChunk("car", false, [.. Enumerable.Range(0, 1000).Select(k => Samples.Message((at * 1000) + k + 1, $"d{at}-{k}"))])]));
        }

        await host.Store.Databases.State.WriteAsync(t => t.Connection!.ExecuteAsync("DELETE FROM message_index_block; UPDATE message_index_mark SET chunk_id = 0", transaction: t));
        await host.RestartAsync();
        Assert.True(await CountAsync(host, "message_index_block") > 50_000, "more than fits in memory is written on the way");
        foreach (var device in (string[])["d0-0", "d30-500", "d59-999"])
        {
            var (_, page) = await host.GetAsync("/api/v1/fields/car/messages?device=" + device);
            Assert.Single(page["items"]!.AsArray());
        }
    }

    private static Task<long> CountAsync(HistoryHost host, string table) => host.Store.Databases.State.ReadAsync(c => c.QuerySingleAsync<long>($"SELECT COUNT(*) FROM {table}"));

    private static long At(double second) => Samples.Start.AddSeconds(second).ToUnixTimeMilliseconds();

    private static MessageSum Sum(MessageChunk chunk, string device)
    {
        var sum = MessageSum.Empty;
        foreach (var message in chunk.Messages.Where(m => m.DeviceId == device))
        {
            sum.Add(message.ArrivedAt.ToUnixTimeMilliseconds(), message.Size);
        }

        return sum;
    }
}
