using Sekisho.Detection.Conditions.Devices;
using Sekisho.Detection.Conditions.Group;
using Sekisho.Detection.Thresholds;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;

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

    /// <summary>What the carrier knows of the device's SIM.</summary>
    Sim,

    /// <summary>What the gateway saw of the device's traffic within a minute.</summary>
    Traffic,

    /// <summary>A command to the device was held.</summary>
    Command,
}

/// <summary>One event as conditions see it. All times are Unix milliseconds (UTC). Made once per event, read by every condition; nothing in it is made anew.</summary>
internal readonly struct Signal
{
    /// <summary>Stands for "no sequence, or one that is no number".</summary>
    public const long NoSequence = long.MinValue;

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

    /// <summary>
    /// True when a learner may take it for normal: live, not a repeat, its clock believed, and nothing raised on the device at present.
    /// </summary>
    public bool IsClean { get; init; }

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

    /// <summary>Reason of a refusal, outcome of an authentication, lifecycle state, or state of a SIM's session.</summary>
    public string? What { get; init; }

    /// <summary>Device time as the device told it, plausible or not; 0 when it told none.</summary>
    public long DeviceTime { get; init; }

    /// <summary>Sequence number of a message; <see cref="NoSequence"/> when there is none or it is no number.</summary>
    public long Sequence { get; init; }

    /// <summary>Binding epoch of a message: sequences of different epochs do not compare.</summary>
    public int Epoch { get; init; }

    /// <summary>Who sent it, as a network sees it; the default when nobody did.</summary>
    public SourceKey Source { get; init; }

    /// <summary>Stable hash of the client (User-Agent) of an authentication; 0 when unknown.</summary>
    public ulong Client { get; init; }

    /// <summary>The device, as the directory knows it; null when unknown or when the signal is about none.</summary>
    public DeviceProfile? Device { get; init; }

    /// <summary>Field concerned; null for the gateway as a whole.</summary>
    public string? FieldId { get; init; }

    /// <summary>Identifier of the device; null when the signal is about none.</summary>
    public string? DeviceId { get; init; }

    /// <summary>Identifier of the user concerned; null when none is.</summary>
    public string? UserId { get; init; }

    /// <summary>Where the device is: what its messages say, else the SIM's site, else its cell; null when unknown.</summary>
    public string? Place { get; init; }

    /// <summary>Stable hash of the way the message took (relays); 0 when unknown.</summary>
    public ulong Path { get; init; }

    /// <summary>What the lanes know of the device from earlier facts: SIM, place, last authentication. Empty at wide scopes' ticks.</summary>
    public DeviceFacts Facts { get; init; }

    /// <summary>Who else was heard at the device's place; empty unless the kind asks for it.</summary>
    public Neighbours Neighbours { get; init; }

    /// <summary>The group event that the device's silence is part of, at ticks only and only where the kind asks for neighbours; the default for none.</summary>
    public Outage Outage { get; init; }

    /// <summary>What peers taught.</summary>
    public PriorBook? Priors { get; init; }

    /// <summary>True where the field has sampling switched off: the content of its messages is not looked at.</summary>
    public bool HidesContent { get; init; }

    /// <summary>The event itself; null for a tick.</summary>
    public GatewayEvent? Happened { get; init; }

    /// <summary>Parent unit that the device sits behind; null when it connects itself.</summary>
    public string? ParentId => Device?.ParentId;

    /// <summary>Declared cadence, one of <see cref="Cadences"/>; null when the device is unknown.</summary>
    public string? Cadence => Device?.Cadence;

    /// <summary>Declared interval between messages, milliseconds; 0 when there is none.</summary>
    public long Interval => Device?.Interval is { } declared ? (long)declared.TotalMilliseconds : 0;

    /// <summary>JSON of a message as it is kept (UTF-8); empty for other signals and where the field's content is not looked at.</summary>
    public ReadOnlySpan<byte> Payload => !HidesContent && Happened is MessageEvent message ? message.Payload.Span : default;

    /// <summary>JSON object of what only detection may see, keyed by pointer (UTF-8); empty when there is nothing.</summary>
    public ReadOnlySpan<byte> Transient => !HidesContent && Happened is MessageEvent message ? message.Transient.Span : default;

    /// <summary>The SIM fact; null for other signals.</summary>
    public SimFactEvent? Sim => Happened as SimFactEvent;

    /// <summary>The traffic of a minute; null for other signals.</summary>
    public TrafficFactEvent? Traffic => Happened as TrafficFactEvent;
}
