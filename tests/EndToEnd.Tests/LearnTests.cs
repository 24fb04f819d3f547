using System.Text.Json.Nodes;
using Sekisho.Verification.Clients;

namespace Sekisho.EndToEnd.Tests;

/// <summary>A false alarm is learnt over the real connections: previewed, saved, quiet, undone; another attack by the same device is found all the while.</summary>
public class LearnTests
{
    private const string Field = "/api/v1/fields/learn";
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);
    private int _sequence;

    [Fact]
    public async Task A_false_alarm_is_previewed_learnt_stays_quiet_and_comes_back_when_undone_while_another_attack_is_found()
    {
        await using var site = await Site.StartAsync();

        // Large is what the device does for good reasons; after each the alarm is over at once, so that it may be raised again.
        await site.AddFieldAsync("learn", "smart-home", new Dictionary<string, object> { ["size.bytes"] = 2000, ["frequency.messages"] = 5 }, forwarding: false);
        using var device = await site.ConnectAsync("learn", "LEARN-1", new { kind = "camera" });
        var first = await BigAsync(site, device, expected: 1);
        var offers = (await site.Admin.PostAsync($"{Field}/detections/{first["id"]!.GetValue<string>()}/close", new { @as = "false-alarm", note = "it sends pictures" })).Expect();
        Assert.Contains(offers["limits"]!.AsArray(), l => l!["parameter"]!.GetValue<string>() == "size.bytes");

        var draft = new { kind = "learn", condition = "size", scope = "device", subject = device.DeviceId, reason = "it sends pictures" };
        var preview = (await site.Admin.PostAsync(Field + "/exceptions/preview", draft)).Expect();
        Assert.Equal((1, 1), (preview["removed"]!.GetValue<int>(), preview["devicesInScope"]!.GetValue<int>()));
        Assert.Equal(first["id"]!.GetValue<string>(), preview["removedIds"]![0]!.GetValue<string>());
        var made = (await site.Admin.PostAsync(Field + "/exceptions", draft)).Expect();
        var exception = $"{Field}/exceptions/{made["id"]!.GetValue<string>()}";
        Assert.Equal("in-force", made["state"]!.GetValue<string>());

        // The same behaviour is counted and not told.
        await SmallAsync(device);
        await SendAsync(device, 3000);
        await Site.UntilAsync(async () => (await site.Admin.GetAsync(exception)).Expect()["present"]!["allowed"]!.GetValue<long>(), allowed => allowed == 1, Long, "the exception allowed nothing");
        Assert.Single(await OfAsync(site, "size"));

        // A flood by the same device is another matter.
        for (var i = 0; i < 8; i++)
        {
            await SmallAsync(device);
        }

        var flood = await Site.UntilAsync(() => OfAsync(site, "frequency"), found => found.Count > 0, Long, "the flood is not found");
        Assert.Equal(device.DeviceId, flood[0]["deviceId"]!.GetValue<string>());

        // It outlives a restart.
        await site.RestartAsync();
        await device.AuthenticateAsync();
        await SmallAsync(device);
        await SendAsync(device, 3000);
        await Site.UntilAsync(async () => (await site.Admin.GetAsync(exception)).Expect()["present"]!["allowed"]!.GetValue<long>(), allowed => allowed == 2, Long, "the exception did not outlive the restart");
        Assert.Single(await OfAsync(site, "size"));

        var undone = (await site.Admin.PostAsync(exception + "/undo", new { reason = "the camera is gone" })).Expect();
        Assert.Equal("ended", undone["state"]!.GetValue<string>());
        await SmallAsync(device);
        await BigAsync(site, device, expected: 2);
        var history = (await site.Admin.GetAsync(Field + "/history?limit=500")).Expect()["items"]!.AsArray().Select(h => h!["what"]!.GetValue<string>()).ToHashSet();
        Assert.Superset(new HashSet<string> { "exception-set", "exception-ended", "finding-closed" }, history);
    }

    private async Task<JsonNode> BigAsync(Site site, SimulatedDevice device, int expected)
    {
        await SendAsync(device, 3000);
        return (await Site.UntilAsync(() => OfAsync(site, "size"), found => found.Count == expected, Long, "the large message is not found"))[0];
    }

    private Task SmallAsync(SimulatedDevice device) => SendAsync(device, 10);

    private async Task SendAsync(SimulatedDevice device, int size)
    {
        var answer = await device.SendAsync($$"""{"seq":{{++_sequence}},"picture":"{{new string('x', size)}}"}""");
        Assert.True(answer.Status == 202, answer.Body);
    }

    private static async Task<List<JsonNode>> OfAsync(Site site, string condition) =>
        [.. (await site.Admin.GetAsync($"{Field}/detections?condition={condition}")).Expect()["items"]!.AsArray().Select(i => i!)];
}
