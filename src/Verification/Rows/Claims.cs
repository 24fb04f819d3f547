namespace Sekisho.Verification.Rows;

/// <summary>What must be detected, in one place: which kinds of conditions may say it, and about which risk.</summary>
internal static class Claims
{
    public static readonly Claim TooOften = new(["frequency"], ["takeover"]);
    public static readonly Claim Silent = new(["silence"], ["theft"]);
    public static readonly Claim Falling = new(["cadence"], ["theft"], Stage: "falling");
    public static readonly Claim Stopped = new(["cadence"], ["theft"], Stage: "stopped");
    public static readonly Claim Timestamp = new(["timestamp"], ["takeover", "spoofing"]);

    /// <summary>After a gap: more, or with other times, than can have been stored.</summary>
    public static readonly Claim Burst = new(["frequency", "timestamp"], ["takeover", "spoofing"]);
    public static readonly Claim Clone = new(["clone"], ["takeover", "spoofing"]);
    public static readonly Claim Storm = new(["attempts"], ["unauthorised-access"]);
    public static readonly Claim Hours = new(["hours"], ["unauthorised-access"]);
    public static readonly Claim Network = new(["network"], ["theft", "unauthorised-access", "spoofing"]);
    public static readonly Claim Source = new(["sim-address"], ["spoofing"]);
    public static readonly Claim SharedSource = new(["shared-source"], ["spoofing"]);
    public static readonly Claim Volume = new(["sim-volume"], ["takeover"]);
    public static readonly Claim Size = new(["size"], ["takeover", "spoofing"]);
    public static readonly Claim Malformed = new(["malformed"], ["takeover"]);
}
