using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Sekisho.Distribution.Connectors.Https;
using Sekisho.Distribution.Mapping;
using Sekisho.Distribution.Refusals;
using Sekisho.Distribution.Tests.Gateway;
using Sekisho.Domain.Events;
using Sekisho.Tests.Support;

namespace Sekisho.Distribution.Tests.Connectors;

public class BadInputTests
{
    public static TheoryData<string, int, string, string> Bodies => new()
    {
        { "", 400, "message-malformed", "byte 0" },
        { "{\"a\":1", 400, "message-malformed", "message 0" },
        { "[{\"a\":1},{\"b\":", 400, "message-malformed", "message 1" },
        { "{\"a\":1} x", 400, "message-malformed", "byte" },
        { "{\"a\":NaN}", 400, "message-malformed", "byte" },
        { "{\"a\":1,}", 400, "message-malformed", "byte" },
        { "{\"a\":\"\\ud800\"}", 400, "message-malformed", "byte 5" },
        { "[]", 422, "message-unacceptable", "message 0" },
        { "7", 422, "message-unacceptable", "" },
        { "null", 422, "message-unacceptable", "" },
        { "[{\"a\":1},[2]]", 422, "message-unacceptable", "/1" },
        { "{\"a\":1,\"a\":2}", 422, "message-unacceptable", "/a" },
        { "[{\"x\":1},{\"a\":[0,{\"b/c\":1,\"\\u0062/c\":2}]}]", 422, "message-unacceptable", "/1/a/1/b~1c" },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_fault_is_named_with_its_place_and_nothing_is_stored(string body, int status, string type, string place)
    {
        await using var gateway = await TestGateway.StartAsync();
        using var response = await gateway.SendAsync("c1", body);
        var problem = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("urn:sekisho:problem:" + type, (string?)problem["type"]);
        Assert.Contains(place, (string?)problem["faults"]![0]!["place"], StringComparison.Ordinal);
        Assert.Empty(await gateway.JournaledAsync());
    }

    [Fact]
    public async Task Deep_nesting_is_refused_at_its_byte()
    {
        await using var gateway = await TestGateway.StartAsync();
        Assert.Equal(HttpStatusCode.Accepted, (await gateway.SendAsync("c1", Nested(32))).StatusCode);
        foreach (var depth in new[] { 33, 34, 35, 100_000 })
        {
            Assert.Equal(HttpStatusCode.BadRequest, (await gateway.SendAsync("c1", Nested(depth))).StatusCode);
            Assert.Equal(HttpStatusCode.BadRequest, (await gateway.SendAsync("c1", "[" + Nested(depth) + "]")).StatusCode);
        }

        Assert.Single(await gateway.JournaledAsync());

        static string Nested(int depth) => string.Concat(Enumerable.Repeat("{\"a\":", depth - 1)) + "{}" + new string('}', depth - 1);
    }

    [Fact]
    public async Task Invalid_utf8_is_refused_wherever_it_stands()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var response = await gateway.SendAsync("c1", [.. "{\"a\":\""u8, 0xc3, 0x28, .. "\"}"u8]);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("byte 6", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sizes_over_the_limits_are_refused_and_nothing_of_the_request_is_stored()
    {
        await using var gateway = await TestGateway.StartAsync();
        var big = "{\"a\":\"" + new string('x', 300 * 1024) + "\"}";
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await gateway.SendAsync("c1", "[{\"a\":1}," + big + "]")).StatusCode);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await gateway.SendAsync("c1", "[" + string.Join(',', Enumerable.Repeat("{}", 1001)) + "]")).StatusCode);
        using var request = gateway.Messages("c1", new StreamContent(new MemoryStream(new byte[10 * 1024 * 1024])));
        request.Content!.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.ExpectContinue = true;
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await gateway.Http.SendAsync(request)).StatusCode);
        Assert.Empty(await gateway.JournaledAsync());
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData(null)]
    public async Task Only_json_in_utf8_is_taken(string? type)
    {
        await using var gateway = await TestGateway.StartAsync();
        var content = new ByteArrayContent("{}"u8.ToArray());
        content.Headers.ContentType = type is null ? null : MediaTypeHeaderValue.Parse(type);
        using var response = await gateway.Http.SendAsync(gateway.Messages("c1", content));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    [Theory]
    [InlineData("stolen", 401, "token-invalid")]
    [InlineData("good-c2", 401, "token-invalid")]
    [InlineData("expired", 401, "token-expired")]
    [InlineData("suspended", 403, "authentication-suspended")]
    public async Task A_token_that_is_not_the_devices_own_is_refused_without_reading_the_body(string token, int status, string type)
    {
        await using var gateway = await TestGateway.StartAsync();
        using var response = await gateway.SendAsync("c1", "this is never parsed", token);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Contains(type, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hostile_texts_and_impossible_times_are_data_like_any_other()
    {
        await using var gateway = await TestGateway.StartAsync();
        const string hostile = "'; DROP TABLE journal_block; -- $(reboot) <script>alert(1)</script> \\u0000 ../../etc/passwd";
        foreach (var time in new[] { "0001-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00" })
        {
            using var response = await gateway.SendAsync("c1", $"{{\"time\":\"{time}\",\"seq\":\"x'--\",\"mode\":\"<b>\",\"text\":\"{hostile}\"}}");
            Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
            Assert.Equal("{\"accepted\":1}", await response.Content.ReadAsStringAsync());
            Assert.Matches("^[0-9a-f]{32}$", response.Headers.GetValues("Sekisho-Correlation-Id").Single());
        }

        var messages = await gateway.JournaledAsync();
        Assert.Equal(2, messages.Count);
        Assert.All(messages, m => Assert.Null(m.DeviceTime));
        Assert.All(messages, m => Assert.Contains(hostile, Encoding.UTF8.GetString(m.Payload.Span), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_sender_that_stops_in_the_middle_leaves_nothing()
    {
        await using var gateway = await TestGateway.StartAsync();
        using (var socket = new TcpClient())
        {
            await socket.ConnectAsync(IPAddress.Loopback, gateway.Address.Port);
            await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                "POST /device/v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer good-c1\r\nSekisho-Device: c1\r\nContent-Length: 100\r\n\r\n[{\"a\":1},"));
        }

        Assert.Equal(HttpStatusCode.Accepted, (await gateway.SendAsync("c1", "{\"b\":2}")).StatusCode);
        Assert.Equal("{\"b\":2}", Encoding.UTF8.GetString(Assert.Single(await gateway.JournaledAsync()).Payload.Span));
    }

    [Theory]
    [InlineData("Content-Length: 100", RefusalReasons.Interrupted)]
    [InlineData("Transfer-Encoding: chunked", RefusalReasons.Malformed)]
    public async Task A_body_that_is_cut_short_is_a_broken_link_and_one_that_breaks_the_protocol_is_malformed(string framing, string reason)
    {
        await using var gateway = await TestGateway.StartAsync();
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, gateway.Address.Port);
        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /device/v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer good-c1\r\nSekisho-Device: c1\r\n{framing}\r\n\r\n[{{\"a\":1}},\r\n"));
        if (reason == RefusalReasons.Interrupted)
        {
            socket.Client.Shutdown(SocketShutdown.Send);
        }

        RefusalEvent? refusal = null;
        for (var position = 0L; refusal is null;)
        {
            await Until.TrueAsync(() => gateway.Feed.LastPosition > position, "the refusal");
            position = gateway.Feed.LastPosition;
            refusal = (await gateway.Feed.ReadAsync(0, 100, CancellationToken.None)).OfType<RefusalEvent>().FirstOrDefault();
        }

        Assert.Equal((reason, "c1"), (refusal.Reason, refusal.DeviceId));
    }

    [Fact]
    public async Task Refusals_reach_the_journal_counted_and_a_flood_costs_a_bounded_number_of_events()
    {
        await using var gateway = await TestGateway.StartAsync(settings: ("Distribution:Ticks:Interval", "00:01:00"));
        using (await gateway.SendAsync("c1", "{"))
        using (await gateway.SendAsync("c1", "{{"))
        {
        }

        var refusals = gateway.Services.GetRequiredService<RefusalCounts>();
        for (var i = 0; i < 10_000; i++)
        {
            refusals.Count(new Refusal(RefusalReasons.Unregistered, "192.0.2." + i, null, null, 5, ""));
        }

        await Until.TrueAsync(() => gateway.Feed.LastPosition >= 257, "the flush of the refusals");
        var events = (await gateway.Feed.ReadAsync(0, 10_000, CancellationToken.None)).Cast<RefusalEvent>().ToList();
        Assert.InRange(events.Count, 257, 600);
        Assert.Equal(10_000, events.Where(e => e.Reason == RefusalReasons.Unregistered).Sum(e => e.Count));
        Assert.Equal(50_000, events.Where(e => e.Reason == RefusalReasons.Unregistered).Sum(e => e.Bytes));
        Assert.Contains(events, e => e.Source == RefusalCounts.Other);
        var malformed = events.Where(e => e.Reason == RefusalReasons.Malformed).ToList();
        Assert.Equal((2, 3, "c1", "cars"), (malformed.Sum(e => e.Count), malformed.Sum(e => e.Bytes), malformed[0].DeviceId, malformed[0].FieldId));
        Assert.DoesNotContain("{", malformed[^1].Detail, StringComparison.Ordinal);

        var traffic = await gateway.GetAsync("/api/v1/fields/cars/devices/c1/traffic");
        Assert.Equal((2, 3, 0), ((int)traffic["refusedRequests"]!, (int)traffic["refusedBytes"]!, (int)traffic["acceptedBytes"]!));
    }

    [Fact]
    public async Task Strangers_from_any_number_of_addresses_do_not_hide_what_a_device_does()
    {
        await using var gateway = await TestGateway.StartAsync(settings: ("Distribution:Ticks:Interval", "00:01:00"));
        var refusals = gateway.Services.GetRequiredService<RefusalCounts>();
        for (var i = 0; i < 1000; i++)
        {
            refusals.Count(new Refusal(RefusalReasons.Unregistered, "192.0.2." + i, null, null, 0, ""));
        }

        using (await gateway.SendAsync("c1", "{"))
        {
        }

        await Until.TrueAsync(() => gateway.Feed.LastPosition >= RefusalCounts.MaxKeys + 2, "the flush of the refusals");
        var events = (await gateway.Feed.ReadAsync(0, 10_000, CancellationToken.None)).Cast<RefusalEvent>().ToList();
        var own = Assert.Single(events, e => e.Reason == RefusalReasons.Malformed);
        Assert.Equal(("c1", "cars"), (own.DeviceId, own.FieldId));
    }

    [Fact]
    public void Any_bytes_give_messages_or_a_fault_and_never_an_exception()
    {
        var random = Fuzz.Source(3);
        var parser = new MessageParser(new HttpsSettings { Depth = 5, Batch = 5, MessageKiB = 1 });
        var mapping = MappingNode.Build(FieldMapping.Default with { Dropped = ["/a/*/b"], Transient = ["/c"] });
        var seed = "[{\"time\":\"2026-04-01T00:00:00Z\",\"seq\":1,\"a\":[{\"b\":1,\"k\":\"\\u00e9\\ud83d\\ude00\"},2.5e3],\"c\":{\"x\":null}},{\"mode\":\"on\"}]"u8.ToArray();
        var rounds = Fuzz.Rounds(50_000);
        for (var i = 0; i < rounds; i++)
        {
            var body = (byte[])seed.Clone();
            for (var n = random.Next(4); n > 0; n--)
            {
                body[random.Next(body.Length)] = random.Next(3) == 0 ? (byte)random.Next(256) : seed[random.Next(seed.Length)];
            }

            if (random.Next(5) == 0)
            {
                body = body[..random.Next(body.Length)];
            }

            var events = parser.Parse(body, new Sender("cars", "d1", 1, "s", default, "c"), mapping, out var fault);
            Assert.True(events is null != fault is null);
            Assert.True(events is null != IsAcceptable(body, depth: 5, batch: 5), $"{fault} for {Convert.ToHexString(body)}");
            foreach (var message in events?.Cast<MessageEvent>() ?? [])
            {
                Assert.IsType<JsonObject>(JsonNode.Parse(message.Payload.Span));
            }
        }
    }

    // The same question put to another reader: strict JSON of one object or a few, no name twice, no half characters, not too deep.
    private static bool IsAcceptable(byte[] body, int depth, int batch)
    {
        try
        {
            var isBatch = body.AsSpan().TrimStart(" \t\r\n"u8).StartsWith("["u8);
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = depth + (isBatch ? 1 : 0), AllowDuplicateProperties = false });
            Read(document.RootElement);
            return isBatch
                ? document.RootElement.GetArrayLength() is var length && length > 0 && length <= batch && document.RootElement.EnumerateArray().All(m => m.ValueKind == JsonValueKind.Object)
                : document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }

        static void Read(JsonElement element)
        {
            switch (element.ValueKind)
            {
                case JsonValueKind.Object:
                    foreach (var property in element.EnumerateObject())
                    {
                        Assert.NotNull(property.Name);
                        Read(property.Value);
                    }

                    break;
                case JsonValueKind.Array:
                    foreach (var one in element.EnumerateArray())
                    {
                        Read(one);
                    }

                    break;
                case JsonValueKind.String:
                    Assert.NotNull(element.GetString());
                    break;
            }
        }
    }
}
