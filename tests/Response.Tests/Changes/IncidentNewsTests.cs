using System.Net.Http.Json;
using System.Text.Json;
using Sekisho.Domain.Detection;
using Sekisho.Domain.History;
using Sekisho.Response.Changes;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Changes;

public class IncidentNewsTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task An_incident_is_told_when_it_opens_rises_is_handed_over_runs_late_and_is_closed(Dialect dialect)
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await StartAsync(dialect, smtp);
        host.Commit(host.Finding("f1", "d000000000000001"));
        await host.PassAsync(TimeSpan.FromMinutes(2));
        var opened = Assert.Single(smtp.Taken(1));
        Assert.Equal(["owner@example.jp"], opened.To);
        var id = await IncidentAsync(host);
        Assert.Equal($"【Sekisho】インシデント {id}: 発生（重要）", opened.Subject);
        Assert.Contains($"https://gate.example.jp:9443/api/v1/fields/cars/incidents/{id}", opened.Text, StringComparison.Ordinal);
        Assert.Contains($"{id}: opened (Important)", opened.Text, StringComparison.Ordinal);

        await host.PassAsync(TimeSpan.FromMinutes(15));
        host.Commit(host.Finding("f2", "d000000000000001", Levels.Critical, "silence"));
        await host.PassAsync(TimeSpan.FromMinutes(2));
        Assert.Equal($"【Sekisho】インシデント {id}: レベル上昇（緊急）", Assert.Single(smtp.Taken(1)).Subject);

        // Handed over to an account whose name is its address: both are told, also of what comes later.
        await host.PassAsync(TimeSpan.FromMinutes(15));
        await DoAsync(host, id, "hand-over", new { to = "jiro@example.jp", memo = "look at the antenna", note = "look at the antenna" });
        await host.PassAsync(TimeSpan.FromMinutes(2));
        var handed = Assert.Single(smtp.Taken(1));
        Assert.Equal(["jiro@example.jp", "owner@example.jp"], handed.To.Order());
        Assert.Contains("hanako が jiro@example.jp に引き継ぎました", handed.Text, StringComparison.Ordinal);

        await host.PassAsync(TimeSpan.FromHours(2), TimeSpan.FromMinutes(5));
        var late = Assert.Single(smtp.Taken(1));
        Assert.Equal($"【Sekisho】インシデント {id}: 期限超過（緊急）", late.Subject);
        Assert.Contains("jiro@example.jp", late.To);
        await host.PassAsync(TimeSpan.FromHours(12), TimeSpan.FromMinutes(30));
        Assert.Empty(smtp.Taken(0));

        await DoAsync(host, id, "close", new Dictionary<string, string> { ["as"] = "incident", ["note"] = "replaced" });
        await host.PassAsync(TimeSpan.FromMinutes(2));
        var closed = Assert.Single(smtp.Taken(1));
        Assert.Equal($"【Sekisho】インシデント {id}: クローズ（緊急）", closed.Subject);
        Assert.Contains("jiro@example.jp", closed.To);
    }

    [Fact]
    public async Task What_is_below_important_is_told_only_when_somebody_is_to_work_on_it_or_it_runs_late()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await StartAsync(Dialect.Sqlite, smtp);
        host.Commit(host.Finding("f1", "d000000000000001", Levels.Warning));
        await host.PassAsync(TimeSpan.FromMinutes(20));
        Assert.Empty(smtp.Taken(0));
        var id = await IncidentAsync(host);
        await DoAsync(host, id, "assign", new { assignee = "jiro", note = "please" });
        await host.PassAsync(TimeSpan.FromMinutes(3));
        Assert.Equal(["owner@example.jp"], Assert.Single(smtp.Taken(1)).To);
        await host.PassAsync(TimeSpan.FromDays(4), TimeSpan.FromHours(1));
        Assert.Contains("期限超過", Assert.Single(smtp.Taken(1)).Subject, StringComparison.Ordinal);
    }

    [Fact]
    public void The_deletion_of_an_old_incident_is_no_news_and_holds_none_up()
    {
        var record = new HistoryRecord
        {
            At = DateTimeOffset.UnixEpoch,
            Kind = HistoryKinds.Response,
            What = "incident",
            Actor = "gateway",
            CorrelationId = "",
            Subject = "i1",
            Details = """{"state":"deleted","change":"deleted","closedAs":"change","at":"2026-04-01T00:00:00Z"}""",
        };
        Assert.Null(IncidentNews.Of(new PlacedRecord(1, record)));
    }

    [Fact]
    public async Task A_storm_of_incidents_is_one_mail_or_two_and_so_is_their_running_late()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await StartAsync(Dialect.Sqlite, smtp, ("Response:Incidents:CauseWithin", "00:00:00"));
        for (var second = 0; second < 60; second++)
        {
            host.Commit([.. Enumerable.Range(0, 20).Select(i => host.Finding($"f{second}-{i}", $"d{second * 20 + i:d15}", i == 0 ? Levels.Critical : Levels.Important, $"c{second}-{i}"))]);
            host.Clock.Advance(TimeSpan.FromSeconds(1));
            if (second % 10 == 9)
            {
                await host.RoundAsync();
            }
        }

        await host.PassAsync(TimeSpan.FromMinutes(30));
        var mails = smtp.Taken(1);
        Assert.InRange(mails.Count, 1, 2);
        Assert.Contains("最高レベル: 緊急", mails[0].Subject, StringComparison.Ordinal);
        Assert.Equal(1_200, mails.Sum(m => int.Parse(m.Subject.Split("動き ")[1].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture)));
        Assert.All(mails, m => Assert.InRange(m.Text.Length, 1, 20_000));

        await host.PassAsync(TimeSpan.FromHours(10), TimeSpan.FromMinutes(5));
        Assert.InRange(smtp.Taken(2).Count, 2, 4);
    }

    [Fact]
    public async Task A_kill_leaves_no_news_of_an_incident_out()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await StartAsync(Dialect.Sqlite, smtp);
        host.Commit(host.Finding("f1", "d000000000000001", Levels.Critical));
        await host.RoundAsync();
        await host.RestartAfterKillAsync();
        await host.PassAsync(TimeSpan.FromMinutes(2));
        Assert.Contains("発生", Assert.Single(smtp.Taken(1)).Subject, StringComparison.Ordinal);
        host.Clock.Advance(TimeSpan.FromHours(2));
        await host.RestartAfterKillAsync();
        await host.PassAsync(TimeSpan.FromMinutes(5));
        Assert.Contains("期限超過", Assert.Single(smtp.Taken(1)).Subject, StringComparison.Ordinal);
    }

    private static async Task<NewsHost> StartAsync(Dialect dialect, SmtpServer smtp, params (string, string?)[] settings)
    {
        var host = await NewsHost.StartAsync(dialect, smtp, settings);
        await host.RecipientsAsync(["owner@example.jp"]);
        await host.PassAsync(TimeSpan.FromMinutes(15));
        _ = smtp.Taken(1);
        return host;
    }

    private static async Task<string> IncidentAsync(NewsHost host)
    {
        using var client = host.Client();
        return (await client.GetFromJsonAsync<JsonElement>("/api/v1/fields/cars/incidents")).GetProperty("items")[0].GetProperty("id").GetString()!;
    }

    private static async Task DoAsync(NewsHost host, string id, string verb, object request)
    {
        using var client = host.Client();
        var answer = await client.PostAsJsonAsync($"/api/v1/fields/cars/incidents/{id}/{verb}", request);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }
}
