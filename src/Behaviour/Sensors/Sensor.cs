using Sekisho.Wire.Features;

namespace Sekisho.Behaviour.Sensors;

/// <summary>A registered sensor. Immutable; a change replaces it whole.</summary>
internal sealed record Sensor
{
    /// <summary>"s" and 15 characters of 0-9 and a-z.</summary>
    public required string Id { get; init; }

    public required string FieldId { get; init; }

    public required string Name { get; init; }

    /// <summary>One of <see cref="SensorStates"/>.</summary>
    public required string State { get; init; }

    public required string CreatedBy { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Hash of the code that it may enrol with; null when there is none.</summary>
    public byte[]? CodeHash { get; init; }

    public DateTimeOffset? CodeExpiresAt { get; init; }

    /// <summary>Highest interval taken; 0 before the first.</summary>
    public long LastSequence { get; init; }

    /// <summary>When the last new interval came, by the gateway's clock.</summary>
    public DateTimeOffset? LastSeen { get; init; }

    /// <summary>Intervals that never came although later ones did.</summary>
    public long Missed { get; init; }

    public SensorStatus? Status { get; init; }
}

/// <summary>What the last interval said of the sensor, and what is wrong with it.</summary>
/// <param name="Start">Begin of the last interval, milliseconds since 1970 by the sensor's clock.</param>
/// <param name="Length">Its length in milliseconds.</param>
/// <param name="State">The sensor's own report.</param>
/// <param name="Alarms">By kind.</param>
internal sealed record SensorStatus(long Start, int Length, SensorState State, IReadOnlyDictionary<string, Alarm> Alarms);

/// <summary>An alarm that is on, or about to be.</summary>
/// <param name="Since">Milliseconds since 1970 by the gateway's clock: when it was raised, or first noticed.</param>
/// <param name="Seen">Intervals in a row that showed it.</param>
/// <param name="Clear">Intervals in a row without it.</param>
/// <param name="On">Raised.</param>
internal sealed record Alarm(long Since, int Seen, int Clear, bool On);

/// <summary>Stable names of what a sensor may be.</summary>
internal static class SensorStates
{
    /// <summary>Registered, has no certificate yet.</summary>
    public const string Waiting = "waiting";

    /// <summary>Has a certificate.</summary>
    public const string Active = "active";

    /// <summary>Shut out; its data stays.</summary>
    public const string Revoked = "revoked";
}
