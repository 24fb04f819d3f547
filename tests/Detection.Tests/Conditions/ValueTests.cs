using System.Globalization;
using Sekisho.Domain.Detection;

namespace Sekisho.Detection.Tests.Conditions;

public class ValueTests
{
    [Fact]
    public void A_value_is_found_from_the_limit_on_and_not_one_below()
    {
        var lab = new Lab($"[{Lab.Condition("value", "pointer: /t, most: -15.5")}]");
        lab.Run(Content.At(0, """{"t":-18}"""), Content.At(5, """{"t":-15.51}"""));
        Assert.Empty(lab.Findings);
        lab.Run(Content.At(10, """{"t":-15.5}"""));
        var evidence = Assert.Single(lab.Findings).Evidence;
        Assert.Equal(("value:/t", -15.5, "/t"), (evidence.Metric, evidence.Measured, evidence.Facts["pointer"]));
        Assert.True(evidence.Counterfactual.Value > -15.5);
    }

    [Fact]
    public void Below_and_outside_are_found_on_their_sides()
    {
        var lab = new Lab($"[{Lab.Condition("value", "pointer: /t, least: 0", "judge: below", key: "low")}, {Lab.Condition("value", "pointer: /t, least: 0, most: 40", "judge: outside", key: "band")}]");
        lab.Run(Content.At(0, """{"t":0}"""), Content.At(5, """{"t":40}"""), Content.At(10, """{"t":-0.1}"""), Content.At(15, """{"t":20}"""), Content.At(20, """{"t":40.1}"""));
        Assert.Equal([("low", -0.1), ("band", -0.1), ("band", 40.1)], lab.Findings.Select(f => (f.ConditionKey, f.Evidence.Measured)));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"t":"99"}""")]
    [InlineData("""{"t":null}""")]
    [InlineData("""{"t":[99]}""")]
    [InlineData("""{"t":99""")]
    [InlineData("")]
    public void What_is_no_number_says_nothing(string json) =>
        Assert.Empty(Content.Findings(Lab.Condition("value", "pointer: /t, most: 1"), [Content.At(0, json), Content.At(5, json)]));

    [Fact]
    public void A_number_that_nothing_can_hold_is_too_large()
    {
        var found = Content.Findings(Lab.Condition("value", "pointer: /t, most: 1"), [Content.At(0, """{"t":1e999}""")]);
        Assert.Equal(1e18, Assert.Single(found).Evidence.Measured);
    }

    [Fact]
    public void What_only_detection_may_see_is_judged_and_what_is_kept_comes_first()
    {
        var condition = Lab.Condition("value", "pointer: /p/lat, most: 90");
        Assert.Equal([90], Content.Findings(condition, [Content.At(0, "{}", transient: """{"/p/lat":91}""")]).Select(f => f.Evidence.Measured));
        Assert.Empty(Content.Findings(condition, [Content.At(0, """{"p":{"lat":10}}""", transient: """{"/p/lat":91}""")]));
    }

    [Fact]
    public void Content_that_is_not_looked_at_says_nothing()
    {
        var lab = new Lab($"[{Lab.Condition("value", "pointer: /t, most: 1")}]");
        var seen = lab.Book.For("field");
        lab.Book = new(lab.Book.Gateway, new Dictionary<string, Sekisho.Detection.Templates.FieldPlan> { ["field"] = new(seen.Template!, TimeZoneInfo.Utc) { HidesContent = true } });
        lab.Run(Content.At(0, """{"t":5}"""));
        Assert.Empty(lab.Findings);
    }

    [Fact]
    public void Stored_readings_are_judged_one_by_one_and_teach_nobody()
    {
        var learnt = Lab.Condition("value", "pointer: /t, sides: both", "judge: learnt");
        var live = Enumerable.Range(0, 200).Select(i => Content.At(5 * i, Json(20 + (i % 7 / 10.0)), sequence: i)).Append(Content.At(1500, Json(20.1), sequence: 500)).ToList();
        var stored = Enumerable.Range(0, 40).Select(i => Content.At(1000 + (5 * i), Json(i == 20 ? 50 : 20.2), 1500.1 + (0.01 * i), sequence: 200 + i));
        var findings = Content.Findings(learnt, [.. live, .. stored, Content.At(1505, Json(60), sequence: 501)]);

        // The last is live and counts itself; of the forty stored none counts.
        Assert.Equal([("learnt", 50, "201"), ("learnt", 60, "202")], findings.Select(f => (f.Evidence.Origin, f.Evidence.Measured, f.Evidence.Facts["values"])));
    }

    [Fact]
    public void A_learnt_band_holds_both_ends_around_what_is_usual()
    {
        var learnt = Lab.Condition("value", "pointer: /t, sides: both", "judge: learnt");
        var random = new Random(3);
        var usual = Enumerable.Range(0, 2000).Select(i => Content.At(5 * i, Json(-18 + random.NextDouble() - 0.5))).ToList();
        Assert.Empty(Content.Findings(learnt, usual));
        var odd = Content.Findings(learnt, [.. usual, Content.At(10_000, Json(-14)), Content.At(10_005, Json(-18)), Content.At(10_010, Json(-22))]);
        Assert.Equal(["high", "low"], odd.Select(f => f.Evidence.Facts["side"]));
        Assert.All(odd, f => Assert.InRange(f.Evidence.ExpectedHigh!.Value, -17.5, -16));
        Assert.All(odd, f => Assert.InRange(f.Evidence.ExpectedLow!.Value, -20, -18.5));
    }

    [Fact]
    public void A_message_of_another_kind_does_not_end_what_was_found()
    {
        var found = Content.Findings(Lab.Condition("value", "pointer: /t, most: 1"), [Content.At(0, """{"t":5}"""), Content.At(5, "{}"), Content.At(10, """{"t":5}""")]);
        Assert.Equal(Risks.Takeover, Assert.Single(found).Risk);
    }

    private static string Json(double value) => $$"""{"t":{{value.ToString("R", CultureInfo.InvariantCulture)}}}""";
}
