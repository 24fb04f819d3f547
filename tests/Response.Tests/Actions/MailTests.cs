using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Response.Leases;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;
using Sekisho.Verification.Processes;

namespace Sekisho.Response.Tests.Actions;

public class MailTests
{
    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_finding_is_mailed_over_TLS_in_both_languages_with_everything_a_person_needs_and_no_unique_ID(Dialect dialect)
    {
        await using var smtp = await SmtpServer.StartAsync(null, "--cert", TestCertificates.CertFile, "--key", TestCertificates.KeyFile, "--user", "gate", "--password", "p w");
        await using var host = await TestHost.StartAsync(dialect,
            [.. Plain(smtp), ("Response:Mail:Host", "localhost"), ("Response:Mail:UseStartTls", "true"), ("Response:Mail:User", "gate"), ("Response:Mail:PasswordSecret", "p w")]);
        host.Bind(TestHost.Always("mail"));
        await host.NotifyAsync(["admin@example.jp", "on-site@example.jp"]);
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();

        var lease = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Done, null), (lease.State, lease.Details.LastError));
        var mail = await smtp.NextAsync();
        Assert.True(mail is { Tls: true, Authenticated: true });
        Assert.Equal(["admin@example.jp", "on-site@example.jp"], mail.To.Order());
        Assert.Equal("【Sekisho】重要: なりすまし – 車両 1 (d000000000000001)", mail.Subject);
        Assert.Equal("multipart/alternative", mail.Type);
        foreach (var body in new[] { mail.Text, mail.Html })
        {
            var japanese = body.IndexOf("60 s に 120 件を送信しました", StringComparison.Ordinal);
            var english = body.IndexOf("sent 120 messages in 60 s; at most 60 were expected", StringComparison.Ordinal);
            Assert.True(japanese >= 0 && english > japanese, body);
            Assert.Contains("2026-04-01 09:00:00 +09:00", WebUtility.HtmlDecode(body), StringComparison.Ordinal);
            Assert.Contains("窓口 03-0000-0000", WebUtility.HtmlDecode(body), StringComparison.Ordinal);
            Assert.Contains("0123456789abcdef0123456789abcdef", body, StringComparison.Ordinal);
        }

        Assert.Equal($"<{lease.Id}@sekisho.example>", mail.MessageId);
    }

    [Fact]
    public async Task A_field_that_reads_English_gets_English_first_and_only_the_role_that_is_bound_gets_it()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, Plain(smtp));
        host.World.AddDevice("d00000000000000h", "homes", "Door");
        host.World.Bindings["homes"] = [TestHost.Always("mail-administrator"), TestHost.Always("mail-person-in-charge")];
        await host.NotifyAsync(["admin@example.jp"], field: "homes");
        host.Commit(host.Finding("f1", "d00000000000000h", field: "homes"));
        await host.Worker.DrainAsync();

        var mail = await smtp.NextAsync();
        Assert.Equal(["admin@example.jp"], mail.To);
        Assert.StartsWith("[Sekisho] Important: spoofing", mail.Subject, StringComparison.Ordinal);
        Assert.StartsWith("Sekisho has detected", mail.Text, StringComparison.Ordinal);
        var leases = await host.LeasesAsync("homes");
        Assert.Equal(LeaseStates.Done, leases.Single(l => l.Target == "administrator").State);
        Assert.Equal((LeaseStates.Refused, LeaseCauses.NoRecipients), (leases.Single(l => l.Target == "person-in-charge").State, leases.Single(l => l.Target == "person-in-charge").Details.Cause));
    }

    [Fact]
    public async Task What_only_the_clock_brought_about_is_mailed_too()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, Plain(smtp));
        host.Bind(TestHost.Always("mail"));
        await host.NotifyAsync(["admin@example.jp"]);

        // Silence answers to a tick, and a tick has no correlation id.
        host.Commit(host.Finding("f1", risk: Risks.Theft, condition: "silence") with { CorrelationId = "" });
        await host.Worker.DrainAsync();
        Assert.Equal((LeaseStates.Done, null), ((await host.OnlyLeaseAsync()).State, (await host.OnlyLeaseAsync()).Details.LastError));
        Assert.Equal(["admin@example.jp"], (await smtp.NextAsync()).To);
    }

    [Fact]
    public async Task Nothing_in_a_name_or_a_fact_forges_a_header_or_a_line_or_markup()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, Plain(smtp));
        host.Bind(TestHost.Always("mail"));
        await host.NotifyAsync(["admin@example.jp"]);
        host.World.AddDevice("d000000000000001", "cars", "x\r\nBcc: thief@example.com\r\n\r\n<script>alert(1)</script>\u202Egnp");
        var finding = host.Finding("f1");
        host.Commit(finding with { Evidence = finding.Evidence with { Facts = new Dictionary<string, string> { ["window"] = "\r\n.\r\nMAIL FROM:<thief@example.com>" } } });
        await host.Worker.DrainAsync();

        var mail = await smtp.NextAsync();
        Assert.Equal(["admin@example.jp"], mail.To);
        Assert.DoesNotContain("bcc", mail.Headers);
        Assert.DoesNotContain("\nBcc:", mail.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("\nMAIL FROM", mail.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", mail.Html, StringComparison.Ordinal);
        Assert.DoesNotContain('\u202E', mail.Subject);
    }

    [Fact]
    public async Task A_wrong_password_ends_as_failed_and_visible_and_says_nothing_secret()
    {
        await using var smtp = await SmtpServer.StartAsync(null, "--cert", TestCertificates.CertFile, "--key", TestCertificates.KeyFile, "--user", "gate", "--password", "right");
        await using var host = await TestHost.StartAsync(Dialect.Sqlite,
            [.. Plain(smtp), .. TestHost.QuickRetries, ("Response:Mail:Host", "localhost"), ("Response:Mail:UseStartTls", "true"), ("Response:Mail:User", "gate"), ("Response:Mail:PasswordSecret", "wrong-password")]);
        host.Bind(TestHost.Always("mail"));
        await host.NotifyAsync(["admin@example.jp"]);
        host.Commit(host.Finding("f1"));
        var lease = await host.UseUpTriesAsync();
        Assert.Equal((LeaseStates.Failed, 3), (lease.State, lease.Attempts));
        Assert.NotNull(lease.Details.LastError);
        Assert.DoesNotContain("wrong-password", lease.Details.LastError, StringComparison.Ordinal);
        Assert.DoesNotContain("example.jp", lease.Details.LastError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_without_STARTTLS_gets_nothing_when_TLS_is_asked_for()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, [.. Plain(smtp), ("Response:Mail:UseStartTls", "true")]);
        host.Bind(TestHost.Always("mail"));
        await host.NotifyAsync(["admin@example.jp"]);
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        Assert.Equal((LeaseStates.Due, 1), ((await host.OnlyLeaseAsync()).State, (await host.OnlyLeaseAsync()).Attempts));
        Assert.Empty(smtp.Taken(0));
    }

    [Fact]
    public async Task A_mail_waits_for_a_server_that_is_down_and_arrives_once_it_is_back()
    {
        var port = FreePort.Next();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, Plain(port));
        host.Bind(TestHost.Always("mail"));
        await host.NotifyAsync(["admin@example.jp"]);
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        Assert.Equal(LeaseStates.Due, (await host.OnlyLeaseAsync()).State);

        await using var smtp = await SmtpServer.StartAsync(port, "--busy", "1");
        host.Clock.Advance(TimeSpan.FromSeconds(10));
        await host.Worker.DrainAsync();
        Assert.Equal(2, (await host.OnlyLeaseAsync()).Attempts);
        host.Clock.Advance(TimeSpan.FromSeconds(20));
        await host.Worker.DrainAsync();
        Assert.Equal((LeaseStates.Done, 3), ((await host.OnlyLeaseAsync()).State, (await host.OnlyLeaseAsync()).Attempts));
        Assert.Single(smtp.Taken(1));
    }

    [Fact]
    public async Task One_refused_recipient_neither_keeps_the_others_from_reading_nor_makes_them_read_twice()
    {
        await using var smtp = await SmtpServer.StartAsync(null, "--refuse", "gone@example.jp");
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, [.. Plain(smtp), .. TestHost.QuickRetries]);
        host.Bind(TestHost.Always("mail"));
        await host.NotifyAsync(["admin@example.jp", "gone@example.jp", "second@example.jp"]);
        host.Commit(host.Finding("f1"));
        for (var i = 0; i < 3; i++)
        {
            await host.Worker.DrainAsync();
            host.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        var mail = Assert.Single(smtp.Taken(1));
        Assert.Equal(["admin@example.jp", "second@example.jp"], mail.To.Order());
        var lease = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Done, LeaseCauses.SomeRefused, 1), (lease.State, lease.Details.Cause, lease.Attempts));
        using var client = host.Client(Roles.Auditor);
        var shown = await client.GetFromJsonAsync<JsonElement>("/api/v1/fields/cars/responses/" + lease.Id);
        Assert.Equal("g***@example.jp", Assert.Single(shown.GetProperty("refusedAddresses").EnumerateArray()).GetString());
        Assert.DoesNotContain(host.Log.Lines, l => l.Contains("gone@", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_list_with_a_refused_address_is_told_once_of_the_same_and_told_when_it_is_taken_back()
    {
        await using var smtp = await SmtpServer.StartAsync(null, "--refuse", "gone@example.jp");
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, Plain(smtp));
        host.Bind(TestHost.Always("mail"));
        using (var client = host.Client(Roles.Administrator))
        {
            object[] recipients = [new { address = "admin@example.jp", role = "administrator" }, new { address = "gone@example.jp", role = "administrator" }];
            (await client.PutAsJsonAsync("/api/v1/fields/cars/notification", new { recipients, sameMinutes = 30 })).EnsureSuccessStatusCode();
        }

        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        host.Clock.Advance(TimeSpan.FromMinutes(1));
        host.Commit(host.Finding("f2"));
        await host.Worker.DrainAsync();
        Assert.Equal(["admin@example.jp"], Assert.Single(smtp.Taken(1)).To);
        host.Retract("f1");
        await host.Worker.DrainAsync();
        var notice = Assert.Single(smtp.Taken(1));
        Assert.Equal(["admin@example.jp"], notice.To);
        Assert.Contains("検知の取り消し", notice.Subject, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_mail_that_every_address_of_its_list_refuses_ends_as_failed_and_names_no_address()
    {
        await using var smtp = await SmtpServer.StartAsync(null, "--refuse", "gone@example.jp,left@example.jp");
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, [.. Plain(smtp), .. TestHost.QuickRetries]);
        host.Bind(TestHost.Always("mail"));
        await host.NotifyAsync(["gone@example.jp", "left@example.jp"]);
        host.Commit(host.Finding("f1"));
        var lease = await host.UseUpTriesAsync();
        Assert.Equal((LeaseStates.Failed, 3), (lease.State, lease.Attempts));
        Assert.DoesNotContain("@", lease.Details.LastError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_is_refused_for_now_gets_the_mail_later_and_nobody_gets_it_twice()
    {
        await using var smtp = await SmtpServer.StartAsync(null, "--refuse", "gone@example.jp", "--later", "busy@example.jp");
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, [.. Plain(smtp), .. TestHost.QuickRetries]);
        host.Bind(TestHost.Always("mail"));
        await host.NotifyAsync(["admin@example.jp", "gone@example.jp", "busy@example.jp"]);
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        Assert.Equal(["admin@example.jp"], Assert.Single(smtp.Taken(1)).To);
        Assert.Equal(LeaseStates.Due, (await host.OnlyLeaseAsync()).State);
        host.Clock.Advance(TimeSpan.FromSeconds(10));
        await host.Worker.DrainAsync();
        Assert.Equal(["busy@example.jp"], Assert.Single(smtp.Taken(1)).To);
        Assert.Equal((LeaseStates.Done, LeaseCauses.SomeRefused), ((await host.OnlyLeaseAsync()).State, (await host.OnlyLeaseAsync()).Details.Cause));
    }

    [Fact]
    public async Task A_server_that_says_nothing_costs_one_time_limit_and_holds_back_nothing_else()
    {
        using var mute = new TcpListener(IPAddress.Loopback, 0);
        mute.Start();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite,
            [.. Plain(((IPEndPoint)mute.LocalEndpoint).Port), ("Response:Leases:TryTimeout", "00:00:01")], clock: TimeProvider.System);
        host.Bind(TestHost.Always("mail"), TestHost.Always("suspend-authentication"));
        await host.NotifyAsync(["admin@example.jp"]);
        host.Commit(host.Finding("f1"));
        var watch = Stopwatch.StartNew();
        await host.Worker.DrainAsync();
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(60), $"{watch.Elapsed}");
        var leases = await host.LeasesAsync();
        Assert.Equal(LeaseStates.Done, leases.Single(l => l.Action == "suspend-authentication").State);
        Assert.Contains("00:00:01", leases.Single(l => l.Action == "mail").Details.LastError, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "", LeaseCauses.NoMailServer)]
    [InlineData("mail.example.jp", "user", LeaseCauses.PasswordInClear)]
    public async Task What_cannot_be_sent_as_things_are_set_is_shown_as_refused(string server, string user, string cause)
    {
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, [("Response:Mail:Host", server), ("Response:Mail:User", user), ("Response:Mail:UseStartTls", "false")]);
        host.Bind(TestHost.Always("mail"));
        await host.NotifyAsync(["admin@example.jp"]);
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        Assert.Equal((LeaseStates.Refused, cause), ((await host.OnlyLeaseAsync()).State, (await host.OnlyLeaseAsync()).Details.Cause));
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_storm_of_a_thousand_findings_costs_sixty_mails_a_summary_of_the_gravest_a_minute_later_and_one_that_counts_the_rest(Dialect dialect)
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await TestHost.StartAsync(dialect, [.. Plain(smtp), ("Response:Mail:MostAtOnce", "1000")]);
        host.Bind(TestHost.Always("mail"));
        await host.NotifyAsync(["admin@example.jp"]);
        host.Commit([.. Enumerable.Range(0, 1000).Select(i => host.Finding($"f{i}", level: i % 10 == 0 ? Levels.Critical : Levels.Warning, condition: "burst"))]);
        await host.Worker.DrainAsync();
        Assert.Equal(60, smtp.Taken(60).Count);
        var waiting = (await host.LeasesAsync()).Where(l => l.State == LeaseStates.Due).ToList();
        Assert.Equal(940, waiting.Count);

        // The highest level does not wait for the end of the hour.
        var grave = waiting.Count(l => l.Level == Levels.Critical);
        host.Clock.Advance(TimeSpan.FromMinutes(1));
        await host.Worker.DrainAsync();
        Assert.Contains($"緊急: {grave.ToString(CultureInfo.InvariantCulture)}\r\n", Assert.Single(smtp.Taken(1)).Text, StringComparison.Ordinal);

        host.Clock.Advance(TimeSpan.FromHours(1));
        await host.Worker.DrainAsync();
        var summary = Assert.Single(smtp.Taken(1));
        var rest = (940 - grave).ToString(CultureInfo.InvariantCulture);
        Assert.Contains(rest, summary.Subject, StringComparison.Ordinal);
        var leases = await host.LeasesAsync();
        Assert.All(leases, l => Assert.Equal(LeaseStates.Done, l.State));
        Assert.Equal(940, leases.Count(l => l.Details.Cause == LeaseCauses.InSummary));
        Assert.Contains($"警告: {rest}\r\n", summary.Text, StringComparison.Ordinal);
        Assert.Contains($"警告 / なりすまし / メッセージの集中: {rest}", summary.Text, StringComparison.Ordinal);
        Assert.Equal(100, summary.Text.Split('\n').Count(l => l.Contains("車両 1", StringComparison.Ordinal)));
        Assert.Contains($": {(940 - grave - 50).ToString(CultureInfo.InvariantCulture)}", summary.Text, StringComparison.Ordinal);

        host.Commit(host.Finding("later"));
        await host.Worker.DrainAsync();
        Assert.DoesNotContain("1000", Assert.Single(smtp.Taken(1)).Subject, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_summary_that_cannot_be_sent_is_tried_as_one_and_fails_as_one()
    {
        var port = FreePort.Next();
        await using var host = await TestHost.StartAsync(Dialect.Sqlite, [.. Plain(port), .. TestHost.QuickRetries, ("Response:Mail:MostPerHour", "1")]);
        host.Bind(TestHost.Always("mail"));
        await host.NotifyAsync(["admin@example.jp"]);
        await using (await SmtpServer.StartAsync(port))
        {
            host.Commit([.. Enumerable.Range(0, 5).Select(i => host.Finding($"f{i}"))]);
            await host.Worker.DrainAsync();
        }

        host.Clock.Advance(TimeSpan.FromHours(1));
        await host.Worker.DrainAsync();
        Assert.Equal([1, 1, 1, 1], (await host.LeasesAsync()).Where(l => l.State == LeaseStates.Due).Select(l => l.Attempts));
        for (var i = 0; i < 2; i++)
        {
            host.Clock.Advance(TimeSpan.FromMinutes(1));
            await host.Worker.DrainAsync();
        }

        Assert.Equal(4, (await host.LeasesAsync()).Count(l => l.State == LeaseStates.Failed));
    }

    private static (string, string?)[] Plain(SmtpServer server) => Plain(server.Port);

    private static (string, string?)[] Plain(int port) =>
    [
        ("Response:Mail:Host", "127.0.0.1"), ("Response:Mail:Port", port.ToString(CultureInfo.InvariantCulture)),
        ("Response:Mail:UseStartTls", "false"), ("Response:Mail:From", "gate@sekisho.example"),
    ];
}
