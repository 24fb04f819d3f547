using System.Data.Common;
using Sekisho.Domain.Events;

namespace Sekisho.Domain.Detection;

/// <summary>
/// What one run of the lanes over a stretch of the journal produced. It is committed whole, in one transaction with the lanes' state
/// and positions, or not at all.
/// </summary>
public sealed record LaneBatch
{
    /// <summary>Position of the first event of the stretch.</summary>
    public required long FirstPosition { get; init; }

    /// <summary>Position of the last event of the stretch.</summary>
    public required long LastPosition { get; init; }

    /// <summary>Messages that passed detection and are to be kept and forwarded, grouped; in order of position within each chunk.</summary>
    public required IReadOnlyList<MessageChunk> Chunks { get; init; }

    /// <summary>Messages that were recognised as repeats of one already taken: counted, neither kept nor forwarded.</summary>
    public required IReadOnlyList<MessageEvent> Duplicates { get; init; }

    /// <summary>New findings that something may follow from, in order of position. What is only suggested or tried out is not among them.</summary>
    public required IReadOnlyList<Finding> Findings { get; init; }

    /// <summary>Findings that were taken back, in order of position: a later event explained what they claimed.</summary>
    public IReadOnlyList<Retraction> Retractions { get; init; } = [];

    /// <summary>All other events of the stretch except ticks (authentications, refusals, device changes), in order.</summary>
    public required IReadOnlyList<GatewayEvent> Facts { get; init; }

    /// <summary>The ticks of the stretch, and of those before it that were nothing but ticks; in order.</summary>
    public IReadOnlyList<TickEvent> Ticks { get; init; } = [];
}

/// <summary>What a condition claimed of a subject is taken back: everything it raised up to a position.</summary>
/// <param name="FieldId">Field concerned; null for the gateway.</param>
/// <param name="Scope">One of <see cref="Scopes"/>.</param>
/// <param name="ScopeKey">Which one.</param>
/// <param name="ConditionKey">Key of the condition.</param>
/// <param name="Reason">Stable name of the reason; its text is "finding.retracted.REASON".</param>
/// <param name="At">Arrival time of the event that explained it (UTC).</param>
/// <param name="Position">Its position; findings at or before it are taken back.</param>
/// <param name="CorrelationId">Its correlation id.</param>
public sealed record Retraction(string? FieldId, string Scope, string ScopeKey, string ConditionKey, string Reason, DateTimeOffset At, long Position, string CorrelationId)
{
    /// <summary>Identifiers of the findings it takes back, in order; known when a batch is written, not before.</summary>
    public IReadOnlyList<string> FindingIds { get; init; } = [];
}

/// <summary>
/// Consecutive messages of one field that are kept and forwarded as one unit. Its identifier is the position of its first message, so it
/// is unique and the same after a restart.
/// </summary>
/// <param name="FieldId">The field; a chunk never mixes fields.</param>
/// <param name="Backlog">True when the messages were recognised as stored readings delivered late.</param>
/// <param name="Messages">At least one, in order of position.</param>
public sealed record MessageChunk(string FieldId, bool Backlog, IReadOnlyList<MessageEvent> Messages)
{
    /// <summary>Position of the first message.</summary>
    public long Id => Messages[0].Position;
}

/// <summary>
/// A stage's part in the commit of a lane batch. Implemented by History (chunks, ledger, records), Distribution (outbox) and Response
/// (queue); called by Detection in the order of registration on one thread at a time.
/// </summary>
public interface ILaneCommitPart
{
    /// <summary>Writes this stage's share. Called again with the same batch when the transaction failed; must not keep anything outside it.</summary>
    void Write(LaneBatch batch, DbTransaction transaction);

    /// <summary>The batch is durable: wake whoever waits. Must return at once and never throw.</summary>
    void Committed(LaneBatch batch);
}
