using System.Globalization;

namespace Sekisho.Traffic.Capture;

/// <summary>How live traffic is read.</summary>
public sealed record CaptureSettings
{
    /// <summary>Interfaces that are read, each with its own ring.</summary>
    public required IReadOnlyList<string> Interfaces { get; init; }

    /// <summary>Memory shared with the kernel per interface (and per reader with fan-out), 1 to 64 MiB. Headers of about 65,000 frames fit into 8 MiB: eight seconds of a busy plant network. At low rates each block leaves half empty when its time is over, so the ring holds as many blocks times <see cref="RetireMilliseconds"/>: 3.2 s.</summary>
    public int RingMebibytes { get; init; } = 8;

    /// <summary>Size of the blocks that the kernel hands over, 64 to 4,096 KiB, a power of two. A block is free for the kernel again as soon as it is read.</summary>
    public int BlockKibibytes { get; init; } = 256;

    /// <summary>After how many milliseconds the kernel hands over a block that is not full, 1 to 1,000: how late a frame is seen at most.</summary>
    public int RetireMilliseconds { get; init; } = 100;

    /// <summary>How much of a frame the kernel keeps at most, 64 to 65,535 bytes. Of plain TCP, UDP and ICMP it keeps the headers only, whatever this says; the rest is needed by tunnels and IPv6 extension headers.</summary>
    public int SnapLength { get; init; } = 192;

    /// <summary>Frames for other MACs too: what a mirror port is for.</summary>
    public bool Promiscuous { get; init; } = true;

    /// <summary>Frames that this machine itself sends on the interface too: for a port of a bridge or router whose both directions are wanted.</summary>
    public bool Outgoing { get; init; }

    /// <summary>Throws <see cref="ArgumentException"/> that names the key, the value and what is allowed.</summary>
    internal void Check()
    {
        if (Interfaces.Count is 0 or > 64 || Interfaces.Distinct(StringComparer.Ordinal).Count() != Interfaces.Count)
        {
            throw new ArgumentException($"{nameof(Interfaces)}: 1 to 64 different names are needed, not \"{string.Join(", ", Interfaces)}\".");
        }

        Within(nameof(RingMebibytes), RingMebibytes, 1, 64);
        Within(nameof(BlockKibibytes), BlockKibibytes, 64, 4096);
        Within(nameof(RetireMilliseconds), RetireMilliseconds, 1, 1000);
        Within(nameof(SnapLength), SnapLength, 64, 65_535);
        if (!int.IsPow2(BlockKibibytes) || BlockKibibytes > RingMebibytes * 512)
        {
            throw new ArgumentException($"{nameof(BlockKibibytes)}: a power of two that goes at least twice into the ring, not {BlockKibibytes.ToString(CultureInfo.InvariantCulture)}.");
        }
    }

    private static void Within(string key, int value, int least, int most)
    {
        if (value < least || value > most)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{key}: {least} to {most}, not {value}."));
        }
    }
}
