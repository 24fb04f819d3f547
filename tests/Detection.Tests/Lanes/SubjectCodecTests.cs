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
        Assert.Equal((2, 7UL, ulong.MaxValue), (subject.Duplicates.Count, subject.Duplicates[0], subject.Duplicates[1]));
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
        var rounds = Fuzz.Rounds(20_000);
        for (var i = 0; i < rounds; i++)
        {
            try
            {
                SubjectCodec.Decode(Fresh(), Damage.Of(Convert.FromHexString(Golden), random), []);
            }
            catch (InvalidDataException)
            {
                continue;
            }
        }
    }

    [Fact]
    public void The_encoding_of_a_part_is_the_one_that_older_stores_hold() => Assert.Equal(GoldenPart, Convert.ToHexStringLower(Part()));

    [Fact]
    public void A_part_upon_the_state_before_it_is_the_state_after_it()
    {
        var state = StoredState.Read(Convert.FromHexString(Golden));
        state.Apply(Convert.FromHexString(GoldenPart));
        var subject = Fresh();
        state.Fill(subject, []);
        Assert.Equal(Convert.ToHexString(SubjectCodec.Encode(After())), Convert.ToHexString(SubjectCodec.Encode(subject)));
        Assert.False(subject.Whole);
        Assert.Equal(0, subject.Duplicates.Fresh);
    }

    [Fact]
    public void Parts_carry_any_change_of_cells_and_of_the_window()
    {
        var random = new Random(7);
        var subject = Sample();
        var stored = StoredState.Read(SubjectCodec.Encode(subject));
        for (var i = 0; i < 2000; i++)
        {
            subject.Duplicates.Settle();
            var before = subject.Cells.ToArray();
            for (var changes = random.Next(6); changes > 0; changes--)
            {
                subject.Cells[random.Next(subject.Cells.Length)] = random.Next(3) == 0 ? random.NextInt64(long.MinValue, long.MaxValue) : random.Next(3);
            }

            for (var added = random.Next(10) == 0 ? random.Next(300) : random.Next(3); added > 0; added--)
            {
                subject.Duplicates.Add((ulong)random.NextInt64());
            }

            var writer = new StateWriter();
            SubjectCodec.Part(subject, before, writer);
            stored.Apply(writer.Written.Span);
            var copy = Fresh();
            stored.Fill(copy, []);
            Assert.Equal(SubjectCodec.Encode(subject), SubjectCodec.Encode(copy));
        }
    }

    [Fact]
    public void Damaged_parts_are_refused_by_name_and_never_crash()
    {
        var random = Fuzz.Source(4);
        var rounds = Fuzz.Rounds(20_000);
        for (var i = 0; i < rounds; i++)
        {
            try
            {
                StoredState.Read(Convert.FromHexString(Golden)).Apply(Damage.Of(Convert.FromHexString(GoldenPart), random));
            }
            catch (InvalidDataException)
            {
                continue;
            }
        }
    }

    // Three cells from the first on (the one between is as it was), 98 as they were, the last; one identifier.
    private const string GoldenPart = "01e80703d804feffffffffffffffff010c63306666656604000609029a01c40102ffffffffffffffffff01020900000000000000";

    private const string Golden = "010203d804feffffffffffffffff010c633066666565062e2d5ff3c0a79ee45600020406080a0c0e10121416181a1c1e20222426282a2c2e30323436383a3c3e40424446484a4c4e505254dfcb7f26bf8a1aa70c8204585a5c5e60a7dd4950ed6ca1566a006466686a6c6e70727476787a7c7e800182018401860188018a018c018e01900192019401960198019a019c019e01a001a201a401a601a801aa01ac01ae01b001b201b401b601b801ba01bc01be01c001c201c401c601c801ca01040700000000000000ffffffffffffffff";

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

    private static Subject After()
    {
        var subject = Sample();
        subject.Timeline.LastArrival = 500;
        subject.CorrelationId = "c0ffef";
        subject.Cells[0] = -5;
        subject.Cells[2] = 77;
        subject.Cells[^1] = long.MinValue;
        subject.Duplicates.Settle();
        subject.Duplicates.Add(9);
        return subject;
    }

    private static byte[] Part()
    {
        var writer = new StateWriter();
        SubjectCodec.Part(After(), Sample().Cells, writer);
        return writer.Written.ToArray();
    }
}

/// <summary>Bytes as a failing disk or a stranger leaves them.</summary>
internal static class Damage
{
    /// <summary>Cut short half of the time, and with up to three bytes changed.</summary>
    public static byte[] Of(byte[] good, Random random)
    {
        var bad = good.AsSpan(0, random.Next(2) == 0 ? good.Length : random.Next(good.Length)).ToArray();
        for (var j = random.Next(4); j > 0 && bad.Length > 0; j--)
        {
            bad[random.Next(bad.Length)] = (byte)random.Next(256);
        }

        return bad;
    }
}
