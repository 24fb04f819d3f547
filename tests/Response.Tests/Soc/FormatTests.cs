using System.Text;
using System.Text.Json.Nodes;
using Sekisho.Domain.Detection;
using Sekisho.Response.Soc;
using Sekisho.Response.Soc.Events;
using Sekisho.Response.Soc.Formats;
using Sekisho.Response.Soc.Receivers;
using Sekisho.Tests.Support;

namespace Sekisho.Response.Tests.Soc;

public class FormatTests
{
    private static readonly SocEvent Sample = new()
    {
        Id = "gate-1/42",
        At = new DateTimeOffset(2026, 4, 1, 9, 0, 0, 123, TimeSpan.FromHours(9)),
        Kind = "detection",
        What = "frequency",
        Title = "Too many messages",
        Message = "車両 1 sent 120 messages.",
        Level = Levels.Critical,
        Risk = Risks.Takeover,
        Threat = Threats.DenialOfService,
        Condition = "frequency",
        ConditionKey = "frequency-1",
        Effect = Effects.Act,
        Gateway = "gate-1",
        FieldId = "cars",
        Sector = "logistics",
        DeviceId = "d000000000000001",
        Address = "198.51.100.7",
        Actor = "gateway",
        CorrelationId = "0123456789abcdef0123456789abcdef",
        FindingId = "f0000000000000000000000000000001",
        Techniques = Attack.Of("frequency", null),
        Details = new SortedDictionary<string, string> { ["measured"] = "120" },
        LeftOut = ["deviceName"],
    };

    [Theory]
    [InlineData(SocFormats.Cef)]
    [InlineData(SocFormats.Ocsf)]
    [InlineData(SocFormats.Ecs)]
    public void A_frame_counts_its_bytes_and_stays_within_what_receivers_take(string format)
    {
        var manyNames = Sample with { LeftOut = [.. Enumerable.Range(0, 500).Select(n => $"left{n}")], Actor = new string('車', 5_000), DeviceName = new string('両', 5_000), FieldName = new string('両', 5_000) };
        var pairs = string.Concat(Enumerable.Repeat("🚗", 5_000));
        foreach (var e in (SocEvent[])[Sample, manyNames, manyNames with { Message = pairs, Title = "x" + pairs, Actor = pairs, DeviceName = "x" + pairs }, Sample with { Message = new string('車', 20_000), Details = Enumerable.Range(0, 40).ToDictionary(n => $"n{n}", _ => new string('両', 500)) }])
        {
            var frame = SyslogMessage.Frame(e, Receiver(format), new SocSettings());
            var space = Array.IndexOf(frame, (byte)' ');
            var message = frame[(space + 1)..];
            Assert.Equal(message.Length, int.Parse(Encoding.ASCII.GetString(frame[..space]), System.Globalization.CultureInfo.InvariantCulture));
            Assert.InRange(message.Length, 1, SyslogMessage.MostBytes);
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(message);
            Assert.StartsWith("<82>1 2026-04-01T09:00:00.123+09:00 ", text, StringComparison.Ordinal);
            Assert.DoesNotContain('\uFFFD', text);
            Assert.DoesNotContain('\n', text);
        }
    }

    [Fact]
    public void A_byte_order_mark_stands_before_the_body_only_when_asked_for()
    {
        byte[] mark = [0xEF, 0xBB, 0xBF];
        Assert.Equal(-1, SyslogMessage.Message(Sample, Receiver("cef"), new SocSettings()).AsSpan().IndexOf(mark));
        var marked = SyslogMessage.Message(Sample, Receiver("cef") with { ByteOrderMark = true }, new SocSettings());
        Assert.Equal(marked.AsSpan().IndexOf("CEF:0"u8), marked.AsSpan().IndexOf(mark) + 3);
    }

    [Fact]
    public void OCSF_has_what_the_schema_requires_of_each_class()
    {
        foreach (var (e, type, category) in ((SocEvent, int, int)[])
            [
                (Sample, 2004, 2), (Sample with { Kind = "response", What = "suspend-authentication", State = "done", LeaseId = "l1" }, 7001, 7), (Sample with { Kind = "operator", FindingId = null, Condition = null }, 3004, 3),
                (Sample with { Kind = "device-state", FindingId = null }, 3004, 3), (Sample with { Kind = "authentication" }, 3002, 3), (Sample with { Kind = "soc", FindingId = null }, 0, 0),
            ])
        {
            var body = JsonNode.Parse(OcsfBody.Of(e))!;
            Assert.Equal((type, category), (body["class_uid"]!.GetValue<int>(), body["category_uid"]!.GetValue<int>()));
            Assert.Equal((type * 100) + body["activity_id"]!.GetValue<int>(), body["type_uid"]!.GetValue<int>());
            Assert.Equal(5, body["severity_id"]!.GetValue<int>());
            Assert.Equal(e.At.ToUnixTimeMilliseconds(), body["time"]!.GetValue<long>());
            Assert.Equal("1.4.0", body["metadata"]!["version"]!.GetValue<string>());
            Assert.Equal("Sekisho", body["metadata"]!["product"]!["vendor_name"]!.GetValue<string>());
            var required = type switch { 2004 => "finding_info", 7001 => "command_uid", 3004 => "entity", 3002 => "user", _ => "message" };
            Assert.NotNull(body[required]);
        }

        Assert.Equal("T0814", JsonNode.Parse(OcsfBody.Of(Sample))!["finding_info"]!["attacks"]![0]!["technique"]!["uid"]!.GetValue<string>());
    }

    [Fact]
    public void The_end_of_a_detection_is_no_alarm_of_its_own_and_a_false_alarm_is_suppressed()
    {
        var closed = Sample with { What = "finding-closed", Details = new Dictionary<string, string> { ["closedAs"] = "false-alarm" } };
        var (ocsf, ecs) = (JsonNode.Parse(OcsfBody.Of(closed))!, JsonNode.Parse(EcsBody.Of(closed))!);
        Assert.Equal((3, 3, false), (ocsf["activity_id"]!.GetValue<int>(), ocsf["status_id"]!.GetValue<int>(), ocsf["is_alert"]!.GetValue<bool>()));
        Assert.Equal("event", ecs["event"]!["kind"]!.GetValue<string>());
        Assert.Equal(("detection:finding-closed", "frequency"), (CefText.Parse(CefBody.Of(closed)).Header[4], CefText.Parse(CefBody.Of(closed)).Extension["sekishoCondition"]));
        Assert.True(JsonNode.Parse(OcsfBody.Of(Sample))!["is_alert"]!.GetValue<bool>());
    }

    [Theory]
    [InlineData("finding-reopened", 2, 2)]
    [InlineData("soc-acknowledged", 2, 2)]
    [InlineData("soc-false-alarm", 2, 3)]
    [InlineData("exception-set", 2, 0)]
    [InlineData("sensor-silent-ended", 3, 4)]
    public void What_is_said_about_a_detection_raises_no_second_alarm(string what, int activity, int status)
    {
        var e = Sample with { What = what };
        var ocsf = JsonNode.Parse(OcsfBody.Of(e))!;
        Assert.Equal((activity, status, false), (ocsf["activity_id"]!.GetValue<int>(), ocsf["status_id"]!.GetValue<int>(), ocsf["is_alert"]!.GetValue<bool>()));
        Assert.Equal("event", JsonNode.Parse(EcsBody.Of(e))!["event"]!["kind"]!.GetValue<string>());
        Assert.Equal("detection:" + what, CefText.Parse(CefBody.Of(e)).Header[4]);
    }

    [Fact]
    public void A_state_of_a_device_is_no_failure_and_a_mail_denies_nothing()
    {
        var suspended = Sample with { Kind = "device-state", What = "lifecycle", State = "suspended" };
        Assert.Equal("success", JsonNode.Parse(EcsBody.Of(suspended))!["event"]!["outcome"]!.GetValue<string>());
        Assert.Equal(1, JsonNode.Parse(OcsfBody.Of(suspended))!["status_id"]!.GetValue<int>());
        Assert.Equal(("success", "suspended"), (CefText.Parse(CefBody.Of(suspended)).Extension["outcome"], CefText.Parse(CefBody.Of(suspended)).Extension["sekishoState"]));
        var mail = Sample with { Kind = "response", What = "mail", State = "done" };
        Assert.Equal("info", JsonNode.Parse(EcsBody.Of(mail))!["event"]!["type"]![0]!.GetValue<string>());
    }

    [Theory]
    [InlineData("198.51.100.7", "ip", "src")]
    [InlineData("2001:db8::7", "ip", "c6a2")]
    [InlineData("198.51.100.0/24", "address", "sekishoSource")]
    [InlineData("*", "address", "sekishoSource")]
    [InlineData("other", "address", "sekishoSource")]
    public void Only_addresses_stand_where_addresses_belong(string source, string ecs, string cef)
    {
        var e = Sample with { Address = source, Details = new Dictionary<string, string> { ["network"] = "198.51.100.0/24", ["Network"] = "another", ["source"] = source } };
        Assert.Equal(source, JsonNode.Parse(EcsBody.Of(e))!["source"]![ecs]!.GetValue<string>());
        Assert.Equal(ecs == "ip", JsonNode.Parse(OcsfBody.Of(e))!["evidences"] is not null);
        var extension = CefText.Parse(CefBody.Of(e)).Extension;
        Assert.Equal(source, extension[cef]);
        Assert.Equal(("198.51.100.0/24", "another"), (extension["sekishoNetwork"], extension["sekishoNetwork2"]));
    }

    [Fact]
    public void ECS_names_event_rule_device_source_and_technique()
    {
        var body = JsonNode.Parse(EcsBody.Of(Sample))!;
        Assert.Equal("2026-04-01T09:00:00.1230000+09:00", body["@timestamp"]!.GetValue<string>());
        Assert.Equal("alert", body["event"]!["kind"]!.GetValue<string>());
        Assert.Equal("gate-1/42", body["event"]!["id"]!.GetValue<string>());
        Assert.Equal("frequency-1", body["rule"]!["id"]!.GetValue<string>());
        Assert.Equal("198.51.100.7", body["source"]!["ip"]!.GetValue<string>());
        Assert.Equal("T0814", body["threat"]!["technique"]!["id"]![0]!.GetValue<string>());
        Assert.Equal("deviceName", body["sekisho"]!["left_out"]![0]!.GetValue<string>());
        Assert.Equal("車両 1 sent 120 messages.", body["message"]!.GetValue<string>());
    }

    [Fact]
    public void Whatever_stands_in_an_event_CEF_and_structured_data_give_it_back_and_nothing_else()
    {
        const string Alphabet = "ab =|\\\"]\n\r\t[n車\u2028:0";
        var random = Fuzz.Source(20260401);
        for (var round = 0; round < Fuzz.Rounds(20_000); round++)
        {
            string Any() => new([.. Enumerable.Range(0, random.Next(1, 12)).Select(_ => Alphabet[random.Next(Alphabet.Length)])]);
            var (title, message, detail) = (Any(), Any(), Any());
            var cef = CefText.Parse(CefBody.Of(Sample with { Title = title, Message = message, Details = new Dictionary<string, string> { ["evil"] = detail }, LeftOut = [] }));
            Assert.Equal(7, cef.Header.Length);
            Assert.Equal(OneLine(title), cef.Header[5]);
            Assert.Equal(OneLine(message, breaks: true), cef.Extension["msg"]);
            Assert.Equal(OneLine(detail, breaks: true), cef.Extension["sekishoEvil"]);
            Assert.Equal("d000000000000001", cef.Extension["sekishoDevice"]);

            var text = new StringBuilder("[sekisho@32473");
            SyslogMessage.Parameter(text, "first", message);
            SyslogMessage.Parameter(text, "second", detail);
            var logged = new Logged(0, "", "", "", "", text + "]", "");
            Assert.Equal(OneLine(message), logged["first"]);
            Assert.Equal(OneLine(detail), ParametersOf(text + "]")["second"]);
        }

        static string OneLine(string s, bool breaks = false) => string.Concat(s.Select(c => breaks && c is '\n' or '\r' && breaks ? c : char.IsControl(c) ? ' ' : c));
    }

    [Fact]
    public void What_is_only_tried_out_is_information_whatever_its_level()
    {
        var tried = Sample with { Effect = Effects.Shadow };
        Assert.Equal((6, 1, 1), (SyslogMessage.SeverityOf(tried), CefBody.SeverityOf(tried), OcsfBody.SeverityOf(tried)));
    }

    private static SocReceiver Receiver(string format) => new()
    {
        Id = "s000000000000001",
        Name = "SOC",
        Enabled = true,
        Host = "localhost",
        Port = 6514,
        Tls = true,
        Format = format,
        Language = "en",
        Include = SocFilter.None,
        Exclude = SocFilter.None,
        Allowed = [],
        MostAge = TimeSpan.FromDays(1),
        MostRecords = 1000,
    };

    // SD-PARAM of RFC 5424, 6: a parser of its own, that takes nothing but the grammar.
    private static Dictionary<string, string> ParametersOf(string element)
    {
        var at = element.IndexOf(' ', StringComparison.Ordinal);
        var found = new Dictionary<string, string>();
        while (element[at] == ' ')
        {
            var sign = element.IndexOf('=', at);
            var name = element[(at + 1)..sign];
            Assert.Equal('"', element[sign + 1]);
            var value = new StringBuilder();
            for (at = sign + 2; element[at] != '"'; at++)
            {
                Assert.NotEqual(']', element[at]);
                value.Append(element[at] == '\\' ? element[++at] : element[at]);
            }

            at++;
            found.Add(name, value.ToString());
        }

        Assert.Equal(element.Length - 1, at);
        return found;
    }
}
