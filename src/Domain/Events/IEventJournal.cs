namespace Sekisho.Domain.Events;

/// <summary>Takes events in. Implemented by Distribution, called by every stage that learns something. Any thread.</summary>
public interface IEventJournal
{
    /// <summary>
    /// Stores the events and returns when they are on disk (group commit with fsync). They keep their order and stay together.
    /// </summary>
    /// <param name="events">Events with Position 0; at least one.</param>
    /// <param name="cancellation">Stops waiting; events already queued are stored all the same.</param>
    /// <returns>Position of the first of them.</returns>
    /// <exception cref="JournalUnavailableException">Nothing was stored: the journal is full, closed or its disk fails.</exception>
    ValueTask<long> AppendAsync(IReadOnlyList<GatewayEvent> events, CancellationToken cancellation);
}

/// <summary>The journal cannot take events now; nothing of the call was stored.</summary>
public sealed class JournalUnavailableException : Exception
{
    /// <summary>Creates the exception with the reason that is shown to the sender.</summary>
    /// <param name="message">What is wrong, and what to do.</param>
    /// <param name="retryAfter">When it is worth trying again.</param>
    /// <param name="inner">The fault beneath, if any.</param>
    public JournalUnavailableException(string message, TimeSpan retryAfter, Exception? inner = null)
        : base(message, inner) => RetryAfter = retryAfter;

    /// <summary>When it is worth trying again.</summary>
    public TimeSpan RetryAfter { get; }
}

/// <summary>Counts refused requests into bounded events. Implemented by Distribution. Any thread; never blocks, never throws.</summary>
public interface IRefusals
{
    /// <summary>Counts one refused request.</summary>
    void Count(Refusal refusal);
}

/// <summary>One refused request. See <see cref="RefusalEvent"/> for the meaning of the parts.</summary>
public readonly record struct Refusal(string Reason, string Source, string? DeviceId, string? FieldId, long Bytes, string CorrelationId, string? Detail = null);

/// <summary>Gives the journal's events back in order. Implemented by Distribution, read by Detection.</summary>
public interface IEventFeed
{
    /// <summary>Position of the newest durable event; 0 when the journal is empty.</summary>
    long LastPosition { get; }

    /// <summary>
    /// Durable events after <paramref name="afterPosition"/> in order, at most <paramref name="limit"/> of them. Waits until there is at
    /// least one. Recent ones come from memory, older ones from disk.
    /// </summary>
    ValueTask<IReadOnlyList<GatewayEvent>> ReadAsync(long afterPosition, int limit, CancellationToken cancellation);

    /// <summary>Every event up to and including this position is fully processed and may be removed from the journal.</summary>
    void Release(long position);
}
