using Sekisho.Detection.Conditions;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

public class StageTests
{
    // Reads its verdict from the mode of a message: a number is a stage, "back" takes it back.
    private static readonly ConditionKind Kind = new("told", [Scopes.Device], false, [], _ => new Told()) { Stages = ["mild", "bad", "worst"] };

    private const string Staged = """
        { key: c1, kind: told, scope: device, risk: takeover, level: information, label: { ja: あ, en: a }, stages: [
          { name: bad, level: warning, risk: theft, threat: theft }, { name: worst, level: important } ] MORE }
        """;

    [Fact]
    public void A_higher_stage_is_raised_at_once_and_a_lower_one_is_not()
    {
        var lab = new Lab(Of(""));
        lab.Run(new[] { "0", "0", "1", "0", "2", "1" }.Select((mode, i) => Lab.Message(Lab.Start.AddMinutes(i), mode: mode)));
        Assert.Equal(["mild information takeover", "bad warning theft", "worst important takeover"], lab.Findings.Select(f => $"{f.Stage} {f.Level} {f.Risk}"));
        Assert.Equal(Threats.Theft, lab.Findings[1].Threat);
    }

    [Fact]
    public void What_is_taken_back_names_reason_event_and_condition_and_may_be_raised_anew()
    {
        var lab = new Lab(Of(""));
        lab.Run(Lab.Message(Lab.Start, mode: "1"));
        var result = lab.Run(Lab.Message(Lab.Start.AddMinutes(1), mode: "back"));
        Assert.Equal(("explained", 2L, "c1", "d1"), Assert.Single(result.Batch.Retractions) is var r ? (r.Reason, r.Position, r.ConditionKey, r.ScopeKey) : default);
        Assert.Equal("explained", Assert.Single(result.Retracted).Reason);
        Assert.Empty(result.Cleared);
        lab.Run(Lab.Message(Lab.Start.AddMinutes(2), mode: "0"));
        Assert.Equal(["bad", "mild"], lab.Findings.Select(f => f.Stage));
    }

    [Theory]
    [InlineData("suggest")]
    [InlineData("shadow")]
    public void What_is_only_suggested_or_tried_out_is_kept_and_never_reaches_what_follows(string effect)
    {
        var lab = new Lab(Of($", effect: {effect}"));
        var result = lab.Run(Lab.Message(Lab.Start, mode: "1"), Lab.Message(Lab.Start.AddMinutes(1), mode: "back"));
        Assert.Equal(effect, Assert.Single(result.Raised).Finding.Effect);
        Assert.Empty(result.Batch.Findings);
        Assert.Empty(result.Batch.Retractions);
        Assert.Single(result.Retracted);
    }

    [Fact]
    public void A_fields_own_value_puts_what_was_tried_out_in_force()
    {
        var lab = new Lab(Of(", effect: shadow"), values: new Dictionary<string, ParameterValue> { ["c1.effect"] = ParameterValue.Of("act") });
        Assert.Single(lab.Run(Lab.Message(Lab.Start, mode: "1")).Batch.Findings);
    }

    [Fact]
    public void The_role_of_the_device_raises_the_level_up_to_the_highest()
    {
        var directory = new FakeDirectory();
        directory.SetDevice("d1", kind: "door-lock");
        directory.SetDevice("d2", kind: "lamp");
        var template = Lab.TemplateOf($"[{Staged.Replace("MORE", "", StringComparison.Ordinal)}]", more: "roles: [{ name: entrance, kinds: [door-lock], raise: 2 }]", kinds: Kind);
        var lab = new Lab(template, directory: directory);
        lab.Run(Lab.Message(Lab.Start, mode: "0"), Lab.Message(Lab.Start, "d2", mode: "0"), Lab.Message(Lab.Start, mode: "2"));
        Assert.Equal(["important", "information", "critical"], lab.Findings.Select(f => f.Level));
        Assert.Equal(("entrance", "information"), (lab.Findings[0].Evidence.Facts["role"], lab.Findings[0].Evidence.Facts["levelBefore"]));
    }

    [Fact]
    public void It_must_last_before_it_is_raised()
    {
        var lab = new Lab(Of(", lastsFor: \"00:10:00\""));
        lab.Run(Lab.Message(Lab.Start, mode: "0"), Lab.Message(Lab.Start.AddMinutes(9), mode: "0"), Lab.Message(Lab.Start.AddMinutes(9.5), mode: "calm"), Lab.Message(Lab.Start.AddMinutes(12), mode: "0"));
        Assert.Empty(lab.Findings);
        lab.Run(Lab.Message(Lab.Start.AddMinutes(22), mode: "0"));
        Assert.Single(lab.Findings);
    }

    private static Template Of(string more) => Lab.TemplateOf($"[{Staged.Replace("MORE", more, StringComparison.Ordinal)}]", kinds: Kind);

    private sealed class Told : ICondition
    {
        public int Cells => 1;

        public long QuietAfter => long.MaxValue;

        public bool Concerns(in Signal signal) => signal.Kind == SignalKind.Message;

        public Verdict Step(Span<long> state, in Signal signal)
        {
            if (signal.Mode == "back")
            {
                return Verdict.Retract;
            }

            var isStage = int.TryParse(signal.Mode, out var stage);
            state[0] = stage;
            return isStage ? Verdict.Violation : Verdict.Calm;
        }

        public int Stage(ReadOnlySpan<long> state) => (int)state[0];

        public Evidence Explain(ReadOnlySpan<long> state, in Signal signal) => new()
        {
            Metric = "told",
            Unit = "",
            Measured = state[0],
            Origin = "template",
            Events = [signal.Position],
            Counterfactual = new Counterfactual("told", "at-most", 0, ""),
            Claim = (signal.Happened as MessageEvent)?.Source,
        };
    }
}
