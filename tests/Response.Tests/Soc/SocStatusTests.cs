using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Sekisho.Api.Access;
using Sekisho.Domain.Detection;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Response.Tests.Soc;

public class SocStatusTests
{
    private const string Finding = "f0000000000000000000000000000001";
    private static readonly TestCa Ca = new("Sekisho test authority");

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task What_a_SOC_reports_is_recorded_and_goes_to_others_but_never_back_to_it(Dialect dialect)
    {
        await using var first = await Rsyslog.StartAsync(Ca);
        await using var second = await Rsyslog.StartAsync(Ca);
        await using var host = await SocHost.StartAsync(dialect);
        var one = await host.AddReceiverAsync(SocHost.Receiver(first, Ca, reportsAs: "soc-one"));
        var two = await host.AddReceiverAsync(SocHost.Receiver(second, Ca, reportsAs: "soc-two", allowed: ["free-text", "identifiers"]));
        await host.RaiseAsync(Finding);
        using var soc = host.Client(Roles.Responder, "soc-one", key: true, scopes: "soc-status:write");
        var answer = await ReportAsync(soc, "false-alarm");
        Assert.False(answer["repeat"]!.GetValue<bool>());
        Assert.True(answer["labelled"]!.GetValue<bool>());

        // As the API records the report itself; what the SOC's key does otherwise is told to everybody, and repeats change nothing.
        await host.AppendAsync(SocHost.Operation(0, actor: "soc-one") with { What = "soc.status" }, SocHost.Operation(1, actor: "soc-one"), SocHost.Operation(2));
        Assert.True((await ReportAsync(soc, "false-alarm"))["repeat"]!.GetValue<bool>());
        await host.SettledAsync(one);
        await host.SettledAsync(two);
        Assert.Equal(["frequency", "device.change-1", "device.change-2"], first.Read().Select(l => l["what"]!));
        Assert.Equal(["frequency", "soc-false-alarm", "soc.status", "device.change-1", "device.change-2"], second.Read().Select(l => l["what"]!));
        var told = CefText.Parse(second.Read()[1].Message.TrimStart()).Extension;
        Assert.Equal("soc:" + one, told["suser"]);
        Assert.Equal("INC-17", told["sekishoCase"]);
        Assert.Equal(Finding, told["cs3"]);
        using var reader = host.Client(Roles.Auditor);
        var kept = Assert.Single(JsonNode.Parse(await reader.GetStringAsync("/api/v1/fields/cars/soc/status?finding=" + Finding))!.AsArray())!;
        Assert.Equal(("false-alarm", "INC-17", "Maintenance"), (kept["status"]!.GetValue<string>(), kept["caseId"]!.GetValue<string>(), kept["note"]!.GetValue<string>()));
        Assert.Equal((Closings.FalseAlarm, "SOC: INC-17 Maintenance", "soc:" + one), host.World.Labels[Finding]);
    }

    [Fact]
    public async Task Nobody_is_hidden_from_a_SOC_by_being_named_as_the_one_who_reports_for_it()
    {
        await using var rsyslog = await Rsyslog.StartAsync(Ca);
        await using var host = await SocHost.StartAsync(Dialect.Sqlite);
        var id = await host.AddReceiverAsync(SocHost.Receiver(rsyslog, Ca, reportsAs: "eve", allowed: ["operators"]));
        var other = SocHost.Operation(3, actor: "hanako") with { What = "soc.status" };
        await host.AppendAsync(SocHost.Operation(1, actor: "eve"), SocHost.Operation(2, actor: "eve") with { What = "soc.receiver.change" }, other with { Actor = "eve" }, other);
        await host.SettledAsync(id);
        Assert.Equal(
            [("eve", "device.change-1"), ("eve", "soc.receiver.change"), ("hanako", "soc.status")],
            rsyslog.Read().Select(l => (CefText.Parse(l.Message.TrimStart()).Extension["suser"], l["what"]!)));
    }

    [Fact]
    public async Task A_report_that_says_something_new_is_no_repeat_even_when_it_was_said_earlier()
    {
        await using var host = await SocHost.StartAsync(Dialect.Sqlite);
        await using var rsyslog = await Rsyslog.StartAsync(Ca);
        await host.AddReceiverAsync(SocHost.Receiver(rsyslog, Ca, reportsAs: "soc-one"));
        await host.RaiseAsync(Finding);
        using var soc = host.Client(Roles.Responder, "soc-one", key: true, scopes: "soc-status:write");
        foreach (var (status, repeat) in ((string, bool)[])[("acknowledged", false), ("acknowledged", true), ("closed", false), ("acknowledged", false)])
        {
            Assert.Equal(repeat, (await ReportAsync(soc, status))["repeat"]!.GetValue<bool>());
        }

        Assert.Equal(FindingLabel.Acknowledged, host.World.Labels[Finding].Label);
    }

    [Fact]
    public async Task Nobody_reports_who_is_no_receiver_or_lacks_the_scope_or_means_another_fields_event()
    {
        await using var host = await SocHost.StartAsync(Dialect.Sqlite);
        await using var rsyslog = await Rsyslog.StartAsync(Ca);
        await host.AddReceiverAsync(SocHost.Receiver(rsyslog, Ca, reportsAs: "soc-one"));
        await host.RaiseAsync(Finding, field: "homes");
        async Task<HttpStatusCode> Answer(string name, string scopes, object body)
        {
            using var client = host.Client(Roles.Responder, name, key: true, scopes: scopes);
            return (await client.PostAsJsonAsync("/api/v1/fields/cars/soc/status", body)).StatusCode;
        }

        var report = new { eventId = Finding, status = "closed" };
        Assert.Equal(HttpStatusCode.NotFound, await Answer("soc-one", "soc-status:write", report));
        Assert.Equal(HttpStatusCode.Forbidden, await Answer("soc-one", "detections:write", report));
        Assert.Equal(HttpStatusCode.Forbidden, await Answer("somebody", "soc-status:write", report));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, await Answer("soc-one", "soc-status:write", new { eventId = "../x", status = "solved", caseId = new string('x', 101) }));
        Assert.Empty(host.World.Labels);
    }

    [Theory]
    [InlineData(Dialect.Sqlite)]
    [InlineData(Dialect.PostgreSql)]
    public async Task A_receiver_of_the_gateway_reports_about_fields_that_share_their_records_and_about_no_others(Dialect dialect)
    {
        await using var gateways = await Rsyslog.StartAsync(Ca);
        await using var fields = await Rsyslog.StartAsync(Ca);
        await using var host = await SocHost.StartAsync(dialect);
        using var administrator = host.Client();
        async Task ShareAsync(bool shared) => Assert.True((await administrator.PutAsJsonAsync("/api/v1/fields/cars/soc", new { shared })).IsSuccessStatusCode);
        await ShareAsync(true);
        var one = await host.AddReceiverAsync(SocHost.Receiver(gateways, Ca, reportsAs: "soc-gate"), field: "ops");
        var two = await host.AddReceiverAsync(SocHost.Receiver(fields, Ca));
        await host.RaiseAsync(Finding);
        using var soc = host.Client(Roles.Responder, "soc-gate", key: true, scopes: "soc-status:write");
        Assert.True((await ReportAsync(soc, "false-alarm"))["labelled"]!.GetValue<bool>());
        Assert.Equal((Closings.FalseAlarm, "SOC: INC-17 Maintenance", "soc:" + one), host.World.Labels[Finding]);
        await host.AppendAsync(SocHost.Operation(0, actor: "soc-gate") with { What = "soc.status" }, SocHost.Operation(1));
        await host.SettledAsync(one, "ops");
        await host.SettledAsync(two);
        Assert.Equal(["frequency", "device.change-1"], gateways.Read().Select(l => l["what"]!));
        Assert.Equal(["frequency", "soc-false-alarm", "soc.status", "device.change-1"], fields.Read().Select(l => l["what"]!));
        var kept = Assert.Single(JsonNode.Parse(await administrator.GetStringAsync("/api/v1/fields/cars/soc/status"))!.AsArray())!;
        Assert.Equal((one, "cars"), (kept["receiverId"]!.GetValue<string>(), fields.Read()[1]["field"]));

        // It is the same in a field that does not share, or does not any more.
        var report = new { eventId = Finding, status = "acknowledged" };
        await host.RaiseAsync("f0000000000000000000000000000002", field: "homes");
        using var other = host.Client(Roles.Responder, "soc-gate", "homes", key: true, scopes: "soc-status:write");
        Assert.Equal(HttpStatusCode.Forbidden, (await other.PostAsJsonAsync("/api/v1/fields/homes/soc/status", report with { eventId = "f0000000000000000000000000000002" })).StatusCode);
        await ShareAsync(false);
        Assert.Equal(HttpStatusCode.Forbidden, (await soc.PostAsJsonAsync("/api/v1/fields/cars/soc/status", report)).StatusCode);
        Assert.Single(host.World.Labels);
    }

    [Fact]
    public async Task Two_receivers_of_a_field_cannot_report_by_one_name()
    {
        await using var host = await SocHost.StartAsync(Dialect.Sqlite);
        await using var rsyslog = await Rsyslog.StartAsync(Ca);
        await host.AddReceiverAsync(SocHost.Receiver(rsyslog, Ca, reportsAs: "soc-one"));
        using var client = host.Client();
        Assert.Equal(HttpStatusCode.Conflict, (await client.PostAsJsonAsync("/api/v1/fields/cars/soc/receivers", SocHost.Receiver(rsyslog, Ca, reportsAs: "soc-one"))).StatusCode);
    }

    private static async Task<JsonNode> ReportAsync(HttpClient soc, string status)
    {
        var answer = await soc.PostAsJsonAsync("/api/v1/fields/cars/soc/status", new { eventId = Finding, status, caseId = "INC-17", note = "Maintenance" });
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }
}
