namespace Sekisho.History.Ledger;

/// <summary>What became of every message, at one moment.</summary>
/// <param name="At">When it was read.</param>
/// <param name="Residue">Sum of the absolute residues: 0 in a gateway that loses nothing.</param>
/// <param name="Exact">True when nothing moved while it was read, so that the residue is exact and not only proven.</param>
/// <param name="Journal">Between the journal and the lanes.</param>
/// <param name="Fields">Between the lanes and the end of each message, by field.</param>
internal sealed record LedgerReport(DateTimeOffset At, long Residue, bool Exact, JournalLedger Journal, IReadOnlyList<FieldLedger> Fields);

/// <summary>Messages between the journal and the lanes: journaled = accepted + duplicates + unprocessed + residue.</summary>
/// <param name="Journaled">Messages that the journal ever stored.</param>
/// <param name="Unprocessed">Messages behind the lanes.</param>
/// <param name="Accepted">Messages that the lanes kept.</param>
/// <param name="Duplicates">Messages that the lanes recognised as repeats.</param>
/// <param name="Residue">What is not accounted for.</param>
internal sealed record JournalLedger(long Journaled, long Unprocessed, long Accepted, long Duplicates, long Residue);

/// <summary>Messages of one field: accepted = queued + forwarded + dropped + expired + deadLettered + residue.</summary>
/// <param name="FieldId">The field.</param>
/// <param name="Accepted">Messages kept, repeats not counted.</param>
/// <param name="Duplicates">Repeats: acknowledged and counted, neither kept nor forwarded.</param>
/// <param name="Queued">Waiting for the field's cloud.</param>
/// <param name="Quarantined">How many of those are kept back because their device is in quarantine.</param>
/// <param name="Forwarded">Confirmed by the field's cloud.</param>
/// <param name="Dropped">Given up on purpose (no destination, space).</param>
/// <param name="Expired">Older than the field's limit before the cloud took them.</param>
/// <param name="DeadLettered">Refused by the cloud for good, kept for replay.</param>
/// <param name="Residue">What is not accounted for.</param>
/// <param name="Exact">True when nothing moved while it was read.</param>
/// <param name="At">When it was read, in the field's zone.</param>
internal sealed record FieldLedger(
    string FieldId, long Accepted, long Duplicates, long Queued, long Quarantined, long Forwarded, long Dropped, long Expired, long DeadLettered, long Residue, bool Exact, DateTimeOffset At);
