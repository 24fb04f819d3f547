using Sekisho.Domain.Devices;
using Sekisho.Domain.History;

namespace Sekisho.History.Ledger;

/// <summary>
/// Puts both sides of the ledger together. The other side (journal, outbox) may live in another database, so no transaction spans both:
/// the ledger is read, the other side counted, the ledger read again, and <see cref="Residue"/> says what that proves. Repeated a few times
/// until nothing moved or nothing is missing, because a replayed dead letter may leave its state and come back between the readings.
/// Any thread.
/// </summary>
internal sealed class LedgerReader(LedgerBook book, ILedgerSource source, IDeviceDirectory directory, TimeProvider clock)
{
    private const int Attempts = 4;

    /// <summary>The ledger now.</summary>
    public async Task<LedgerReport> ReadAsync(CancellationToken cancellation)
    {
        var before = await book.ReadAsync(cancellation).ConfigureAwait(false);
        for (var attempt = 1; ; attempt++)
        {
            var counted = await source.CountAsync(cancellation).ConfigureAwait(false);
            var after = await book.ReadAsync(cancellation).ConfigureAwait(false);
            var report = Report(before, counted, after);
            if (attempt == Attempts || (report.Exact && report.Residue == 0))
            {
                return report;
            }

            before = after;
        }
    }

    private LedgerReport Report(LedgerFigures before, LedgerInFlight counted, LedgerFigures after)
    {
        var at = clock.GetUtcNow();
        var fields = directory.Fields.Select(f => f.FieldId).Concat(after.Fields.Keys).Concat(counted.Queued.Keys).Distinct().Order(StringComparer.Ordinal)
            .Select(f => Field(f, before.Of(f), after.Of(f), counted.Queued.GetValueOrDefault(f), counted.Quarantined?.GetValueOrDefault(f) ?? 0, at))
            .ToList();
        var journal = new JournalLedger(
            counted.Journaled,
            counted.Unprocessed,
            after.Fields.Values.Sum(f => f.Accepted),
            after.Fields.Values.Sum(f => f.Duplicates),
            Residue.OfJournal(before, after, counted));
        return new LedgerReport(at, Math.Abs(journal.Residue) + fields.Sum(f => Math.Abs(f.Residue)), fields.TrueForAll(f => f.Exact), journal, fields);
    }

    private static FieldLedger Field(string fieldId, FieldFigures before, FieldFigures after, long queued, long quarantined, DateTimeOffset at) => new(
        fieldId, after.Accepted, after.Duplicates, queued, quarantined, after.Forwarded, after.Dropped, after.Expired, after.DeadLettered,
        Residue.Of(before, after, queued), before == after, at);
}
