using Sekisho.Distribution.Forwarding;
using Sekisho.Domain.History;

namespace Sekisho.Distribution.Journal;

/// <summary>Counts what is under way, apart from the ledger. Any thread.</summary>
internal sealed class LedgerSource(EventFeed feed, OutboxStore outbox) : ILedgerSource
{
    public async Task<LedgerInFlight> CountAsync(CancellationToken cancellation)
    {
        var (journaled, unprocessed) = await feed.CountAsync(cancellation).ConfigureAwait(false);
        var waiting = await outbox.QueuedAsync(cancellation).ConfigureAwait(false);
        return new LedgerInFlight(
            journaled,
            unprocessed,
            waiting.ToDictionary(w => w.Key, w => w.Value.Messages, StringComparer.Ordinal),
            waiting.Where(w => w.Value.Quarantined > 0).ToDictionary(w => w.Key, w => w.Value.Quarantined, StringComparer.Ordinal));
    }
}
