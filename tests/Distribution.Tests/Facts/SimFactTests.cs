using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Sekisho.Distribution.Facts;
using Sekisho.Distribution.Tests.Gateway;
using Sekisho.Domain.Events;

namespace Sekisho.Distribution.Tests.Facts;

public class SimFactTests
{
    private const string Path = "/api/v1/fields/cars/sim-facts";

    [Fact]
    public async Task Facts_of_a_carrier_are_durable_events_by_device_or_unique_id()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var response = await gateway.Http.PostAsJsonAsync(Path, new object[]
        {
            new { deviceId = "c1", provider = "carrier", from = "2026-04-01T09:00:00+09:00", to = "2026-04-01T10:00:00.123+09:00", uplinkBytes = 1, downlinkBytes = 2, address = "::ffff:203.0.113.9", session = "attached", cell = "440-10-77", site = "tokyo" },
            new { uniqueId = "unique-c2", provider = "carrier", from = "2026-04-01T00:00:00Z", to = "2026-04-01T00:00:00Z" },
        });
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        Assert.Equal(2, (int)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["accepted"]!);
        var events = (await gateway.Feed.ReadAsync(0, 10, CancellationToken.None)).OfType<SimFactEvent>().ToList();
        Assert.Equal(("c1", "203.0.113.9", "attached", "440-10-77", 1L, 2L), (events[0].DeviceId, events[0].Address, events[0].Session, events[0].Cell, events[0].UplinkBytes!.Value, events[0].DownlinkBytes!.Value));
        Assert.Equal(new DateTimeOffset(2026, 4, 1, 1, 0, 0, 123, TimeSpan.Zero), events[0].To);
        Assert.Equal(("c2", SimSessions.Unknown, null), (events[1].DeviceId, events[1].Session, events[1].UplinkBytes));
    }

    [Fact]
    public async Task All_faults_come_at_once_with_their_places_and_nothing_is_stored()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var response = await gateway.Http.PostAsJsonAsync(Path, new object?[]
        {
            null,
            new { deviceId = "h1", uniqueId = (string?)null, provider = "Bad Name", from = "2026-04-02T00:00:00Z", to = "2026-04-01T00:00:00Z", uplinkBytes = -1, downlinkBytes = -1, address = "nowhere", session = "asleep", cell = "a b", site = new string('x', 33) },
            new { deviceId = "c1", uniqueId = "unique-c1", provider = "carrier", from = "2026-04-01T00:00:00Z", to = "2026-04-01T01:00:00Z" },
        });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        var places = JsonNode.Parse(await response.Content.ReadAsStringAsync())!["faults"]!.AsArray().Select(e => (string)e!["place"]!);
        Assert.Equal(
            ["/0", "/1/deviceId", "/1/provider", "/1/to", "/1/uplinkBytes", "/1/downlinkBytes", "/1/session", "/1/cell", "/1/site", "/1/address", "/2/deviceId"],
            places);
        Assert.Equal(0, gateway.Feed.LastPosition);
    }

    [Fact]
    public async Task None_and_too_many_are_refused()
    {
        await using var gateway = await TestGateway.StartAsync();
        foreach (var count in new[] { 0, SimFactRoutes.Most + 1 })
        {
            using var response = await gateway.Http.PostAsJsonAsync(Path, Enumerable.Repeat(new { deviceId = "c1" }, count));
            Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        }
    }

    [Fact]
    public async Task Whatever_is_posted_is_answered_by_a_problem_or_stored()
    {
        await using var gateway = await TestGateway.StartAsync();
        var random = new Random(36);
        var good = """[{"deviceId":"c1","provider":"carrier","from":"2026-04-01T00:00:00Z","to":"2026-04-01T01:00:00Z","uplinkBytes":1,"address":"::1","session":"detached","cell":"x"}]"""u8.ToArray();
        for (var i = 0; i < 500; i++)
        {
            var body = random.Next(4) == 0 ? good[..random.Next(good.Length)] : (byte[])good.Clone();
            for (var n = random.Next(4); n > 0 && body.Length > 0; n--)
            {
                body[random.Next(body.Length)] = (byte)random.Next(256);
            }

            using var content = new ByteArrayContent(body);
            content.Headers.ContentType = new("application/json");
            using var response = await gateway.Http.PostAsync(Path, content);
            Assert.True(response.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.UnprocessableEntity or HttpStatusCode.BadRequest, $"{response.StatusCode} for {Encoding.UTF8.GetString(body)}");
        }
    }
}
