namespace Sekisho.Detection.Conditions;

/// <summary>What kind of thing a condition is shown.</summary>
internal enum SignalKind : byte
{
    /// <summary>A message taken for the first time.</summary>
    Message,

    /// <summary>A message that was taken before: an attempt, not a message.</summary>
    Duplicate,

    /// <summary>Refused requests.</summary>
    Refusal,

    /// <summary>An attempt to authenticate.</summary>
    Authentication,

    /// <summary>The device changed its lifecycle state.</summary>
    Device,

    /// <summary>The clock.</summary>
    Tick,
}

/// <summary>One event as conditions see it. All times are Unix milliseconds (UTC).</summary>
internal readonly struct Signal
{
    public required SignalKind Kind { get; init; }

    /// <summary>Arrival time.</summary>
    public required long At { get; init; }

    /// <summary>Device time where it is plausible, else arrival time.</summary>
    public required long EventAt { get; init; }

    /// <summary>Journal position.</summary>
    public required long Position { get; init; }

    /// <summary>How long the gateway was down in all, so far: time in which nobody could be heard.</summary>
    public required long Downtime { get; init; }

    /// <summary>Arrival time of the tick before this event.</summary>
    public long TickBefore { get; init; }

    /// <summary>A stored reading delivered late: its device time lies in the gap below.</summary>
    public bool Backlog { get; init; }

    /// <summary>Start of the device's last gap: event time of the last message before it; 0 when nothing came before.</summary>
    public long GapFrom { get; init; }

    /// <summary>End of that gap: arrival of the message that ended it.</summary>
    public long GapTo { get; init; }

    /// <summary>Bytes of a message, or of refused bodies together.</summary>
    public long Bytes { get; init; }

    /// <summary>How many requests it stands for.</summary>
    public int Count { get; init; }

    /// <summary>Operating mode of a message; null when absent.</summary>
    public string? Mode { get; init; }

    /// <summary>Reason of a refusal, outcome of an authentication, or lifecycle state.</summary>
    public string? What { get; init; }
}
