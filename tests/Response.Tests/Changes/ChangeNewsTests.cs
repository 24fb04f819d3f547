using System.Net.Http.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Sekisho.Api.Access;
using Sekisho.Domain.History;
using Sekisho.Domain.Localization;
using Sekisho.Response.Changes;
using Sekisho.Response.Leases;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Response.Tests.Changes;

public class ChangeNewsTests
{
    private static readonly Texts Texts = new([typeof(ResponseFeature).Assembly]);

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Changes_of_a_short_while_are_one_mail_that_says_who_changed_what_and_where_to_look(Dialect dialect)
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await NewsHost.StartAsync(dialect, smtp);
        await host.RecipientsAsync(["owner@example.jp"], inCharge: ["site@example.jp"]);
        await host.PassAsync(TimeSpan.FromMinutes(2));
        _ = smtp.Taken(1);

        await host.OperatedAsync("template.set", actor: "taro");
        host.Clock.Advance(TimeSpan.FromSeconds(20));
        await host.OperatedAsync("sensor.register", actor: "hanako", target: "sensorId=s1");
        await host.OperatedAsync("device.register");
        await host.OperatedAsync("template.set", field: "homes");
        await host.RoundAsync();
        Assert.Empty(smtp.Taken(0));
        await host.PassAsync(TimeSpan.FromMinutes(3));
        var mail = Assert.Single(smtp.Taken(1));
        Assert.Equal(["owner@example.jp"], mail.To);
        Assert.Equal("【Sekisho】設定が変更されました（2 件）", mail.Subject);
        Assert.Contains("taro: 検知のテンプレートと検知条件（template.set）", mail.Text, StringComparison.Ordinal);
        Assert.Contains("hanako: traffic sensors and network links (sensor.register sensorId=s1)", mail.Text, StringComparison.Ordinal);
        Assert.Contains("2026-04-01 09:02:00 +09:00", mail.Text, StringComparison.Ordinal);
        Assert.Contains("https://gate.example.jp:9443/api/v1/fields/cars/audit", mail.Text, StringComparison.Ordinal);
        Assert.Contains("窓口 03-0000-0000", mail.Text, StringComparison.Ordinal);
        await host.PassAsync(TimeSpan.FromMinutes(5));
        Assert.Empty(smtp.Taken(0));
    }

    [Fact]
    public async Task What_is_changed_in_the_quiet_hours_stands_in_the_digest_of_the_morning_with_who_did_it_and_only_so_many_lines()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await NewsHost.StartAsync(Dialect.Sqlite, smtp);
        using (var client = host.Client())
        {
            var answer = await client.PutAsJsonAsync("/api/v1/fields/cars/notification", new
            {
                recipients = new[] { new { address = "owner@example.jp", role = "administrator" } },
                quietHours = new { periods = new[] { new { days = new[] { "wednesday" }, from = "22:00", to = "07:00" } } },
            });
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        }

        await host.PassAsync(TimeSpan.FromMinutes(2));
        _ = smtp.Taken(1);
        host.Clock.Leap(TimeSpan.FromHours(14));
        await host.OperatedAsync("template.set", actor: "taro");
        await host.PassAsync(TimeSpan.FromMinutes(3));
        for (var i = 0; i < 3; i++)
        {
            for (var n = 0; n < 45; n++)
            {
                await host.OperatedAsync("template.set", actor: $"p{i}-{n}");
            }

            await host.PassAsync(TimeSpan.FromMinutes(3));
        }

        Assert.Empty(smtp.Taken(0));
        host.Clock.Leap(TimeSpan.FromHours(8));
        await host.RoundAsync();
        var digest = Assert.Single(smtp.Taken(1));
        Assert.Contains("静穏時間中の通知 4件", digest.Subject, StringComparison.Ordinal);
        Assert.Contains("taro: 検知のテンプレートと検知条件（template.set）", digest.Text, StringComparison.Ordinal);
        Assert.Equal(2 * Response.Actions.Mail.DigestText.MostNoticeLines, digest.Text.Split('\n').Count(l => l.Contains("template.set", StringComparison.Ordinal)));
        Assert.Contains("これより後の行は省略しました", digest.Text, StringComparison.Ordinal);
        Assert.Contains("Further lines are left out", digest.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_clock_that_is_set_back_and_a_caller_that_went_away_hold_no_news_up()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await NewsHost.StartAsync(Dialect.Sqlite, smtp);
        await host.RecipientsAsync(["owner@example.jp"]);
        await host.PassAsync(TimeSpan.FromMinutes(2));
        _ = smtp.Taken(1);
        await host.OperatedAsync("template.set", actor: "taro");
        await host.OperatedAsync("template.set", actor: "taro", outcome: "broken-off");
        host.Clock.Leap(TimeSpan.FromDays(-1));
        await host.PassAsync(TimeSpan.FromMinutes(3));
        Assert.Contains("taro", Assert.Single(smtp.Taken(1)).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task An_owner_who_is_removed_from_the_recipients_is_told_and_so_is_the_new_one(Dialect dialect)
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await NewsHost.StartAsync(dialect, smtp);
        await host.RecipientsAsync(["owner@example.jp", "second@example.jp"]);
        await host.PassAsync(TimeSpan.FromMinutes(10));
        _ = smtp.Taken(1);

        await host.RecipientsAsync(["intruder@evil.example"], by: "mallory");
        host.Clock.Advance(TimeSpan.FromSeconds(5));
        await host.RecipientsAsync([], by: "mallory");
        await host.PassAsync(TimeSpan.FromMinutes(3));
        var mail = Assert.Single(smtp.Taken(1));
        Assert.Equal(["intruder@evil.example", "owner@example.jp", "second@example.jp"], mail.To.Order());
        Assert.Contains("通知の宛先が変更", mail.Subject, StringComparison.Ordinal);
        Assert.Contains("mallory", mail.Text, StringComparison.Ordinal);

        // What was changed long ago is told to nobody who has left.
        await host.RecipientsAsync(["third@example.jp"]);
        await host.PassAsync(TimeSpan.FromMinutes(3));
        Assert.Equal(["third@example.jp"], Assert.Single(smtp.Taken(1)).To);
    }

    [Fact]
    public async Task A_kill_between_change_and_mail_loses_nothing_and_tells_nothing_twice()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await NewsHost.StartAsync(Dialect.Sqlite, smtp);
        await host.RecipientsAsync(["owner@example.jp"]);
        await host.PassAsync(TimeSpan.FromMinutes(10));
        _ = smtp.Taken(1);

        await host.OperatedAsync("webhook.add");
        await host.RestartAfterKillAsync();
        await host.RoundAsync();
        await host.RestartAfterKillAsync();
        await host.PassAsync(TimeSpan.FromMinutes(2));
        Assert.Contains("webhook.add", Assert.Single(smtp.Taken(1)).Text, StringComparison.Ordinal);

        // Ordered, and killed before it was sent.
        await host.OperatedAsync("webhook.delete");
        host.Clock.Advance(TimeSpan.FromMinutes(2));
        await host.Get<NewsTeller>().RoundAsync(default);
        await host.RestartAfterKillAsync();
        await host.PassAsync(TimeSpan.FromMinutes(20));
        Assert.Contains("webhook.delete", Assert.Single(smtp.Taken(1)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_nodes_tell_once_and_together_everything()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await NewsHost.StartAsync(Dialect.Sqlite, smtp);
        await host.RecipientsAsync(["owner@example.jp"]);
        await host.PassAsync(TimeSpan.FromMinutes(10));
        _ = smtp.Taken(1);
        var one = host.Get<NewsTeller>();
        await host.RestartAfterKillAsync();
        var other = host.Get<NewsTeller>();
        await host.OperatedAsync("template.set");
        await one.RoundAsync(default);
        await host.OperatedAsync("template.upgrade");
        host.Clock.Advance(TimeSpan.FromMinutes(2));
        await other.RoundAsync(default);
        await host.OperatedAsync("template.import");
        await one.RoundAsync(default);
        await one.RoundAsync(default);
        await host.PassAsync(TimeSpan.FromMinutes(3));
        await one.RoundAsync(default);
        await host.RoundAsync();
        var all = string.Concat(smtp.Taken(2).Select(m => m.Text));
        foreach (var action in (string[])["template.set", "template.upgrade", "template.import"])
        {
            // In both languages of one mail.
            Assert.Equal(2, all.Split('\n').Count(l => l.Contains(action, StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task What_was_refused_or_failed_is_no_change()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await NewsHost.StartAsync(Dialect.Sqlite, smtp);
        await host.RecipientsAsync(["owner@example.jp"]);
        await host.PassAsync(TimeSpan.FromMinutes(10));
        _ = smtp.Taken(1);
        await host.OperatedAsync("template.set", outcome: "refused", correlation: "one");
        await host.OperatedAsync("template.set", correlation: "two");
        await host.OperatedAsync("template.set", outcome: "failed", correlation: "two");
        using var client = host.Client();
        var before = await host.Get<IHistoryFeed>().EndAsync(default);
        await client.PostAsJsonAsync("/api/v1/fields/cars/notification/webhooks", new { name = "" });

        // That it failed is recorded after the answer, a moment later, while the test's clock leaps.
        await Until.TrueAsync(async () => await host.Get<IHistoryFeed>().EndAsync(default) == before + 2, "the failure is not recorded");
        await host.PassAsync(TimeSpan.FromMinutes(5));
        Assert.Empty(smtp.Taken(0));
    }

    [Fact]
    public async Task Rules_and_lock_downs_have_notices_of_their_own_and_are_told_once()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await NewsHost.StartAsync(Dialect.Sqlite, smtp);
        await host.RecipientsAsync(["owner@example.jp"]);
        await host.PassAsync(TimeSpan.FromMinutes(10));
        _ = smtp.Taken(1);
        using var client = host.Client();
        var answer = await client.PutAsJsonAsync("/api/v1/fields/cars/response-rules", new { rules = Array.Empty<object>(), reason = "quiet" });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        answer = await client.PostAsJsonAsync("/api/v1/fields/cars/emergencies", new { reason = "drill", rehearsal = true });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        await host.PassAsync(TimeSpan.FromMinutes(5));
        Assert.Equal(2, smtp.Taken(2).Count);
        await client.PutAsJsonAsync("/api/v1/fields/cars/emergency-plan", new { accounts = new[] { "hanako" } });
        await host.PassAsync(TimeSpan.FromMinutes(5));
        Assert.Contains("emergency.plan", Assert.Single(smtp.Taken(1)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_gateway_s_own_changes_and_a_field_s_end_go_to_the_gateway_s_administrators()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await NewsHost.StartAsync(Dialect.Sqlite, smtp);
        await host.RecipientsAsync(["ops@example.jp"], "ops");
        await host.PassAsync(TimeSpan.FromMinutes(10));
        _ = smtp.Taken(1);
        await host.OperatedAsync("account.create", field: null, target: "name=mallory");
        await host.OperatedAsync("key.create", field: null);
        await host.OperatedAsync("field.delete", field: "gone");
        await host.OperatedAsync("template.set", field: "cars");
        await host.PassAsync(TimeSpan.FromMinutes(3));
        var mail = Assert.Single(smtp.Taken(1));
        Assert.Equal(["ops@example.jp"], mail.To);
        Assert.Contains("account.create name=mallory", mail.Text, StringComparison.Ordinal);
        Assert.Contains("field.delete gone", mail.Text, StringComparison.Ordinal);
        Assert.Contains("https://gate.example.jp:9443/ops/v1/audit", mail.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("template.set", mail.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hundreds_of_changes_are_one_mail_of_bounded_length_that_counts_the_rest()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await NewsHost.StartAsync(Dialect.Sqlite, smtp);
        await host.RecipientsAsync(["owner@example.jp"]);
        await host.PassAsync(TimeSpan.FromMinutes(10));
        _ = smtp.Taken(1);
        for (var i = 0; i < 300; i++)
        {
            await host.OperatedAsync("exception.set", target: $"n={i}", correlation: $"c{i}");
        }

        await host.PassAsync(TimeSpan.FromMinutes(3));
        var mail = Assert.Single(smtp.Taken(1));
        Assert.Equal(100, mail.Text.Split('\n').Count(l => l.Contains("exception.set", StringComparison.Ordinal)));
        Assert.Contains("250 more", mail.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_webhook_is_a_way_for_a_field_without_addresses_and_without_either_nothing_waits()
    {
        await using var receiver = await HttpReceiver.StartAsync();
        await using var host = await NewsHost.StartAsync(Dialect.Sqlite, null);
        await host.OperatedAsync("template.set");
        await host.PassAsync(TimeSpan.FromMinutes(3));
        Assert.Empty(await host.Get<LeaseStore>().ListAsync(new LeaseFilter("cars", null, null, null, null, null, 100), default));
        using var client = host.Client();
        await client.PostAsJsonAsync("/api/v1/fields/cars/notification/webhooks", new { name = "chat", url = receiver.Url, language = "en", template = new { t = "{{title}}", x = "{{text}}" } });
        await host.PassAsync(TimeSpan.FromMinutes(3));
        var told = Assert.Single(receiver.Requests).Json;
        Assert.Equal("[Sekisho] Settings were changed (1)", told.GetProperty("t").GetString());
        Assert.Contains("hanako: webhooks and ticket desk (webhook.add)", told.GetProperty("x").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_action_of_this_stage_is_either_told_under_a_subject_or_said_not_to_be()
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite);
        var actions = host.Get<EndpointDataSource>().Endpoints.Select(e => e.Metadata.GetMetadata<Change>()?.Action).OfType<string>().Distinct().ToList();
        Assert.Contains("webhook.add", actions);
        Assert.DoesNotContain(actions, a => ChangeNews.SubjectOf(a) == "other");
    }

    [Theory]
    [InlineData("template.set", "templates")]
    [InlineData("condition.set", "templates")]
    [InlineData("script.activate", "scripts")]
    [InlineData("script.try", null)]
    [InlineData("exception.undo", "exceptions")]
    [InlineData("notification.change", "recipients")]
    [InlineData("notification.test", null)]
    [InlineData("sim-provider.change", "sim-provider")]
    [InlineData("soc.receiver.add", "soc")]
    [InlineData("sensor.revoke", "sensors")]
    [InlineData("command-list.change", "commands")]
    [InlineData("command.send", null)]
    [InlineData("response-script.upload", "scripts")]
    [InlineData("account.remove", "accounts")]
    [InlineData("key.create", "accounts")]
    [InlineData("field.change", "field")]
    [InlineData("destination.change", "cloud")]
    [InlineData("emergency.plan", "emergency")]
    [InlineData("emergency.lock", null)]
    [InlineData("response.rules", null)]
    [InlineData("device.register", null)]
    [InlineData("something.new", "other")]
    public void Actions_are_told_by_subject(string action, string? subject) => Assert.Equal(subject, ChangeNews.SubjectOf(action));

    [Fact]
    public void Every_subject_and_every_news_of_incidents_has_its_text()
    {
        var needed = ChangeNews.Told.Select(t => "change.subject." + t.Subject).Append("change.subject.other")
            .Concat(IncidentNews.All.SelectMany(n => new[] { "incident.news." + n, "incident.news.line." + n }))
            .Concat(((string[])["settings-changed", "recipients-changed", "incident", "incidents"]).SelectMany(n => new[] { $"response.notice.{n}.subject", $"response.notice.{n}.text" }));
        Assert.Empty(needed.Except(Texts.Keys("ja")));
    }
}
