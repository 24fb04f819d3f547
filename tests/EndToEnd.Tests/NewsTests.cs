namespace Sekisho.EndToEnd.Tests;

public class NewsTests
{
    [Fact]
    public async Task A_change_of_settings_is_told_from_the_real_audit_also_when_the_gateway_is_killed_right_after_it()
    {
        await using var site = await Site.StartAsync(settings: ["Response:News:Gather=00:00:01"]);
        await site.AddFieldAsync("news", forwarding: false);
        (await site.Admin.PutAsync("/api/v1/fields/news/notification", new { recipients = new[] { new { role = "administrator", address = "owner@example.jp" } } })).Expect();
        await ToldAsync(1);
        (await site.Admin.PostAsync("/api/v1/fields/news/notification/webhooks", new { name = "chat", url = "https://localhost:1/", language = "ja", include = new { levels = new[] { "information" } } })).Expect();
        await site.Gateway.KillHardAsync();
        await site.RestartAsync();
        await ToldAsync(2);

        // No mail server is set here, and the response says so: that it is sent is shown with a real one elsewhere.
        Task ToldAsync(int times) => Site.UntilAsync(
            async () => (await site.Admin.GetAsync("/api/v1/fields/news/responses")).Expect()["items"]!.AsArray().Where(r => r!["action"]!.GetValue<string>() == "mail-administrator").ToList(),
            told => told.Count == times && told.All(r => r!["cause"]?.GetValue<string>() == "no-mail-server"),
            TimeSpan.FromSeconds(60),
            $"the administrators are not told of change {times}");
    }
}
