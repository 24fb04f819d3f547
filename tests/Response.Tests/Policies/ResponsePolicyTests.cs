using Sekisho.Domain.Detection;
using Sekisho.Response.Policies;

namespace Sekisho.Response.Tests.Policies;

public class ResponsePolicyTests
{
    [Theory]
    [InlineData("*", Levels.Information, null, true)]
    [InlineData(Risks.Theft, Levels.Important, null, true)]
    [InlineData(Risks.Theft, Levels.Critical, null, false)]
    [InlineData(Risks.Spoofing, Levels.Information, null, false)]
    [InlineData("*", Levels.Information, "silence-long", true)]
    [InlineData("*", Levels.Information, "frequency", false)]
    public void A_binding_applies_to_its_risk_its_condition_and_from_its_level_on(string risk, string level, string? condition, bool applies) =>
        Assert.Equal(applies, ResponsePolicy.Due(Finding(), [new ResponseBinding(risk, level, "mail", condition, "automatic")]).Count == 1);

    [Fact]
    public void The_most_specific_binding_of_an_action_decides_on_the_approval()
    {
        ResponseBinding any = new("*", Levels.Information, "stop", null, "two-persons");
        ResponseBinding risk = new(Risks.Theft, Levels.Information, "stop", null, "one-person");
        ResponseBinding higher = new(Risks.Theft, Levels.Important, "stop", null, "automatic");
        ResponseBinding condition = new("*", Levels.Information, "stop", "silence-long", "two-persons");
        Assert.Equal([new DueAction("stop", "one-person")], ResponsePolicy.Due(Finding(), [any, risk]));
        Assert.Equal([new DueAction("stop", "automatic")], ResponsePolicy.Due(Finding(), [any, risk, higher]));
        Assert.Equal([new DueAction("stop", "two-persons")], ResponsePolicy.Due(Finding(), [any, risk, higher, condition]));
        Assert.Equal([new DueAction("stop", "one-person")], ResponsePolicy.Due(Finding(), [risk with { Approval = "automatic" }, risk]));
    }

    [Theory]
    [InlineData("automatic", 0)]
    [InlineData("one-person", 1)]
    [InlineData("two-persons", 2)]
    [InlineData("whatever", 2)]
    public void An_approval_policy_that_nobody_knows_is_the_strictest(string approval, int people) => Assert.Equal(people, Approvals.Needed(approval));

    [Fact]
    public void Pauses_double_up_to_the_longest()
    {
        var pauses = Enumerable.Range(1, 6).Select(i => Backoff.After(i, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(100)).TotalSeconds);
        Assert.Equal([10, 20, 40, 80, 100, 100], pauses);
        Assert.Equal(TimeSpan.FromDays(1), Backoff.After(int.MaxValue, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)));
    }

    [Theory]
    [InlineData(Risks.Theft, false)]
    [InlineData(Risks.Takeover, false)]
    [InlineData(Risks.Spoofing, true)]
    [InlineData(Risks.UnauthorisedAccess, true)]
    public void A_lock_out_for_theft_or_takeover_never_ends_by_itself(string risk, bool ends)
    {
        var now = DateTimeOffset.UnixEpoch;
        Assert.Equal(ends ? now.AddHours(1) : null, Expiry.Of(canUndo: true, locksOut: true, risk, now, TimeSpan.FromHours(1)));
        Assert.Equal(now.AddHours(1), Expiry.Of(canUndo: true, locksOut: false, risk, now, TimeSpan.FromHours(1)));
        Assert.Null(Expiry.Of(canUndo: false, locksOut: false, risk, now, TimeSpan.FromHours(1)));
    }

    private static Finding Finding() => new()
    {
        Id = "f1",
        FieldId = "cars",
        DeviceId = "d1",
        Scope = Scopes.Device,
        ScopeKey = "d1",
        Condition = "silence",
        ConditionKey = "silence-long",
        TemplateId = "t",
        TemplateVersion = 1,
        Risk = Risks.Theft,
        Level = Levels.Important,
        RaisedAt = DateTimeOffset.UnixEpoch,
        Position = 1,
        CorrelationId = "",
        Evidence = new Evidence { Metric = "silence", Unit = "s", Measured = 1, Origin = "template", Events = [], Counterfactual = new Counterfactual("p", "at-least", 1, "s") },
    };
}
