using Sekisho.Detection.Findings.Exceptions;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Tests.Findings;

public class ExceptionTests
{
    private const string Size = "bytes: 10";

    [Fact]
    public void What_is_allowed_is_not_told_and_is_counted()
    {
        var lab = new Lab($"[{Lab.Condition("size", Size)}]");
        var result = lab.Run(Lab.Allow(Lab.Start, "x1", "c1"), Lab.Message(Lab.Start, size: 10), Lab.Message(Lab.Start.AddMinutes(1), size: 10));
        Assert.Empty(result.Raised);
        Assert.Equal(2, result.Allowed["x1"].Times);
        Assert.Single(result.Exceptions);
    }

    [Fact]
    public void It_holds_from_its_place_in_the_journal_until_its_time_and_until_it_is_taken_back()
    {
        var lab = new Lab($"[{Lab.Condition("size", Size, "repeatAfter: \"00:01:00\"")}]");
        lab.Run(Lab.Message(Lab.Start, size: 10));
        lab.Run(Lab.Allow(Lab.Start, "x1", until: Lab.Start.AddMinutes(10)), Lab.Message(Lab.Start.AddMinutes(2), size: 10), Lab.Message(Lab.Start.AddMinutes(9), size: 10));
        Assert.Single(lab.Findings);
        lab.Run(Lab.Message(Lab.Start.AddMinutes(10), size: 10));
        Assert.Equal([new TriedException("x1", ExceptionKinds.Accept, ExceptionMisses.Expired)], lab.Findings[1].Evidence.ExceptionsTried);
        lab.Run(Lab.Allow(Lab.Start.AddMinutes(11), "x1"), Lab.Message(Lab.Start.AddMinutes(12), size: 10), Lab.Allow(Lab.Start.AddMinutes(13), "x1", inForce: false), Lab.Message(Lab.Start.AddMinutes(14), size: 10));
        Assert.Equal(3, lab.Findings.Count);
    }

    [Fact]
    public void Every_finding_lists_the_exceptions_that_were_tried_and_why_each_did_not_hold()
    {
        var directory = new FakeDirectory();
        directory.SetDevice("d1", kind: "camera", parent: "hub");
        var lab = new Lab($"[{Lab.Condition("size", Size)}]", directory: directory);
        lab.Run(
            Lab.Allow(Lab.Start, "x1", subject: "d2"), Lab.Allow(Lab.Start, "x2", group: "kind:lamp"), Lab.Allow(Lab.Start, "x3", value: "192.0.2.0/24"),
            Lab.Allow(Lab.Start, "x4", until: Lab.Start), Lab.Allow(Lab.Start, "x5", "another"), Lab.Message(Lab.Start, size: 10));
        Assert.Equal(
            ["x1 other-subject", "x2 other-group", "x3 other-value", "x4 expired"],
            Assert.Single(lab.Findings).Evidence.ExceptionsTried.Select(t => $"{t.Id} {t.Why}"));
    }

    [Theory]
    [InlineData("kind:camera", true)]
    [InlineData("parent:hub", true)]
    [InlineData("parent:d1", true)]
    [InlineData("place:kitchen", true)]
    [InlineData("kind:lamp", false)]
    [InlineData("place:hall", false)]
    [InlineData("camera", false)]
    public void A_group_is_a_kind_a_gateway_unit_or_a_place(string group, bool allowed)
    {
        var directory = new FakeDirectory();
        directory.SetDevice("d1", kind: "camera", parent: "hub");
        var lab = new Lab($"[{Lab.Condition("size", Size)}]", directory: directory);
        lab.Run(Lab.Allow(Lab.Start, "x1", group: group), Lab.Message(Lab.Start, size: 10) with { Place = "kitchen" });
        Assert.Equal(allowed ? 0 : 1, lab.Findings.Count);
    }

    [Fact]
    public void Learnt_networks_allow_what_they_name_and_nothing_else()
    {
        var claim = new Claim("field", "foreign", Scopes.Device, "d1", null, null, "198.51.100.0/24", Lab.Start);
        var book = ExceptionBook.Of([Lab.Allow(Lab.Start, "x1", "foreign", "d1", value: "198.51.100.0/24")]);
        Assert.NotNull(book.Try(claim, out _));
        Assert.Null(book.Try(claim with { Value = "203.0.113.0/24" }, out _));
        Assert.Null(book.Try(claim with { Subject = "d2" }, out _));
        Assert.Null(book.Try(claim with { FieldId = "other" }, out _));
    }
}
