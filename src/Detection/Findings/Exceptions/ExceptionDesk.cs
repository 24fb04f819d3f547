using System.Collections.Concurrent;
using System.Data.Common;
using System.Security.Cryptography;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;

namespace Sekisho.Detection.Findings.Exceptions;

/// <summary>Tells who waits for it that an exception has reached the lanes' position. Any thread.</summary>
internal sealed class ExceptionArrivals : ILaneCommitPart
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _awaited = new();

    /// <summary>Done when the next change of the exception is committed.</summary>
    public Task NextAsync(string exceptionId) => _awaited.GetOrAdd(exceptionId, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Forget(string exceptionId) => _awaited.TryRemove(exceptionId, out _);

    public void Write(LaneBatch batch, DbTransaction transaction)
    {
    }

    public void Committed(LaneBatch batch)
    {
        foreach (var change in batch.Facts.OfType<ExceptionChangedEvent>())
        {
            if (_awaited.TryRemove(change.ExceptionId, out var waiting))
            {
                waiting.TrySetResult();
            }
        }
    }
}

/// <summary>What became of a change.</summary>
internal enum ExceptionChangeResult
{
    /// <summary>It is in the journal, and the lanes know it.</summary>
    Done,

    /// <summary>It is in the journal; the lanes are held or far behind and will come to it.</summary>
    Waiting,

    /// <summary>There is no such exception.</summary>
    Missing,

    /// <summary>Somebody else changed it since it was read, or it is not in the state for this.</summary>
    Conflict,

    /// <summary>The field has as many as it may have.</summary>
    TooMany,
}

/// <summary>
/// Makes, changes, ends and undoes exceptions: as events, so that each holds from its place in the journal on. Any thread; one change at a time, so that a
/// change is decided on what the one before it made.
/// </summary>
internal sealed class ExceptionDesk(IEventJournal journal, ExceptionStore store, ExceptionArrivals arrivals, TimeProvider time) : IDisposable
{
    /// <summary>Exceptions of a field in force at once: each is tried at each finding.</summary>
    public const int MostInForce = 1000;

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);
    private readonly SemaphoreSlim _turn = new(1);

    public void Dispose() => _turn.Dispose();

    /// <summary>Puts a new one in force.</summary>
    /// <returns>What became of it, and the change with its position in the journal.</returns>
    public async Task<(ExceptionChangeResult Result, ExceptionChangedEvent? Change)> AddAsync(string? fieldId, ExceptionDraft draft, string by, string correlationId, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var present = await store.ListAsync(fieldId, ended: false, MostInForce, cancellation).ConfigureAwait(false);
            return present.Count >= MostInForce
                ? (ExceptionChangeResult.TooMany, null)
                : await StoreAsync(draft.Change(fieldId, NewId(), by, time.GetUtcNow(), correlationId)).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Changes, ends or undoes one.</summary>
    /// <param name="fieldId">Its field; null for the gateway.</param>
    /// <param name="id">Which.</param>
    /// <param name="decide">Makes the change of its revisions, newest first; null when that cannot be done with it as it is.</param>
    /// <param name="cancellation">Stops waiting for the turn.</param>
    public async Task<(ExceptionChangeResult Result, ExceptionChangedEvent? Change)> ChangeAsync(
        string? fieldId, string id, Func<IReadOnlyList<KeptException>, DateTimeOffset, ExceptionChangedEvent?> decide, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var revisions = await store.RevisionsAsync(fieldId, id, cancellation).ConfigureAwait(false);
            return revisions.Count == 0 ? (ExceptionChangeResult.Missing, null)
                : decide(revisions, time.GetUtcNow()) is { } change ? await StoreAsync(change).ConfigureAwait(false)
                : (ExceptionChangeResult.Conflict, null);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Takes one back, so that it allows nothing more.</summary>
    public static ExceptionChangedEvent? End(IReadOnlyList<KeptException> revisions, string by, string reason, DateTimeOffset now, string correlationId) =>
        revisions[0].Change is { InForce: true } present ? Again(present, inForce: false, by, reason, now, correlationId) : null;

    /// <summary>Takes the last change back: what was ended holds again, what was changed is as before, and what was new is ended.</summary>
    public static ExceptionChangedEvent Undo(IReadOnlyList<KeptException> revisions, string by, string reason, DateTimeOffset now, string correlationId) => revisions.Count == 1
        ? Again(revisions[0].Change, inForce: false, by, reason, now, correlationId)
        : Again(revisions[1].Change, revisions[1].Change.InForce, by, reason, now, correlationId);

    private static ExceptionChangedEvent Again(ExceptionChangedEvent change, bool inForce, string by, string reason, DateTimeOffset now, string correlationId) => change with
    {
        Position = 0,
        ArrivedAt = now,
        CorrelationId = correlationId,
        InForce = inForce,
        By = by,
        Reason = reason,
    };

    private async Task<(ExceptionChangeResult, ExceptionChangedEvent?)> StoreAsync(ExceptionChangedEvent change)
    {
        var arrived = arrivals.NextAsync(change.ExceptionId);
        try
        {
            // Once asked for it is stored, so from here on nobody stops waiting for it.
            var stored = change with { Position = await journal.AppendAsync([change], CancellationToken.None).ConfigureAwait(false) };
            await Task.WhenAny(arrived, Task.Delay(LongestWait, time)).ConfigureAwait(false);
            return (arrived.IsCompleted ? ExceptionChangeResult.Done : ExceptionChangeResult.Waiting, stored);
        }
        finally
        {
            arrivals.Forget(change.ExceptionId);
        }
    }

    private static string NewId() => "x" + RandomNumberGenerator.GetHexString(31, lowercase: true);
}
