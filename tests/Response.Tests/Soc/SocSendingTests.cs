using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.History;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Response.Tests.Soc;

public class SocSendingTests
{
    private static readonly TestCa Ca = new("Sekisho test authority");

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task Every_record_arrives_in_order_also_when_the_receiver_crashes_and_comes_back(Dialect dialect)
    {
        await using var rsyslog = await Rsyslog.StartAsync(Ca);
        await using var host = await SocHost.StartAsync(dialect);
        var id = await host.AddReceiverAsync(SocHost.Receiver(rsyslog, Ca, allowed: ["operators"]));
        const int All = 600;
        for (var number = 0; number < All; number++)
        {
            await host.AppendAsync(SocHost.Operation(number));
            if (number is 150 or 350)
            {
                await rsyslog.KillAsync();
            }

            if (number is 250 or 450)
            {
                await rsyslog.StartAsync();
            }
        }

        await host.SettledAsync(id);
        var got = rsyslog.Read().Select(l => l["what"]!).Distinct().ToList();
        Assert.Equal(Enumerable.Range(0, All).Select(n => $"device.change-{n}"), got);
        Assert.All(rsyslog.Read().GroupBy(l => l["what"]), g => Assert.Single(g.Select(l => l["eventId"]).Distinct()));
    }

    [Fact]
    public async Task Rsyslog_understands_every_field_of_a_detection()
    {
        await using var rsyslog = await Rsyslog.StartAsync(Ca);
        await using var host = await SocHost.StartAsync(Dialect.Sqlite);
        using var client = host.Client();
        Assert.True((await client.PutAsJsonAsync("/api/v1/fields/cars/soc", new { sector = "logistics", shared = false })).IsSuccessStatusCode);
        var id = await host.AddReceiverAsync(SocHost.Receiver(rsyslog, Ca, allowed: ["names", "addresses"], language: "ja"));
        var finding = await host.RaiseAsync("f0000000000000000000000000000001");
        await host.SettledAsync(id);
        var line = Assert.Single(rsyslog.Read());
        Assert.Equal((10 * 8) + 3, line.Priority);
        Assert.Equal("gate-1", line.Host);
        Assert.Equal("sekisho", line.App);
        Assert.Equal("detection", line.MessageId);
        Assert.Equal(finding.RaisedAt.ToOffset(TimeSpan.FromHours(9)).ToString("yyyy-MM-ddTHH:mm:ss.fffzzz", CultureInfo.InvariantCulture), line.Time);
        Assert.StartsWith("[sekisho@32473 ", line.Structured, StringComparison.Ordinal);
        Assert.Equal("gate-1/1", line["eventId"]);
        Assert.Equal("important", line["level"]);
        Assert.Equal("takeover", line["risk"]);
        Assert.Equal("denial-of-service", line["threat"]);
        Assert.Equal("cars", line["field"]);
        Assert.Equal("logistics", line["sector"]);
        Assert.Equal("d000000000000001", line["device"]);
        Assert.Equal(finding.Id, line["finding"]);
        Assert.Equal("T0814 T1499", line["technique"]);
        Assert.Equal(finding.CorrelationId, line["correlationId"]);
        Assert.Null(line["leftOut"]);
        var cef = CefText.Parse(line.Message.TrimStart());
        Assert.Equal(["CEF:0", "Sekisho", "Sekisho", "0.1.0", "frequency"], cef.Header[..5]);
        Assert.Equal("7", cef.Header[6]);
        Assert.Equal("198.51.100.7", cef.Extension["src"]);
        Assert.Equal("車両 1", cef.Extension["sekishoDeviceName"]);
        Assert.Equal("120", cef.Extension["sekishoMeasured"]);
        Assert.Contains("車両 1", cef.Extension["msg"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_marked_stays_here_unless_the_receiver_is_allowed_it_and_the_event_names_what_was_left_out()
    {
        await using var rsyslog = await Rsyslog.StartAsync(Ca);
        await using var host = await SocHost.StartAsync(Dialect.Sqlite);
        var id = await host.AddReceiverAsync(SocHost.Receiver(rsyslog, Ca, "ecs"));
        await host.RaiseAsync("f0000000000000000000000000000001", facts: new Dictionary<string, string> { ["window"] = "60 s", ["source"] = "198.51.100.7", ["new"] = "Mozilla/5.0 hanako", ["unheard-of"] = "1" });
        await host.AppendAsync(SocHost.Operation(1, details: """{"target":"deviceId=d1","outcome":"asked","reason":"Tanaka asked for it","address":"203.0.113.9","limit":"203.0.113.10"}"""));
        await host.RaiseAsync("f0000000000000000000000000000002", condition: "value");
        await host.SettledAsync(id);
        var lines = rsyslog.Read();
        Assert.Equal("new source unheard-of", lines[0]["leftOut"]!.Replace("deviceName ", "", StringComparison.Ordinal).Replace("fieldName ", "", StringComparison.Ordinal));
        Assert.Equal("actor address fieldName limit reason target", lines[1]["leftOut"]);
        Assert.Contains("measured", lines[2]["leftOut"], StringComparison.Ordinal);
        var all = string.Join('\n', lines.Select(l => l.Structured + l.Message));
        foreach (var secret in (string[])["198.51.100.7", "hanako", "Tanaka", "203.0.113", "車両", "deviceId=d1", "Field cars"])
        {
            Assert.DoesNotContain(secret, all, StringComparison.Ordinal);
        }

        Assert.DoesNotMatch(@"\b120\b", lines[2].Message);
        Assert.Equal("60 s", JsonNode.Parse(lines[0].Message)!["sekisho"]!["details"]!["window"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("cef")]
    [InlineData("ecs")]
    [InlineData("ocsf")]
    public async Task A_person_s_own_identifier_stays_here_also_in_sentences_unless_the_receiver_is_allowed_it(string format)
    {
        const string Person = "d000000000000001";
        await using var rsyslog = await Rsyslog.StartAsync(Ca);
        await using var host = await SocHost.StartAsync(Dialect.Sqlite);
        host.World.Devices[Person] = host.World.Devices[Person] with { UniqueIdType = UniqueIdTypes.User };
        var id = await host.AddReceiverAsync(SocHost.Receiver(rsyslog, Ca, format));
        var told = await host.AddReceiverAsync(SocHost.Receiver(rsyslog, Ca, format, allowed: ["identifiers"]));
        await host.RaiseAsync("f0000000000000000000000000000001");
        await host.AppendAsync(SocHost.Operation(1, actor: Person, kind: HistoryKinds.Authentication, details: "{}") with { What = AuthenticationOutcomes.WrongSecret, DeviceId = Person });
        await host.AppendAsync(SocHost.Operation(2, kind: HistoryKinds.DeviceState, details: "{}") with { What = LifecycleStates.Abnormal, DeviceId = Person });
        await host.SettledAsync(id);
        await host.SettledAsync(told);
        var lines = rsyslog.Read();
        Assert.Equal((3, 3), (lines.Count(l => l.Structured.Contains(Person, StringComparison.Ordinal) && l.Message.Contains(Person, StringComparison.Ordinal)), lines.Count(l => l["leftOut"]?.Contains("deviceId", StringComparison.Ordinal) == true)));
        Assert.All(lines.Where(l => l["leftOut"]?.Contains("deviceId", StringComparison.Ordinal) == true), l => Assert.DoesNotContain(Person, l.Structured + l.Message, StringComparison.Ordinal));
        Assert.Contains(lines, l => l.Message.Contains("Authentication of -: wrong secret.", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.Message.Contains($"Device {Person}: locked as abnormal.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_receiver_of_another_authority_is_refused_and_its_owner_told()
    {
        var other = new TestCa("Somebody else");
        await using var rsyslog = await Rsyslog.StartAsync(other);
        await using var host = await SocHost.StartAsync(Dialect.Sqlite);
        var id = await host.AddReceiverAsync(SocHost.Receiver(rsyslog, Ca), connected: false);
        await host.AppendAsync(SocHost.Operation(1));
        await Until.TrueAsync(async () => (await host.SendingAsync(id))["fault"]?.GetValue<string>() == "not-trusted", "no fault is shown");
        Assert.False((await host.SendingAsync(id))["connected"]!.GetValue<bool>());
        Assert.Equal(1, (await host.SendingAsync(id))["waiting"]!.GetValue<long>());
        Assert.Empty(rsyslog.Read());

        // Put right, it gets what waited.
        using var client = host.Client();
        Assert.True((await client.PutAsJsonAsync($"/api/v1/fields/cars/soc/receivers/{id}", SocHost.Receiver(rsyslog, other))).IsSuccessStatusCode);
        await host.SettledAsync(id);
        Assert.Equal("device.change-1", Assert.Single(rsyslog.Read())["what"]);
    }

    [Fact]
    public async Task A_receiver_that_asks_for_a_certificate_is_shown_ours_and_nobody_is_shown_the_key()
    {
        await using var rsyslog = await Rsyslog.StartAsync(Ca, asksForCertificate: true);
        await using var host = await SocHost.StartAsync(Dialect.Sqlite);
        var without = await host.AddReceiverAsync(SocHost.Receiver(rsyslog, Ca), connected: false);
        await Until.TrueAsync(async () => (await host.SendingAsync(without))["fault"] is not null, "it is let in without a certificate");
        var id = await host.AddReceiverAsync(SocHost.Receiver(rsyslog, Ca, client: Ca));
        await host.AppendAsync(SocHost.Operation(1));
        await host.SettledAsync(id);
        Assert.Contains(rsyslog.Read(), l => l["what"] == "device.change-1");
        using var client = host.Client();
        var key = string.Concat(Ca.Client.Key.Split('\n')[1..^1]);
        Assert.DoesNotContain("PRIVATE KEY", await client.GetStringAsync("/api/v1/fields/cars/soc/receivers"), StringComparison.Ordinal);
        foreach (var file in Directory.GetFiles(host.Store.Folder))
        {
            var text = System.Text.Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file));
            Assert.DoesNotContain(key[..32], text, StringComparison.Ordinal);
            Assert.DoesNotContain("BEGIN PRIVATE KEY", text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task What_is_too_much_for_a_receiver_that_was_away_is_given_up_counted_and_told(Dialect dialect)
    {
        await using var rsyslog = await Rsyslog.StartAsync(Ca);
        await using var host = await SocHost.StartAsync(dialect);
        var id = await host.AddReceiverAsync(SocHost.Receiver(rsyslog, Ca, mostRecords: 10));
        await rsyslog.KillAsync();
        await Until.TrueAsync(async () => !(await host.SendingAsync(id))["connected"]!.GetValue<bool>(), "the break is not noticed");
        await host.AppendAsync([.. Enumerable.Range(0, 50).Select(n => SocHost.Operation(n))]);
        await Until.TrueAsync(async () => (await host.SendingAsync(id))["skipped"]!.GetValue<long>() > 0, "nothing is given up");
        await rsyslog.StartAsync();
        await host.SettledAsync(id);
        var lines = rsyslog.Read();
        Assert.Equal("skipped", lines[0]["what"]);
        Assert.Equal("soc", lines[0].MessageId);
        var skipped = (await host.SendingAsync(id))["skipped"]!.GetValue<long>();
        Assert.Equal($"{skipped}", CefText.Parse(lines[0].Message.TrimStart()).Extension["sekishoRecords"]);
        Assert.Equal(Enumerable.Range((int)skipped, 50 - (int)skipped).Select(n => $"device.change-{n}"), lines.Skip(1).Select(l => l["what"]!).Where(w => w != "soc-skipped").Distinct());
        Assert.InRange(skipped, 38, 41);
        using var client = host.Client();
        Assert.Equal(0, (await host.Get<Response.Soc.Receivers.SocStore>().ProgressAsync(id, default))!.Untold);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_receiver_that_is_away_is_shown_behind_also_when_much_of_another_field_comes_before_what_waits_for_it(Dialect dialect)
    {
        await using var rsyslog = await Rsyslog.StartAsync(Ca);
        await using var host = await SocHost.StartAsync(dialect);
        var id = await host.AddReceiverAsync(SocHost.Receiver(rsyslog, Ca));
        await rsyslog.KillAsync();
        await Until.TrueAsync(async () => !(await host.SendingAsync(id))["connected"]!.GetValue<bool>(), "the break is not noticed");
        await host.AppendAsync([.. Enumerable.Range(0, 1_300).Select(n => SocHost.Operation(n, field: "homes"))]);
        await host.AppendAsync(SocHost.Operation(1_300) with { At = TimeProvider.System.GetUtcNow().AddMinutes(-5) });
        await Until.TrueAsync(async () => (await host.SendingAsync(id))["lagSeconds"]!.GetValue<long>() >= 300, "it is not shown how far behind the receiver is", TimeSpan.FromSeconds(15));
        Assert.Equal(1, (await host.SendingAsync(id))["waiting"]!.GetValue<long>());
        await rsyslog.StartAsync();
        await host.SettledAsync(id);
        Assert.Equal(0, (await host.SendingAsync(id))["lagSeconds"]!.GetValue<long>());
    }

    [Fact]
    public async Task A_receiver_that_takes_nothing_holds_no_other_back()
    {
        await using var rsyslog = await Rsyslog.StartAsync(Ca);
        await using var host = await SocHost.StartAsync(Dialect.Sqlite, settings: ("Response:Soc:Timeout", "00:00:02"));
        using var stuck = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        stuck.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        stuck.Listen();
        var slow = await host.AddReceiverAsync(new { name = "Slow", host = "127.0.0.1", port = ((IPEndPoint)stuck.LocalEndPoint!).Port, tls = false, format = "ocsf" });
        var good = await host.AddReceiverAsync(SocHost.Receiver(rsyslog, Ca));
        await host.AppendAsync([.. Enumerable.Range(0, 2000).Select(n => SocHost.Operation(n))]);
        await host.SettledAsync(good);
        Assert.Equal(2000, rsyslog.Read().Select(l => l["what"]).Distinct().Count());
        await Until.TrueAsync(async () => (await host.SendingAsync(slow))["fault"]?.GetValue<string>() == "too-slow", "slowness is not told");
        Assert.True((await host.SendingAsync(slow))["waiting"]!.GetValue<long>() > 0);
    }

    [Fact]
    public async Task A_receiver_that_stops_reading_after_its_handshake_is_told_as_too_slow_and_holds_up_neither_its_own_change_nor_the_stop()
    {
        var soon = TimeSpan.FromSeconds(15);
        await using var rsyslog = await Rsyslog.StartAsync(Ca);
        await using var stuck = new StuckReceiver(Ca);
        await using var host = await SocHost.StartAsync(Dialect.Sqlite, settings: ("Response:Soc:Timeout", "00:00:05"));
        var receiver = new { name = "Stuck", host = "localhost", port = stuck.Port, trustAnchors = Ca.Certificate, format = "ocsf" };
        var changed = await host.AddReceiverAsync(receiver);
        var kept = await host.AddReceiverAsync(receiver);
        await host.AppendAsync([.. Enumerable.Range(0, 2000).Select(n => SocHost.Operation(n))]);
        foreach (var id in (string[])[changed, kept])
        {
            await Until.TrueAsync(async () => (await host.SendingAsync(id))["fault"]?.GetValue<string>() == "too-slow", "slowness is not told", soon);
        }

        // It is connected again, and stuck again, when it is changed.
        await Until.TrueAsync(async () => (await host.SendingAsync(changed))["connected"]!.GetValue<bool>(), "it does not try again", soon);
        using var client = host.Client();
        Assert.True((await client.PutAsJsonAsync($"/api/v1/fields/cars/soc/receivers/{changed}", SocHost.Receiver(rsyslog, Ca))).IsSuccessStatusCode);
        await host.SettledAsync(changed).WaitAsync(soon);
        Assert.Equal(2000, rsyslog.Read().Select(l => l["what"]).Distinct().Count());
        await Until.TrueAsync(async () => (await host.SendingAsync(kept))["connected"]!.GetValue<bool>(), "it does not try again", soon);
        await host.StopAppAsync().WaitAsync(soon);
        await host.StartAppAsync();
    }

    [Fact]
    public async Task Two_gateways_feed_one_SOC_that_can_tell_them_apart()
    {
        await using var rsyslog = await Rsyslog.StartAsync(Ca);
        await using var one = await SocHost.StartAsync(Dialect.Sqlite, "gate-east");
        await using var two = await SocHost.StartAsync(Dialect.Sqlite, "gate-west");
        var ids = new[] { await one.AddReceiverAsync(SocHost.Receiver(rsyslog, Ca)), await two.AddReceiverAsync(SocHost.Receiver(rsyslog, Ca)) };
        for (var number = 0; number < 50; number++)
        {
            await one.AppendAsync(SocHost.Operation(number));
            await two.AppendAsync(SocHost.Operation(number));
        }

        await one.SettledAsync(ids[0]);
        await two.SettledAsync(ids[1]);
        foreach (var gateway in (string[])["gate-east", "gate-west"])
        {
            var mine = rsyslog.Read().Where(l => l.Host == gateway).ToList();
            Assert.Equal(Enumerable.Range(0, 50).Select(n => $"device.change-{n}"), mine.Select(l => l["what"]!).Distinct());
            Assert.All(mine, l => Assert.StartsWith(gateway + "/", l["eventId"], StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task The_gateways_receivers_get_the_gateways_records_and_those_of_fields_that_share_theirs()
    {
        await using var rsyslog = await Rsyslog.StartAsync(Ca);
        await using var host = await SocHost.StartAsync(Dialect.Sqlite);
        using var homes = host.Client(field: "homes");
        Assert.True((await homes.PutAsJsonAsync("/api/v1/fields/homes/soc", new { sector = "medical", shared = true })).IsSuccessStatusCode);
        var id = await host.AddReceiverAsync(SocHost.Receiver(rsyslog, Ca), field: "ops");
        await host.AppendAsync(SocHost.Operation(1, field: null), SocHost.Operation(2, field: "cars"), SocHost.Operation(3, field: "homes"));
        await host.SettledAsync(id, "ops");
        Assert.Equal(["device.change-1", "device.change-3"], rsyslog.Read().Select(l => l["what"]!));
        Assert.Equal("medical", rsyslog.Read()[1]["sector"]);
    }

    [Fact]
    public async Task Complaint15_A_receiver_gets_what_is_included_without_what_is_excluded()
    {
        await using var rsyslog = await Rsyslog.StartAsync(Ca);
        await using var host = await SocHost.StartAsync(Dialect.Sqlite);
        var id = await host.AddReceiverAsync(SocHost.Receiver(rsyslog, Ca, include: new { levels = new[] { "important", "critical" } }, exclude: new { conditions = new[] { "silence" }, kinds = new[] { "authentication" } }));
        await host.RaiseAsync("f0000000000000000000000000000001");
        await host.RaiseAsync("f0000000000000000000000000000002", level: Levels.Warning);
        await host.RaiseAsync("f0000000000000000000000000000003", condition: "silence", level: Levels.Critical);
        await host.AppendAsync(SocHost.Operation(4), SocHost.Operation(5, kind: HistoryKinds.Authentication), SocHost.Operation(6, kind: HistoryKinds.Refusal));
        await host.SettledAsync(id);
        Assert.Equal(["frequency", "device.change-4"], rsyslog.Read().Select(l => l["what"]!));
    }

    [Fact]
    public async Task A_gateway_that_is_started_again_goes_on_where_the_receiver_was()
    {
        await using var rsyslog = await Rsyslog.StartAsync(Ca);
        await using var host = await SocHost.StartAsync(Dialect.Sqlite);
        var id = await host.AddReceiverAsync(SocHost.Receiver(rsyslog, Ca));
        await host.AppendAsync(SocHost.Operation(1), SocHost.Operation(2));
        await host.SettledAsync(id);
        await host.StopAppAsync();
        await host.StartAppAsync();
        await host.AppendAsync(SocHost.Operation(3));
        await host.SettledAsync(id);
        Assert.Equal(["device.change-1", "device.change-2", "device.change-3"], rsyslog.Read().Select(l => l["what"]!));
        Assert.Equal(3, (await host.SendingAsync(id))["sent"]!.GetValue<long>());
    }

    [Fact]
    public async Task A_test_event_is_taken_while_connected_and_refused_otherwise()
    {
        await using var rsyslog = await Rsyslog.StartAsync(Ca);
        await using var host = await SocHost.StartAsync(Dialect.Sqlite);
        var id = await host.AddReceiverAsync(SocHost.Receiver(rsyslog, Ca, "ocsf"));
        using var client = host.Client();
        var answer = JsonNode.Parse(await (await client.PostAsync($"/api/v1/fields/cars/soc/receivers/{id}/test", null)).Content.ReadAsStringAsync())!;
        Assert.True(answer["taken"]!.GetValue<bool>());
        await Until.TrueAsync(() => rsyslog.Read().Count == 1, "the test event did not arrive");
        Assert.Equal(answer["eventId"]!.GetValue<string>(), rsyslog.Read()[0]["eventId"]);
        await rsyslog.KillAsync();
        await Until.TrueAsync(async () => !(await host.SendingAsync(id))["connected"]!.GetValue<bool>(), "the break is not noticed");
        Assert.Equal(HttpStatusCode.Conflict, (await client.PostAsync($"/api/v1/fields/cars/soc/receivers/{id}/test", null)).StatusCode);
        await rsyslog.StartAsync();
    }

    [Fact]
    public async Task Only_owners_may_set_receivers_and_plain_text_stays_on_this_machine()
    {
        await using var host = await SocHost.StartAsync(Dialect.Sqlite);
        var plain = new { name = "SOC", host = "soc.example.jp", port = 514, tls = false, format = "cef", clientKey = "x", allowed = new[] { "everything" }, mostAge = "soon" };
        using var owner = host.Client();
        var refused = await owner.PostAsJsonAsync("/api/v1/fields/cars/soc/receivers", plain);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        var places = JsonNode.Parse(await refused.Content.ReadAsStringAsync())!["faults"]!.AsArray().Select(f => f!["place"]!.GetValue<string>()).ToList();
        Assert.Equal(["/tls", "/clientCertificate", "/allowed", "/mostAge"], places);
        foreach (var (role, field) in ((string, string)[])[(Roles.Responder, "cars"), (Roles.Auditor, "cars"), (Roles.Administrator, "homes")])
        {
            using var other = host.Client(role, field: field);
            var answer = await other.PostAsJsonAsync("/api/v1/fields/cars/soc/receivers", plain);
            Assert.True(answer.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.NotFound, $"{role} of {field} is let in");
        }
    }

    [Fact]
    public async Task A_fields_receiver_in_an_internal_network_is_refused_unless_a_maintainer_named_the_network()
    {
        await using var rsyslog = await Rsyslog.StartAsync(Ca);
        await using var host = await SocHost.StartAsync(Dialect.Sqlite, settings: ("Response:Soc:InternalNetworks:0", "10.0.0.0/8"));
        var id = await host.AddReceiverAsync(SocHost.Receiver(rsyslog, Ca), connected: false);
        await Until.TrueAsync(async () => (await host.SendingAsync(id))["fault"]?.GetValue<string>() == "address-not-allowed", "the gateway knocks at an internal host");
        await host.AddReceiverAsync(SocHost.Receiver(rsyslog, Ca), field: "ops");
    }
}
