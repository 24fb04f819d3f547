using System.Text.Json.Nodes;
using Sekisho.Verification.Clients;

namespace Sekisho.EndToEnd.Tests;

/// <summary>What users of other systems complained about for years, with real processes: one test named after each.</summary>
public class ComplaintTests
{
    [Fact]
    public async Task Complaint17_Guesses_from_the_address_of_a_device_are_limited_and_reported_and_the_device_and_its_neighbours_go_on()
    {
        // The gateway's own limit lies above what is reported, so that the report comes within the test.
        await using var site = await Site.StartAsync(settings: ["Devices:Attempts:FailuresPerIdentityPerMinute=40", "Devices:Attempts:FailuresPerSourcePerMinute=50"]);
        await site.AddFieldAsync("cars", "car-mobility", forwarding: false);
        (await site.Admin.PutAsync("/api/v1/fields/cars/response-rules", new
        {
            reason = "as strict as can be",
            rules = new[] { new { risk = "*", level = "warning", action = "suspend-authentication", approval = "automatic" } },
        })).Expect();
        using var victim = await site.ConnectAsync("cars", "CAR-1", new { kind = "drive-recorder" });
        using var neighbour = await site.ConnectAsync("cars", "CAR-2", new { kind = "drive-recorder" });

        // All three are behind one address, as behind a NAT.
        using var forger = new SimulatedDevice(site.Gateway.Devices, site.Gateway.CaFile, victim.Credential with { AuthSecret = "guess" }, TimeProvider.System);
        var refused = new List<int>();
        while (refused.Count < 1000 && !refused.Contains(429))
        {
            refused.Add((await forger.AuthenticateAsync()).Status);
        }

        Assert.True(refused.Count > 40, "limited before the limit");
        Assert.All(refused[..^1], s => Assert.Equal(401, s));
        Assert.Equal(429, refused[^1]);
        var lease = await site.ResponseAsync("cars", "suspend-authentication", r => r["deviceId"]!.GetValue<string>() == victim.DeviceId);
        Assert.Equal(("waiting-approval", "others-doing"), (lease["state"]!.GetValue<string>(), lease["cause"]!.GetValue<string>()));
        Assert.NotEmpty(lease["causeText"]!.GetValue<string>());
        foreach (var device in (SimulatedDevice[])[victim, neighbour])
        {
            Assert.Equal(202, (await device.SendAsync("""{"seq":1,"mode":"on"}""")).Status);
            Assert.Equal(200, (await device.AuthenticateAsync()).Status);
            Assert.Equal(202, (await device.SendAsync("""{"seq":2,"mode":"on"}""")).Status);
        }

        var lines = (await site.Admin.GetAsync($"/api/v1/fields/cars/detections?device={victim.DeviceId}")).Expect()["items"]!.AsArray();
        Assert.Contains(lines, d => d!["condition"]!.GetValue<string>() == "attempts");
    }

    [Fact]
    public async Task Complaint16_What_the_gateway_itself_exchanges_with_a_device_is_known_to_be_its_traffic()
    {
        await using var site = await Site.StartAsync();
        await site.AddFieldAsync("pumps", forwarding: false);
        using var device = await site.ConnectAsync("pumps", "PUMP-1", new { kind = "pump" });
        Assert.Equal(202, (await device.SendAsync("""{"seq":1}""")).Status);
        for (var i = 0; i < 40; i++)
        {
            Assert.Equal(200, (await device.FetchAsync()).Answer.Status);
        }

        // What it asks for is no message, but a SIM counts it: all but the headers of TCP and IP is known, so that nobody takes it for a thief's.
        await Site.UntilAsync(
            async () => (await site.Admin.GetAsync($"/api/v1/fields/pumps/devices/{device.DeviceId}/traffic")).Expect(),
            t => Share(t, "wireUp", device.Meter.Up) is > 0.55 and <= 1 && Share(t, "wireDown", device.Meter.Down) is > 0.55 and <= 1,
            TimeSpan.FromSeconds(10),
            $"not all of its {device.Meter.Up} bytes up and {device.Meter.Down} down are known");
    }

    private static double Share(JsonNode traffic, string part, long measured) => traffic[part]!.GetValue<long>() / (double)measured;
}
