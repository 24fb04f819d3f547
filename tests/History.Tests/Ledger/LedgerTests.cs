using Sekisho.Domain.Detection;
using Sekisho.Domain.History;
using Sekisho.History.Ledger;
using Sekisho.Storage;

namespace Sekisho.History.Tests.Ledger;

public class LedgerTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Every_message_is_accounted_for_under_random_interleavings(Dialect dialect)
    {
        await using var host = await HistoryHost.StartAsync(dialect);
        var ledger = host.Get<ILedger>();
        var random = new Random(9);
        var queued = new Dictionary<string, long> { ["car"] = 0, ["home"] = 0 };
        long position = 1, unprocessed = 0, dead = 0;
        host.Others.InFlight = () => new LedgerInFlight(position - 1 + unprocessed, unprocessed, new Dictionary<string, long>(queued));
        for (var step = 0; step < 120; step++)
        {
            var field = random.Next(2) == 0 ? "car" : "home";
            var n = random.Next(1, 5);
            switch (random.Next(5))
            {
                case 0:
                    unprocessed += n;
                    break;
                case 1:
                    var kept = Enumerable.Range(0, n).Select(i => Samples.Message(position + i, field: field)).ToArray();
                    host.Commit(Samples.Batch([new MessageChunk(field, false, kept)], [Samples.Message(position + n, field: field)]));
                    position += n + 1;
                    queued[field] += n;
                    break;
                case 2 when queued[field] >= n:
                    Settle(field, random.Next(2) == 0 ? LedgerStates.Forwarded : LedgerStates.Expired, n);
                    queued[field] -= n;
                    break;
                case 3 when queued["car"] >= n:
                    Settle("car", LedgerStates.DeadLettered, n);
                    queued["car"] -= n;
                    dead += n;
                    break;
                case 4 when dead >= n:
                    Settle("car", LedgerStates.DeadLettered, -n);
                    queued["car"] += n;
                    dead -= n;
                    break;
            }

            if (step % 10 == 0)
            {
                var report = await host.Get<LedgerReader>().ReadAsync(CancellationToken.None);
                Assert.True(report.Exact);
                Assert.Equal(0, report.Residue);
            }
        }

        queued["home"]--;
        var (status, gateway) = await host.GetAsync("/ops/v1/ledger", "maintainer");
        Assert.Equal(200, status);
        Assert.Equal(1, (long)gateway["residue"]!);
        Assert.Equal(["car", "home"], gateway["fields"]!.AsArray().Select(f => (string)f!["fieldId"]!));
        Assert.Equal(0, (long)gateway["journal"]!["residue"]!);

        var (_, car) = await host.GetAsync("/api/v1/fields/car/ledger");
        Assert.Equal(0, (long)car["residue"]!);
        Assert.Equal((long)car["accepted"]!, (long)car["queued"]! + (long)car["forwarded"]! + (long)car["dropped"]! + (long)car["expired"]! + (long)car["deadLettered"]!);
        Assert.Equal(dead, (long)car["deadLettered"]!);
        Assert.EndsWith("+09:00", (string)car["at"]!, StringComparison.Ordinal);

        void Settle(string f, string state, int count) => host.Store.Databases.State.Write(t => ledger.Settle(f, state, count, t));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Only_terminal_states_can_be_settled_and_a_rollback_takes_the_count_back(Dialect dialect)
    {
        await using var host = await HistoryHost.StartAsync(dialect);
        var ledger = host.Get<ILedger>();
        host.Store.Databases.State.Write(t =>
        {
            Assert.Throws<ArgumentException>(() => ledger.Settle("car", LedgerStates.Queued, 1, t));
            Assert.Throws<ArgumentException>(() => ledger.Settle("car", "accepted", 1, t));
        });
        Assert.Throws<InvalidOperationException>(() => host.Store.Databases.State.Write(t =>
        {
            ledger.Settle("car", LedgerStates.Forwarded, 5, t);
            throw new InvalidOperationException("no");
        }));
        var (_, car) = await host.GetAsync("/api/v1/fields/car/ledger");
        Assert.Equal(0, (long)car["forwarded"]!);
    }

    [Fact]
    public async Task A_residue_is_exported_as_a_metric_at_the_next_look()
    {
        await using var host = await HistoryHost.StartAsync(Dialect.Sqlite);
        host.Others.InFlight = () => new LedgerInFlight(5, 2, new Dictionary<string, long>());
        using var listener = new System.Diagnostics.Metrics.MeterListener();
        long? seen = null;
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Name == "sekisho_ledger_residue")
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => seen = value);
        listener.Start();
        HistoryMetrics.Show(await host.Get<LedgerReader>().ReadAsync(CancellationToken.None));
        listener.RecordObservableInstruments();
        Assert.Equal(3, seen);
    }
}
