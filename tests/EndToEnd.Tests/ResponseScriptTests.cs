using System.Text;

namespace Sekisho.EndToEnd.Tests;

/// <summary>A response script over HTTPS with the real detection stage: upload, trial, activation, a device's message, the response; and its file out and in.</summary>
[Collection("shared site")]
public class ResponseScriptTests(SharedSite shared)
{
    private const string Field = "/api/v1/fields/answers";

    private const string Detects = """
        return {
          manifest = { title = { ja = "高温", en = "Hot" }, findings = { hot = { ja = "高温", en = "Hot", risk = "takeover", level = "warning" } } },
          step = function(event, state) return nil, { hot = event.payload and event.payload.temperature > 80 } end,
        }
        """;

    private const string Responds = """
        return {
          manifest = { title = { ja = "減速", en = "Slow down" } },
          respond = function(detection)
            return { { action = "restrict-rate", reason = detection.key .. " " .. detection.device.kind .. " " .. #detection.recent } }
          end,
        }
        """;

    [Fact]
    public async Task A_script_answers_a_detection_and_its_file_is_taken_where_its_signer_is_known()
    {
        var site = shared.Site;
        await site.AddFieldAsync("answers", forwarding: false);
        using var device = await site.ConnectAsync("answers", "ANSWER-1");
        await PostAsync(site, "/scripts/hot/versions", new { source = Detects });
        await PostAsync(site, "/scripts/hot/activate", new { effect = "act", why = "it is right" });
        await PostAsync(site, "/response-scripts/slow/versions", new { source = Responds, why = "first" });
        Assert.Equal(409, (await site.Admin.PostAsync(Field + "/response-scripts/slow/activate", new { why = "untried" })).Status);
        await PostAsync(site, "/response-scripts/slow/activate", new { state = "trial", why = "see it first" });
        (await site.Admin.PutAsync(Field + "/response-rules", new { reason = "by script", rules = new[] { new { risk = "*", level = "warning", action = "run-script", script = "slow" } } })).Expect();

        Assert.Equal(202, (await device.SendAsync("{\"seq\":1,\"temperature\":95}")).Status);
        var run = await Site.UntilAsync(
            async () => (await site.Admin.GetAsync(Field + "/response-scripts/slow/runs")).Expect()["items"]!.AsArray(), runs => runs.Count == 1, TimeSpan.FromSeconds(40), "the script did not run");
        Assert.True(run[0]!["trial"]!.GetValue<bool>());
        Assert.Equal("restrict-rate", run[0]!["orders"]![0]!["action"]!.GetValue<string>());

        await PostAsync(site, "/response-scripts/slow/activate", new { version = 1, why = "as it should" });
        Assert.Equal(202, (await device.SendAsync("{\"seq\":2,\"temperature\":20}")).Status);
        Assert.Equal(202, (await device.SendAsync("{\"seq\":3,\"temperature\":96}")).Status);
        var lease = await Site.UntilAsync(
            async () => (await site.Admin.GetAsync(Field + "/responses")).Expect()["items"]!.AsArray().FirstOrDefault(l => l!["action"]!.GetValue<string>() == "restrict-rate"),
            l => l?["state"]!.GetValue<string>() == "done", TimeSpan.FromSeconds(40), "nothing was done");
        Assert.Equal("script slow v1", lease!["owner"]!.GetValue<string>());
        var played = (await site.Admin.PostAsync(Field + "/response-scripts/slow/dry-run", new { days = 1 })).Expect()["played"]!;
        Assert.Equal((2, 0), (played["scripts"]![0]!["calls"]!.GetValue<int>(), played["scripts"]![0]!["faults"]!.GetValue<int>()));

        // Out of this field and into another one of the same gateway, whose key signed it.
        await site.AddFieldAsync("answers-too", forwarding: false);
        var file = (await site.Admin.GetAsync(Field + "/response-rules/export")).Text;
        using var content = new StringContent(file, Encoding.UTF8, "text/plain");
        var imported = (await site.Admin.SendAsync(HttpMethod.Post, "/api/v1/fields/answers-too/response-rules/import?reason=moved", content)).Expect();
        Assert.Equal("draft", imported["scripts"]![0]!["state"]!.GetValue<string>());
        Assert.Equal("answers", imported["rules"]!["signedIn"]!.GetValue<string>());
        using var altered = new StringContent(file.Replace("run-script", "mail", StringComparison.Ordinal), Encoding.UTF8, "text/plain");
        Assert.Equal(422, (await site.Admin.SendAsync(HttpMethod.Post, "/api/v1/fields/answers-too/response-rules/import?reason=moved", altered)).Status);
    }

    private static async Task PostAsync(Site site, string path, object body) => (await site.Admin.PostAsync(Field + path, body)).Expect();
}
