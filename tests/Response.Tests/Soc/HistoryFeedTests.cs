using Sekisho.Domain.History;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Soc;

public class HistoryFeedTests
{
    private static readonly HistoryReach Everything = new(true, ["cars"], HistoryKinds.All);

    [Fact]
    public async Task A_record_of_a_transaction_that_ends_late_is_not_overtaken_by_those_behind_it()
    {
        await using var host = await SocHost.StartAsync(Dialect.PostgreSql);
        var feed = host.Get<IHistoryFeed>();
        await host.AppendAsync(SocHost.Operation(1));
        Assert.Equal(["device.change-1"], await ReadAsync());
        var go = new TaskCompletionSource();
        var written = new TaskCompletionSource();
        var late = host.Store.Databases.State.WriteAsync(async t =>
        {
            host.Get<IHistory>().Append(SocHost.Operation(2), t);
            written.SetResult();
            await go.Task;
        });
        await written.Task;
        await host.AppendAsync(SocHost.Operation(3));
        Assert.Equal(["device.change-1"], await ReadAsync());
        await host.AppendAsync(SocHost.Operation(4));
        Assert.Equal(["device.change-1"], await ReadAsync());
        go.SetResult();
        await late;
        Assert.Equal(["device.change-1", "device.change-2", "device.change-3", "device.change-4"], await ReadAsync());

        async Task<IEnumerable<string>> ReadAsync() => (await feed.ReadAsync(Everything, 0, 100, default)).Records.Select(r => r.Record.What);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task The_history_is_read_in_stretches_of_what_is_in_reach(Dialect dialect)
    {
        await using var host = await SocHost.StartAsync(dialect);
        var feed = host.Get<IHistoryFeed>();
        await host.AppendAsync([.. Enumerable.Range(1, 30).Select(n => SocHost.Operation(n, field: n % 3 == 0 ? "homes" : n % 3 == 1 ? "cars" : null))]);
        var (seen, at, rounds) = (new List<string>(), 0L, 0);
        HistoryStretch stretch;
        do
        {
            stretch = await feed.ReadAsync(Everything, at, 7, default);
            seen.AddRange(stretch.Records.Select(r => r.Record.What));
            Assert.True(stretch.Through > at);
            at = stretch.Through;
            rounds++;
        }
        while (!stretch.AtEnd);
        Assert.Equal(Enumerable.Range(1, 30).Where(n => n % 3 != 0).Select(n => $"device.change-{n}"), seen);
        Assert.Equal(5, rounds);
        Assert.Empty((await feed.ReadAsync(Everything, at, 7, default)).Records);
        Assert.Empty((await feed.ReadAsync(new HistoryReach(false, [], HistoryKinds.All), 0, 100, default)).Records);
        Assert.Empty((await feed.ReadAsync(Everything with { Kinds = [] }, 0, 100, default)).Records);
        Assert.Equal(new HistoryExcess(14, 10), await feed.ExcessAsync(Everything, 0, DateTimeOffset.UnixEpoch, 10, default));
        Assert.Null(await feed.ExcessAsync(Everything, 0, DateTimeOffset.UnixEpoch, 20, default));
        Assert.Equal(20, (await feed.ExcessAsync(Everything, 0, TimeProvider.System.GetUtcNow().AddHours(1), 20, default))!.Records);
    }
}
