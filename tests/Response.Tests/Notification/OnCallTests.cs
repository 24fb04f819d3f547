using Sekisho.Domain.Detection;
using Sekisho.Response.Leases;
using Sekisho.Response.Notification.OnCall;
using Sekisho.Response.Tests.Support;
using Sekisho.Storage;

namespace Sekisho.Response.Tests.Notification;

public class OnCallTests
{
    internal static readonly (string, string?) WithLink = ("Response:OnCall:PublicAddress", "https://gate.example.jp:9443");

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task People_are_called_one_after_another_through_quiet_hours_twice_and_then_the_administrators_learn_that_nobody_acknowledged(Dialect dialect)
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await StartAsync(smtp, dialect);
        host.Clock.Leap(TimeSpan.FromHours(15));
        host.Commit(host.Finding("f1"), host.Finding("low", level: Levels.Warning));
        foreach (var (person, round) in new[] { ("first@example.jp", 1), ("second@example.jp", 1), ("third@example.jp", 1), ("first@example.jp", 2), ("second@example.jp", 2), ("third@example.jp", 2) })
        {
            await host.Worker.DrainAsync();
            var mail = Assert.Single(await ContactTimesTests.ThisFarAsync(smtp));
            Assert.Equal([person], mail.To);
            Assert.StartsWith("【呼び出し】【Sekisho】重要", mail.Subject, StringComparison.Ordinal);
            Assert.Contains($"{round}巡目", mail.Text, StringComparison.Ordinal);
            Assert.Contains("/api/v1/fields/cars/detections/handle", mail.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("token=", mail.Raw, StringComparison.Ordinal);
            Assert.Contains("根拠: 測定値", mail.Text, StringComparison.Ordinal);
            ContactTimesTests.AssertWhole(mail);
            host.Clock.Leap(TimeSpan.FromMinutes(10) - TimeSpan.FromMilliseconds(1));
            await host.Worker.DrainAsync();
            Assert.Empty(await ContactTimesTests.ThisFarAsync(smtp));
            host.Clock.Leap(TimeSpan.FromMilliseconds(1));
        }

        await host.Worker.DrainAsync();
        await host.Worker.DrainAsync();
        var notice = Assert.Single(await ContactTimesTests.ThisFarAsync(smtp));
        Assert.Equal(["boss@example.jp"], notice.To);
        Assert.Contains("応答していません", notice.Subject, StringComparison.Ordinal);
        ContactTimesTests.AssertWhole(notice);
        var leases = await host.LeasesAsync();
        Assert.Equal((LeaseStates.Done, LeaseCauses.NobodyAcknowledged), Of(leases, "f1"));
        Assert.Equal((LeaseStates.Refused, LeaseCauses.BelowOnCall), Of(leases, "low"));
    }

    [Fact]
    public async Task Acknowledging_by_the_list_of_detections_ends_the_call_too()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await StartAsync(smtp, Dialect.Sqlite);
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        await host.World.LabelAsync(["f1"], null, null, "hanako", host.Time.GetUtcNow(), "c", default);
        var lease = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Done, LeaseCauses.Acknowledged, "hanako"), (lease.State, lease.Details.Cause, lease.Details.Acknowledged!.By));
        host.Clock.Leap(TimeSpan.FromHours(1));
        await host.Worker.DrainAsync();
        Assert.Single(await ContactTimesTests.ThisFarAsync(smtp));
    }

    [Fact]
    public async Task What_joins_a_call_after_its_last_person_was_told_calls_from_the_beginning_and_no_earlier_link_acknowledges_it()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await StartAsync(smtp, Dialect.Sqlite, WithLink);
        host.Commit(host.Finding("f1"));
        var tokens = new List<string>();
        for (var step = 0; step < 6; step++)
        {
            await host.Worker.DrainAsync();
            tokens.Add(AcknowledgeTests.TokenOf(Assert.Single(await ContactTimesTests.ThisFarAsync(smtp))));
            host.Clock.Leap(step < 5 ? TimeSpan.FromMinutes(10) : TimeSpan.FromMinutes(5));
        }

        // The same device and condition, while the last person is waited for.
        host.Commit(host.Finding("f2"));
        await host.Worker.DrainAsync();
        Assert.Empty(await ContactTimesTests.ThisFarAsync(smtp));
        host.Clock.Leap(TimeSpan.FromMinutes(5));
        await host.Worker.DrainAsync();
        await host.Worker.DrainAsync();
        var mails = await ContactTimesTests.ThisFarAsync(smtp);
        Assert.Equal(["boss@example.jp", "first@example.jp"], mails.Select(m => m.To.Single()).Order());
        Assert.Equal((LeaseStates.Done, LeaseCauses.NobodyAcknowledged), Of(await host.LeasesAsync(), "f1"));
        Assert.Equal(LeaseStates.Due, Of(await host.LeasesAsync(), "f2").Item1);

        using var client = AcknowledgeTests.Anonymous(host);
        await AcknowledgeTests.PostAsync(client, tokens[5]);
        Assert.DoesNotContain("f2", host.World.Handled.Keys);
        host.Clock.Leap(TimeSpan.FromMinutes(10));
        await host.Worker.DrainAsync();
        var next = Assert.Single(await ContactTimesTests.ThisFarAsync(smtp));
        Assert.Equal(["second@example.jp"], next.To);
        await AcknowledgeTests.PostAsync(client, AcknowledgeTests.TokenOf(next));
        Assert.Contains("f2", host.World.Handled.Keys);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task What_is_taken_back_ends_no_call_that_falls_due_with_it(Dialect dialect)
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await StartAsync(smtp, dialect);
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        Assert.Single(await ContactTimesTests.ThisFarAsync(smtp));
        host.Retract("f1");
        host.Clock.Leap(TimeSpan.FromMilliseconds(1));
        host.Commit([.. Enumerable.Range(0, 6).Select(i => host.Finding($"c{i}", "d000000000000002", level: Levels.Critical, condition: $"k{i}"))]);
        await host.Worker.DrainAsync();
        var mails = await ContactTimesTests.ThisFarAsync(smtp);
        Assert.Equal(5, mails.Count(m => m.Subject.StartsWith("【呼び出し】", StringComparison.Ordinal)));
        Assert.Contains("検知の取り消し", Assert.Single(mails, m => !m.Subject.StartsWith("【呼び出し】", StringComparison.Ordinal)).Subject, StringComparison.Ordinal);
        Assert.All((await host.LeasesAsync()).Where(l => l.Level == Levels.Critical), l => Assert.Equal(LeaseStates.Due, l.State));
        host.Clock.Leap(TimeSpan.FromMinutes(10));
        await host.Worker.DrainAsync();
        Assert.All(await ContactTimesTests.ThisFarAsync(smtp), m => Assert.Equal(["second@example.jp"], m.To));
    }

    [Fact]
    public async Task Of_many_that_are_taken_back_everybody_is_told_in_one_mail_of_those_they_were_called_for()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await StartAsync(smtp, Dialect.Sqlite, ("Response:Mail:MostAtOnce", "2"));
        host.Commit(host.Finding("f1", condition: "k1"));
        await host.Worker.DrainAsync();
        host.Clock.Leap(TimeSpan.FromMinutes(10));
        host.Commit(host.Finding("f2", condition: "k2"), host.Finding("f3", condition: "k3"));
        await host.Worker.DrainAsync();
        host.Clock.Leap(TimeSpan.FromMinutes(10));
        await host.Worker.DrainAsync();
        Assert.Equal(["first", "first", "second", "second", "third"], (await ContactTimesTests.ThisFarAsync(smtp)).Select(m => m.To.Single().Split('@')[0]).Order(StringComparer.Ordinal));

        host.Retract("f1", "f2", "f3");
        await host.Worker.DrainAsync();
        var mails = await ContactTimesTests.ThisFarAsync(smtp);
        Assert.Equal(["first@example.jp second@example.jp", "third@example.jp"], mails.Select(m => string.Join(' ', m.To.Order(StringComparer.Ordinal))).Order(StringComparer.Ordinal));
        var digest = mails.MaxBy(m => m.To.Length)!;
        Assert.Equal("【Sekisho】検知の取り消し 3件", digest.Subject);
        Assert.Contains("対応は不要です", digest.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("このうち", digest.Text, StringComparison.Ordinal);
        Assert.All((await host.LeasesAsync()).Where(l => l.Details.TellsRetraction), l => Assert.Equal(LeaseStates.Done, l.State));
    }

    [Fact]
    public async Task Who_is_being_called_while_the_detection_is_taken_back_is_told_too()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await StartAsync(smtp, Dialect.Sqlite);
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        Assert.Single(await ContactTimesTests.ThisFarAsync(smtp));
        host.Clock.Leap(TimeSpan.FromMinutes(10));
        var now = host.Time.GetUtcNow();
        var call = (await host.Leases.ChangeAsync((await host.OnlyLeaseAsync()).Id, l => LeaseMachine.Claim(l, "another node", null, canUndo: false, now, new LeaseSettings()), default))!;
        host.Retract("f1");
        await host.Worker.DrainAsync();
        Assert.Empty(await ContactTimesTests.ThisFarAsync(smtp));

        var told = Call.Of([call]).With(new CallStep("second@example.jp", 1, now)).Store();
        await host.Leases.ChangeAsync(call.Id, l => LeaseMachine.Joined(l, call.GroupKey, now.AddMinutes(10), told, now), default);
        host.Clock.Leap(TimeSpan.FromSeconds(5));
        await host.Worker.DrainAsync();
        Assert.Equal(["first@example.jp", "second@example.jp"], Assert.Single(await ContactTimesTests.ThisFarAsync(smtp)).To.Order(StringComparer.Ordinal));
        Assert.Equal((LeaseStates.Refused, LeaseCauses.FindingRetracted), ((await host.Leases.FindAsync(call.Id, default))!.State, (await host.Leases.FindAsync(call.Id, default))!.Details.Cause));
    }

    [Fact]
    public async Task A_storm_is_a_few_calls_and_one_link_acknowledges_all_that_joined_its_call()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await StartAsync(smtp, Dialect.Sqlite, WithLink);
        host.Commit([.. Enumerable.Range(0, 2000).Select(i => host.Finding($"f{i}", $"d00000000000000{1 + (i % 3)}", condition: $"k{i % 50}"))]);
        await host.Worker.DrainAsync();
        Assert.Equal(5, (await ContactTimesTests.ThisFarAsync(smtp)).Count);
        host.Clock.Leap(TimeSpan.FromMinutes(10));
        await host.Worker.DrainAsync();
        var second = await ContactTimesTests.ThisFarAsync(smtp);
        Assert.Equal(5, second.Count);
        Assert.All(second, m => Assert.Equal(["second@example.jp"], m.To));
        var most = second.MaxBy(m => m.Raw.Length)!;
        Assert.Matches("^【呼び出し】【Sekisho】検知 [0-9]+件（重要 [0-9]+）$", most.Subject);
        Assert.InRange(most.Raw.Length, 1000, 200_000);
        ContactTimesTests.AssertWhole(most);
        using var client = AcknowledgeTests.Anonymous(host);
        foreach (var mail in second)
        {
            await AcknowledgeTests.PostAsync(client, AcknowledgeTests.TokenOf(mail));
        }

        Assert.Equal(2000, host.World.Labels.Count);
        host.Clock.Leap(TimeSpan.FromHours(1));
        await host.Worker.DrainAsync();
        Assert.Empty(await ContactTimesTests.ThisFarAsync(smtp));
        Assert.All(await host.LeasesAsync(), l => Assert.Equal((LeaseStates.Done, LeaseCauses.Acknowledged), (l.State, l.Details.Cause)));
    }

    [Fact]
    public async Task An_order_that_is_changed_during_a_call_holds_from_the_next_step_on_and_an_address_that_is_refused_is_passed_over_at_once()
    {
        await using var smtp = await SmtpServer.StartAsync(null, "--refuse", "refused@example.jp");
        await using var host = await StartAsync(smtp, Dialect.Sqlite);
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        await SetAsync(host, "new@example.jp", "refused@example.jp", "first@example.jp", "last@example.jp");
        foreach (var person in new[] { "first@example.jp", "new@example.jp", "last@example.jp" })
        {
            Assert.Equal([person], Assert.Single(await ContactTimesTests.ThisFarAsync(smtp)).To);
            host.Clock.Leap(TimeSpan.FromMinutes(10));
            await host.Worker.DrainAsync();
        }
    }

    [Fact]
    public async Task Whose_server_says_later_is_tried_again_and_no_one_else_is_called_for_it()
    {
        await using var smtp = await SmtpServer.StartAsync(null, "--later", "first@example.jp");
        await using var host = await StartAsync(smtp, Dialect.Sqlite);
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        Assert.Empty(await ContactTimesTests.ThisFarAsync(smtp));
        var lease = await host.OnlyLeaseAsync();
        Assert.Equal((LeaseStates.Due, 1), (lease.State, lease.Attempts));
        Assert.DoesNotContain("first@", lease.Details.LastError, StringComparison.Ordinal);
        host.Clock.Leap(TimeSpan.FromSeconds(10));
        await host.Worker.DrainAsync();
        Assert.Equal(["first@example.jp"], Assert.Single(await ContactTimesTests.ThisFarAsync(smtp)).To);
        host.Clock.Leap(TimeSpan.FromMinutes(10));
        await host.Worker.DrainAsync();
        Assert.Equal(["second@example.jp"], Assert.Single(await ContactTimesTests.ThisFarAsync(smtp)).To);
    }

    [Fact]
    public async Task Whose_server_says_later_for_too_long_is_passed_over()
    {
        await using var smtp = await SmtpServer.StartAsync(null, "--later", "first@example.jp", "--later-times", "1000");
        await using var host = await StartAsync(smtp, Dialect.Sqlite);
        host.Commit(host.Finding("f1"));
        for (var minute = 0; minute < 10; minute++)
        {
            await host.Worker.DrainAsync();
            Assert.Empty(await ContactTimesTests.ThisFarAsync(smtp));
            host.Clock.Leap(TimeSpan.FromMinutes(1));
        }

        // The next try falls due within the double of the last pause.
        host.Clock.Leap(TimeSpan.FromMinutes(6));
        await host.Worker.DrainAsync();
        Assert.Equal(["second@example.jp"], Assert.Single(await ContactTimesTests.ThisFarAsync(smtp)).To);
    }

    [Fact]
    public async Task When_no_address_is_taken_the_administrators_learn_that_nobody_was_told()
    {
        await using var smtp = await SmtpServer.StartAsync(null, "--refuse", "first@example.jp,second@example.jp,third@example.jp");
        await using var host = await StartAsync(smtp, Dialect.Sqlite);
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        await host.Worker.DrainAsync();
        var notice = Assert.Single(await ContactTimesTests.ThisFarAsync(smtp));
        Assert.Equal(["boss@example.jp"], notice.To);
        Assert.Equal("【Sekisho】当番の誰にも通知が届いていません", notice.Subject);
        ContactTimesTests.AssertWhole(notice);
        Assert.Equal((LeaseStates.Done, LeaseCauses.NobodyReached), Of(await host.LeasesAsync(), "f1"));

        // Nobody has anything to be taken back.
        host.Retract("f1");
        await host.Worker.DrainAsync();
        Assert.Empty(await ContactTimesTests.ThisFarAsync(smtp));
    }

    [Fact]
    public async Task A_call_goes_on_after_a_kill_where_it_was_and_a_clock_that_is_set_back_does_not_stop_it()
    {
        await using var smtp = await SmtpServer.StartAsync();
        await using var host = await StartAsync(smtp, Dialect.Sqlite);
        host.Commit(host.Finding("f1"));
        await host.Worker.DrainAsync();
        await host.RestartAfterKillAsync();
        host.Clock.Leap(TimeSpan.FromMinutes(10));
        await host.Worker.DrainAsync();
        Assert.Equal(["first@example.jp", "second@example.jp"], (await ContactTimesTests.ThisFarAsync(smtp)).Select(m => m.To.Single()));
        host.Clock.Leap(TimeSpan.FromHours(-1));
        await host.Worker.DrainAsync();
        host.Clock.Leap(TimeSpan.FromMinutes(70));
        await host.Worker.DrainAsync();
        Assert.Equal(["third@example.jp"], Assert.Single(await ContactTimesTests.ThisFarAsync(smtp)).To);
    }

    internal static async Task<TestHost> StartAsync(SmtpServer smtp, Dialect dialect, params (string, string?)[] more)
    {
        var host = await ContactTimesTests.StartAsync(smtp.Port, dialect, "mail-on-call", more);
        host.World.Labelled = label =>
        {
            foreach (var id in label.FindingIds)
            {
                host.World.Handled[id] = true;
            }

            host.Store.Databases.State.Write(t => host.Get<IEnumerable<IFindingLabelPart>>().ToList().ForEach(p => p.Labelled(label, t)));
        };
        await SetAsync(host, "first@example.jp", "second@example.jp", "third@example.jp");
        return host;
    }

    private static Task SetAsync(TestHost host, params string[] persons) => ContactTimesTests.SetAsync(host, new
    {
        recipients = new[] { ContactTimesTests.At("boss@example.jp") },
        quietHours = new { periods = new[] { new { days = new[] { "wednesday", "thursday" }, from = "22:00", to = "07:00" } } },
        onCall = new { persons, minutes = 10, level = "important" },
    });

    private static (string, string?) Of(IReadOnlyList<Lease> leases, string finding) => leases.Single(l => l.FindingId == finding) is var lease ? (lease.State, lease.Details.Cause) : default;
}
