namespace Sekisho.Distribution.Forwarding;

/// <summary>Stable names of the states of a connector.</summary>
internal static class ConnectorStates
{
    /// <summary>Not tried since the start or the last change, or failing for the first time.</summary>
    public const string Connecting = "connecting";

    /// <summary>The last attempt was taken.</summary>
    public const string Connected = "connected";

    /// <summary>Several attempts in a row failed; it is tried again at growing intervals.</summary>
    public const string Disconnected = "disconnected";

    /// <summary>Held by an administrator, or there is no destination.</summary>
    public const string Stopped = "stopped";

    /// <summary>The destination answers but refuses what is sent, or its configuration cannot be used.</summary>
    public const string Inconsistent = "inconsistent";
}

/// <summary>State of a field's connector, for people.</summary>
/// <param name="State">One of <see cref="ConnectorStates"/>.</param>
/// <param name="Reason">Stable name of the last failure; null when there is none.</param>
/// <param name="Failures">Failed attempts in a row.</param>
/// <param name="WaitingMessages">Messages that wait to be delivered.</param>
/// <param name="WaitingBytes">Their bytes.</param>
/// <param name="QuarantinedMessages">Messages beside those that wait until their device's quarantine ends.</param>
/// <param name="OldestAt">Arrival of the message that is next; null when none waits.</param>
/// <param name="LastDeliveredAt">When something was last taken, since the start.</param>
internal sealed record ConnectorView(
    string State, string? Reason, int Failures, long WaitingMessages, long WaitingBytes, long QuarantinedMessages, DateTimeOffset? OldestAt, DateTimeOffset? LastDeliveredAt);

/// <summary>What is remembered between two attempts to one destination. Immutable; the transitions are pure.</summary>
/// <param name="State">One of <see cref="ConnectorStates"/>.</param>
/// <param name="Reason">Last failure.</param>
/// <param name="Failures">Failed attempts in a row.</param>
/// <param name="Limit">Messages of the next attempt at most: halved when a batch is refused, doubled when one is taken.</param>
/// <param name="DeadLetters">Single messages refused in a row.</param>
internal sealed record Progress(string State, string? Reason, int Failures, int Limit, int DeadLetters)
{
    // So many refused in a row are no longer single bad messages: slow down and let a person see it.
    private const int DeadLettersToSlowDown = 8;

    /// <summary>Start with a destination.</summary>
    public static Progress Begin(int batch) => new(ConnectorStates.Connecting, null, 0, batch, 0);

    /// <summary>After an attempt with so many messages.</summary>
    public Progress After(DeliveryOutcome outcome, int messages, int batch, int failuresToDisconnect) => outcome.Verdict switch
    {
        Verdict.Delivered => new Progress(ConnectorStates.Connected, null, 0, Math.Min(batch, Math.Max(Limit, 1) * 2), 0),
        Verdict.Refused when messages > 1 => this with { Reason = outcome.Reason, Failures = 0, Limit = messages / 2 },
        Verdict.Refused => this with { State = ConnectorStates.Inconsistent, Reason = outcome.Reason, Failures = 0, Limit = Math.Min(batch, 2), DeadLetters = DeadLetters + 1 },
        Verdict.Inconsistent => this with { State = ConnectorStates.Inconsistent, Reason = outcome.Reason, Failures = Failures + 1 },
        _ => this with
        {
            State = Failures + 1 >= failuresToDisconnect ? ConnectorStates.Disconnected : State == ConnectorStates.Inconsistent ? ConnectorStates.Connecting : State,
            Reason = outcome.Reason,
            Failures = Failures + 1,
        },
    };

    /// <summary>Failures that the next wait counts; 0 for none.</summary>
    public int Hesitation => Failures > 0 ? Failures : Math.Max(0, DeadLetters - DeadLettersToSlowDown);
}
