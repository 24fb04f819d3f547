using Sekisho.Traffic.Headers;

namespace Sekisho.Traffic.Files;

/// <summary>The frames of one format.</summary>
internal abstract class RecordReader
{
    /// <summary>The longest frame that is believed, as in tcpdump and Wireshark.</summary>
    public const int LongestFrame = 1 << 18;

    public IReadOnlyList<CaptureInterface> Interfaces => Met;

    public bool Truncated { get; protected set; }

    /// <summary>Bytes on the wire of the frames that were handed over.</summary>
    public long Bytes { get; protected set; }

    protected List<CaptureInterface> Met { get; } = [];

    public abstract int Read(Span<PacketHeader> batch);

    protected static CaptureFileException Damaged(long offset, string what) =>
        new(CaptureFileFault.DamagedRecord, $"offset {offset}: {what}", $"The capture is damaged at byte {offset}: {what}. What stands before it was read.");
}
