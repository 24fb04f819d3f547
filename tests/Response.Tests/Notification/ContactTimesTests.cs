using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Mail;
using System.Text.Json;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Response.Leases;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;
using Sekisho.Verification.Processes;

namespace Sekisho.Response.Tests.Notification;

/// <summary>When people are told. The clock begins on Wednesday 2026-04-01 at 09:00 in Tokyo.</summary>
public class ContactTimesTests
{
    private static readonly string[] Workdays = ["monday", "tuesday", "wednesday", "thursday", "friday"];
    private static readonly string[] EveryDay = [.. Workdays, "saturday", "sunday"];
    private static readonly object Office = new { periods = new[] { new { days = Workdays, from = "09:00", to = "18:00" } }, holidays = new[] { "2026-04-03" } };
    private static readonly object Nights = new { periods = new[] { new { days = EveryDay, from = "22:00", to = "07:00" } } };

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_reader_with_business_hours_gets_what_came_outside_of_them_as_one_digest_at_the_next_opening_and_the_others_get_it_at_once(Dialect dialect)
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await StartAsync(smtp.Port, dialect);
        await SetAsync(host, new { recipients = new[] { At("always@example.jp"), At("office@example.jp", "business"), At("night@example.jp", "outside-business") }, businessHours = Office });
        host.Commit(host.Finding("day"));
        await host.Worker.DrainAsync();
        Assert.Equal(["always@example.jp", "office@example.jp"], Assert.Single(await ThisFarAsync(smtp)).To.Order());

        // What the night's reader missed by day comes in the evening.
        host.Clock.Leap(TimeSpan.FromHours(9));
        await host.Worker.DrainAsync();
        Assert.Equal(["night@example.jp"], Assert.Single(await ThisFarAsync(smtp)).To);
        Assert.Equal(LeaseStates.Done, (await host.OnlyLeaseAsync()).State);

        // Thursday 20:00; Friday is a holiday, so the next opening is on Monday.
        host.Clock.Leap(TimeSpan.FromHours(26));
        foreach (var (id, level) in new[] { ("n1", Levels.Warning), ("n2", Levels.Important) })
        {
            host.Commit(host.Finding(id, level: level));
            await host.Worker.DrainAsync();
            Assert.Equal(["always@example.jp", "night@example.jp"], Assert.Single(await ThisFarAsync(smtp)).To.Order());
        }

        using var client = host.Client(Roles.Auditor);
        var shown = (await client.GetFromJsonAsync<JsonElement>("/api/v1/fields/cars/responses?state=due")).GetProperty("items").EnumerateArray().ToList();
        Assert.Equal([("outside-hours", "2026-04-06T00:00:00+00:00"), ("outside-hours", "2026-04-06T00:00:00+00:00")], shown.Select(s => (s.GetProperty("cause").GetString()!, s.GetProperty("nextTryAt").GetString()!)));

        host.Clock.Leap(TimeSpan.FromHours(85) - TimeSpan.FromMilliseconds(1));
        await host.Worker.DrainAsync();
        Assert.Empty(await ThisFarAsync(smtp));
        host.Clock.Leap(TimeSpan.FromMilliseconds(1));
        await host.Worker.DrainAsync();
        var digest = Assert.Single(await ThisFarAsync(smtp));
        Assert.Equal(["office@example.jp"], digest.To);
        Assert.Equal("【Sekisho】受信時間外の通知 2件（重要 1、警告 1）", digest.Subject);
        Assert.All(await host.LeasesAsync(), l => Assert.Equal(LeaseStates.Done, l.State));
    }

    [Theory]
    [InlineData("Asia/Tokyo", "2026-03-31T15:00:00Z", 60)]
    [InlineData("Europe/Berlin", "2026-03-26T23:00:00Z", 30)]
    [InlineData("America/New_York", "2026-10-29T04:00:00Z", 60)]
    public async Task The_highest_level_is_never_held_back_at_any_time_of_a_week_and_everything_else_comes_as_one_digest_after_each_quiet_time(string zone, string begin, int minutes)
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await StartAsync(smtp.Port, Dialect.Sqlite);
        host.World.AllFields["cars"] = host.World.AllFields["cars"] with { TimeZone = zone };
        host.Clock.Leap(DateTimeOffset.Parse(begin, CultureInfo.InvariantCulture) - host.Time.GetUtcNow());
        var quiet = new[] { new { days = EveryDay, from = "22:00", to = "07:00" }, new { days = new[] { "sunday" }, from = "00:00", to = "24:00" }, new { days = new[] { "wednesday" }, from = "01:30", to = "02:30" } };
        await SetAsync(host, new { recipients = new[] { At("always@example.jp"), At("office@example.jp", "business"), At("night@example.jp", "outside-business") }, businessHours = Office, quietHours = new { periods = quiet } });
        var local = TimeZoneInfo.FindSystemTimeZoneById(zone);
        var (waiting, digests) = (0, 0);
        for (var step = 0; step < 7 * 24 * 60 / minutes; step++)
        {
            host.Commit(host.Finding($"w{step}", level: Levels.Warning), host.Finding($"c{step}", "d000000000000002", level: Levels.Critical));
            await host.Worker.DrainAsync();
            var critical = (await host.Leases.FindAsync(Lease.IdOf($"c{step}", "mail", "everyone"), default))!;
            Assert.Equal((LeaseStates.Done, host.Time.GetUtcNow()), (critical.State, critical.EndedAt));
            var mails = await ThisFarAsync(smtp);
            Assert.Equal(3, Assert.Single(mails, m => m.Subject.Contains("緊急", StringComparison.Ordinal)).To.Length);
            var now = TimeZoneInfo.ConvertTime(host.Time.GetUtcNow(), local);
            if (now.Hour is >= 22 or < 7 || now.DayOfWeek == DayOfWeek.Sunday)
            {
                Assert.Single(mails);
                waiting++;
            }
            else if (waiting > 0)
            {
                Assert.Contains($"静穏時間中の通知 {waiting}件", Assert.Single(mails, m => m.Subject.Contains("静穏時間中", StringComparison.Ordinal)).Subject, StringComparison.Ordinal);
                (waiting, digests) = (0, digests + 1);
            }

            host.Clock.Leap(TimeSpan.FromMinutes(minutes));
        }

        Assert.InRange(digests, 5, 7);
    }

    [Fact]
    public async Task Ten_thousand_in_the_quiet_hours_are_one_digest_of_bounded_size_that_counts_every_one_by_level()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await StartAsync(smtp.Port, Dialect.Sqlite);
        await SetAsync(host, new { recipients = new[] { At("a@example.jp") }, quietHours = Nights, sameMinutes = 10 });
        host.Clock.Leap(TimeSpan.FromHours(14));
        string[] levels = [Levels.Information, Levels.Warning, Levels.Important];
        for (var i = 0; i < 10; i++)
        {
            host.Commit([.. Enumerable.Range(0, 1000).Select(n => host.Finding($"f{i}-{n}", $"d00000000000000{1 + (n % 3)}", level: levels[n % 10 == 0 ? 2 : n % 2], condition: "k" + (n % 100).ToString(CultureInfo.InvariantCulture)))]);
            await host.Worker.DrainAsync();
        }

        Assert.Empty(await ThisFarAsync(smtp));
        host.Clock.Leap(TimeSpan.FromHours(8));
        await host.Worker.DrainAsync();
        var digest = Assert.Single(await ThisFarAsync(smtp));
        Assert.Contains("10000件（重要 1000、警告 5000、情報 4000）", digest.Subject, StringComparison.Ordinal);
        Assert.InRange(digest.Raw.Length, 1000, 200_000);
        AssertWhole(digest);
        var leases = await host.LeasesAsync();
        Assert.Equal(10_000, leases.Count(l => l.State == LeaseStates.Done && l.Details.Cause == LeaseCauses.InSummary));
    }

    [Fact]
    public async Task A_mail_server_that_is_down_when_the_quiet_hours_end_gets_the_one_digest_once_it_is_back()
    {
        var port = FreePort.Next();
        await using var host = await StartAsync(port, Dialect.Sqlite);
        await SetAsync(host, new { recipients = new[] { At("a@example.jp") }, quietHours = Nights });
        host.Clock.Leap(TimeSpan.FromHours(14));
        host.Commit(host.Finding("f1", level: Levels.Warning), host.Finding("f2"), host.Finding("f3"));
        await host.Worker.DrainAsync();
        host.Clock.Leap(TimeSpan.FromHours(8));
        await host.Worker.DrainAsync();
        Assert.Equal([(LeaseStates.Due, 1), (LeaseStates.Due, 1), (LeaseStates.Due, 1)], (await host.LeasesAsync()).Select(l => (l.State, l.Attempts)));

        await using var smtp = await SmtpServer.StartAsync(port);
        host.Clock.Leap(TimeSpan.FromMinutes(1));
        await host.Worker.DrainAsync();
        Assert.Contains("静穏時間中の通知 3件", Assert.Single(await ThisFarAsync(smtp)).Subject, StringComparison.Ordinal);
        Assert.All(await host.LeasesAsync(), l => Assert.Equal(LeaseStates.Done, l.State));
    }

    [Fact]
    public async Task A_clock_that_is_set_back_over_the_end_of_the_quiet_hours_makes_nothing_come_twice_and_nothing_vanish()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await StartAsync(smtp.Port, Dialect.Sqlite);
        await SetAsync(host, new { recipients = new[] { At("a@example.jp") }, quietHours = Nights, sameMinutes = 30 });
        host.Clock.Leap(TimeSpan.FromHours(14));
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        host.Clock.Leap(TimeSpan.FromHours(8));
        await host.Worker.DrainAsync();
        Assert.Single(await ThisFarAsync(smtp));

        // Back to 05:00: what comes now waits for 07:00 again.
        host.Clock.Leap(TimeSpan.FromHours(-2));
        host.Commit(host.Finding("f2", "d000000000000002"), host.Finding("f3"));
        await host.Worker.DrainAsync();
        Assert.Empty(await ThisFarAsync(smtp));
        host.Clock.Leap(TimeSpan.FromHours(2));
        await host.Worker.DrainAsync();
        Assert.Contains("2件", Assert.Single(await ThisFarAsync(smtp)).Subject, StringComparison.Ordinal);
        Assert.All(await host.LeasesAsync(), l => Assert.Equal(LeaseStates.Done, l.State));
    }

    [Fact]
    public async Task Mails_that_wait_follow_settings_that_are_changed_meanwhile()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await StartAsync(smtp.Port, Dialect.Sqlite);
        await SetAsync(host, new { recipients = new[] { At("gone@example.jp") }, quietHours = Nights });
        host.Clock.Leap(TimeSpan.FromHours(14));
        host.Commit(host.Finding("f1"), host.Finding("f2"));
        await host.Worker.DrainAsync();

        // Longer nights: it waits on, to the new end.
        await SetAsync(host, new { recipients = new[] { At("new@example.jp") }, quietHours = new { periods = new[] { new { days = EveryDay, from = "21:00", to = "08:00" } } } });
        await host.Worker.DrainAsync();
        Assert.All(await host.LeasesAsync(), l => Assert.Equal((LeaseStates.Due, new DateTimeOffset(2026, 4, 1, 23, 0, 0, TimeSpan.Zero)), (l.State, l.NextTryAt)));
        Assert.Empty(await ThisFarAsync(smtp));

        await SetAsync(host, new { recipients = new[] { At("new@example.jp") } });
        await host.Worker.DrainAsync();
        var mail = Assert.Single(await ThisFarAsync(smtp));
        Assert.Equal(["new@example.jp"], mail.To);
        Assert.Contains("2件", mail.Subject, StringComparison.Ordinal);
        Assert.All(await host.LeasesAsync(), l => Assert.Equal(LeaseStates.Done, l.State));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task The_same_of_the_same_device_is_one_mail_with_a_count_and_then_one_for_each_window_but_a_higher_level_is_news(Dialect dialect)
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await StartAsync(smtp.Port, dialect);
        await SetAsync(host, new { recipients = new[] { At("a@example.jp") }, sameMinutes = 30 });
        host.Commit([.. Enumerable.Range(0, 20).Select(i => host.Finding($"a{i}", level: Levels.Warning))]);
        host.Commit(host.Finding("other", "d000000000000002", level: Levels.Warning));
        await host.Worker.DrainAsync();
        var first = await ThisFarAsync(smtp);
        Assert.Equal(["【Sekisho】同じ検知 20回（警告 20） – 車両 1 (d000000000000001)", "【Sekisho】警告: なりすまし – 車両 2 (d000000000000002)"], first.Select(m => m.Subject).Order(StringComparer.Ordinal));
        Assert.All(first, AssertWhole);

        host.Clock.Leap(TimeSpan.FromMinutes(10));
        host.Commit(host.Finding("b1", level: Levels.Warning), host.Finding("b2", level: Levels.Warning));
        await host.Worker.DrainAsync();
        Assert.Empty(await ThisFarAsync(smtp));
        using var client = host.Client(Roles.Auditor);
        var shown = (await client.GetFromJsonAsync<JsonElement>("/api/v1/fields/cars/responses?state=due")).GetProperty("items").EnumerateArray().ToList();
        Assert.Equal([LeaseCauses.ToldAlready, LeaseCauses.ToldAlready], shown.Select(s => s.GetProperty("cause").GetString()!));

        host.Commit(host.Finding("worse", level: Levels.Important));
        await host.Worker.DrainAsync();
        Assert.Contains("3回（重要 1、警告 2）", Assert.Single(await ThisFarAsync(smtp)).Subject, StringComparison.Ordinal);

        host.Commit(host.Finding("c1", level: Levels.Warning));
        await host.Worker.DrainAsync();
        host.Clock.Leap(TimeSpan.FromMinutes(30));
        await host.Worker.DrainAsync();
        Assert.StartsWith("【Sekisho】警告: なりすまし", Assert.Single(await ThisFarAsync(smtp)).Subject, StringComparison.Ordinal);
        var leases = await host.LeasesAsync();
        Assert.Equal((25, 25), (leases.Count, leases.Count(l => l.State == LeaseStates.Done)));
    }

    [Fact]
    public async Task What_is_taken_back_while_it_waits_is_not_told_in_the_digest()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await StartAsync(smtp.Port, Dialect.Sqlite);
        await SetAsync(host, new { recipients = new[] { At("a@example.jp") }, quietHours = Nights });
        host.Clock.Leap(TimeSpan.FromHours(14));
        host.Commit(host.Finding("f1"), host.Finding("f2"), host.Finding("f3"));
        await host.Worker.DrainAsync();
        host.Retract("f2");
        host.Clock.Leap(TimeSpan.FromHours(8));
        await host.Worker.DrainAsync();
        Assert.Contains("2件", Assert.Single(await ThisFarAsync(smtp)).Subject, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Settings_come_back_as_they_were_set_a_test_is_told_at_once_and_documents_from_before_are_still_read()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await StartAsync(smtp.Port, Dialect.Sqlite);
        Assert.Equal("always", JsonSerializer.Deserialize<Response.Notification.NotificationSettings>("{\"Recipients\":[{\"Address\":\"a@b.jp\",\"Role\":\"administrator\"}],\"Webhook\":null}")!.Recipients[0].Hours);
        await SetAsync(host, new { recipients = new[] { At("a@example.jp", "business") }, businessHours = Office, quietHours = Nights, sameMinutes = 15, onCall = new { persons = new[] { "taro.yamada@example.jp" }, minutes = 5, level = "important" } });
        using var client = host.Client(Roles.Administrator);
        var view = await client.GetFromJsonAsync<JsonElement>("/api/v1/fields/cars/notification");
        Assert.Equal("2026-04-03", view.GetProperty("businessHours").GetProperty("holidays")[0].GetString());
        Assert.Equal("22:00", view.GetProperty("quietHours").GetProperty("periods")[0].GetProperty("from").GetString());
        Assert.Equal((15, 5), (view.GetProperty("sameMinutes").GetInt32(), view.GetProperty("onCall").GetProperty("minutes").GetInt32()));
        using var auditor = host.Client(Roles.Auditor);
        Assert.DoesNotContain("taro.yamada", await auditor.GetStringAsync("/api/v1/fields/cars/notification"), StringComparison.Ordinal);

        host.Clock.Leap(TimeSpan.FromHours(16));
        Assert.Equal(HttpStatusCode.Accepted, (await client.PostAsync("/api/v1/fields/cars/notification/test", null)).StatusCode);
        await host.Worker.DrainAsync();
        var test = Assert.Single(await ThisFarAsync(smtp));
        Assert.Equal("【Sekisho】テスト通知", test.Subject);
        AssertWhole(test);

        var answer = await client.PutAsJsonAsync("/api/v1/fields/cars/notification", new { recipients = new[] { At("a@example.jp", "business") }, sameMinutes = -1, onCall = new { persons = new[] { "x", "a@example.jp", "A@example.jp" }, minutes = 0, level = "loud" } });
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Equal(
            ["/onCall/level", "/onCall/minutes", "/onCall/persons/0", "/onCall/persons/2", "/recipients/0/hours", "/sameMinutes"],
            (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("faults").EnumerateArray().Select(f => f.GetProperty("place").GetString()).Order(StringComparer.Ordinal));
    }

    /// <summary>Both languages, both bodies, and whom to ask.</summary>
    internal static void AssertWhole(ReceivedMail mail)
    {
        Assert.Equal("multipart/alternative", mail.Type);
        foreach (var body in new[] { mail.Text, WebUtility.HtmlDecode(mail.Html) })
        {
            Assert.Equal(3, body.Split("窓口 03-0000-0000").Length);
            Assert.Contains("問い合わせ先", body, StringComparison.Ordinal);
            Assert.Contains("Contact point", body, StringComparison.Ordinal);
        }
    }

    /// <summary>Every mail that was sent before now: one of the test's own marks the end.</summary>
    internal static async Task<IReadOnlyList<ReceivedMail>> ThisFarAsync(SmtpServer smtp)
    {
        using (var client = new SmtpClient("127.0.0.1", smtp.Port))
        {
            await client.SendMailAsync("test@example.jp", "test@example.jp", "this far", "");
        }

        var mails = new List<ReceivedMail>();
        while (await smtp.NextAsync() is { Subject: not "this far" } mail)
        {
            mails.Add(mail);
        }

        return mails;
    }

    internal static object At(string address, string hours = "always") => new { address, role = "administrator", hours };

    internal static async Task SetAsync(TestHost host, object settings)
    {
        using var client = host.Client(Roles.Administrator);
        var answer = await client.PutAsJsonAsync("/api/v1/fields/cars/notification", settings);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    internal static async Task<TestHost> StartAsync(int port, Dialect dialect, string action = "mail", params (string, string?)[] more)
    {
        var host = await TestHost.StartAsync(dialect,
        [
            ("Response:Mail:Host", "127.0.0.1"), ("Response:Mail:Port", port.ToString(CultureInfo.InvariantCulture)), ("Response:Mail:UseStartTls", "false"), ("Response:Mail:From", "gate@sekisho.example"), .. more,
        ]);
        host.Bind(TestHost.Always(action));
        return host;
    }
}
