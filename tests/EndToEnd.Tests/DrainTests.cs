using System.Net.Http.Headers;
using System.Text;
using Sekisho.Verification.Clients;

namespace Sekisho.EndToEnd.Tests;

public class DrainTests
{
    [Fact]
    public async Task A_request_under_way_at_the_stop_is_answered_and_kept_before_the_gateway_ends()
    {
        await using var site = await Site.StartAsync();
        await site.AddFieldAsync("drain", forwarding: false);
        using var device = await site.ConnectAsync("drain", "DR-1");
        using var http = new HttpClient(TrustedHttp.Handler(site.Gateway.CaFile));
        var content = new HeldContent("{\"seq\":1,\"note\":\"", "the rest\"}");
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(site.Gateway.Devices, "/device/v1/messages")) { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", device.Token);
        request.Headers.Add("Sekisho-Device", device.DeviceId);
        var sending = http.SendAsync(request);
        await content.Begun;

        // Four seconds are more than a program gets that leaves its end to the command line parser (two).
        var ending = site.Gateway.StopAsync();
        await Task.Delay(TimeSpan.FromSeconds(4), TimeProvider.System);
        Assert.False(site.Gateway.HasEnded, "the gateway did not wait for the request: " + site.Gateway.Output);
        content.GoOn();
        using var answer = await sending;
        Assert.Equal(202, (int)answer.StatusCode);
        Assert.Equal(0, await ending);

        await site.RestartAsync();
        var kept = await Site.UntilAsync(
            async () => (await site.Admin.GetAsync("/api/v1/fields/drain/messages")).Expect()["items"]!.AsArray().Count,
            n => n > 0,
            TimeSpan.FromSeconds(20),
            "the message is not kept");
        Assert.Equal(1, kept);
    }

    /// <summary>A body whose second part waits for the test.</summary>
    private sealed class HeldContent : HttpContent
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly byte[] _first;
        private readonly byte[] _second;

        public HeldContent(string first, string second)
        {
            (_first, _second) = (Encoding.UTF8.GetBytes(first), Encoding.UTF8.GetBytes(second));
            Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        /// <summary>Done when the first part is with the gateway.</summary>
        public Task Begun => _begun.Task;

        public void GoOn() => _goOn.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
        {
            await stream.WriteAsync(_first);
            await stream.FlushAsync();
            _begun.SetResult();
            await _goOn.Task;
            await stream.WriteAsync(_second);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = _first.Length + _second.Length;
            return true;
        }
    }
}
