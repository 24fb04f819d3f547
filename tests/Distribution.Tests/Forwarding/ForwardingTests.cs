using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Sekisho.Distribution.Tests.Gateway;
using Sekisho.Domain.History;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Distribution.Tests.Forwarding;

public class ForwardingTests
{
    internal const string Cars = "/api/v1/fields/cars";
    internal static readonly (string, string)[] Fast = [("Distribution:Forwarding:RetryFirst", "00:00:00.020"), ("Distribution:Forwarding:RetryMost", "00:00:00.050"), ("Distribution:Ticks:Interval", "00:01:00")];

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Messages_reach_the_cloud_once_and_in_order_and_the_ledger_closes(Dialect dialect)
    {
        await using var cloud = await Receiver.StartAsync();
        await using var gateway = await TestGateway.StartAsync(dialect, settings: Fast);
        await gateway.PutAsync(Cars + "/destination", cloud.Destination(batch: 7));
        for (var i = 0; i < 5; i++)
        {
            await gateway.FeedAsync("c1", i * 10, 10);
        }

        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Forwarded) == 50, "all forwarded");
        Assert.Equal(Enumerable.Range(0, 50), cloud.TakenSequences("c1"));
        Assert.All(cloud.Deliveries, d => Assert.InRange(JsonNode.Parse(d.Body)!.AsArray().Count, 1, 7));
        var first = cloud.Taken[0];
        Assert.Equal(["messageId", "deviceId", "arrivalTime", "deviceTime", "sequence", "mode", "backlog", "correlationId", "payload"], first.AsObject().Select(p => p.Key));
        Assert.Equal(0, (int)first["payload"]!["seq"]!);
        var flight = await gateway.Services.GetRequiredService<ILedgerSource>().CountAsync(CancellationToken.None);
        Assert.Equal((50, 0), (flight.Journaled, flight.Unprocessed));
        Assert.Empty(flight.Queued);
        Assert.Equal("connected", (string?)(await gateway.GetAsync(Cars + "/connector"))["state"]);
        var page = await gateway.GetAsync(Cars + "/deliveries?limit=2");
        Assert.Equal(2, page["items"]!.AsArray().Count);
        Assert.NotEmpty((await gateway.GetAsync(Cars + "/deliveries?limit=2&after=" + (string?)page["next"]))["items"]!.AsArray());
    }

    [Fact]
    public async Task A_single_message_travels_as_its_payload_with_signed_headers()
    {
        await using var cloud = await Receiver.StartAsync();
        await using var gateway = await TestGateway.StartAsync(settings: Fast);
        await gateway.PutAsync(Cars + "/destination", cloud.Destination(batch: 1, secret: "a secret of the cloud"));
        using var response = await gateway.SendAsync("c1", "{ \"seq\": \"a\\r\\nX: ü\", \"time\": 1775044800 }");
        var message = (await gateway.JournaledAsync()).Single();
        await gateway.CommitAsync([message]);
        await Until.TrueAsync(() => !cloud.Deliveries.IsEmpty, "the delivery");
        var (headers, body, _, _) = cloud.Deliveries.Single();
        Assert.Equal("{ \"seq\": \"a\\r\\nX: ü\", \"time\": 1775044800 }", body);
        Assert.Equal((message.MessageId, "c1", "cars", "2026-04-01T12:00:00.000Z", "a%0D%0AX%3A%20%C3%BC", "false", message.CorrelationId), (
            headers["Sekisho-Message-Id"], headers["Sekisho-Device"], headers["Sekisho-Field"], headers["Sekisho-Device-Time"], headers["Sekisho-Sequence"], headers["Sekisho-Backlog"], headers["Sekisho-Correlation-Id"]));
        Assert.True(headers.ContainsKey("Sekisho-Arrival-Time"));
        var signature = headers["Sekisho-Signature"].Split(',');
        var expected = HMACSHA256.HashData("a secret of the cloud"u8, Encoding.UTF8.GetBytes(signature[0][2..] + "." + body));
        Assert.Equal("v1=" + Convert.ToHexStringLower(expected), signature[1]);
    }

    [Fact]
    public async Task Only_the_own_fields_data_reaches_the_own_fields_cloud()
    {
        await using var cars = await Receiver.StartAsync();
        await using var homes = await Receiver.StartAsync();
        await using var gateway = await TestGateway.StartAsync(settings: Fast);
        await gateway.PutAsync(Cars + "/destination", cars.Destination());
        await gateway.PutAsync("/api/v1/fields/homes/destination", homes.Destination());
        using (await gateway.SendAsync("c1", "[{\"seq\":1},{\"seq\":2}]"))
        using (await gateway.SendAsync("h1", "[{\"seq\":1},{\"seq\":2}]"))
        using (await gateway.SendAsync("c1", "{\"seq\":3}"))
        {
            await gateway.CommitAsync(await gateway.JournaledAsync());
        }

        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Forwarded) == 3 && gateway.History.Count("homes", LedgerStates.Forwarded) == 2, "both");
        Assert.All(cars.Taken, m => Assert.Equal("c1", (string?)m["deviceId"]));
        Assert.All(homes.Taken, m => Assert.Equal("h1", (string?)m["deviceId"]));
    }

    [Fact]
    public async Task A_client_certificate_is_presented_and_no_secret_ever_comes_back_or_stands_in_a_file()
    {
        await using var cloud = await Receiver.StartAsync(wantCertificate: true);
        await using var gateway = await TestGateway.StartAsync(settings: Fast);
        using var client = Receiver.Certificate("gateway-of-cars");
        const string password = "pfx-password-marker";
        var pfx = Convert.ToBase64String(client.Export(X509ContentType.Pkcs12, password));
        var shown = await gateway.PutAsync(Cars + "/destination", cloud.Destination(clientCertificate: new { pfx, password }));
        var secret = (string)shown["secret"]!;
        Assert.StartsWith("sks_", secret, StringComparison.Ordinal);
        await gateway.FeedAsync("c1", 0, 1);
        await Until.TrueAsync(() => !cloud.Deliveries.IsEmpty, "the delivery");
        Assert.Equal("CN=gateway-of-cars", cloud.Deliveries.First().ClientSubject);

        var again = (await gateway.GetAsync(Cars + "/destination")).ToJsonString();
        Assert.DoesNotContain(secret, again, StringComparison.Ordinal);
        Assert.DoesNotContain(pfx, again, StringComparison.Ordinal);
        var kept = await gateway.PutAsync(Cars + "/destination", cloud.Destination(clientCertificate: new { keep = true }));
        Assert.Null(kept["secret"]);
        Assert.True((bool)kept["signed"]!);
        Assert.Equal("CN=gateway-of-cars", (string?)kept["clientCertificate"]!["subject"]);
        foreach (var file in Directory.GetFiles(gateway.Store.Folder))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[stream.Length];
            await stream.ReadExactlyAsync(bytes);
            Assert.Equal(-1, bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret)));
            Assert.Equal(-1, bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(password)));
            Assert.Equal(-1, bytes.AsSpan().IndexOf("{\"seq\":"u8));
        }
    }

    [Fact]
    public async Task A_destination_with_faults_is_refused_with_all_of_them()
    {
        await using var gateway = await TestGateway.StartAsync();
        var problem = await gateway.PutAsync(Cars + "/destination", new
        {
            kind = "https",
            url = "http://example.org/",
            secret = "short",
            batchMessages = 0,
            batchBytes = 1,
            order = "any",
            maxAgeSeconds = 0,
            maxBytes = 1,
            timeoutSeconds = 0,
            trustedCa = "no pem",
            clientCertificate = new { pfx = "no pfx" },
            headers = new Dictionary<string, string?> { ["Host"] = "x", ["X-New"] = null, ["X-Bad"] = "a\r\nb", ["Sekisho-Device"] = "x" },
        }, System.Net.HttpStatusCode.UnprocessableEntity);
        var places = problem["faults"]!.AsArray().Select(f => (string)f!["place"]!).ToHashSet();
        string[] expected = ["/url", "/secret", "/batchMessages", "/batchBytes", "/order", "/maxAgeSeconds", "/maxBytes", "/timeoutSeconds", "/trustedCa", "/clientCertificate/pfx", "/headers/Host", "/headers/X-New", "/headers/X-Bad", "/headers/Sekisho-Device"];
        Assert.Empty(expected.Except(places));
        await gateway.PutAsync(Cars + "/destination", new { kind = "none" }, System.Net.HttpStatusCode.UnprocessableEntity);
        await gateway.PutAsync(Cars + "/destination", new { kind = "carrier pigeon" }, System.Net.HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task One_poison_message_becomes_a_dead_letter_and_the_rest_goes_on_in_order()
    {
        await using var cloud = await Receiver.StartAsync();
        await using var gateway = await TestGateway.StartAsync(settings: Fast);
        var poison = true;
        cloud.Answer = body => poison && body.Contains("\"seq\":13}", StringComparison.Ordinal) ? 422 : 200;
        await gateway.PutAsync(Cars + "/destination", cloud.Destination(batch: 50));
        await gateway.FeedAsync("c1", 0, 40);
        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Forwarded) == 39, "the others");
        Assert.Equal(Enumerable.Range(0, 40).Where(i => i != 13), cloud.TakenSequences("c1"));
        Assert.Equal(1, gateway.History.Count("cars", LedgerStates.DeadLettered));
        var letter = Assert.Single((await gateway.GetAsync(Cars + "/dead-letters"))["items"]!.AsArray())!;
        Assert.Equal(("c1", "http-422"), ((string?)letter["deviceId"], (string?)letter["reason"]));
        Assert.Contains(gateway.History.Records, r => r.What == "dead-lettered" && r.DeviceId == "c1");

        poison = false;
        using var content = new StringContent($"{{\"ids\":[\"{(string?)letter["id"]}\"]}}", Encoding.UTF8, "application/json");
        using var replay = await gateway.Http.PostAsync(Cars + "/dead-letters/replay", content);
        Assert.Equal("{\"messages\":1}", await replay.Content.ReadAsStringAsync());
        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Forwarded) == 40, "the replay");
        Assert.Equal(0, gateway.History.Count("cars", LedgerStates.DeadLettered));
        Assert.Equal((13, true), (cloud.TakenSequences("c1")[^1], (bool)cloud.Taken[^1]["backlog"]!));
    }

    [Theory]
    [InlineData(503)]
    [InlineData(429)]
    [InlineData(401)]
    public async Task A_destination_that_cannot_or_does_not_let_us_in_loses_nothing_and_is_shown(int status)
    {
        await using var cloud = await Receiver.StartAsync();
        await using var gateway = await TestGateway.StartAsync(settings: Fast);
        cloud.Answer = _ => status;
        await gateway.PutAsync(Cars + "/destination", cloud.Destination());
        await gateway.FeedAsync("c1", 0, 10);
        var state = status == 401 ? "inconsistent" : "disconnected";
        await Until.TrueAsync(() => gateway.History.Records.Any(r => r.What == state), state);
        var view = await gateway.GetAsync(Cars + "/connector");
        Assert.Equal((state, 10), ((string?)view["state"], (int)view["waitingMessages"]!));
        cloud.Answer = _ => 200;
        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Forwarded) == 10, "recovery");
        Assert.Equal(Enumerable.Range(0, 10), cloud.TakenSequences("c1"));
        await Until.TrueAsync(() => gateway.History.Records.Any(r => r.What == "connected"), "the record");
    }

    [Fact]
    public async Task A_server_with_a_certificate_of_another_authority_gets_nothing()
    {
        await using var cloud = await Receiver.StartAsync();
        await using var other = await Receiver.StartAsync();
        await using var gateway = await TestGateway.StartAsync(settings: Fast);
        await gateway.PutAsync(Cars + "/destination", new { kind = "https", url = cloud.Url, trustedCa = other.Ca });
        await gateway.FeedAsync("c1", 0, 1);
        await Until.TrueAsync(() => gateway.History.Records.Any(r => r.What == "inconsistent"), "the refusal");
        Assert.Equal("tls", (string?)(await gateway.GetAsync(Cars + "/connector"))["reason"]);
        Assert.Empty(cloud.Deliveries);
    }

    [Fact]
    public async Task A_stopped_connector_or_a_paused_stage_waits_and_goes_on()
    {
        await using var cloud = await Receiver.StartAsync();
        await using var gateway = await TestGateway.StartAsync(settings: Fast);
        await gateway.PutAsync(Cars + "/destination", cloud.Destination());
        using (await gateway.Http.PostAsync(Cars + "/connector/stop", null))
        {
        }

        await gateway.FeedAsync("c1", 0, 5);
        await Until.TrueAsync(() => gateway.History.Records.Any(r => r.What == "stopped"), "stopped");
        Assert.Empty(cloud.Deliveries);
        await gateway.RestartAsync();
        Assert.Equal("stopped", (string?)(await gateway.GetAsync(Cars + "/destination"))["stopped"]!.ToString().Replace("true", "stopped", StringComparison.Ordinal));
        using (await gateway.Http.PostAsync(Cars + "/connector/start", null))
        {
        }

        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Forwarded) == 5, "start");

        var stage = gateway.Services.GetServices<Domain.Operations.IStage>().Single(s => s.Name == "forwarding");
        stage.Pause();
        await gateway.FeedAsync("c1", 5, 5);
        Assert.True(stage.Status.Paused);
        Assert.Equal(5, stage.Status.Waiting);
        stage.Resume();
        await Until.TrueAsync(() => gateway.History.Count("cars", LedgerStates.Forwarded) == 10, "resume");
        Assert.Equal(Enumerable.Range(0, 10), cloud.TakenSequences("c1"));
    }

    [Fact]
    public async Task Waits_grow_with_each_failure_up_to_the_most()
    {
        await Task.CompletedTask;
        var waits = Enumerable.Range(1, 8).Select(n => Distribution.Forwarding.Backoff.After(n, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), 1).TotalSeconds);
        Assert.Equal([1, 2, 4, 8, 16, 30, 30, 30], waits);
        Assert.Equal(0.5, Distribution.Forwarding.Backoff.After(1, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), 0).TotalSeconds);
    }

}
