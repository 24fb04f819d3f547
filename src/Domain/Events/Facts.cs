namespace Sekisho.Domain.Events;

/// <summary>
/// What the carrier knows of a device's SIM over a period: traffic, address, session, place. Comes from any carrier adapter through
/// <see cref="ISimFacts"/>, or over HTTPS. A part that the carrier does not tell is null.
/// </summary>
public sealed record SimFactEvent : GatewayEvent
{
    /// <summary>Field of the device.</summary>
    public required string FieldId { get; init; }

    /// <summary>The device that the SIM is in.</summary>
    public required string DeviceId { get; init; }

    /// <summary>Who says so: the adapter's or carrier's name, lower-case letters, digits and hyphens.</summary>
    public required string Provider { get; init; }

    /// <summary>Begin of the period, inclusive.</summary>
    public required DateTimeOffset From { get; init; }

    /// <summary>End of the period, exclusive; equal to the begin for a momentary fact.</summary>
    public required DateTimeOffset To { get; init; }

    /// <summary>Bytes from the device within the period.</summary>
    public long? UplinkBytes { get; init; }

    /// <summary>Bytes to the device within the period.</summary>
    public long? DownlinkBytes { get; init; }

    /// <summary>Global address of the SIM (no port).</summary>
    public string? Address { get; init; }

    /// <summary>State of the session at the end of the period, one of <see cref="SimSessions"/>.</summary>
    public required string Session { get; init; }

    /// <summary>Cell the SIM is in, at most <see cref="Places.Longest"/> characters of ASCII.</summary>
    public string? Cell { get; init; }

    /// <summary>Site (tower, building, area) the cell belongs to, as above.</summary>
    public string? Site { get; init; }
}

/// <summary>Stable names of the states of a SIM's session.</summary>
public static class SimSessions
{
    /// <summary>Attached to the network.</summary>
    public const string Attached = "attached";

    /// <summary>Not attached.</summary>
    public const string Detached = "detached";

    /// <summary>The carrier does not tell.</summary>
    public const string Unknown = "unknown";

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<string> All = [Attached, Detached, Unknown];
}

/// <summary>Rules for the names of places.</summary>
public static class Places
{
    /// <summary>Most characters of a name: lanes keep names in a fixed room.</summary>
    public const int Longest = 32;

    /// <summary>True for 1 to <see cref="Longest"/> printable characters of ASCII without space.</summary>
    public static bool IsName(ReadOnlySpan<char> text) => text.Length is > 0 and <= Longest && !text.ContainsAnyExceptInRange('!', '~');
}

/// <summary>What the gateway itself saw of a device's traffic within a minute; only devices with traffic have one.</summary>
public sealed record TrafficFactEvent : GatewayEvent
{
    /// <summary>Field of the device.</summary>
    public required string FieldId { get; init; }

    /// <summary>The device.</summary>
    public required string DeviceId { get; init; }

    /// <summary>Begin of the minute, inclusive.</summary>
    public required DateTimeOffset From { get; init; }

    /// <summary>Its end, exclusive.</summary>
    public required DateTimeOffset To { get; init; }

    /// <summary>Bytes of accepted bodies, repeats among them.</summary>
    public required long AcceptedBytes { get; init; }

    /// <summary>Bytes of messages that were recognised as repeats.</summary>
    public required long RepeatedBytes { get; init; }

    /// <summary>Bytes of bodies of refused or broken-off requests, as far as they were received.</summary>
    public required long FailedBytes { get; init; }

    /// <summary>Requests that were accepted or refused.</summary>
    public required int Requests { get; init; }

    /// <summary>Messages that were recognised as repeats.</summary>
    public required int Retries { get; init; }

    /// <summary>Connections with a completed TLS handshake on which the device proved who it is.</summary>
    public required int Handshakes { get; init; }

    /// <summary>Bytes of the connections from the device, TLS included, without TCP and IP headers; null where connections are not counted.</summary>
    public long? WireUp { get; init; }

    /// <summary>Bytes of the connections to the device, as above.</summary>
    public long? WireDown { get; init; }
}

/// <summary>
/// People allowed something, or took that back. An event, so that a verdict can be derived again: an exception holds from its place in the
/// journal on, not from a moment on a clock.
/// </summary>
public sealed record ExceptionChangedEvent : GatewayEvent
{
    /// <summary>Field it holds in; null for the gateway's own conditions.</summary>
    public required string? FieldId { get; init; }

    /// <summary>Which exception: "x" and 31 lower-case hex digits, chosen by whoever makes it. A later event of the same one replaces it.</summary>
    public required string ExceptionId { get; init; }

    /// <summary>False when it is taken back.</summary>
    public required bool InForce { get; init; }

    /// <summary>One of <see cref="ExceptionKinds"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>Scope of the conditions it is about, one of <see cref="Detection.Scopes"/>; null for all.</summary>
    public string? Scope { get; init; }

    /// <summary>Key of the condition it is about; null for all.</summary>
    public string? ConditionKey { get; init; }

    /// <summary>The one subject (device, user, source …) it holds for; null for all.</summary>
    public string? Subject { get; init; }

    /// <summary>The group of devices it holds for: "kind:NAME", "parent:DEVICE", "user:DEVICE" or "place:NAME"; null for all.</summary>
    public string? Group { get; init; }

    /// <summary>The claim it allows (a network, a client, an extension …), as evidence names it; null for all.</summary>
    public string? Value { get; init; }

    /// <summary>When it ends; null for never.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Who made it.</summary>
    public required string By { get; init; }

    /// <summary>Why, for people.</summary>
    public string? Reason { get; init; }
}

/// <summary>Stable names of kinds of exceptions.</summary>
public static class ExceptionKinds
{
    /// <summary>This is normal from now on (許容を学習).</summary>
    public const string Learn = "learn";

    /// <summary>Do not tell for a while (通知しない).</summary>
    public const string Mute = "mute";

    /// <summary>The risk is known and borne (リスク受容).</summary>
    public const string Accept = "accept";

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<string> All = [Learn, Mute, Accept];
}

/// <summary>What the peers of a field's devices taught about a metric: the starting point of a learner that has seen little itself.</summary>
public sealed record PriorEvent : GatewayEvent
{
    /// <summary>Field of the peers; null for what was shipped or learnt across fields.</summary>
    public required string? FieldId { get; init; }

    /// <summary>Which metric of which peers, for example "size/recorder": the metric's name, "/", the kind of devices.</summary>
    public required string Metric { get; init; }

    /// <summary>Counts up; a later one replaces an earlier one.</summary>
    public required int Version { get; init; }

    /// <summary>What only the learner understands: at most 64 finite numbers.</summary>
    public required IReadOnlyList<double> Numbers { get; init; }
}

/// <summary>Takes what carriers know. Implemented by Distribution, called by carrier adapters. Any thread.</summary>
public interface ISimFacts
{
    /// <summary>Puts facts into the journal and returns when they are durable.</summary>
    /// <param name="facts">At least one, of devices that exist in their fields.</param>
    /// <param name="cancellation">Stops waiting.</param>
    /// <exception cref="JournalUnavailableException">Nothing was stored.</exception>
    Task ReportAsync(IReadOnlyList<SimFactEvent> facts, CancellationToken cancellation);
}
