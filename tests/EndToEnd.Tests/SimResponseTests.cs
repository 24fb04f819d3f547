using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Sekisho.Verification.Carrier;

namespace Sekisho.EndToEnd.Tests;

/// <summary>A device that somebody took over loses its SIM at the carrier, once, whatever happens to the gateway meanwhile, and gets it back.</summary>
public class SimResponseTests
{
    private const string Sim = "8942310000000000011";
    private const string Iccid = "8981100000000000011";

    [Fact]
    public async Task A_device_that_was_taken_over_loses_its_SIM_once_also_when_the_gateway_is_killed_in_between_and_gets_it_back()
    {
        await using var carrier = await SoracomServer.StartAsync();
        carrier.Add(new CarrierSim(Sim, Iccid, "440101234567811") { Address = "203.0.113.7" });
        await using var site = await Site.StartAsync(settings: ["Response:Sim:Carriers:0=" + carrier.Address, "Detection:Templates:AcceptUnsigned=true"]);
        await site.AddFieldAsync("sims", forwarding: false);
        await BindAsync(site);
        using var device = await site.ConnectAsync("sims", "490154203237518", new { uniqueIdType = "imei", kind = "drive-recorder" });
        (await site.Admin.PutAsync("/api/v1/fields/sims/sim-provider", new
        {
            kind = "soracom",
            baseUrl = carrier.Address,
            secrets = new { authKeyId = carrier.AuthKeyId, authKey = carrier.AuthKey },
            pollMinutes = 5,
        })).Expect();
        (await site.Admin.PutAsync($"/api/v1/fields/sims/sims/{device.DeviceId}", new { kind = "iccid", value = Iccid })).Expect();

        var ordered = new TaskCompletionSource();
        carrier.Fault = r => !r.Path.EndsWith("/suspend", StringComparison.Ordinal) ? null : new CarrierFault(200, AfterDoing: true, Wait: async stop =>
        {
            ordered.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        });
        var sequence = 0;
        while (!ordered.Task.IsCompleted && sequence < 500)
        {
            await device.SendAsync($$"""{"time":"{{TimeProvider.System.GetUtcNow():O}}","seq":{{++sequence}},"mode":"off","speed":0}""");
            await Task.WhenAny(ordered.Task, Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System));
        }

        await ordered.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal("suspended", carrier.StateOf(Sim));

        await site.RestartAsync();
        carrier.Fault = _ => null;
        var lease = await Site.UntilAsync(() => LeaseAsync(site), l => l?["state"]!.GetValue<string>() == "done", TimeSpan.FromSeconds(60), "the response is not recorded as done");
        Assert.Single(carrier.Orders);
        Assert.Null(lease!["expiresAt"]);

        // What the carrier tells reaches the journal of this gateway.
        await Site.UntilAsync(
            async () => (await site.Admin.GetAsync($"/api/v1/fields/sims/sims/{device.DeviceId}")).Expect(),
            s => s["toldUntil"] is not null && s["carrier"]!["state"]!.GetValue<string>() == "suspended",
            TimeSpan.FromSeconds(30),
            "the carrier's facts did not arrive");

        Assert.InRange((await site.Admin.PostAsync($"/api/v1/fields/sims/responses/{lease["id"]!.GetValue<string>()}/undo", new { reason = "the car was found" })).Status, 200, 299);
        await Site.UntilAsync(() => Task.FromResult(carrier.StateOf(Sim)), s => s == "active", TimeSpan.FromSeconds(30), "the SIM was not given back");
        Assert.DoesNotContain(carrier.AuthKey, site.Gateway.Output, StringComparison.Ordinal);
    }

    private static async Task BindAsync(Site site)
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Site.Root, "templates", "car-mobility", "template.yaml"));
        text = text.Replace("id: car-mobility\n", "id: car-sim\n", StringComparison.Ordinal);
        text = text[..text.IndexOf("\nresponses:", StringComparison.Ordinal)] + "\nresponses:\n  - { risk: takeover, level: important, action: suspend-sim, approval: automatic }\n";
        using var content = new StringContent(text, Encoding.UTF8, new MediaTypeHeaderValue("application/yaml"));
        var taken = await site.Admin.SendAsync(HttpMethod.Post, "/api/v1/templates", content);
        Assert.True(taken.Status == 201, taken.Text);
        (await site.Admin.PutAsync("/api/v1/fields/sims/template", new { templateId = "car-sim", parameters = new { } })).Expect();
    }

    private static async Task<JsonNode?> LeaseAsync(Site site) =>
        (await site.Admin.GetAsync("/api/v1/fields/sims/responses")).Expect()["items"]!.AsArray().LastOrDefault(r => r!["action"]!.GetValue<string>() == "suspend-sim");
}
