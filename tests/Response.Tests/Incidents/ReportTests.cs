using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Response.Incidents;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Incidents;

/// <summary>The report of an incident, for programs and for paper.</summary>
public partial class ReportTests
{
    private const string One = "d000000000000001";
    private const string Nasty = "<script>alert(1)</script>\"'&\u202Egpj";

    [Theory]
    [InlineData("ja", "経過の図", "対処の履歴", "検知の内容と根拠", "承認者", "しきい値の出所はフィールドのテンプレート", "対処「認証の停止」が承認", "「メッセージ数の上限」が120以上であれば", ">ゲートウェイ<")]
    [InlineData("en", "At a glance", "Its history", "What was found, and why one may believe it", "Who agreed", "The limit comes from the template of the field", "Response “suspension of authentication” for", ">the gateway<")]
    public async Task The_page_says_everything_in_the_language_asked_for_and_needs_nothing_from_elsewhere(string language, params string[] wanted)
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        var id = await StoryAsync(host);
        using var client = host.Client(Roles.Auditor);
        client.DefaultRequestHeaders.AcceptLanguage.ParseAdd(language == "ja" ? "en" : "ja");
        var answer = await client.GetAsync($"/api/v1/fields/cars/incidents/{id}/report.html?language={language}");
        var page = await answer.Content.ReadAsStringAsync();
        Assert.Equal("text/html; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        Assert.Contains("style-src 'sha256-", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.All(wanted, w => Assert.Contains(w, page, StringComparison.Ordinal));
        Assert.Contains("@page { size: A4", page, StringComparison.Ordinal);
        Assert.Contains("窓口 03-0000-0000", page, StringComparison.Ordinal);
        Assert.Contains("jiro", page, StringComparison.Ordinal);
        Assert.DoesNotContain("suspend-authentication", page, StringComparison.Ordinal);
        Assert.DoesNotContain(">gateway<", page, StringComparison.Ordinal);
        Assert.DoesNotContain("incident.", page.Replace("incident." + "report", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Empty(Reference().Matches(page));

        // Well-formed, and the only elements are those of the page itself.
        var document = XDocument.Parse(page["<!DOCTYPE html>\n".Length..].Replace("<meta charset=\"utf-8\">", "", StringComparison.Ordinal).Replace("<br>", "<br/>", StringComparison.Ordinal).Replace("&nbsp;", " ", StringComparison.Ordinal));
        Assert.Equal(language, document.Root!.Attribute("lang")!.Value);
        Assert.DoesNotContain(document.Descendants(), e => e.Name.LocalName is "script" or "img" or "link" or "iframe" or "object");
        Assert.All(document.Descendants().SelectMany(e => e.Attributes()), a => Assert.Contains(a.Name.LocalName, (string[])["lang", "class", "viewBox", "role", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height", "points"]));
        Assert.DoesNotContain('\u202E', page);
        Assert.Contains("&lt;script&gt;", page, StringComparison.Ordinal);

        // The picture: one condition, one response, and what people did; nothing is drawn outside of it.
        var picture = document.Descendants().Single(e => e.Name.LocalName == "svg");
        Assert.Equal(
            ["circle", "polygon", "rect"],
            picture.Elements().Select(e => e.Name.LocalName).Where(n => n is "circle" or "polygon" or "rect").Distinct().Order());
        Assert.Equal("in-force", picture.Elements().Single(e => e.Name.LocalName == "rect").Attribute("class")!.Value);
        var size = picture.Attribute("viewBox")!.Value.Split(' ').Select(v => double.Parse(v, System.Globalization.CultureInfo.InvariantCulture)).ToArray();
        Assert.All(Numbers(picture, "x", "x1", "x2", "cx"), x => Assert.InRange(x, 0, size[2]));
        Assert.All(Numbers(picture, "y", "y1", "y2", "cy"), y => Assert.InRange(y, 0, size[3]));
        if (Environment.GetEnvironmentVariable("SEKISHO_REPORT_TO") is { } folder)
        {
            await File.WriteAllTextAsync(System.IO.Path.Combine(folder, $"report.{language}.html"), page);
        }

        static IEnumerable<double> Numbers(XElement of, params string[] names) => of.Descendants().SelectMany(e => e.Attributes()).Where(a => names.Contains(a.Name.LocalName))
            .Select(a => double.Parse(a.Value, System.Globalization.CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("short", "short")]
    [InlineData("1234567890123456789012345678901234", "1234567890123456789012345678901234")]
    [InlineData("12345678901234567890123456789012345", "1234567890123456789012345678901234…")]
    [InlineData("車両番号の長い名前がここに続いて書かれています", "車両番号の長い名前がここに続いて書…")]
    public void A_label_of_the_picture_is_cut_where_the_axis_begins(string text, string shown) => Assert.Equal(shown, IncidentPicture.Fitting(text));

    [Fact]
    public async Task Each_response_has_its_history_from_order_to_end()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        var id = await StoryAsync(host);
        var lease = await host.OnlyLeaseAsync();
        host.Clock.Advance(TimeSpan.FromMinutes(5));
        using var jiro = host.Client(Roles.Administrator, "jiro");
        Assert.True((await jiro.PostAsJsonAsync($"/api/v1/fields/cars/responses/{lease.Id}/undo", new { reason = "it is back" })).IsSuccessStatusCode);
        await host.Worker.DrainAsync();
        var report = await jiro.GetFromJsonAsync<JsonElement>($"/api/v1/fields/cars/incidents/{id}/report?language=en");
        var history = report.GetProperty("responses")[0].GetProperty("history").EnumerateArray().ToList();
        Assert.Equal(
            ["response-ordered", "response-approved", "response-started", "response-undo-asked", "response-undone"],
            history.Select(h => h.GetProperty("kind").GetString()));
        Assert.Equal("it is back", history[^1].GetProperty("note").GetString());
        Assert.Equal("jiro", history[1].GetProperty("by").GetString());
    }

    [Fact]
    public async Task The_json_has_the_evidence_the_approvals_and_what_is_still_open()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        var id = await StoryAsync(host);
        using var client = host.Client(Roles.Auditor);
        var report = await client.GetFromJsonAsync<JsonElement>($"/api/v1/fields/cars/incidents/{id}/report");
        Assert.Equal("en", report.GetProperty("language").GetString());
        var reason = report.GetProperty("reasons")[0];
        Assert.Contains("sent 120 messages in 60 s; at most 60 were expected", reason.GetProperty("sentences")[0].GetString(), StringComparison.Ordinal);
        Assert.Contains("Measured: 120; expected: at most 60.", reason.GetProperty("sentences")[1].GetString(), StringComparison.Ordinal);
        Assert.Contains("quiet with “Messages at most” at 120 or more", reason.GetProperty("sentences")[1].GetString(), StringComparison.Ordinal);
        Assert.Equal("jiro", report.GetProperty("responses")[0].GetProperty("approvals")[0].GetProperty("by").GetString());
        var open = string.Join('\n', report.GetProperty("stillOpen").EnumerateArray().Select(o => o.GetString()));
        Assert.Contains("The incident is not closed", open, StringComparison.Ordinal);
        Assert.Contains("locked as abnormal", open, StringComparison.Ordinal);
        Assert.Contains("The next step of the recovery is 'Clean'", open, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await client.GetAsync($"/api/v1/fields/cars/incidents/{id}/report?language=fr")).StatusCode);
    }

    private static async Task<string> StoryAsync(TestHost host)
    {
        host.Bind(TestHost.Always("suspend-authentication", "one-person"));
        host.World.Devices[One] = host.World.Devices[One] with { Name = Nasty };
        var finding = host.Finding("f1", risk: Risks.Takeover, level: Levels.Critical);
        host.Commit(finding with { Evidence = finding.Evidence with { Facts = new Dictionary<string, string> { ["window"] = "60 s" } } });
        var lease = await host.OnlyLeaseAsync();
        using var jiro = host.Client(Roles.Administrator, "jiro");
        Assert.True((await jiro.PostAsJsonAsync($"/api/v1/fields/cars/responses/{lease.Id}/approve", new { reason = "looks real " + Nasty })).IsSuccessStatusCode);
        await host.Worker.DrainAsync();
        var id = Assert.Single(await host.Get<IncidentStore>().ListAsync(new IncidentFilter("cars", 10), default)).Id;
        foreach (var (verb, body) in ((string, object)[])
            [("assign", new { assignee = Nasty }), ("hand-over", new { note = "first line\n" + Nasty }), ("comment", new { note = Nasty }), ("recovery", new { step = "check", note = Nasty })])
        {
            var answer = await jiro.PostAsJsonAsync($"/api/v1/fields/cars/incidents/{id}/{verb}", body);
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        }

        return id;
    }

    [GeneratedRegex("""(src|href|action)\s*=|url\(|@import|https?://""", RegexOptions.IgnoreCase)]
    private static partial Regex Reference();
}
