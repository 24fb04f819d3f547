using System.Net;
using System.Text.RegularExpressions;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Response.Leases;
using Sekisho.Response.Notification.OnCall;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Notification;

public partial class AcknowledgeTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Opening_the_link_changes_nothing_and_the_button_acknowledges_once_and_says_who_and_when_in_both_records(Dialect dialect)
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await OnCallTests.StartAsync(smtp, dialect, OnCallTests.WithLink);
        host.Commit(host.Finding("f1", level: Levels.Critical));
        await host.Worker.DrainAsync();
        host.Clock.Leap(TimeSpan.FromMinutes(10));
        await host.Worker.DrainAsync();
        var mails = await ContactTimesTests.ThisFarAsync(smtp);
        Assert.Equal(["first@example.jp", "second@example.jp"], mails.Select(m => m.To.Single()));
        var (one, two) = (TokenOf(mails[0]), TokenOf(mails[1]));
        Assert.NotEqual(one, two);

        using var scanner = Anonymous(host);
        foreach (var language in new[] { "ja", "en" })
        {
            scanner.DefaultRequestHeaders.AcceptLanguage.Clear();
            scanner.DefaultRequestHeaders.AcceptLanguage.ParseAdd(language);
            var page = await scanner.GetAsync("/acknowledge?token=" + two);
            var html = await page.Content.ReadAsStringAsync();
            Assert.Equal((HttpStatusCode.OK, "text/html"), (page.StatusCode, page.Content.Headers.ContentType!.MediaType));
            Assert.Contains(language == "ja" ? "対応を始める" : "I take it in hand", html, StringComparison.Ordinal);
            Assert.Contains("f1", html, StringComparison.Ordinal);
            Assert.Contains("窓口 03-0000-0000", html, StringComparison.Ordinal);
            Assert.Contains("form-action 'self'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        }

        Assert.Empty(host.World.Labels);
        Assert.Contains("second@example.jp", await PostAsync(scanner, two), StringComparison.Ordinal);
        var acknowledged = host.Time.GetUtcNow();
        Assert.Equal(("acknowledged", "second@example.jp"), (host.World.Labels["f1"].Label, host.World.Labels["f1"].Actor));
        var lease = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Done, LeaseCauses.Acknowledged, "second@example.jp"), (lease.State, lease.Details.Cause, lease.Details.Actor));
        Assert.Equal(new LeaseAcknowledgement("second@example.jp", acknowledged), lease.Details.Acknowledged);
        Assert.Equal(lease.Id + " done", (await host.HistoryAsync())[^1]);
        Assert.Contains(host.World.Audited, a => a is { Action: "detection.acknowledge-by-link", Actor: "second@example.jp" });

        // The other one comes later: it is said who was faster, and nobody else is called.
        host.Clock.Leap(TimeSpan.FromMinutes(30));
        Assert.Contains("second@example.jp", await PostAsync(scanner, one), StringComparison.Ordinal);
        Assert.Equal("second@example.jp", host.World.Labels["f1"].Actor);
        Assert.Single(host.World.Audited, a => a.Action == "detection.acknowledge-by-link");
        await host.Worker.DrainAsync();
        Assert.Empty(await ContactTimesTests.ThisFarAsync(smtp));
        Assert.DoesNotContain(host.Log.Lines, l => l.Contains(two, StringComparison.Ordinal) || l.Contains(one, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Wrong_changed_expired_and_foreign_links_and_those_of_people_taken_off_the_order_get_one_and_the_same_answer()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await OnCallTests.StartAsync(smtp, Dialect.Sqlite, OnCallTests.WithLink, ("Response:OnCall:MostPerMinute", "100"));
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        var good = TokenOf(Assert.Single(await ContactTimesTests.ThisFarAsync(smtp)));
        var links = host.Get<AcknowledgeLinks>();
        var lease = (await host.OnlyLeaseAsync()).Id;
        var soon = host.Time.GetUtcNow().AddHours(1).ToUnixTimeMilliseconds();
        string[] bad =
        [
            "", "x", new string('A', 1600), good[..^1], (good[0] == 'A' ? "B" : "A") + good[1..], good + "A", "'; DROP TABLE lease; --",
            links.Token(new AcknowledgeTicket(lease, "first@example.jp", host.Time.GetUtcNow().ToUnixTimeMilliseconds())),
            links.Token(new AcknowledgeTicket("l000000000000000", "first@example.jp", soon)),
            links.Token(new AcknowledgeTicket(lease, "gone@example.jp", soon)),
        ];
        using var client = Anonymous(host);
        var answers = new HashSet<string>();
        foreach (var token in bad)
        {
            foreach (var answer in new[] { await client.GetAsync("/acknowledge?token=" + Uri.EscapeDataString(token)), await client.PostAsync("/acknowledge", Form(token)) })
            {
                answers.Add($"{answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
            }
        }

        Assert.StartsWith("NotFound", Assert.Single(answers), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await client.PostAsync("/acknowledge", new StringContent("{\"token\":\"" + good + "\"}", System.Text.Encoding.UTF8, "application/json"))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/acknowledge?token=" + good)).StatusCode);
        host.Clock.Leap(TimeSpan.FromDays(1));
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/acknowledge?token=" + good)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.PostAsync("/acknowledge", Form(good))).StatusCode);
        Assert.Empty(host.World.Labels);
    }

    [Fact]
    public async Task Who_guesses_is_turned_away_after_some_tries_and_a_good_link_still_works()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await OnCallTests.StartAsync(smtp, Dialect.Sqlite, OnCallTests.WithLink, ("Response:OnCall:MostPerMinute", "5"));
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        var good = TokenOf(Assert.Single(await ContactTimesTests.ThisFarAsync(smtp)));
        using var client = Anonymous(host);
        for (var i = 0; i < 7; i++)
        {
            Assert.Equal(i < 5 ? HttpStatusCode.NotFound : HttpStatusCode.TooManyRequests, (await client.GetAsync($"/acknowledge?token={i}")).StatusCode);
        }

        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/acknowledge?token=" + good)).StatusCode);
        host.Clock.Leap(TimeSpan.FromMinutes(1));
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/acknowledge?token=x")).StatusCode);
    }

    [Fact]
    public void However_many_guess_who_holds_a_good_link_is_not_counted_with_them()
    {
        var limit = new RequestLimit(new OnCallSettings { MostPerMinute = 5 }, TimeProvider.System);
        for (var i = 0; i < 10_100; i++)
        {
            limit.Allows($"2001:db8::{i:x}", isHolder: false);
        }

        Assert.False(limit.Allows("2001:db8:1::1", isHolder: false));
        Assert.True(limit.Allows("lease person", isHolder: true));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_link_goes_on_working_for_the_rest_of_its_call_when_the_first_detection_is_settled(bool isTakenBack)
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await OnCallTests.StartAsync(smtp, Dialect.Sqlite, OnCallTests.WithLink);
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        host.Clock.Leap(TimeSpan.FromMinutes(5));
        host.Commit(host.Finding("f2"), host.Finding("f3"));
        await host.Worker.DrainAsync();
        host.Clock.Leap(TimeSpan.FromMinutes(5));
        await host.Worker.DrainAsync();
        var token = TokenOf((await ContactTimesTests.ThisFarAsync(smtp))[1]);
        if (isTakenBack)
        {
            host.Retract("f1");
        }
        else
        {
            await host.World.LabelAsync(["f1"], null, null, "hanako", host.Time.GetUtcNow(), "c", default);
        }

        using var client = Anonymous(host);
        client.DefaultRequestHeaders.AcceptLanguage.ParseAdd("ja");
        var html = await client.GetStringAsync("/acknowledge?token=" + token);
        Assert.Matches("<td>f[23]</td>", html);
        Assert.Contains("ほかの検知</th><td>1</td>", html, StringComparison.Ordinal);
        Assert.Contains("second@example.jpが", await PostAsync(client, token), StringComparison.Ordinal);
        Assert.Equal(["second@example.jp", "second@example.jp"], new[] { "f2", "f3" }.Select(f => host.World.Labels[f].Actor));
    }

    [Fact]
    public async Task The_button_acknowledges_what_was_shown_and_not_what_has_joined_the_call_since()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await OnCallTests.StartAsync(smtp, Dialect.Sqlite, OnCallTests.WithLink);
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        var token = TokenOf(Assert.Single(await ContactTimesTests.ThisFarAsync(smtp)));
        using var client = Anonymous(host);
        client.DefaultRequestHeaders.AcceptLanguage.ParseAdd("ja");
        var shown = ShownBy(await client.GetStringAsync("/acknowledge?token=" + token));
        host.Commit(host.Finding("f2"));
        await host.Worker.DrainAsync();
        host.Clock.Leap(TimeSpan.FromMinutes(10));
        await host.Worker.DrainAsync();
        var html = await PressAsync(client, token, shown);
        Assert.Contains("内容が変わりました", html, StringComparison.Ordinal);
        Assert.Empty(host.World.Labels);
        await PressAsync(client, token, ShownBy(html));
        Assert.Equal(["f1", "f2"], host.World.Labels.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task When_nobody_comes_for_many_the_notice_says_for_how_many_and_the_last_link_acknowledges_them_all()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await OnCallTests.StartAsync(smtp, Dialect.Sqlite, OnCallTests.WithLink);
        host.Commit(host.Finding("f1"), host.Finding("f2"), host.Finding("f3"));
        IReadOnlyList<ReceivedMail> mails = [];
        for (var step = 0; step < 6; step++)
        {
            await host.Worker.DrainAsync();
            mails = await ContactTimesTests.ThisFarAsync(smtp);
            host.Clock.Leap(TimeSpan.FromMinutes(10));
        }

        await host.Worker.DrainAsync();
        await host.Worker.DrainAsync();
        Assert.Contains("を含む3件", Assert.Single(await ContactTimesTests.ThisFarAsync(smtp)).Text, StringComparison.Ordinal);
        using var client = Anonymous(host);
        await PostAsync(client, TokenOf(Assert.Single(mails)));
        Assert.Equal(["f1", "f2", "f3"], host.World.Labels.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_link_of_a_detection_that_was_taken_back_says_so_and_those_who_were_called_are_told()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await OnCallTests.StartAsync(smtp, Dialect.Sqlite, OnCallTests.WithLink);
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        var token = TokenOf(Assert.Single(await ContactTimesTests.ThisFarAsync(smtp)));
        host.Retract("f1");
        using var client = Anonymous(host);
        client.DefaultRequestHeaders.AcceptLanguage.ParseAdd("ja");
        var html = await PostAsync(client, token);
        Assert.Contains("取り消されました", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<form", html, StringComparison.Ordinal);
        Assert.Empty(host.World.Labels);
        await host.Worker.DrainAsync();
        var mail = Assert.Single(await ContactTimesTests.ThisFarAsync(smtp));
        Assert.Equal(["first@example.jp"], mail.To);
        Assert.Contains("検知の取り消し", mail.Subject, StringComparison.Ordinal);
        ContactTimesTests.AssertWhole(mail);
    }

    internal static HttpClient Anonymous(TestHost host)
    {
        var client = host.Client(Roles.Auditor);
        foreach (var header in new[] { "X-Role", "X-Name", "X-Field", "X-Holder", "X-Scopes" })
        {
            client.DefaultRequestHeaders.Remove(header);
        }

        return client;
    }

    /// <summary>Looks at the page and presses its button, if it has one.</summary>
    internal static async Task<string> PostAsync(HttpClient client, string token) => await PressAsync(client, token, ShownBy(await client.GetStringAsync("/acknowledge?token=" + token)));

    private static async Task<string> PressAsync(HttpClient client, string token, string shown)
    {
        var answer = await client.PostAsync("/acknowledge", Form(token, shown));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync();
    }

    private static FormUrlEncodedContent Form(string token, string shown = "") => new([new("token", token), new("shown", shown)]);

    private static string ShownBy(string html) => Shown().Match(html).Groups[1].Value;

    internal static string TokenOf(ReceivedMail mail) => Link().Match(mail.Text) is { Success: true } found ? found.Groups[1].Value : throw new InvalidOperationException(mail.Text);

    [GeneratedRegex(@"https://gate\.example\.jp:9443/acknowledge\?token=([A-Za-z0-9_-]+)\r?\n")]
    private static partial Regex Link();

    [GeneratedRegex("name=\"shown\" value=\"([a-z0-9]+)\"")]
    private static partial Regex Shown();
}
