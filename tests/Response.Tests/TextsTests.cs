using System.Text.RegularExpressions;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;
using Sekisho.Domain.Localization;
using Sekisho.Response.Incidents;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Tests;

public partial class TextsTests
{
    private static readonly Texts Texts = new([typeof(ResponseFeature).Assembly]);

    [Fact]
    public void Japanese_and_English_have_the_same_keys_and_placeholders()
    {
        Assert.Equal(Texts.Keys("en").Order(), Texts.Keys("ja").Order());
        foreach (var key in Texts.Keys("en"))
        {
            Assert.Equal(Placeholders(Texts.Get(key, "en")), Placeholders(Texts.Get(key, "ja")));
        }
    }

    [Fact]
    public void Every_cause_problem_level_and_risk_has_its_text()
    {
        var needed = LeaseCauses.All.Select(c => "response.cause." + c)
            .Concat(ResponseProblems.All.SelectMany(p => new[] { $"problem.{p.Slug}.title", $"problem.{p.Slug}.detail" }))
            .Concat(EntryKinds.All.Select(k => "incident.entry." + k))
            .Concat(RecoverySteps.All.SelectMany(k => new[] { "incident.step." + k, "incident.guide." + k }))
            .Concat(IncidentStates.All.Select(k => "incident.state." + k))
            .Concat(Closings.All.Append(IncidentStates.Retracted).Select(k => "incident.as." + k))
            .Concat(LeaseStates.All.Select(k => "incident.lease." + k))
            .Concat(LifecycleStates.All.Append(DeviceChangedEvent.Deleted).Select(k => "incident.device." + k))
            .Concat(Levels.All.Select(l => "response.level." + l))
            .Concat(Risks.All.Select(r => "response.risk." + r));
        Assert.Empty(needed.Except(Texts.Keys("ja")));
    }

    [Theory]
    [InlineData("ja", "【Sekisho】")]
    [InlineData("en", "[Sekisho] ")]
    public void Every_notice_says_in_its_subject_who_writes(string language, string begins) =>
        Assert.All(Texts.Keys(language).Where(k => k.StartsWith("response.notice.", StringComparison.Ordinal) && k.EndsWith(".subject", StringComparison.Ordinal)), k => Assert.StartsWith(begins, Texts.Get(k, language), StringComparison.Ordinal));

    [Fact]
    public async Task Every_action_has_a_name_for_people()
    {
        await using var host = await Support.TestHost.StartAsync(Storage.Dialect.Sqlite);
        Assert.Empty(host.Get<Response.Orders.LeaseOrders>().Actions.Keys.Select(a => "response.action." + a).Except(Texts.Keys("ja")));
    }

    private static IEnumerable<string> Placeholders(string text) => Placeholder().Matches(text).Select(m => m.Value).Distinct().Order();

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Placeholder();
}
