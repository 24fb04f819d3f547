using Sekisho.Domain.Events;

namespace Sekisho.Domain.History;

/// <summary>Gives back what detection was shown of a field, in the same order, to try conditions on it. Implemented by History, called by Detection. Any thread.</summary>
public interface IEventHistory
{
    /// <summary>What is kept of a field in a span of arrival times.</summary>
    Task<KeptEvents> KeptAsync(string fieldId, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellation);

    /// <summary>
    /// The field's messages, its other events and the clock, in order of position, in portions of some thousand. Repeats come without payload.
    /// Properties that were transient or dropped are not there.
    /// </summary>
    /// <param name="fieldId">The field.</param>
    /// <param name="from">First arrival, inclusive.</param>
    /// <param name="to">Last arrival, exclusive.</param>
    /// <param name="cancellation">Ends the reading.</param>
    IAsyncEnumerable<IReadOnlyList<GatewayEvent>> ReadAsync(string fieldId, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellation);
}

/// <summary>What is kept of a field.</summary>
/// <param name="Messages">Messages in the span, about.</param>
/// <param name="FirstMessage">Arrival of the field's first kept message of all; null when there is none.</param>
/// <param name="FirstTick">From when on the clock and other events are kept; null when none are.</param>
public sealed record KeptEvents(long Messages, DateTimeOffset? FirstMessage, DateTimeOffset? FirstTick);
