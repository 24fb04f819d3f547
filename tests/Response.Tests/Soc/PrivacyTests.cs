using System.Text.Json;
using System.Text.Json.Nodes;
using Sekisho.Domain.History;
using Sekisho.Response.Leases;
using Sekisho.Response.Soc.Events;
using Sekisho.Storage;
using Sekisho.Tests.Support;

namespace Sekisho.Response.Tests.Soc;

public class PrivacyTests
{
    private static readonly TestCa Ca = new("Sekisho test authority");

    [Fact]
    public async Task Who_acknowledged_a_call_by_its_link_or_has_an_incident_stays_here_also_when_details_may_leave()
    {
        await using var rsyslog = await Rsyslog.StartAsync(Ca);
        await using var host = await SocHost.StartAsync(Dialect.Sqlite);
        var id = await host.AddReceiverAsync(SocHost.Receiver(rsyslog, Ca, "ecs", allowed: ["details"]));

        // As the stores of leases and of incidents write them.
        var at = TimeProvider.System.GetUtcNow();
        var call = JsonSerializer.Serialize(new { state = "done", acknowledged = new LeaseAcknowledgement("second@example.jp", at) });
        var incident = JsonSerializer.Serialize(new { state = "in-hand", change = "assigned", values = new Dictionary<string, string> { ["assignee"] = "tanaka@example.jp", ["level"] = "important" } });
        await host.AppendAsync(SocHost.Operation(1, kind: HistoryKinds.Response, details: call), SocHost.Operation(2, kind: HistoryKinds.Response, details: incident));
        await host.SettledAsync(id);
        var lines = rsyslog.Read();
        Assert.All(lines, l => Assert.DoesNotContain("@example.jp", l.Structured + l.Message, StringComparison.Ordinal));
        Assert.Equal("acknowledged.By actor fieldName", lines[0]["leftOut"]);
        Assert.Equal("actor fieldName values.assignee", lines[1]["leftOut"]);
        var left = JsonNode.Parse(lines[0].Message)!["sekisho"]!["details"]!["acknowledged"]!.GetValue<string>();
        Assert.Equal(at, JsonNode.Parse(left)!["At"]!.GetValue<DateTimeOffset>());
        Assert.Equal("""{"level":"important"}""", JsonNode.Parse(lines[1].Message)!["sekisho"]!["details"]!["values"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("""{"steps":[{"by":"hanako","n":1},{"by":"taro"},"x"]}""", "details", """steps=[{"n":1},"x"]""", "steps.by")]
    [InlineData("""{"steps":[["203.0.113.9"],["x",2]]}""", "details", """steps=[["x",2]]""", "steps")]
    [InlineData("""{"outer":{"limit":"203.0.113.9","inner":{"reason":"she asked","ok":true}}}""", "details", """outer={"inner":{"ok":true}}""", "outer.inner.reason outer.limit")]
    [InlineData("""{"outer":{"limit":"203.0.113.9","inner":{"reason":"she asked"}}}""", "details", "", "outer.inner.reason outer.limit")]
    [InlineData("""{"outer":{"limit":"203.0.113.9","inner":{"reason":"she asked"}}}""", "details addresses free-text", """outer={"limit":"203.0.113.9","inner":{"reason":"she asked"}}""", "")]
    [InlineData("""{"user":{"n":1},"values":{"n":1}}""", "details", """values={"n":1}""", "user")]
    [InlineData("""{"user":{"n":1},"values":{"n":1}}""", "identifiers", "", "user values")]
    [InlineData("""[{"by":"hanako","n":1},["203.0.113.9"]]""", "details", """details=[{"n":1}]""", "details details.by")]
    [InlineData("""{"userId":"hanako","sender":"account:hanako","assignee":"hanako","count":[1,2]}""", "details", "count=1, 2", "assignee sender userId")]
    public void What_is_inside_other_values_has_marks_of_its_own(string details, string allowed, string kept, string leftOut)
    {
        var privacy = new Privacy(allowed.Split(' '));
        privacy.KeepDetails(SocHost.Operation(1, details: details));
        Assert.Equal(kept, string.Join(' ', privacy.Kept.Select(k => $"{k.Key}={k.Value}")));
        Assert.Equal(leftOut, string.Join(' ', privacy.LeftOut));
    }
}
