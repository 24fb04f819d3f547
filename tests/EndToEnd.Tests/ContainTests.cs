using System.Text.Json.Nodes;
using Sekisho.Verification.Clients;

namespace Sekisho.EndToEnd.Tests;

/// <summary>Responses that leave a suspected device connected, over HTTPS with the real stages: its messages wait, or it renews its secret.</summary>
public class ContainTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("forward")]
    [InlineData("drop")]
    public async Task What_a_device_in_quarantine_sends_waits_across_a_kill_until_a_person_decides(string choice)
    {
        await using var site = await Site.StartAsync();
        await site.AddFieldAsync("plant", "car-mobility");
        await BindAsync(site, "quarantine");
        using var device = await site.ConnectAsync("plant", "Q-1", new { kind = "drive-recorder" });
        using var neighbour = await site.ConnectAsync("plant", "Q-2", new { kind = "drive-recorder" });
        var sent = await ProvokeAsync(site, device, "quarantine");
        var lease = await site.ResponseAsync("plant", "quarantine", IsDone);

        // From here on nothing of it leaves, and its neighbour's does.
        var waiting = new List<int>();
        for (var i = 0; i < 5; i++)
        {
            waiting.Add(++sent);
            Assert.Equal(202, (await device.SendAsync(Reading(sent))).Status);
        }

        Assert.Equal(202, (await neighbour.SendAsync(Reading(1))).Status);
        await site.Gateway.KillHardAsync();
        await site.RestartAsync();
        Assert.Equal(202, (await neighbour.SendAsync(Reading(2))).Status);
        await Site.UntilAsync(() => Task.FromResult(Arrived(site, neighbour)), a => a.Count == 2, Soon, "the neighbour is held up");
        var shown = await Site.UntilAsync(
            async () => (await site.Admin.GetAsync($"/api/v1/fields/plant/devices/{device.DeviceId}")).Expect(), d => d["quarantinedMessages"]!.GetValue<long>() >= waiting.Count, Soon, "the messages do not wait");
        Assert.NotNull(shown["quarantinedUntil"]);
        Assert.Empty(Arrived(site, device).Intersect(waiting));

        Assert.InRange((await site.Admin.PostAsync($"/api/v1/fields/plant/responses/{lease["id"]!.GetValue<string>()}/undo", new { reason = "it was the workshop", choice })).Status, 200, 299);
        var ledger = await site.SettledLedgerAsync(TimeSpan.FromMinutes(2));
        Assert.Equal(0, ledger["residue"]!.GetValue<long>());
        if (choice == "forward")
        {
            Assert.Equal(Enumerable.Range(1, sent), Arrived(site, device));
            return;
        }

        Assert.Empty(Arrived(site, device).Intersect(waiting));
        Assert.InRange(ledger["fields"]![0]!["dropped"]!.GetValue<long>(), waiting.Count, sent);
        Assert.Equal(202, (await device.SendAsync(Reading(++sent))).Status);
        await Site.UntilAsync(() => Task.FromResult(Arrived(site, device)), a => a.Contains(sent), Soon, "the released device does not get through");
    }

    [Fact]
    public async Task A_device_renews_its_secret_across_a_kill_and_neither_secret_stands_in_a_file_or_in_the_output()
    {
        await using var site = await Site.StartAsync(settings: ["Operations:Logging:Level=Trace"]);
        await site.AddFieldAsync("plant", "car-mobility", forwarding: false);
        await BindAsync(site, "rotate-credentials");
        using var device = await site.ConnectAsync("plant", "R-1", new { kind = "drive-recorder" });
        Assert.Equal(409, (await device.RenewSecretAsync()).Status);
        await ProvokeAsync(site, device, "rotate-credentials");
        await site.ResponseAsync("plant", "rotate-credentials", IsDone);

        // It learns of it with its next token, renews, and loses power before it uses the new secret; so does the gateway.
        var asked = await device.AuthenticateAsync();
        Assert.NotNull(JsonNode.Parse(asked.Body)!["renewSecretBefore"]);
        var old = device.Credential;
        Assert.Equal(200, (await device.RenewSecretAsync()).Status);
        var renewed = device.Credential;
        Assert.NotEqual(old.AuthSecret, renewed.AuthSecret);
        await site.Gateway.KillHardAsync();
        await site.RestartAsync();
        device.Credential = old;
        Assert.Equal(200, (await device.AuthenticateAsync()).Status);
        device.Credential = renewed;
        Assert.Equal(200, (await device.AuthenticateAsync()).Status);

        // The new one is in use: the old one is nobody's any more.
        using var thief = new SimulatedDevice(site.Gateway.Devices, site.Gateway.CaFile, old, TimeProvider.System);
        Assert.Equal(401, (await thief.AuthenticateAsync()).Status);
        Assert.Equal(202, (await device.SendAsync("""{"seq":1000,"mode":"on"}""")).Status);
        var ended = await site.ResponseAsync("plant", "rotate-credentials", r => r["cause"]?.GetValue<string>() == "secret-renewed");
        Assert.NotEmpty(ended["causeText"]!.GetValue<string>());
        await AtRestTests.LookAsync(site, [old.AuthSecret, renewed.AuthSecret, device.Token!], "while running");
        await site.Gateway.StopAsync();
        await AtRestTests.LookAsync(site, [old.AuthSecret, renewed.AuthSecret, device.Token!], "after the stop");
    }

    private static async Task BindAsync(Site site, string action) => (await site.Admin.PutAsync("/api/v1/fields/plant/response-rules", new
    {
        reason = "trial",
        rules = new[] { new { risk = "takeover", level = "information", action, condition = "frequency-engine-off" } },
    })).Expect();

    /// <summary>The device sends far too often until the response is ordered.</summary>
    /// <returns>The last number that it sent.</returns>
    private static async Task<int> ProvokeAsync(Site site, SimulatedDevice device, string action)
    {
        var sent = 0;
        await Site.UntilAsync(
            async () =>
            {
                Assert.Equal(202, (await device.SendAsync(Reading(++sent))).Status);
                return await site.ResponsesAsync("plant", action);
            },
            l => l.Count > 0,
            Soon,
            "nothing is found");
        return sent;
    }

    private static bool IsDone(JsonNode response) => response["state"]!.GetValue<string>() == "done";

    private static string Reading(int number) => $$"""{"time":"{{TimeProvider.System.GetUtcNow():O}}","seq":{{number}},"mode":"off","speed":0}""";

    private static List<int> Arrived(Site site, SimulatedDevice device) =>
        [.. site.Cloud.Distinct().Where(m => m.DeviceId == device.DeviceId).Select(m => JsonNode.Parse(m.Payload)!["seq"]!.GetValue<int>())];
}
