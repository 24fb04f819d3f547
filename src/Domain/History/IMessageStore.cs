using System.Data.Common;
using Sekisho.Domain.Events;

namespace Sekisho.Domain.History;

/// <summary>Reads kept messages back. Implemented by History, called by Distribution to forward them.</summary>
public interface IMessageStore
{
    /// <summary>The messages of a chunk in order; null when the chunk is gone (retention).</summary>
    Task<IReadOnlyList<MessageEvent>?> ReadChunkAsync(long chunkId, CancellationToken cancellation);
}

/// <summary>
/// The message ledger: every message that the journal accepted is either a recognised repeat or reaches exactly one terminal state.
/// Implemented by History; Distribution reports what became of messages, in the transaction that makes it so.
/// </summary>
public interface ILedger
{
    /// <summary>Counts messages of a field into a terminal state.</summary>
    /// <param name="fieldId">The field.</param>
    /// <param name="state">One of <see cref="LedgerStates"/> except queued.</param>
    /// <param name="count">How many; negative when a dead letter is replayed and leaves its state.</param>
    /// <param name="transaction">The transaction that changes the outbox.</param>
    void Settle(string fieldId, string state, int count, DbTransaction transaction);
}

/// <summary>
/// The other side of the ledger, counted apart from it: what the journal took and what still waits. The residue compares both.
/// Implemented by Distribution, read by History.
/// </summary>
public interface ILedgerSource
{
    /// <summary>Counts now.</summary>
    Task<LedgerInFlight> CountAsync(CancellationToken cancellation);
}

/// <summary>
/// What is under way. With the ledger's own figures: Journaled = accepted + duplicates + Unprocessed, and per field accepted = Queued + terminal states.
/// </summary>
/// <param name="Journaled">Messages that the journal ever stored.</param>
/// <param name="Unprocessed">Messages in the journal behind the lanes.</param>
/// <param name="Queued">Messages per field that wait in the outbox, for whatever reason.</param>
/// <param name="Quarantined">How many of those wait because their device is in quarantine; a field without is absent.</param>
public sealed record LedgerInFlight(long Journaled, long Unprocessed, IReadOnlyDictionary<string, long> Queued, IReadOnlyDictionary<string, long>? Quarantined = null);

/// <summary>Stable names of what became of a message.</summary>
public static class LedgerStates
{
    /// <summary>Accepted and waiting; not terminal.</summary>
    public const string Queued = "queued";

    /// <summary>Waiting as well, kept back because its device is in quarantine. Listed as such, counted as queued, and so not among <see cref="All"/>.</summary>
    public const string Quarantined = "quarantined";

    /// <summary>The field's cloud confirmed it.</summary>
    public const string Forwarded = "forwarded";

    /// <summary>Given up on purpose, with a reason (no destination, space).</summary>
    public const string Dropped = "dropped";

    /// <summary>Older than the field's limit before the cloud took it.</summary>
    public const string Expired = "expired";

    /// <summary>The cloud refused it for good; kept for replay.</summary>
    public const string DeadLettered = "dead-lettered";

    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<string> All = [Queued, Forwarded, Dropped, Expired, DeadLettered];
}

/// <summary>How a field's mapping marks properties of the payload. Implemented by Distribution, read by History to mask by role and by Detection to say what a replay lacks.</summary>
public interface IPayloadMarks
{
    /// <summary>JSON pointers (RFC 6901) of sensitive properties; empty when there are none.</summary>
    IReadOnlyList<string> Sensitive(string fieldId);

    /// <summary>JSON pointers of properties that detection sees once and nothing keeps; empty when there are none.</summary>
    IReadOnlyList<string> Transient(string fieldId);
}
