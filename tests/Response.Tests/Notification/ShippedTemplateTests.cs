using System.Net.Http.Json;
using System.Text.Json;
using Sekisho.Api.Access;
using Sekisho.Response.Notification.Webhooks;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Notification;

/// <summary>Holds the bodies that are shipped against what the services publish as required, with the longest values that can come. The services themselves are not asked.</summary>
public class ShippedTemplateTests
{
    [Fact]
    public async Task They_are_listed_with_titles_in_both_languages_and_can_be_stored_as_they_are()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        using var client = host.Client(Roles.Administrator);
        var list = await client.GetFromJsonAsync<JsonElement>("/api/v1/fields/cars/notification/webhook-templates");
        Assert.Equal(["line-works-bot", "line-works-webhook", "slack", "teams"], list.EnumerateArray().Select(t => t.GetProperty("name").GetString()));
        foreach (var shipped in list.EnumerateArray())
        {
            Assert.NotEqual("webhook.template." + shipped.GetProperty("name").GetString(), shipped.GetProperty("title").GetString());
            var answer = await client.PostAsJsonAsync("/api/v1/fields/cars/notification/webhooks", new
            {
                name = shipped.GetProperty("name").GetString(),
                url = shipped.GetProperty("url").GetString(),
                language = "ja",
                template = shipped.GetProperty("template"),
                headers = shipped.GetProperty("headers").EnumerateArray().ToDictionary(h => h.GetString()!, _ => "Bearer x"),
            });
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        }
    }

    // docs.slack.dev: header text is plain_text of 150 characters at most; a section has text (3,000) or 1 to 10 fields (2,000 each); context has 1 to 10 elements; no text may be empty; 50 blocks.
    [Fact]
    public void Slack_gets_blocks_with_all_their_required_members_and_no_text_that_is_empty_or_too_long()
    {
        foreach (var body in Filled("slack"))
        {
            Assert.InRange(body.GetProperty("text").GetString()!.Length, 1, 4_000);
            var blocks = body.GetProperty("blocks").EnumerateArray().ToList();
            Assert.InRange(blocks.Count, 1, 50);
            foreach (var block in blocks)
            {
                switch (block.GetProperty("type").GetString())
                {
                    case "header":
                        Assert.Equal("plain_text", Text(block.GetProperty("text"), 150));
                        break;
                    case "section":
                        Assert.True(block.TryGetProperty("text", out var text) | block.TryGetProperty("fields", out var fields));
                        if (text.ValueKind != JsonValueKind.Undefined)
                        {
                            Text(text, 3_000);
                        }

                        if (fields.ValueKind != JsonValueKind.Undefined)
                        {
                            Assert.InRange(fields.GetArrayLength(), 1, 10);
                            Assert.All(fields.EnumerateArray(), f => Text(f, 2_000));
                        }

                        break;
                    case "context":
                        Assert.InRange(block.GetProperty("elements").GetArrayLength(), 1, 10);
                        Assert.All(block.GetProperty("elements").EnumerateArray(), e => Text(e, 3_000));
                        break;
                    case var other:
                        Assert.Fail($"block {other}");
                        break;
                }
            }
        }

        static string Text(JsonElement text, int most)
        {
            Assert.InRange(text.GetProperty("text").GetString()!.Length, 1, most);
            var type = text.GetProperty("type").GetString()!;
            Assert.Contains(type, new[] { "plain_text", "mrkdwn" });
            return type;
        }
    }

    [Fact]
    public void Slack_is_given_nothing_from_outside_as_markup()
    {
        var template = ShippedTemplate.All.Single(t => t.Name == "slack").Template;
        var marked = Objects(template).Where(o => o.TryGetProperty("type", out var type) && type.GetString() == "mrkdwn").Select(o => o.GetProperty("text").GetString()).Append(template.GetProperty("text").GetString());
        Assert.Equal(["{{link}}", "Sekisho: {{level}}, {{risk}} ({{time}})"], marked);
    }

    // learn.microsoft.com: a message with attachments of contentType application/vnd.microsoft.card.adaptive; AdaptiveCard needs type and version; RichTextBlock needs inlines; TextRun needs type and text
    // and knows no markup; a message is 28 KB at most.
    [Fact]
    public void Teams_gets_a_message_with_one_adaptive_card_whose_elements_know_no_markup()
    {
        foreach (var body in Filled("teams"))
        {
            Assert.Equal("message", body.GetProperty("type").GetString());
            var attachment = Assert.Single(body.GetProperty("attachments").EnumerateArray());
            Assert.Equal("application/vnd.microsoft.card.adaptive", attachment.GetProperty("contentType").GetString());
            var card = attachment.GetProperty("content");
            Assert.Equal(("AdaptiveCard", "http://adaptivecards.io/schemas/adaptive-card.json"), (card.GetProperty("type").GetString(), card.GetProperty("$schema").GetString()));
            Assert.InRange(Version.Parse(card.GetProperty("version").GetString()!), new Version(1, 2), new Version(1, 5));
            Assert.All(card.GetProperty("body").EnumerateArray(), element =>
            {
                Assert.Equal("RichTextBlock", element.GetProperty("type").GetString());
                var run = Assert.Single(element.GetProperty("inlines").EnumerateArray());
                Assert.Equal("TextRun", run.GetProperty("type").GetString());
                Assert.NotEmpty(run.GetProperty("text").GetString()!);
            });
            Assert.InRange(body.GetRawText().Length, 1, 28 * 1024);
        }
    }

    // developers.worksmobile.com: the app takes title and body.text; a bot's message is content with type "text" and a text of 2,000 characters at most.
    [Fact]
    public void LINE_WORKS_gets_a_title_and_a_text_or_a_bot_s_message_of_at_most_2000_characters()
    {
        foreach (var body in Filled("line-works-webhook"))
        {
            Assert.Equal(["body", "title"], body.EnumerateObject().Select(m => m.Name).Order());
            Assert.NotEmpty(body.GetProperty("title").GetString()!);
            Assert.InRange(body.GetProperty("body").GetProperty("text").GetString()!.Length, 1, 2_000);
        }

        foreach (var body in Filled("line-works-bot"))
        {
            Assert.Equal("text", body.GetProperty("content").GetProperty("type").GetString());
            Assert.InRange(body.GetProperty("content").GetProperty("text").GetString()!.Length, 1, 2_000);
        }

        Assert.Equal(["Authorization"], ShippedTemplate.All.Single(t => t.Name == "line-works-bot").Headers);
    }

    [Fact]
    public void Each_says_where_its_service_publishes_what_a_message_must_have() => Assert.All(ShippedTemplate.All, t => Assert.True(Uri.IsWellFormedUriString(t.Source, UriKind.Absolute)));

    /// <summary>The body with empty values and with the longest ones.</summary>
    private static IEnumerable<JsonElement> Filled(string name)
    {
        var template = ShippedTemplate.All.Single(t => t.Name == name).Template.GetRawText();
        Assert.Empty(BodyTemplate.Check(template, BodyValues.Places));
        foreach (var text in (string[])["", new string('長', 5_000)])
        {
            yield return JsonElement.Parse(BodyTemplate.Fill(template, BodyValues.Places.ToDictionary(p => p, p => BodyValues.Line(text, p switch
            {
                "title" => BodyValues.LongestTitle,
                "text" => BodyValues.LongestText,
                "link" => BodyValues.LongestLink,
                "time" => 26,
                _ => BodyValues.LongestValue,
            }))));
        }
    }

    private static IEnumerable<JsonElement> Objects(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().SelectMany(m => Objects(m.Value)).Prepend(value),
        JsonValueKind.Array => value.EnumerateArray().SelectMany(Objects),
        _ => [],
    };
}
