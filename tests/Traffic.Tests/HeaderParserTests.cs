using Sekisho.Traffic.Headers;

namespace Sekisho.Traffic.Tests;

public class HeaderParserTests
{
    [Fact]
    public void A_frame_without_bytes_is_cut()
    {
        HeaderParser.Parse([], LinkType.Ethernet, 60, 1, out var header);

        Assert.Equal(PacketMarks.Truncated, header.Marks);
        Assert.Equal(60, header.WireLength);
    }
}
