namespace Sekisho.EndToEnd.Tests;

/// <summary>What a device did becomes an incident, and the guided recovery brings it back to its normal state, with the real gateway.</summary>
public class IncidentTests
{
    private const string Incidents = "/api/v1/fields/cars/incidents";

    [Fact]
    public async Task A_locked_out_device_is_brought_back_through_its_incident_and_the_detections_get_its_label()
    {
        await using var site = await Site.StartAsync();
        await site.AddFieldAsync("cars", "car-mobility");
        using var device = await site.ConnectAsync("cars", "490154203237518", new { uniqueIdType = "imei", kind = "drive-recorder" });
        var sequence = 0;
        await Site.UntilAsync(
            async () => await device.SendAsync($$"""{"time":"{{TimeProvider.System.GetUtcNow():O}}","seq":{{++sequence}},"mode":"off","speed":0}"""),
            answer => answer.Status == 403,
            TimeSpan.FromSeconds(30),
            "the device is not locked out");

        var incident = Assert.Single((await site.Admin.GetAsync($"{Incidents}?device={device.DeviceId}")).Expect()["items"]!.AsArray())!;
        var path = $"{Incidents}/{incident["id"]!.GetValue<string>()}";
        Assert.Equal("open", incident["state"]!.GetValue<string>());
        Assert.Equal(409, (await site.Admin.PostAsync(path + "/close", new { @as = "incident", note = "x" })).Status);
        foreach (var step in (string[])["check", "clean", "restore"])
        {
            Assert.Equal(200, (await site.Admin.PostAsync(path + "/recovery", new { step, note = "done on the bench" })).Status);
        }

        Assert.InRange((await site.Admin.PostAsync(path + "/recovery", new { step = "release", note = "tested" })).Status, 200, 202);
        await Site.UntilAsync(async () => (await site.Admin.GetAsync(path)).Expect()["incident"]!["recoveredAt"]?.GetValue<string>(), at => at is not null, TimeSpan.FromSeconds(40), "the device does not come back to its normal state");
        Assert.Equal("active", (await site.Admin.GetAsync($"/api/v1/fields/cars/devices/{device.DeviceId}")).Expect()["state"]!.GetValue<string>());
        Assert.Equal(202, (await device.SendAsync($$"""{"seq":{{++sequence}},"mode":"on"}""")).Status);

        (await site.Admin.PostAsync(path + "/close", new { @as = "incident", note = "a stolen unit" })).Expect();
        var detections = await Site.UntilAsync(
            async () => (await site.Admin.GetAsync($"/api/v1/fields/cars/detections?device={device.DeviceId}")).Expect()["items"]!.AsArray(),
            all => all.All(d => d!["status"]!.GetValue<string>() == "closed" || d["effect"]!.GetValue<string>() != "act"),
            TimeSpan.FromSeconds(20),
            "the detections do not get the label");
        Assert.All(detections.Where(d => d!["effect"]!.GetValue<string>() == "act"), d => Assert.Equal("incident", d!["closedAs"]!.GetValue<string>()));

        using var http = new HttpClient(Verification.Clients.TrustedHttp.Handler(site.Gateway.CaFile));
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(site.Gateway.Management, path + "/report.html?language=ja"));
        request.Headers.Add("Authorization", "Bearer " + site.Admin.Token);
        using var page = await http.SendAsync(request);
        Assert.Contains("style-src 'sha256-", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Contains("検知の内容と根拠", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
