using System.Runtime.CompilerServices;
using Sekisho.Tests.Support;
using Sekisho.Traffic.Headers;

namespace Sekisho.Traffic.Tests.Headers;

public class MutationTests
{
    private static readonly (LinkType Link, byte[] Frame)[] Seeds =
    [
        .. HeaderParserTests.Known.Select(k => (LinkType.Ethernet, k.Data.Item2)),
        .. RareFramesTests.Known.Select(k => (k.Data.Item2, k.Data.Item3)),
    ];

    [Fact]
    public void No_mutated_frame_is_read_beyond_its_ends_or_makes_a_header_that_contradicts_itself() =>
        Mutations.Run(Seeds, Fuzz.Rounds(200_000), Fuzz.Source(4));

    [Fact]
    public void The_short_way_through_usual_frames_says_what_the_long_way_says()
    {
        var seeds = Seeds.Where(s => s.Link == LinkType.Ethernet).ToArray();
        var compared = 0;
        Mutations.Run(seeds, Fuzz.Rounds(200_000), Fuzz.Source(5), (frame, link, wire) =>
        {
            HeaderParser.Parse(frame, link, wire, 9, out var header);
            HeaderParser.ParseAny(frame, link, wire, out var slow);
            slow.Timestamp = 9;
            slow.WireLength = wire;
            Assert.Equal(slow, header);
            compared += slow.Marks == PacketMarks.HasPorts ? 1 : 0;
        });
        Assert.InRange(compared, 20_000, Fuzz.Rounds(200_000));
    }

    [Fact]
    public void Nothing_of_the_frame_before_stays_in_a_header()
    {
        foreach (var (link, frame) in Seeds)
        {
            Unsafe.SkipInit(out PacketHeader used);
            System.Runtime.InteropServices.MemoryMarshal.AsBytes(new Span<PacketHeader>(ref used)).Fill(0xA5);
            HeaderParser.Parse(frame, link, frame.Length, 1, out used);
            var unused = default(PacketHeader);
            HeaderParser.Parse(frame, link, frame.Length, 1, out unused);
            Assert.Equal(unused, used);
        }
    }

    [Fact]
    public void No_kind_of_frame_costs_memory()
    {
        for (var round = 0; round < 2; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 1000; i++)
            {
                foreach (var (link, frame) in Seeds)
                {
                    HeaderParser.Parse(frame, link, frame.Length, i, out _);
                }
            }

            // The first round is for the compiler.
            Assert.True(round == 0 || GC.GetAllocatedBytesForCurrentThread() == before, "parsing allocates");
        }
    }
}
