using System.Net;
using Sekisho.Distribution.Limits;
using Sekisho.Distribution.Tests.Gateway;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Distribution.Tests.Limits;

public class LimitTests
{
    [Fact]
    public void A_bucket_gives_its_burst_then_its_rate()
    {
        var bucket = default(TokenBucket);
        Assert.Equal(0, bucket.Wait(5, 2, 5, 100));
        bucket.Take(5);
        Assert.Equal(0.5, bucket.Wait(1, 2, 5, 100), 6);
        Assert.Equal(0, bucket.Wait(1, 2, 5, 100.5));
        bucket.Take(1);
        Assert.Equal(0.5, bucket.Wait(1, 2, 5, 90), 6);
    }

    [Fact]
    public void A_request_larger_than_the_bucket_passes_when_it_is_full_and_is_paid_for_later()
    {
        var bucket = default(TokenBucket);
        Assert.Equal(0, bucket.Wait(50, 1, 10, 0));
        bucket.Take(50);
        Assert.Equal(41, bucket.Wait(1, 1, 10, 0), 6);
        Assert.Equal(0, bucket.Wait(1, 1, 10, 41));
    }

    [Fact]
    public async Task Complaint_10_one_noisy_device_never_starves_the_others()
    {
        await using var gateway = await TestGateway.StartAsync(
            settings: [("Distribution:Limits:DeviceMessagesPerSecond", "1"), ("Distribution:Limits:DeviceBurst", "5"), ("Distribution:Limits:MessagesPerSecond", "20")]);
        var noisy = new List<HttpStatusCode>();
        var quiet = new List<HttpStatusCode>();
        for (var i = 0; i < 100; i++)
        {
            using var loud = await gateway.SendAsync("c1", $"{{\"seq\":{i}}}");
            noisy.Add(loud.StatusCode);
            if (loud.StatusCode == HttpStatusCode.TooManyRequests)
            {
                Assert.True(loud.Headers.RetryAfter!.Delta >= TimeSpan.FromSeconds(1));
            }

            if (i % 10 == 0)
            {
                using var soft = await gateway.SendAsync("c" + (i + 100), "{}");
                quiet.Add(soft.StatusCode);
            }
        }

        Assert.InRange(noisy.Count(s => s == HttpStatusCode.Accepted), 5, 15);
        Assert.All(quiet, s => Assert.Equal(HttpStatusCode.Accepted, s));
    }

    [Fact]
    public async Task Complaint_8_a_backlog_after_an_outage_is_not_punished_and_nothing_over_the_limit_is_dropped_silently()
    {
        var clock = new ManualClock();
        await using var gateway = await TestGateway.StartAsync(
            clock: clock,
            settings: [("Distribution:Limits:DeviceMessagesPerSecond", "1"), ("Distribution:Limits:DeviceBurst", "2"), ("Distribution:Limits:DeviceBacklogBurst", "900")]);
        var old = clock.GetUtcNow().AddHours(-5).ToUnixTimeSeconds();
        string Stored(int count) => "[" + string.Join(',', Enumerable.Range(0, count).Select(i => $"{{\"time\":{old + i},\"seq\":{i}}}")) + "]";
        Assert.Equal(HttpStatusCode.Accepted, (await gateway.SendAsync("c1", Stored(800))).StatusCode);

        // Live data flows beside the backlog.
        Assert.Equal(HttpStatusCode.Accepted, (await gateway.SendAsync("c1", "[{},{}]")).StatusCode);
        using var refused = await gateway.SendAsync("c1", "[{},{}]");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(2), refused.Headers.RetryAfter!.Delta);
        using var tooMuch = await gateway.SendAsync("c1", Stored(500));
        Assert.Equal(HttpStatusCode.TooManyRequests, tooMuch.StatusCode);
        clock.Advance(tooMuch.Headers.RetryAfter!.Delta!.Value);
        Assert.Equal(HttpStatusCode.Accepted, (await gateway.SendAsync("c1", Stored(500))).StatusCode);
        Assert.Equal(1302, (await gateway.JournaledAsync()).Count);
        Assert.Equal(2, (int)(await gateway.GetAsync("/api/v1/fields/cars/devices/c1/traffic"))["refusedRequests"]!);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Limits_of_a_field_hold_for_it_alone_and_survive_a_restart(Dialect dialect)
    {
        await using var gateway = await TestGateway.StartAsync(dialect);
        Assert.Equal(0, (int)(await gateway.GetAsync("/api/v1/fields/cars/limits"))["version"]!);
        await gateway.PutAsync("/api/v1/fields/cars/limits", new { messagesPerSecond = 0.01, burst = 1, backlogPerSecond = 0.01, backlogBurst = 1 });
        await gateway.PutAsync("/api/v1/fields/cars/limits", new { messagesPerSecond = 0.01, burst = 1, backlogPerSecond = 0.01, backlogBurst = 1, version = 0 }, HttpStatusCode.Conflict);
        var problem = await gateway.PutAsync("/api/v1/fields/cars/limits", new { messagesPerSecond = -1, burst = 0 }, HttpStatusCode.UnprocessableEntity);
        Assert.Equal(4, problem["faults"]!.AsArray().Count);
        await gateway.RestartAsync();
        Assert.Equal(HttpStatusCode.Accepted, (await gateway.SendAsync("c1", "{}")).StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await gateway.SendAsync("c1", "{}")).StatusCode);
        Assert.Equal(HttpStatusCode.Accepted, (await gateway.SendAsync("h1", "[{},{},{}]")).StatusCode);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_mapping_holds_for_the_next_message_and_survives_a_restart(Dialect dialect)
    {
        await using var gateway = await TestGateway.StartAsync(dialect);
        var mapping = await gateway.PutAsync("/api/v1/fields/cars/mapping", new { deviceTime = "/t", sequence = "/n", dropped = new[] { "/secret" }, transient = new[] { "/where" }, sensitive = new[] { "/who" } });
        Assert.Equal(1, (int)mapping["version"]!);
        var problem = await gateway.PutAsync("/api/v1/fields/cars/mapping", new { deviceTime = "t", dropped = new[] { "/ok", "" } }, HttpStatusCode.UnprocessableEntity);
        Assert.Equal(["/deviceTime", "/dropped/1"], problem["faults"]!.AsArray().Select(f => (string?)f!["place"]));
        await gateway.RestartAsync();
        using var response = await gateway.SendAsync("c1", "{\"t\":1775044800,\"n\":7,\"secret\":1,\"where\":2,\"who\":3}");
        var message = Assert.Single(await gateway.JournaledAsync());
        Assert.Equal(("7", "{\"t\":1775044800,\"n\":7,\"who\":3}", "{\"/where\":2}"), (message.Sequence, System.Text.Encoding.UTF8.GetString(message.Payload.Span), System.Text.Encoding.UTF8.GetString(message.Transient.Span)));
        Assert.Equal(["/who"], ((Domain.History.IPayloadMarks)gateway.Services.GetService(typeof(Domain.History.IPayloadMarks))!).Sensitive("cars"));
    }
}
