using System.Text;
using Sekisho.Tests.Support;

namespace Sekisho.Verification.Tests;

public class CloudReceiverTests
{
    [Fact]
    public async Task Both_forms_are_read_and_kept_in_order_with_repeats_told_apart()
    {
        await using var cloud = await CloudReceiver.StartAsync();
        using var http = TrustedHttp.Client(cloud.Address, cloud.CaPem, TimeSpan.FromSeconds(10));
        Assert.Equal(200, await SingleAsync(http, "m1", "d1", "1", """{"t":21.50}"""));
        Assert.Equal(200, await PostAsync(http, """
            [{"messageId":"m2","deviceId":"d2","arrivalTime":"2026-04-01T09:00:00+09:00","deviceTime":null,"sequence":"7","mode":"on","backlog":true,"correlationId":"c","payload":{"x":[1, 2.0]}},
             {"messageId":"m1","deviceId":"d1","sequence":1,"payload":{"t":21.50}},
             {"messageId":"m3","deviceId":"d1","sequence":"2","payload":null}]
            """));

        Assert.Equal(["m1", "m2", "m1", "m3"], cloud.Received.Select(m => m.MessageId));
        Assert.Equal(["m1", "m2", "m3"], cloud.Distinct.Select(m => m.MessageId));
        Assert.Equal(1, cloud.Repeats);
        Assert.Equal(["1", "2"], cloud.OrderOf("d1").Select(m => m.Sequence));
        Assert.Equal("""{"t":21.50}""", cloud.Received[0].PayloadText);
        Assert.Equal("""{"x":[1, 2.0]}""", cloud.Received[1].PayloadText);
        Assert.True(cloud.Received[1].Backlog);
        Assert.Equal("2026-04-01T09:00:00+09:00", cloud.Received[1].ArrivalTime);
        await cloud.WaitForAsync(3, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task While_down_it_refuses_connections_and_comes_back_on_the_same_port_with_all_it_had()
    {
        await using var cloud = await CloudReceiver.StartAsync();
        using var http = TrustedHttp.Client(cloud.Address, cloud.CaPem, TimeSpan.FromSeconds(10));
        Assert.Equal(200, await SingleAsync(http, "m1", "d1", "1", "{}"));
        await cloud.GoDownAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => SingleAsync(http, "m2", "d1", "2", "{}"));
        await cloud.ComeUpAsync();
        Assert.Equal(200, await SingleAsync(http, "m2", "d1", "2", "{}"));
        Assert.Equal(["m1", "m2"], cloud.Distinct.Select(m => m.MessageId));
    }

    [Fact]
    public async Task It_answers_as_told_and_keeps_only_what_it_confirmed()
    {
        await using var cloud = await CloudReceiver.StartAsync();
        using var http = TrustedHttp.Client(cloud.Address, cloud.CaPem, TimeSpan.FromSeconds(10));
        cloud.AnswerNextWith(503, 429);
        Assert.Equal(503, await SingleAsync(http, "m1", "d1", "1", "{}"));
        Assert.Equal(429, await SingleAsync(http, "m1", "d1", "1", "{}"));
        Assert.Equal(200, await SingleAsync(http, "m1", "d1", "1", "{}"));
        cloud.AnswerWith(400);
        Assert.Equal(400, await SingleAsync(http, "m2", "d1", "2", "{}"));
        Assert.Equal(["m1"], cloud.Received.Select(m => m.MessageId));
        Assert.Equal(4, cloud.Requests);
    }

    [Fact]
    public async Task A_slow_receiver_has_the_message_before_its_answer()
    {
        var clock = new ManualClock();
        await using var cloud = await CloudReceiver.StartAsync(clock: clock);
        using var http = TrustedHttp.Client(cloud.Address, cloud.CaPem, TimeSpan.FromSeconds(60));

        cloud.BeSlow(TimeSpan.FromMinutes(1));
        var sending = SingleAsync(http, "m1", "d1", "1", "{}");
        await Deadline.UntilAsync(() => Task.FromResult(cloud.DistinctCount == 1), TimeSpan.FromSeconds(20), "the message", TimeProvider.System);
        Assert.False(sending.IsCompleted);
        await Deadline.UntilAsync(
            () =>
            {
                clock.Advance(TimeSpan.FromMinutes(1));
                return Task.FromResult(sending.IsCompleted);
            },
            TimeSpan.FromSeconds(20),
            "the answer",
            TimeProvider.System);
        Assert.Equal(200, await sending);
    }

    [Fact]
    public async Task With_a_secret_only_signed_requests_are_taken()
    {
        await using var cloud = await CloudReceiver.StartAsync("shared");
        using var http = TrustedHttp.Client(cloud.Address, cloud.CaPem, TimeSpan.FromSeconds(10));
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        Assert.Equal(401, await SingleAsync(http, "m1", "d1", "1", "{}"));
        Assert.Equal(401, await SingleAsync(http, "m1", "d1", "1", "{}", Signature(now, "other")));
        Assert.Equal(401, await SingleAsync(http, "m1", "d1", "1", "{}", Signature(now - 3600, "shared")));
        Assert.Equal(200, await SingleAsync(http, "m1", "d1", "1", "{}", Signature(now, "shared")));
        Assert.Equal(3, cloud.Faults.Count);
        Assert.Single(cloud.Received);

        static string Signature(long at, string secret) => $"t={at},v1={ForwardingSignature.Of(at, "{}"u8, secret)}";
    }

    [Fact]
    public void The_signature_is_the_hmac_of_time_and_body() =>
        Assert.Equal("d96c1455aec8169b655f92652c7725366fd565f7e6c554a57ab3436726718ea7", ForwardingSignature.Of(1_775_001_600, "{\"a\":1}"u8, "key"));

    [Theory]
    [InlineData("")]
    [InlineData("t=")]
    [InlineData("t=1,v1=")]
    [InlineData("v1=00")]
    [InlineData("t=99999999999999999999,v1=00")]
    [InlineData("t=-1,v1=00")]
    [InlineData(",,,=,=")]
    public void A_broken_signature_is_no_good(string header) =>
        Assert.False(ForwardingSignature.IsGood(header, "{}"u8, "key", DateTimeOffset.UnixEpoch, TimeSpan.FromMinutes(5)));

    [Fact]
    public async Task Whatever_is_no_forwarding_gets_400_and_is_told()
    {
        await using var cloud = await CloudReceiver.StartAsync();
        using var http = TrustedHttp.Client(cloud.Address, cloud.CaPem, TimeSpan.FromSeconds(10));
        var random = new Random(4);
        const string Good = """[{"messageId":"m1","deviceId":"d1","sequence":"1","payload":{"t":1}}]""";
        var refused = 0;
        foreach (var body in Enumerable.Range(0, 200).Select(_ => Mutate(random, Good)).Concat(["", "{}", "null", "[1]", "[{}]", "[null]", """[{"messageId":null,"deviceId":"d","payload":1}]"""]))
        {
            var status = await PostAsync(http, body);
            Assert.True(status is 200 or 400, $"{status}: {body}");
            refused += status == 400 ? 1 : 0;
        }

        Assert.Equal(refused, cloud.Faults.Count);
        Assert.True(refused > 50);
    }

    private static string Mutate(Random random, string text)
    {
        var letters = text.ToCharArray();
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            letters[random.Next(letters.Length)] = (char)random.Next(32, 127);
        }

        return new string(letters, 0, random.Next(3) == 0 ? random.Next(letters.Length) : letters.Length);
    }

    private static Task<int> SingleAsync(HttpClient http, string id, string device, string sequence, string payload, string? signature = null) => PostAsync(
        http, payload, ("Sekisho-Message-Id", id), ("Sekisho-Device", device), ("Sekisho-Sequence", sequence), ("Sekisho-Signature", signature));

    private static async Task<int> PostAsync(HttpClient http, string body, params (string Name, string? Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, (Uri?)null) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        foreach (var (name, value) in headers.Where(h => h.Value is not null))
        {
            request.Headers.Add(name, value);
        }

        using var response = await http.SendAsync(request);
        return (int)response.StatusCode;
    }
}
