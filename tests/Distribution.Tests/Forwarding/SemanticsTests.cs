using Sekisho.Distribution.Tests.Gateway;
using Sekisho.Domain.History;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Distribution.Tests.Forwarding;

/// <summary>Complaint 9: one test for each question that docs/semantics.md answers.</summary>
public class SemanticsTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Complaint_9_does_a_message_age_while_the_gateway_is_off(Dialect dialect)
    {
        var clock = new ManualClock();
        await using var cloud = await Receiver.StartAsync();
        await using var gateway = await TestGateway.StartAsync(dialect, clock, ForwardingTests.Fast);
        await gateway.PutAsync(ForwardingTests.Cars + "/destination", cloud.Destination(maxAge: 3600));
        using (await gateway.Http.PostAsync(ForwardingTests.Cars + "/connector/stop", null))
        {
        }

        await gateway.FeedAsync("c1", 0, 5);
        clock.Advance(TimeSpan.FromMinutes(50));
        await gateway.FeedAsync("c1", 5, 5);
        clock.Advance(TimeSpan.FromMinutes(20));
        await gateway.RestartAsync();
        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Expired) == 5, "the old ones expire");
        using (await gateway.Http.PostAsync(ForwardingTests.Cars + "/connector/start", null))
        {
        }

        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Forwarded) == 5, "the younger ones");
        Assert.Equal(Enumerable.Range(5, 5), cloud.TakenSequences("c1"));
    }

    [Fact]
    public async Task A_replayed_message_counts_its_age_anew_and_keeps_no_older_ones_behind_it_alive()
    {
        var clock = new ManualClock();
        await using var cloud = await Receiver.StartAsync();
        await using var gateway = await TestGateway.StartAsync(clock: clock, settings: ForwardingTests.Fast);
        var poison = true;
        cloud.Answer = _ => poison ? 422 : 200;
        await gateway.PutAsync(ForwardingTests.Cars + "/destination", cloud.Destination(maxAge: 3600));
        await gateway.FeedAsync("c1", 0, 1);
        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.DeadLettered) == 1, "the dead letter");
        poison = false;
        using (await gateway.Http.PostAsync(ForwardingTests.Cars + "/connector/stop", null))
        {
        }

        await gateway.FeedAsync("c1", 1, 5);
        clock.Advance(TimeSpan.FromMinutes(50));
        using var all = new StringContent("{\"all\":true}", System.Text.Encoding.UTF8, "application/json");
        using (var replay = await gateway.Http.PostAsync(ForwardingTests.Cars + "/dead-letters/replay", all))
        {
            Assert.Equal("{\"messages\":1}", await replay.Content.ReadAsStringAsync());
        }

        clock.Advance(TimeSpan.FromMinutes(20));
        await gateway.RestartAsync();
        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Expired) == 5, "those behind it expire");
        using (await gateway.Http.PostAsync(ForwardingTests.Cars + "/connector/start", null))
        {
        }

        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Forwarded) == 1, "the replayed one");
        Assert.Equal([0], cloud.TakenSequences("c1"));
    }

    [Fact]
    public async Task Complaint_9_what_goes_when_the_store_is_full_the_oldest_with_a_record()
    {
        await using var cloud = await Receiver.StartAsync();
        await using var gateway = await TestGateway.StartAsync(settings: ForwardingTests.Fast);
        cloud.Answer = _ => 503;
        await gateway.PutAsync(ForwardingTests.Cars + "/destination", cloud.Destination(maxBytes: 1024));
        for (var i = 0; i < 30; i++)
        {
            await gateway.FeedAsync("c1", 100 + (i * 10), 10);
        }

        // 300 messages of 11 bytes: 93 fit.
        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Dropped) == 210, "the oldest are dropped");
        Assert.Contains(gateway.History.Records, r => r.What == LedgerStates.Dropped && r.Details!.Contains("space", StringComparison.Ordinal));
        cloud.Answer = _ => 200;
        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Forwarded) == 90, "the rest");
        Assert.Equal(Enumerable.Range(310, 90), cloud.TakenSequences("c1"));
    }

    [Theory]
    [InlineData("arrival")]
    [InlineData("live-first")]
    public async Task Complaint_9_in_which_order_do_live_data_and_a_backlog_arrive(string order)
    {
        await using var cloud = await Receiver.StartAsync();
        await using var gateway = await TestGateway.StartAsync(settings: ForwardingTests.Fast);
        await gateway.PutAsync(ForwardingTests.Cars + "/destination", cloud.Destination(order: order, batch: 3));
        using (await gateway.Http.PostAsync(ForwardingTests.Cars + "/connector/stop", null))
        {
        }

        await gateway.FeedAsync("c1", 0, 5, backlog: true);
        await gateway.FeedAsync("c1", 5, 5);
        using (await gateway.Http.PostAsync(ForwardingTests.Cars + "/connector/start", null))
        {
        }

        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Forwarded) == 10, "all");
        Assert.Equal(order == "arrival" ? Enumerable.Range(0, 10) : Enumerable.Range(5, 5).Concat(Enumerable.Range(0, 5)), cloud.TakenSequences("c1"));
        Assert.All(cloud.Taken, m => Assert.Equal((int)m["payload"]!["seq"]! < 5, (bool)m["backlog"]!));
    }

    [Fact]
    public async Task Complaint_9_are_there_duplicates_only_the_unconfirmed_batch_with_the_same_identity()
    {
        await using var cloud = await Receiver.StartAsync();
        await using var gateway = await TestGateway.StartAsync(settings: ForwardingTests.Fast);
        await gateway.PutAsync(ForwardingTests.Cars + "/destination", cloud.Destination(batch: 4));

        // The cloud takes the second batch and its answer is lost: for the gateway that is a failure.
        var count = 0;
        cloud.Answer = _ => ++count == 2 ? 500 : 200;
        await gateway.FeedAsync("c1", 0, 12);
        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Forwarded) == 12, "all");
        var all = cloud.Deliveries.SelectMany(d => System.Text.Json.Nodes.JsonNode.Parse(d.Body)!.AsArray().Select(m => (string)m!["messageId"]!)).ToList();
        Assert.Equal(16, all.Count);
        Assert.Equal(12, all.Distinct().Count());
        Assert.Equal(Enumerable.Range(0, 12), cloud.TakenSequences("c1"));
    }

    [Fact]
    public async Task Complaint_9_what_happens_without_a_destination_it_is_dropped_with_a_reason()
    {
        await using var gateway = await TestGateway.StartAsync(settings: ForwardingTests.Fast);
        await gateway.FeedAsync("c1", 0, 3);
        Assert.Equal(3, gateway.History.Count("cars", LedgerStates.Dropped));
        await gateway.PutAsync(ForwardingTests.Cars + "/destination", new { kind = "none", reason = "only detection is wanted" });
        await gateway.FeedAsync("c1", 3, 2);
        Assert.Equal(5, gateway.History.Count("cars", LedgerStates.Dropped));
        var items = (await gateway.GetAsync(ForwardingTests.Cars + "/deliveries"))["items"]!.AsArray();
        Assert.Equal(["destination-none", "no-destination"], items.Select(i => (string?)i!["reason"]));
    }

    [Fact]
    public async Task Complaint_9_what_survives_an_outage_of_the_cloud_and_a_restart_of_the_gateway_everything_in_order()
    {
        var cloud = await Receiver.StartAsync();
        var port = new Uri(cloud.Url).Port;
        using var certificate = Receiver.Certificate("localhost");
        await cloud.DisposeAsync();
        await using var gateway = await TestGateway.StartAsync(settings: ForwardingTests.Fast);
        await gateway.PutAsync(ForwardingTests.Cars + "/destination", new { kind = "https", url = cloud.Url, trustedCa = certificate.ExportCertificatePem(), batchMessages = 5 });
        await gateway.FeedAsync("c1", 0, 20);
        await Until.TrueAsync(() => gateway.History.Records.Any(r => r.What == "disconnected"), "the outage");
        await gateway.RestartAsync();
        await gateway.FeedAsync("c1", 20, 20);
        await using var back = await Receiver.StartAsync(port, certificate: certificate);
        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Forwarded) == 40, "all");
        Assert.Equal(Enumerable.Range(0, 40), back.TakenSequences("c1"));
    }
}
