using System.Globalization;
using System.Text.Json.Nodes;
using Sekisho.Domain.Detection;
using Sekisho.Domain.History;
using Sekisho.Storage;

namespace Sekisho.History.Tests.Queries;

/// <summary>Random histories, random searches, pages of any size: together they must equal what a plain list in memory says.</summary>
public class PagingModelTests
{
    private const int Devices = 4;
    private static readonly string[] Kinds = [HistoryKinds.DataIn, HistoryKinds.Detection, HistoryKinds.Operator];

    [Theory]
    [InlineData(Dialect.Sqlite, 1)]
    [InlineData(Dialect.Sqlite, 2)]
    [InlineData(Dialect.PostgreSql, 3)]
    public async Task Pages_put_together_are_the_whole_list_in_order(Dialect dialect, int seed)
    {
        await using var host = await HistoryHost.StartAsync(dialect);
        var random = new Random(seed);
        var (chunks, records) = await FillAsync(host, random);
        for (var round = 0; round < 60; round++)
        {
            var device = random.Next(2) == 0 ? null : "d" + random.Next(Devices + 1);
            var from = random.Next(2) == 0 ? null : (double?)random.Next(0, 60);
            var to = random.Next(2) == 0 ? null : (double?)random.Next((int)(from ?? 0), 70);
            var limit = random.Next(1, 30);
            var times = (from is null ? "" : "&from=" + Time(from.Value)) + (to is null ? "" : "&to=" + Time(to.Value)) + (device is null ? "" : "&device=" + device);

            var messages = chunks.SelectMany(c => c.Messages)
                .Where(m => (device is null || m.DeviceId == device) && Within(m.ArrivedAt, from, to))
                .OrderByDescending(m => m.ArrivedAt).ThenByDescending(m => m.Position)
                .Select(m => m.Position.ToString(CultureInfo.InvariantCulture));
            Assert.Equal(messages, await AllAsync(host, "messages?limit=" + limit + times, limit, m => m["position"]!.ToString()));

            var kinds = Kinds.Where(_ => random.Next(2) == 0).ToArray();
            var data = chunks.Select(c => (c.Id, Own: c.Messages.Where(m => device is null || m.DeviceId == device).ToList())).Where(c => c.Own.Count > 0)
                .Select(c => (At: c.Own.Max(m => m.ArrivedAt), Rank: 0, c.Id, Line: $"data {c.Id} {c.Own.Count}", Kind: HistoryKinds.DataIn));
            var lines = data.Concat(records.Where(r => device is null || r.Record.DeviceId == device).Select(r => (r.Record.At, Rank: 1, r.Id, Line: "record " + r.Record.Subject, r.Record.Kind)))
                .Where(l => Within(l.At, from, to) && (kinds.Length == 0 || kinds.Contains(l.Kind)))
                .OrderByDescending(l => l.At).ThenByDescending(l => l.Rank).ThenByDescending(l => l.Id)
                .Select(l => l.Line);
            var asked = "history?limit=" + limit + times + string.Concat(kinds.Select(k => "&kind=" + k));
            Assert.Equal(lines, await AllAsync(host, asked, limit, l => (string)l["what"]! == "received" ? $"data {l["subject"]} {l["details"]!["messages"]}" : "record " + l["subject"]));
        }
    }

    private static async Task<(List<MessageChunk> Chunks, List<(long Id, HistoryRecord Record)> Records)> FillAsync(HistoryHost host, Random random)
    {
        var chunks = new List<MessageChunk>();
        var records = new List<(long, HistoryRecord)>();
        long position = 1;
        for (var i = 0; i < 40; i++)
        {
            // Stretches overlap, clocks step back, times coincide; backlog and live messages of a stretch alternate.
            var start = random.Next(0, 60);
            var stretch = Enumerable.Range(0, random.Next(2, 25)).Select(_ => Samples.Message(position++, "d" + random.Next(Devices), second: start + (random.Next(0, 12) / 4.0))).ToArray();
            var made = stretch.GroupBy(_ => random.Next(2) == 0).Select(g => new MessageChunk("car", g.Key, [.. g])).ToArray();
            chunks.AddRange(made);
            host.Commit(Samples.Batch(made));

            // What is in memory and what is in the table changes on the way.
            host.Clock.Advance(TimeSpan.FromSeconds(random.Next(0, 40)));
            if (random.Next(8) == 0)
            {
                await host.RestartAsync();
            }

            var record = new HistoryRecord
            {
                At = Samples.Start.AddSeconds(random.Next(0, 60)),
                Kind = Kinds[random.Next(Kinds.Length)],
                What = "thing",
                FieldId = "car",
                DeviceId = random.Next(3) == 0 ? null : "d" + random.Next(Devices),
                Actor = "a",
                CorrelationId = "",
                Subject = "r" + i,
            };
            host.Record(record);
            records.Add((i + 1, record));
        }

        host.Commit(Samples.Batch([new MessageChunk("home", false, [Samples.Message(position, "d1", "home", second: 30)])]));
        return (chunks, records);
    }

    private static async Task<List<string>> AllAsync(HistoryHost host, string path, int limit, Func<JsonNode, string> show)
    {
        var all = new List<string>();
        string? after = null;
        do
        {
            var (status, page) = await host.GetAsync("/api/v1/fields/car/" + path + (after is null ? "" : "&after=" + after));
            Assert.Equal(200, status);
            var items = page["items"]!.AsArray();
            after = (string?)page["next"];
            Assert.True(items.Count == limit || (items.Count < limit && after is null));
            all.AddRange(items.Select(i => show(i!)));
        }
        while (after is not null);
        return all;
    }

    private static bool Within(DateTimeOffset at, double? from, double? to) =>
        (from is null || at >= Samples.Start.AddSeconds(from.Value)) && (to is null || at < Samples.Start.AddSeconds(to.Value));

    private static string Time(double second) => Samples.Start.AddSeconds(second).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
