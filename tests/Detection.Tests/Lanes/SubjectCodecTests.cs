using Sekisho.Detection.Findings;
using Sekisho.Detection.Lanes;
using Sekisho.Detection.Templates;
using Sekisho.Tests.Support;

namespace Sekisho.Detection.Tests.Lanes;

public class SubjectCodecTests
{
    private static readonly ScopePlan Plan = Lab.BookOf(Lab.TemplateOf($"[{Lab.Condition("size", "bytes: 10", key: "size")}, {Lab.Condition("silence", "duration: \"01:00:00\"", key: "silence")}]")).For("field").Device;

    [Fact]
    public void The_encoding_is_the_one_that_older_stores_hold()
    {
        Assert.Equal(Golden, Convert.ToHexStringLower(SubjectCodec.Encode(Sample())));
    }

    [Fact]
    public void What_was_encoded_comes_back()
    {
        var subject = Fresh();
        SubjectCodec.Decode(subject, Convert.FromHexString(Golden), []);
        Assert.Equal(Sample().Cells, subject.Cells);
        Assert.Equal((1, -2, 300, long.MaxValue), (subject.Timeline.LastArrival, subject.Timeline.LastEvent, subject.Timeline.GapFrom, subject.Timeline.GapTo));
        Assert.Equal("c0ffee", subject.CorrelationId);
        Assert.Equal([7UL, ulong.MaxValue], subject.Duplicates.Entries());
    }

    [Fact]
    public void A_raised_condition_that_is_no_longer_planned_is_reported()
    {
        var subject = new Subject(new SubjectId("device", null, "d1"), "field");
        var raised = new List<ulong>();
        SubjectCodec.Decode(subject, Convert.FromHexString(Golden), raised);
        Assert.Equal([StableHash.Of("size", "size")], raised);
    }

    [Fact]
    public void Damaged_bytes_are_refused_by_name_and_never_crash()
    {
        var random = Fuzz.Source(3);
        var good = Convert.FromHexString(Golden);
        var rounds = Fuzz.Rounds(20_000);
        for (var i = 0; i < rounds; i++)
        {
            var bad = good.ToArray().AsSpan(0, random.Next(2) == 0 ? good.Length : random.Next(good.Length)).ToArray();
            for (var j = random.Next(4); j > 0 && bad.Length > 0; j--)
            {
                bad[random.Next(bad.Length)] = (byte)random.Next(256);
            }

            try
            {
                SubjectCodec.Decode(Fresh(), bad, []);
            }
            catch (InvalidDataException)
            {
                continue;
            }
        }
    }

    private const string Golden = "010203d804feffffffffffffffff010c633066666565062e2d5ff3c0a79ee43e00020406080a0c0e10121416181a1c1e20222426282a2c2e30323436383a3cdfcb7f26bf8a1aa70c82044042444648a7dd4950ed6ca15610004c4e5052545658040700000000000000ffffffffffffffff";

    private static Subject Fresh()
    {
        var subject = new Subject(new SubjectId("device", null, "d1"), "field");
        subject.Adopt(Plan, []);
        return subject;
    }

    private static Subject Sample()
    {
        var subject = Fresh();
        subject.Timeline = new Timeline { LastArrival = 1, LastEvent = -2, GapFrom = 300, GapTo = long.MaxValue };
        subject.CorrelationId = "c0ffee";
        for (var i = 0; i < subject.Cells.Length; i++)
        {
            subject.Cells[i] = i;
        }

        // Neither the facts nor silence are raised.
        subject.Cells[0] = 0;
        subject.StateOf(Plan.Conditions[2])[0] = 0;
        subject.StateOf(Plan.Conditions[1])[0] = 0x101;
        subject.Duplicates.Add(7);
        subject.Duplicates.Add(ulong.MaxValue);
        return subject;
    }
}
