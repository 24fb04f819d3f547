using System.Text.Json.Nodes;

namespace Sekisho.EndToEnd.Tests;

/// <summary>A misbehaving device is found, reported and locked out, and can be let in again; one correlation id runs through all of it.</summary>
public class LockOutTests
{
    [Fact]
    public async Task A_device_that_sends_far_too_often_is_found_locked_out_and_released_with_its_old_token()
    {
        await using var site = await Site.StartAsync();
        await site.AddFieldAsync("cars", "car-mobility");
        using var device = await site.ConnectAsync("cars", "490154203237518", new { uniqueIdType = "imei", kind = "drive-recorder" });
        var sequence = 0;

        // Engine off: more often than once in six hours is a takeover in the template of the trial.
        var refused = await Site.UntilAsync(
            async () =>
            {
                var now = TimeProvider.System.GetUtcNow();
                return await device.SendAsync($$"""{"time":"{{now:O}}","seq":{{++sequence}},"mode":"off","speed":0}""");
            },
            answer => answer.Status != 202,
            TimeSpan.FromSeconds(30),
            "the device is not locked out");
        Assert.Equal(403, refused.Status);
        Assert.Equal("authentication-suspended", refused.Problem);
        Assert.Equal(403, (await device.AuthenticateAsync()).Status);

        var detection = (await site.Admin.GetAsync("/api/v1/fields/cars/detections")).Expect()["items"]!.AsArray().Select(d => d!).First(d => d["condition"]!.GetValue<string>() == "frequency");
        var full = (await site.Admin.GetAsync($"/api/v1/fields/cars/detections/{detection["id"]!.GetValue<string>()}")).Expect();
        Assert.Equal("takeover", full["risk"]!.GetValue<string>());
        Assert.NotNull(full["evidence"]!["counterfactual"]);
        Assert.NotEmpty(full["sentence"]!.GetValue<string>());

        var responses = (await site.Admin.GetAsync($"/api/v1/fields/cars/responses?device={device.DeviceId}")).Expect()["items"]!.AsArray();
        var lease = responses.Select(r => r!).First(r => r["action"]!.GetValue<string>() == "suspend-authentication" && r["state"]!.GetValue<string>() == "done");
        var correlation = full["correlationId"]!.GetValue<string>();
        var line = (await site.Admin.GetAsync($"/api/v1/fields/cars/history?correlation={correlation}")).Expect()["items"]!.AsArray().Select(h => h!["kind"]!.GetValue<string>()).ToHashSet();
        Assert.Superset(new HashSet<string> { "data-in", "detection", "response", "device-state" }, line);

        Assert.InRange((await site.Admin.PostAsync($"/api/v1/fields/cars/responses/{lease["id"]!.GetValue<string>()}/undo", new { reason = "unit was tested on the bench" })).Status, 200, 299);
        await UndoOthersAsync(site, device.DeviceId!);
        await Site.UntilAsync(
            async () => await device.SendAsync($$"""{"seq":{{++sequence}},"mode":"on"}"""),
            answer => answer.Status == 202,
            TimeSpan.FromSeconds(10),
            "the released device is not let in with its old token");
    }

    [Fact]
    public async Task Revocation_holds_for_the_very_next_request()
    {
        await using var site = await Site.StartAsync();
        await site.AddFieldAsync("revoke", forwarding: false);
        using var device = await site.ConnectAsync("revoke", "RV-1");
        Assert.Equal(202, (await device.SendAsync("{\"seq\":1}")).Status);
        var reissued = (await site.Admin.PostAsync($"/api/v1/fields/revoke/devices/{device.DeviceId}/secret", null)).Expect();
        Assert.Equal(401, (await device.SendAsync("{\"seq\":2}")).Status);
        Assert.Equal(401, (await device.AuthenticateAsync()).Status);
        device.Credential = device.Credential with { AuthSecret = reissued["authSecret"]!.GetValue<string>(), CommonAuthId = reissued["commonAuthId"]!.GetValue<string>() };
        Assert.Equal(200, (await device.AuthenticateAsync()).Status);
        Assert.Equal(202, (await device.SendAsync("{\"seq\":3}")).Status);
        Assert.InRange((await site.Admin.DeleteAsync($"/api/v1/fields/revoke/devices/{device.DeviceId}")).Status, 200, 299);
        Assert.Equal(401, (await device.SendAsync("{\"seq\":4}")).Status);
        Assert.Equal(401, (await device.AuthenticateAsync()).Status);
    }

    [Fact]
    public async Task Each_field_reaches_its_own_cloud_only()
    {
        await using var site = await Site.StartAsync();
        await using var second = await Verification.Cloud.CloudReceiver.StartAsync("second-cloud-secret-0123456789");
        await site.AddFieldAsync("first");
        await site.AddFieldAsync("second", forwarding: false);
        await site.SetDestinationAsync("second", second);
        using var one = await site.ConnectAsync("first", "F-1");
        using var two = await site.ConnectAsync("second", "F-2");
        for (var i = 1; i <= 30; i++)
        {
            await one.SendAsync($$"""{"seq":{{i}},"field":"first"}""");
            await two.SendAsync($$"""{"seq":{{i}},"field":"second"}""");
        }

        var ledger = await site.SettledLedgerAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(0, ledger["residue"]!.GetValue<long>());
        Assert.Equal(30, site.Cloud.Distinct().Count);
        Assert.Equal(30, second.Distinct().Count);
        Assert.All(site.Cloud.Received, m => Assert.Equal("first", JsonNode.Parse(m.Payload)!["field"]!.GetValue<string>()));
        Assert.All(second.Received, m => Assert.Equal("second", JsonNode.Parse(m.Payload)!["field"]!.GetValue<string>()));
    }

    /// <summary>Each detection locks on its own; a device is let in when the last lease is undone.</summary>
    private static async Task UndoOthersAsync(Site site, string deviceId)
    {
        foreach (var other in (await site.Admin.GetAsync($"/api/v1/fields/cars/responses?device={deviceId}&state=done")).Expect()["items"]!.AsArray().Where(r => r!["action"]!.GetValue<string>() == "suspend-authentication"))
        {
            await site.Admin.PostAsync($"/api/v1/fields/cars/responses/{other!["id"]!.GetValue<string>()}/undo", new { reason = "unit was tested on the bench" });
        }
    }
}
