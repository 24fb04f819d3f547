namespace Sekisho.EndToEnd.Tests;

/// <summary>The page docs/guides/detection-scripts.md over HTTPS: upload, trial, activation, a device's message, the finding.</summary>
[Collection("shared site")]
public class ScriptTests(SharedSite shared)
{
    [Fact]
    public async Task The_script_of_the_guide_finds_what_the_guide_says_and_not_twice()
    {
        var site = shared.Site;
        await site.AddFieldAsync("scripts", forwarding: false);
        using var device = await site.ConnectAsync("scripts", "SCRIPT-1");
        var guide = await File.ReadAllTextAsync(Path.Combine(Site.Root, "docs", "guides", "detection-scripts.md"), TestContext.Current.CancellationToken);
        var japanese = await File.ReadAllTextAsync(Path.Combine(Site.Root, "docs", "guides", "detection-scripts.ja.md"), TestContext.Current.CancellationToken);
        var source = LuaOf(guide);
        Assert.Equal(source, LuaOf(japanese));

        const string hot = "/api/v1/fields/scripts/scripts/hot";
        Assert.Equal(1, (await site.Admin.PostAsync(hot + "/versions", new { source, why = "first try" })).Expect()["version"]!.GetValue<int>());
        var trial = (await site.Admin.PostAsync(hot + "/trial", new { version = 1, sample = new[] { new { payload = new { temperature = 20 } }, new { payload = new { temperature = 95 } } } })).Expect();
        Assert.Equal((2, 1), (trial["calls"]!.GetValue<int>(), trial["found"]!.GetValue<int>()));
        (await site.Admin.PostAsync(hot + "/activate", new { version = 1, effect = "act", why = "it is right" })).Expect();
        Assert.Equal(202, (await device.SendAsync("{\"seq\":1,\"temperature\":20}")).Status);
        Assert.Equal(202, (await device.SendAsync("{\"seq\":2,\"temperature\":95}")).Status);
        var found = await Site.UntilAsync(
            async () => (await site.Admin.GetAsync("/api/v1/fields/scripts/detections")).Expect()["items"]!.AsArray(), items => items.Count > 0, TimeSpan.FromSeconds(20), "no detection");
        Assert.Equal(("script", "hot.hot", device.DeviceId), (found[0]!["condition"]!.GetValue<string>(), found[0]!["conditionKey"]!.GetValue<string>(), found[0]!["deviceId"]!.GetValue<string>()));
        Assert.Equal(95, found[0]!["evidence"]!["measured"]!.GetValue<double>());

        // What is kept can be tried on as well, and nothing came twice.
        var past = (await site.Admin.PostAsync(hot + "/trial", new { version = 1, from = TimeProvider.System.GetUtcNow().AddHours(-1) })).Expect();
        Assert.Equal((2, 1), (past["messages"]!.GetValue<int>(), past["found"]!.GetValue<int>()));
        (await site.Admin.PostAsync(hot + "/activate", new { version = 1, why = "again" })).Expect();
        Assert.Equal(202, (await device.SendAsync("{\"seq\":3,\"temperature\":96}")).Status);
        await Site.UntilAsync(
            async () => (await site.Admin.GetAsync(hot)).Expect()["turns"]!.AsArray().Count, turns => turns == 2, TimeSpan.FromSeconds(20), "the second activation");
        Assert.Single((await site.Admin.GetAsync("/api/v1/fields/scripts/detections")).Expect()["items"]!.AsArray());
    }

    private static string LuaOf(string page)
    {
        var from = page.IndexOf("```lua\n", StringComparison.Ordinal) + 7;
        return page[from..page.IndexOf("```", from, StringComparison.Ordinal)];
    }
}
