namespace Sekisho.Traffic.Headers;

/// <summary>Reads the headers of one frame. Allocates nothing and never throws: what cannot be read is marked.</summary>
public static class HeaderParser
{
    /// <summary>Reads <paramref name="frame"/>, the captured begin of a frame of <paramref name="wireLength"/> bytes.</summary>
    public static void Parse(ReadOnlySpan<byte> frame, LinkType link, int wireLength, long timestamp, out PacketHeader header)
    {
        header = default;
        header.Timestamp = timestamp;
        header.WireLength = wireLength;
        header.Marks = frame.IsEmpty ? PacketMarks.Truncated : PacketMarks.Unknown;
    }
}
