using System.Security.Cryptography;
using System.Text;
using Sekisho.Verification.Clients;
using Sekisho.Verification.Cloud;

namespace Sekisho.Verification.Tests.Cloud;

public sealed class CloudReceiverTests : IDisposable
{
    private const string Secret = "a-secret-of-the-cloud-0123";
    private readonly string _folder = Directory.CreateTempSubdirectory("sekisho-cloud-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Both_forms_on_the_wire_are_read_and_repeats_are_told_apart()
    {
        await using var cloud = await CloudReceiver.StartAsync();
        using var http = Client(cloud);
        using var single = new HttpRequestMessage(HttpMethod.Post, cloud.Address) { Content = new StringContent("""{"t":1}""") };
        single.Headers.Add("Sekisho-Message-Id", "m1");
        single.Headers.Add("Sekisho-Device", "d1");
        single.Headers.Add("Sekisho-Sequence", "7");
        Assert.True((await http.SendAsync(single)).IsSuccessStatusCode);
        const string batch = """[{"messageId":"m1","deviceId":"d1","sequence":"7","backlog":false,"payload":{"t":1}},{"messageId":"m2","deviceId":"d2","backlog":true,"payload":{"t":2}}]""";
        Assert.True((await http.PostAsync(cloud.Address, new StringContent(batch))).IsSuccessStatusCode);
        Assert.Equal(["m1", "m1", "m2"], cloud.Received.Select(m => m.MessageId));
        Assert.Equal(["m1", "m2"], cloud.Distinct().Select(m => m.MessageId));
        Assert.Equal([1, 2], cloud.Requests);
        Assert.Equal(new ReceivedMessage("m2", "d2", null, Backlog: true, """{"t":2}"""), cloud.Received[^1]);
    }

    [Fact]
    public async Task Only_what_is_signed_with_its_secret_is_taken()
    {
        await using var cloud = await CloudReceiver.StartAsync(Secret);
        using var http = Client(cloud);
        Assert.Equal(403, (int)(await http.PostAsync(cloud.Address, new StringContent("[]"))).StatusCode);
        using var signed = new HttpRequestMessage(HttpMethod.Post, cloud.Address) { Content = new StringContent("""[{"messageId":"m1","deviceId":"d1","payload":{}}]""") };
        var body = await signed.Content.ReadAsStringAsync();
        var mark = HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes("17." + body));
        signed.Headers.TryAddWithoutValidation("Sekisho-Signature", "t=17,v1=" + Convert.ToHexStringLower(mark));
        Assert.Equal(200, (int)(await http.SendAsync(signed)).StatusCode);
        Assert.Equal((1, 1), (cloud.BadSignatures, cloud.Count));
    }

    [Fact]
    public async Task It_goes_down_and_comes_back_on_the_same_port_and_refuses_what_it_is_told_to()
    {
        await using var cloud = await CloudReceiver.StartAsync();
        using var http = Client(cloud);
        var port = cloud.Port;
        await cloud.GoDownAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => http.PostAsync(cloud.Address, new StringContent("[]")));
        await cloud.GoUpAsync();
        Assert.Equal(port, cloud.Port);
        cloud.Answer = messages => messages.Any(m => m.MessageId == "poison") ? 400 : 200;
        Assert.Equal(400, (int)(await http.PostAsync(cloud.Address, new StringContent("""[{"messageId":"poison","deviceId":"d1","payload":{}}]"""))).StatusCode);
        Assert.Equal(200, (int)(await http.PostAsync(cloud.Address, new StringContent("""[{"messageId":"fine","deviceId":"d1","payload":{}}]"""))).StatusCode);
        Assert.Equal("fine", Assert.Single(cloud.Received).MessageId);
    }

    private HttpClient Client(CloudReceiver cloud)
    {
        var file = Path.Combine(_folder, "cloud.pem");
        File.WriteAllText(file, cloud.CertificatePem);
        return new HttpClient(TrustedHttp.Handler(file));
    }
}
