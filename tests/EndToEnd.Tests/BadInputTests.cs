using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Sekisho.Verification.Clients;

namespace Sekisho.EndToEnd.Tests;

/// <summary>Whatever a sender sends: a problem document that names the fault, and nothing stored of it.</summary>
[Collection("shared site")]
public class BadInputTests(SharedSite shared)
{
    private static int _fields;

    public static TheoryData<string, byte[], int> Bodies => new()
    {
        { "cut off in the middle", "[{\"seq\":1},{\"temperature\":"u8.ToArray(), 400 },
        { "empty", [], 400 },
        { "no object", "42"u8.ToArray(), 422 },
        { "a string in an array", "[{\"seq\":1},\"x\"]"u8.ToArray(), 422 },
        { "deeply nested", Encoding.UTF8.GetBytes("{\"a\":" + new string('[', 5000) + new string(']', 5000) + "}"), 400 },
        { "invalid UTF-8", [.. "{\"a\":\""u8, 0xC3, 0x28, .. "\"}"u8], 400 },
        { "duplicate keys", "[{\"seq\":1},{\"seq\":2,\"seq\":3}]"u8.ToArray(), 422 },
        { "NaN", "{\"seq\":NaN}"u8.ToArray(), 400 },
        { "text behind the object", "{\"seq\":1} {\"seq\":2}"u8.ToArray(), 400 },
        { "a trailing comma", "{\"seq\":1,}"u8.ToArray(), 400 },
        { "10 MB", Encoding.UTF8.GetBytes("{\"a\":\"" + new string('x', 10_000_000) + "\"}"), 413 },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_bad_body_is_refused_whole_and_the_next_good_one_is_taken(string what, byte[] body, int status)
    {
        var field = await FieldAsync();
        using var device = await shared.Site.ConnectAsync(field, $"BAD-{field}");
        using var http = new HttpClient(TrustedHttp.Handler(shared.Site.Gateway.CaFile));
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(shared.Site.Gateway.Devices, "/device/v1/messages")) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", device.Token);
        request.Headers.Add("Sekisho-Device", device.DeviceId);
        request.Headers.ExpectContinue = true; // as curl does with large bodies, so that the refusal can be read
        using var answer = await http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();

        Assert.True((int)answer.StatusCode == status, $"{what}: {answer.StatusCode} {text}");
        var problem = JsonNode.Parse(text)!;
        Assert.StartsWith("urn:sekisho:problem:", problem["type"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.NotEmpty(problem["detail"]!.GetValue<string>());
        Assert.NotEmpty(problem["faults"]![0]!["message"]!.GetValue<string>());
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);

        Assert.Equal(202, (await device.SendAsync("{\"seq\":7}")).Status);
        var kept = Assert.Single(await KeptAsync(field, 1))!;
        Assert.Equal("7", kept["sequence"]!.GetValue<string>());
    }

    [Fact]
    public async Task Times_of_year_1_and_9999_and_hostile_strings_are_data_and_nothing_else()
    {
        var field = await FieldAsync();
        using var device = await shared.Site.ConnectAsync(field, $"BAD-{field}");
        string[] values =
        [
            "'; DROP TABLE device; --", "\\\" OR 1=1", "$(reboot)", "`id`", "<script>alert(1)</script>", "{{7*7}}", "%s%n%x", "../../etc/passwd", "\\u0000", "日本語🚗", "\\uD83D\\uDE97",
        ];
        var sequence = 0;
        foreach (var value in values)
        {
            Assert.Equal(202, (await device.SendAsync($$"""{"seq":"{{++sequence}}","mode":"m","note":"{{value}}","{{value.Replace("\\", "", StringComparison.Ordinal).Replace("\"", "", StringComparison.Ordinal)}}":1}""")).Status);
        }

        foreach (var time in (string[])["\"0001-01-01T00:00:00Z\"", "\"9999-12-31T23:59:59Z\"", "-1", "1e300", "\"yesterday\"", "null", "{}", "9223372036854775807"])
        {
            Assert.Equal(202, (await device.SendAsync($$"""{"time":{{time}},"seq":"{{++sequence}}"}""")).Status);
        }

        // Wrong types where the mapping looks: taken as they are, read as absent.
        foreach (var wrong in (string[])["\"time\":true,\"mode\":7", "\"time\":[1775044800],\"seq\":{}", "\"seq\":false,\"mode\":null", "\"mode\":[\"on\"]"])
        {
            sequence++;
            Assert.Equal(202, (await device.SendAsync($"{{{wrong}}}")).Status);
        }

        var kept = await KeptAsync(field, sequence);
        Assert.Equal(sequence, kept.Count);
        Assert.Equal(4, kept.Count(k => k!["sequence"] is null));
        Assert.All(kept, k => Assert.Null(k!["deviceTime"]));
        var listed = (await shared.Site.Admin.GetAsync($"/api/v1/fields/{field}/history?device={Uri.EscapeDataString("'; DROP TABLE device; --")}")).Status;
        Assert.True(listed is 200 or 422);
        Assert.Equal(200, (await shared.Site.Admin.GetAsync($"/api/v1/fields/{field}/devices")).Status);
    }

    [Fact]
    public async Task Replayed_foreign_and_invented_tokens_are_refused_before_the_body_is_read()
    {
        var field = await FieldAsync();
        var foreignField = await FieldAsync();
        using var device = await shared.Site.ConnectAsync(field, $"BAD-{field}");
        using var foreign = await shared.Site.ConnectAsync(foreignField, $"BAD-{foreignField}");
        var (token, deviceId) = (device.Token!, device.DeviceId!);
        foreach (var (badToken, badDevice) in new[] { (foreign.Token!, deviceId), (token, foreign.DeviceId!), ("", deviceId), (token + "x", deviceId), (new string('A', 43), deviceId), (token, "' OR 1=1"), (new string('A', 4000), deviceId) })
        {
            (device.Token, device.DeviceId) = (badToken, badDevice);
            var answer = await device.SendAsync("this is not even JSON");
            Assert.True(answer.Status == 401, $"{badToken[..Math.Min(5, badToken.Length)]}… {badDevice}: {answer.Status} {answer.Body}");
            Assert.Equal("token-invalid", answer.Problem);
        }

        (device.Token, device.DeviceId) = (token, deviceId);
        Assert.Equal(202, (await device.SendAsync("{\"seq\":1}")).Status);

        // Overheard once and sent again after the device has another one.
        Assert.Equal(200, (await device.AuthenticateAsync()).Status);
        Assert.Equal(202, (await device.SendAsync("{\"seq\":2}")).Status);
        device.Token = token;
        Assert.Equal("token-invalid", (await device.SendAsync("{\"seq\":3}")).Problem);
        Assert.Equal(2, (await KeptAsync(field, 2)).Count);
    }

    [Fact]
    public async Task Ten_thousand_unknown_devices_cost_a_bounded_number_of_records_and_never_lock_a_real_one_out()
    {
        var field = await FieldAsync();
        using var device = await shared.Site.RegisterAsync(field, $"BAD-{field}");
        using var http = new HttpClient(TrustedHttp.Handler(shared.Site.Gateway.CaFile));
        var statuses = new int[600];
        await Parallel.ForEachAsync(Enumerable.Range(0, 10_000), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, cancellation) =>
        {
            using var content = new StringContent($$"""{"commonAuthId":"c{{i:D15}}","authSecret":"{{new string('s', 43)}}","uniqueId":"UNKNOWN-{{i}}"}""", Encoding.UTF8, "application/json");
            using var answer = await http.PostAsync(new Uri(shared.Site.Gateway.Devices, "/device/v1/token"), content, cancellation);
            Interlocked.Increment(ref statuses[(int)answer.StatusCode]);
        });
        Assert.Equal(10_000, statuses[401] + statuses[429]);

        Assert.Equal(200, (await device.AuthenticateAsync()).Status);
        Assert.Equal(202, (await device.SendAsync("{\"seq\":1}")).Status);
        var records = await Site.UntilAsync(
            async () => (await shared.Site.Admin.GetAsync("/ops/v1/history?kind=refusal&limit=500")).Expect()["items"]!.AsArray().Count,
            n => n > 0,
            TimeSpan.FromSeconds(20),
            "no refusal is recorded");
        Assert.True(records < 500, $"{records} records for one source");
    }

    [Fact]
    public async Task A_slow_sender_is_cut_off_and_holds_nobody_up()
    {
        var field = await FieldAsync();
        using var device = await shared.Site.ConnectAsync(field, $"BAD-{field}");
        using var http = new HttpClient(TrustedHttp.Handler(shared.Site.Gateway.CaFile)) { Timeout = TimeSpan.FromSeconds(40) };
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(shared.Site.Gateway.Devices, "/device/v1/messages"))
        {
            Content = new TrickleContent(),
            Version = System.Net.HttpVersion.Version11,
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", device.Token);
        request.Headers.Add("Sekisho-Device", device.DeviceId);
        var begun = TimeProvider.System.GetTimestamp();
        var slow = http.SendAsync(request);
        for (var i = 1; i <= 20; i++)
        {
            Assert.Equal(202, (await device.SendAsync($$"""{"seq":{{i}}}""")).Status);
        }

        try
        {
            using var answer = await slow;
            Assert.Equal(408, (int)answer.StatusCode);
        }
        catch (HttpRequestException)
        {
            // Cut off before the answer could be read: the connection is gone, which is the point.
        }

        // After the grace of five seconds, and long before the body is complete.
        Assert.InRange(TimeProvider.System.GetElapsedTime(begun).TotalSeconds, 3, 30);
        Assert.Equal(20, (await KeptAsync(field, 20)).Count);
    }

    private async Task<string> FieldAsync()
    {
        var field = $"bad-{Interlocked.Increment(ref _fields)}";
        await shared.Site.AddFieldAsync(field, forwarding: false);
        return field;
    }

    private async Task<JsonArray> KeptAsync(string field, int count)
    {
        await Site.UntilAsync(
            async () => (await shared.Site.Admin.GetAsync($"/api/v1/fields/{field}/messages?limit=500")).Expect()["items"]!.AsArray().Count,
            n => n >= count,
            TimeSpan.FromSeconds(20),
            "the messages are not kept");
        return (await shared.Site.Admin.GetAsync($"/api/v1/fields/{field}/messages?limit=500")).Expect()["items"]!.AsArray();
    }

    /// <summary>A body that arrives one byte a second.</summary>
    private sealed class TrickleContent : HttpContent
    {
        public TrickleContent() => Headers.ContentType = new MediaTypeHeaderValue("application/json");

        protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
        {
            var body = "{\"note\":\"" + new string('x', 30) + "\"}";
            foreach (var one in Encoding.ASCII.GetBytes(body))
            {
                await stream.WriteAsync(new[] { one });
                await stream.FlushAsync();
                await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 41;
            return true;
        }
    }
}
