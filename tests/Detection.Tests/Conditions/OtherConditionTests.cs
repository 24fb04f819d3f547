using Sekisho.Detection.Lanes;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Conditions;

public class OtherConditionTests
{
    [Fact]
    public void V23_a_message_at_the_size_is_found_and_one_byte_less_is_not()
    {
        var lab = new Lab($"[{Lab.Condition("size", "bytes: 1000")}]");
        lab.Run(Lab.Message(Lab.Start, size: 999));
        Assert.Empty(lab.Findings);
        lab.Run(Lab.Message(Lab.Start.AddSeconds(1), size: 1000));
        var finding = Assert.Single(lab.Findings);
        Assert.Equal((1000, 999, 1001), (finding.Evidence.Measured, finding.Evidence.ExpectedHigh, finding.Evidence.Counterfactual.Value));
        Assert.Single(lab.Run(Lab.Message(Lab.Start.AddSeconds(2), size: 10)).Cleared);
    }

    [Fact]
    public void V23_a_request_refused_as_too_large_is_found()
    {
        var lab = new Lab($"[{Lab.Condition("size", "bytes: 1000")}]");
        lab.Run(Lab.Refusal(Lab.Start, RefusalReasons.TooLarge, bytes: 5000));
        Assert.Equal(5000, Assert.Single(lab.Findings).Evidence.Measured);
    }

    [Fact]
    public void V24_broken_messages_are_found_from_the_number_set()
    {
        var lab = new Lab($"[{Lab.Condition("malformed", "refusals: 3, window: \"00:01:00\"")}]");
        lab.Run(Lab.Refusal(Lab.Start, RefusalReasons.Malformed), Lab.Refusal(Lab.Start.AddSeconds(59), RefusalReasons.Malformed), Lab.Refusal(Lab.Start.AddSeconds(61), RefusalReasons.Malformed));
        Assert.Empty(lab.Findings);
        lab.Run(Lab.Refusal(Lab.Start.AddSeconds(62), RefusalReasons.Malformed));
        Assert.Equal(3, Assert.Single(lab.Findings).Evidence.Measured);
        Assert.Equal([2L, 3L, 4L], lab.Findings[0].Evidence.Events);
    }

    [Fact]
    public void An_aggregated_flood_counts_as_what_it_stands_for()
    {
        var lab = new Lab($"[{Lab.Condition("malformed", "refusals: 3, window: \"00:01:00\"")}]");
        lab.Run(Lab.Refusal(Lab.Start, RefusalReasons.Malformed, count: 500));
        Assert.Equal(500, Assert.Single(lab.Findings).Evidence.Measured);
    }

    [Fact]
    public void A_condition_clears_when_nothing_recurs_for_its_window()
    {
        var lab = new Lab($"[{Lab.Condition("malformed", "refusals: 1, window: \"00:10:00\"")}]");
        lab.Run(Lab.Refusal(Lab.Start, RefusalReasons.Malformed));
        Assert.Empty(lab.Run(Lab.WithTicks([Lab.Tick(Lab.Start)], Lab.Start.AddMinutes(9))).Cleared);
        Assert.Single(lab.Run(Lab.WithTicks([Lab.Tick(Lab.Start.AddMinutes(9))], Lab.Start.AddMinutes(10))).Cleared);
    }

    [Fact]
    public void Unregistered_senders_are_found_by_the_gateway_itself_without_any_template_and_forgotten_later()
    {
        var lab = new Lab();
        lab.Run(Enumerable.Range(0, 10).Select(i => Lab.Refusal(Lab.Start.AddSeconds(i), RefusalReasons.Unregistered, device: null, source: "203.0.113.9")));
        var finding = Assert.Single(lab.Findings);
        Assert.Equal((null, "source", "203.0.113.9", "gateway"), (finding.FieldId, finding.Scope, finding.ScopeKey, finding.TemplateId));
        var later = lab.Run(Lab.WithTicks([Lab.Tick(Lab.Start.AddSeconds(10))], Lab.Start.AddMinutes(12)));
        Assert.Single(later.Cleared);
        Assert.Empty(lab.Table.All);
        Assert.Equal(ChangeKind.Removed, Assert.Single(later.States.Settled).Kind);
    }

    [Fact]
    public void Ten_thousand_unknown_senders_cost_bounded_memory_and_the_rest_are_counted_together()
    {
        var lab = new Lab();
        lab.Run(Enumerable.Range(0, 100_000).Select(i => Lab.Refusal(Lab.Start, RefusalReasons.Unregistered, device: null, source: $"2001:db8::{i:x}")));
        Assert.InRange(lab.Table.All.Count(), 1, 512 * 64 + 1);
        Assert.Equal(Lanes.Other, Assert.Single(lab.Findings).ScopeKey);
    }

    [Fact]
    public void A_device_in_a_field_without_template_is_followed_but_not_judged()
    {
        var lab = new Lab();
        var result = lab.Run(Lab.Message(Lab.Start, sequence: 1) with { FieldId = "bare" }, Lab.Message(Lab.Start, sequence: 1) with { FieldId = "bare" });
        Assert.Single(result.Batch.Duplicates);
        Assert.Empty(result.Batch.Findings);
    }

    private static class Lanes
    {
        public const string Other = Sekisho.Detection.Lanes.SubjectTable.OtherSources;
    }
}
