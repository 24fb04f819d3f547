namespace Sekisho.Traffic.Capture;

/// <summary>What the kernel counted since the capture was opened.</summary>
/// <param name="Frames">Frames that were handed over or wait in the ring. Fewer than the headers read where the kernel had merged segments.</param>
/// <param name="Drops">Frames that were lost because the ring was full.</param>
/// <param name="Freezes">How often the ring was full.</param>
public readonly record struct CaptureStatistics(long Frames, long Drops, long Freezes)
{
    /// <summary>Sums of both.</summary>
    public static CaptureStatistics operator +(CaptureStatistics left, CaptureStatistics right) =>
        new(left.Frames + right.Frames, left.Drops + right.Drops, left.Freezes + right.Freezes);

    /// <summary>Sums of both.</summary>
    public static CaptureStatistics Add(CaptureStatistics left, CaptureStatistics right) => left + right;
}

/// <summary>Whether an interface can carry frames.</summary>
public enum InterfaceState
{
    /// <summary>It is up.</summary>
    Up,

    /// <summary>It was set down, or its carrier's driver was.</summary>
    Down,

    /// <summary>It is gone (unplugged, deleted). When one with its name appears, reading goes on.</summary>
    Gone,
}

/// <summary>One interface that is read, now.</summary>
/// <param name="Name">Name of the interface.</param>
/// <param name="State">Whether it can carry frames.</param>
/// <param name="Outages">How often it went down or away since the capture was opened.</param>
/// <param name="LastFrame">When the newest frame was seen, in nanoseconds since 1970; null before the first. A mirror port without traffic is recognised by it.</param>
/// <param name="Statistics">What the kernel counted.</param>
public sealed record CapturedInterface(string Name, InterfaceState State, int Outages, long? LastFrame, CaptureStatistics Statistics);
