using Sekisho.Traffic.Capture;
using Sekisho.Traffic.Headers;

namespace Sekisho.Traffic.Tests.Capture;

public class MergedSegmentsTests
{
    [Fact]
    public void A_merged_frame_of_TCP_comes_apart_into_the_frames_of_the_wire()
    {
        var merged = MergedSegments.Of(new() { Protocol = 6, WireLength = 66 + 4000, PayloadLength = 4000, Sequence = uint.MaxValue - 999, TcpFlags = 0x19, Timestamp = 7 }, 1448);

        var frames = All(merged);

        Assert.Equal([1514, 1514, 66 + 1104], frames.Select(f => f.WireLength));
        Assert.Equal([1448, 1448, 1104], frames.Select(f => f.PayloadLength));
        Assert.Equal([uint.MaxValue - 999, 448u, 1896u], frames.Select(f => f.Sequence));
        Assert.Equal([0x10, 0x10, 0x19], frames.Select(f => (int)f.TcpFlags));
        Assert.All(frames, f => Assert.Equal(7, f.Timestamp));
    }

    [Fact]
    public void A_merged_frame_of_UDP_comes_apart_too()
    {
        var frames = All(MergedSegments.Of(new() { Protocol = 17, WireLength = 42 + 2400, PayloadLength = 2400 }, 1200));

        Assert.Equal([1242, 1242], frames.Select(f => f.WireLength));
    }

    [Theory]
    [InlineData(0, 4000)]
    [InlineData(1448, 1448)]
    [InlineData(1448, 0)]
    [InlineData(1, 5000)]
    public void What_was_not_merged_stays_whole(int segmentSize, int payload) =>
        Assert.Equal(0, MergedSegments.Of(new() { Protocol = 6, WireLength = 4066, PayloadLength = payload }, segmentSize).Left);

    private static List<PacketHeader> All(MergedSegments merged)
    {
        var frames = new List<PacketHeader>();
        while (merged.Left > 0)
        {
            PacketHeader frame = default;
            merged.Next(ref frame);
            frames.Add(frame);
        }

        return frames;
    }
}
