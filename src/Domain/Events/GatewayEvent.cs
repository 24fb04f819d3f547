namespace Sekisho.Domain.Events;

/// <summary>
/// One thing that happened, as the journal keeps it. Everything that detection may base a verdict on arrives as an
/// event, so that the same events from the same state give the same findings.
/// </summary>
public abstract record GatewayEvent
{
    /// <summary>Place in the journal, counted from 1 without gaps. 0 until the journal has stored the event.</summary>
    public long Position { get; init; }

    /// <summary>When the gateway received it (UTC, whole milliseconds).</summary>
    public required DateTimeOffset ArrivedAt { get; init; }

    /// <summary>Runs from the request through findings and responses to every record. 32 lower-case hex digits (a W3C trace id); empty for ticks.</summary>
    public required string CorrelationId { get; init; }
}

/// <summary>One received datum of an authenticated device.</summary>
public sealed record MessageEvent : GatewayEvent
{
    /// <summary>The field the device belongs to.</summary>
    public required string FieldId { get; init; }

    /// <summary>The sender.</summary>
    public required string DeviceId { get; init; }

    /// <summary>Binding epoch: changes when the device lost its token or was issued anew, so that counters may restart.</summary>
    public required int Epoch { get; init; }

    /// <summary>The device's own clock, where the field's mapping found it; null when absent or unreadable.</summary>
    public DateTimeOffset? DeviceTime { get; init; }

    /// <summary>Sequence number or message id given by the device, as text; null when the device gives none.</summary>
    public string? Sequence { get; init; }

    /// <summary>Operating mode as the device states it (for example "on", "off"); null when absent.</summary>
    public string? Mode { get; init; }

    /// <summary>Where the device says it is (a room, a site), where the field's mapping found it: at most <see cref="Places.Longest"/> characters of ASCII; null when absent.</summary>
    public string? Place { get; init; }

    /// <summary>The way the message took before it reached the gateway (relays, hops), as the device or its gateway unit states it, at most 128 characters; null when absent.</summary>
    public string? Path { get; init; }

    /// <summary>Address that the message came from (no port).</summary>
    public required string Source { get; init; }

    /// <summary>Bytes of this message as received, before mapping.</summary>
    public required int Size { get; init; }

    /// <summary>The JSON that is kept and forwarded: dropped and transient properties are removed. UTF-8.</summary>
    public required ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>JSON object of the properties that detection may see and nothing may store past it; empty when there are none. UTF-8.</summary>
    public ReadOnlyMemory<byte> Transient { get; init; }

    /// <summary>Stable identity that travels to the customer cloud as Sekisho-Message-Id: 32 lower-case hex digits.
    /// Equal for equal (device, epoch, sequence, payload); unique where the device gives no sequence.</summary>
    public required string MessageId { get; init; }
}

/// <summary>An attempt to authenticate that reached a verdict about a known device.</summary>
public sealed record AuthenticationEvent : GatewayEvent
{
    /// <summary>Field of the device.</summary>
    public required string FieldId { get; init; }

    /// <summary>The device that the three elements named.</summary>
    public required string DeviceId { get; init; }

    /// <summary>What became of it: one of <see cref="AuthenticationOutcomes"/>.</summary>
    public required string Outcome { get; init; }

    /// <summary>Address of the sender (no port).</summary>
    public required string Source { get; init; }

    /// <summary>User-Agent header, cut to 128 characters; null when absent.</summary>
    public string? Client { get; init; }

    /// <summary>Device identifier of the user that the device belongs to; null when it belongs to nobody or that was not known.</summary>
    public string? UserId { get; init; }
}

/// <summary>Stable names of authentication outcomes.</summary>
public static class AuthenticationOutcomes
{
    /// <summary>First token of a binding.</summary>
    public const string Bound = "bound";

    /// <summary>A token that followed an earlier one.</summary>
    public const string Renewed = "renewed";

    /// <summary>Two senders are alive on one identity; the newer one waits.</summary>
    public const string Pending = "pending";

    /// <summary>Known device, wrong secret or common authentication ID.</summary>
    public const string WrongSecret = "wrong-secret";

    /// <summary>Known device whose authentication is suspended, or that is retired.</summary>
    public const string Suspended = "suspended";
}

/// <summary>
/// Requests that were refused, counted per source, device, reason and second, so that a flood costs a bounded number of events.
/// </summary>
public sealed record RefusalEvent : GatewayEvent
{
    /// <summary>Why: one of <see cref="RefusalReasons"/>.</summary>
    public required string Reason { get; init; }

    /// <summary>Address of the sender (no port).</summary>
    public required string Source { get; init; }

    /// <summary>The device, when it was known who sent; else null.</summary>
    public string? DeviceId { get; init; }

    /// <summary>The device's field; null when unknown.</summary>
    public string? FieldId { get; init; }

    /// <summary>How many requests this event stands for.</summary>
    public required int Count { get; init; }

    /// <summary>Bytes of their bodies as far as they were received.</summary>
    public required long Bytes { get; init; }

    /// <summary>What was wrong with the last one, in plain words without content of the message; null when the reason says all.</summary>
    public string? Detail { get; init; }
}

/// <summary>Stable names of the reasons for which a device's request is refused.</summary>
public static class RefusalReasons
{
    /// <summary>No combination of the three elements fits a registered device.</summary>
    public const string Unregistered = "unregistered";

    /// <summary>Known device, wrong secret.</summary>
    public const string WrongSecret = "wrong-secret";

    /// <summary>Token missing, unknown, foreign or revoked.</summary>
    public const string BadToken = "bad-token";

    /// <summary>Token ran out.</summary>
    public const string ExpiredToken = "expired-token";

    /// <summary>Authentication suspended, device retired or stray.</summary>
    public const string Suspended = "suspended";

    /// <summary>Binding waits for a decision.</summary>
    public const string Pending = "pending";

    /// <summary>Body is no acceptable JSON or breaks the field's mapping.</summary>
    public const string Malformed = "malformed";

    /// <summary>The sender hung up or was too slow before the body had ended: that says something of the line, and nothing of the content.</summary>
    public const string Interrupted = "interrupted";

    /// <summary>Body or message larger than allowed.</summary>
    public const string TooLarge = "too-large";

    /// <summary>More than the limits allow, or the gateway is full.</summary>
    public const string RateLimited = "rate-limited";
}

/// <summary>The clock as an event: conditions that wait for something not to happen are judged here.</summary>
public sealed record TickEvent : GatewayEvent;

/// <summary>A device was registered, changed, moved to another state or deleted: what detection needs to follow that.</summary>
public sealed record DeviceChangedEvent : GatewayEvent
{
    /// <summary>Stands for the state when there is no device any more.</summary>
    public const string Deleted = "deleted";

    /// <summary>Reason: the device uses a new secret, and the one before is dead.</summary>
    public const string SecretRenewed = "secret renewed";

    /// <summary>Field of the device.</summary>
    public required string FieldId { get; init; }

    /// <summary>The device.</summary>
    public required string DeviceId { get; init; }

    /// <summary>Lifecycle state after the change, one of <see cref="Devices.LifecycleStates"/>, or <see cref="Deleted"/>.</summary>
    public required string State { get; init; }

    /// <summary>Why, as recorded with the transition.</summary>
    public required string Reason { get; init; }
}
