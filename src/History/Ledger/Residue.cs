using Sekisho.Domain.History;

namespace Sekisho.History.Ledger;

/// <summary>
/// What the ledger cannot account for: positive when messages are missing, negative when there are more than were taken. Zero in a gateway
/// that loses nothing.
///
/// The other side is counted between two readings of the ledger, while data may flow. At the moment of the count the ledger's figures lay
/// between the two readings, so the true residue lies in an interval: messages are reported missing only as far as the interval proves it.
/// When nothing moved in between, the interval is one number and the residue is exact.
/// </summary>
internal static class Residue
{
    /// <summary>accepted - queued - settled, of one field.</summary>
    public static long Of(FieldFigures before, FieldFigures after, long queued)
    {
        // Settled may fall: a replayed dead letter goes back into the outbox. Each state is therefore bounded by itself.
        var least = Least(before, after);
        var most = Most(before, after);
        return Proven(least.Accepted - queued - most.Settled, most.Accepted - queued - least.Settled);
    }

    /// <summary>journaled - unprocessed - accepted - duplicates, of the gateway: between the journal and the lanes.</summary>
    public static long OfJournal(LedgerFigures before, LedgerFigures after, LedgerInFlight counted)
    {
        var taken = counted.Journaled - counted.Unprocessed;
        return Proven(taken - Math.Max(before.Processed, after.Processed), taken - Math.Min(before.Processed, after.Processed));
    }

    private static long Proven(long least, long most) => least > 0 ? least : most < 0 ? most : 0;

    private static FieldFigures Least(FieldFigures a, FieldFigures b) => new(
        Math.Min(a.Accepted, b.Accepted), Math.Min(a.Duplicates, b.Duplicates), Math.Min(a.Forwarded, b.Forwarded),
        Math.Min(a.Dropped, b.Dropped), Math.Min(a.Expired, b.Expired), Math.Min(a.DeadLettered, b.DeadLettered));

    private static FieldFigures Most(FieldFigures a, FieldFigures b) => new(
        Math.Max(a.Accepted, b.Accepted), Math.Max(a.Duplicates, b.Duplicates), Math.Max(a.Forwarded, b.Forwarded),
        Math.Max(a.Dropped, b.Dropped), Math.Max(a.Expired, b.Expired), Math.Max(a.DeadLettered, b.DeadLettered));
}
