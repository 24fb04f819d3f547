using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sekisho.Detection.Findings;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;
using Sekisho.Domain.Operations;
using Sekisho.Storage;

namespace Sekisho.Detection.Lanes;

/// <summary>
/// Carries the journal through the lanes: one loop that reads a stretch, runs it and commits everything it made in one transaction, again
/// and again until that is durable. Commands and status: any thread; the lanes: only the loop.
/// </summary>
internal sealed partial class LanePump(
    IEventFeed feed,
    LaneStore store,
    BookStore books,
    FindingStore findings,
    FieldPlans plans,
    IEnumerable<ILaneCommitPart> parts,
    Databases databases,
    LaneSettings settings,
    TimeProvider time,
    ILogger<LanePump> logger) : IHostedService, IStage, IDisposable
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MostWait = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan CheckpointEvery = TimeSpan.FromSeconds(2);

    private readonly ILaneCommitPart[] _parts = [.. parts];
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _turn = new(); // guards _resume
    private readonly List<TickEvent> _ticks = []; // of idle stretches since the last commit
    private readonly ConcurrentQueue<Action<LaneRunner>> _questions = new();
    private TaskCompletionSource? _resume;
    private Task _loop = Task.CompletedTask;
    private LaneRunner? _runner;
    private long _committed;
    private long _processed;
    private long _processedAtMs;
    private long _committedAtMs;
    private long _checkpointAt;
    private volatile string? _fault;

    public string Name => "detection";

    /// <summary>Journal position up to which everything is committed.</summary>
    public long Committed => Volatile.Read(ref _committed);

    public StageStatus Status
    {
        get
        {
            bool paused;
            lock (_turn)
            {
                paused = _resume is not null;
            }

            var waiting = Math.Max(0, feed.LastPosition - Volatile.Read(ref _processed));
            var at = Volatile.Read(ref _processedAtMs);
            var lag = waiting == 0 || at == 0 ? TimeSpan.Zero : time.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(at);
            return new StageStatus(_fault is null, paused, waiting, lag < TimeSpan.Zero ? TimeSpan.Zero : lag, _fault);
        }
    }

    public void Pause()
    {
        lock (_turn)
        {
            _resume ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public void Resume()
    {
        TaskCompletionSource? held;
        lock (_turn)
        {
            (held, _resume) = (_resume, null);
        }

        held?.SetResult();
    }

    /// <summary>
    /// Asks the lanes for something they know. They answer between two stretches, so within about a second; what is asked must be quick and
    /// change nothing.
    /// </summary>
    /// <exception cref="TimeoutException">The lanes are paused, or have a fault.</exception>
    public async Task<T> AskAsync<T>(Func<LaneRunner, T> question, CancellationToken cancellation)
    {
        using var given = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var isWanted = given.Token;
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _questions.Enqueue(runner =>
        {
            if (isWanted.IsCancellationRequested)
            {
                // Whoever asked has left.
                return;
            }

            try
            {
                answer.TrySetResult(question(runner));
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                answer.TrySetException(e);
            }
        });
        try
        {
            return await answer.Task.WaitAsync(MostWait, time, cancellation).ConfigureAwait(false);
        }
        finally
        {
            await given.CancelAsync().ConfigureAwait(false);
        }
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await plans.LoadAsync(cancellationToken).ConfigureAwait(false);
        await LoadAsync(cancellationToken).ConfigureAwait(false);

        // The journal keeps its newest block for ever, so it never ends before what was processed: unless it is another journal.
        if (feed.LastPosition < _committed)
        {
            throw new StorageException(
                $"The journal ends at position {feed.LastPosition}, but everything up to {_committed} was processed: the journal is missing or older than the rest of the data. Restore journal and state from one backup.");
        }

        LogStarted(_committed);

        // A thread of its own: a stretch takes many milliseconds of computing, and on a small machine the pool's only thread serves the devices.
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            Run(_stop.Token);
            ended.SetResult();
        })
        { IsBackground = true, Name = "lanes" }.Start();
        _loop = ended.Task;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.WaitAsync(cancellationToken).ConfigureAwait(false);
        LogStopped(_committed);
    }

    public void Dispose() => _stop.Dispose();

    private async Task LoadAsync(CancellationToken cancellation)
    {
        (_runner, _committed) = await store.LoadAsync(plans.Current(), await books.LoadAsync(cancellation).ConfigureAwait(false), cancellation).ConfigureAwait(false);
        _ticks.Clear();
        Volatile.Write(ref _processed, _committed);
    }

    private void Run(CancellationToken cancellation)
    {
        var backoff = FirstBackoff;
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                if (_runner is null)
                {
                    LoadAsync(cancellation).GetAwaiter().GetResult();
                }

                Pass(cancellation);
                backoff = FirstBackoff;
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // Whatever went wrong, nothing was committed: the lanes are loaded again and the stretch is repeated, until it works or a
                // person sees the fault. Going on past it would lose messages.
                _runner = null;
                _fault = e.Message;
                LogFault(e);
                DetectionMetrics.Faults.Add(1);
                Wait(backoff, cancellation);
                backoff = backoff * 2 < LongestBackoff ? backoff * 2 : LongestBackoff;
            }
        }
    }

    private void Pass(CancellationToken cancellation)
    {
        Hold(cancellation);
        var events = feed.ReadAsync(_processed, settings.StretchEvents, cancellation).AsTask().GetAwaiter().GetResult();

        while (_questions.TryDequeue(out var question))
        {
            question(_runner!);
        }

        // Whoever paused while the read was waiting expects nothing more to be decided.
        Hold(cancellation);
        if (events[0].Position != _processed + 1)
        {
            throw new InvalidOperationException($"The journal goes on at position {events[0].Position}, but {_processed + 1} is next: it was cut outside Sekisho.");
        }

        var started = Stopwatch.GetTimestamp();
        var result = _runner!.Step(events, plans.Current());
        var last = events[^1];
        var arrived = last.ArrivedAt.ToUnixTimeMilliseconds();
        if (!result.IsIdle || arrived - _committedAtMs >= settings.IdleCommit.TotalMilliseconds)
        {
            Commit(_ticks.Count == 0 ? result : result with { Batch = result.Batch with { Ticks = [.. _ticks, .. result.Batch.Ticks] } }, cancellation);
            _ticks.Clear();
            _committedAtMs = arrived;
        }
        else
        {
            _ticks.AddRange(result.Batch.Ticks);
        }

        _fault = null;
        Volatile.Write(ref _processedAtMs, arrived);
        Volatile.Write(ref _processed, last.Position);
        DetectionMetrics.Stretch(result, Stopwatch.GetElapsedTime(started), time.GetUtcNow() - events[0].ArrivedAt);
        if (events.Count >= settings.LoadEvents && events.Count < settings.StretchEvents && settings.GatherMs > 0)
        {
            Task.Delay(TimeSpan.FromMilliseconds(settings.GatherMs), time, cancellation).GetAwaiter().GetResult();
        }
    }

    private void Hold(CancellationToken cancellation)
    {
        Task? held;
        lock (_turn)
        {
            held = _resume?.Task;
        }

        if (held is not null)
        {
            held.WaitAsync(cancellation).GetAwaiter().GetResult();
        }
    }

    /// <summary>Commits the result, the same one until it is durable. Its step is never repeated here, so nothing is judged twice.</summary>
    private void Commit(StepResult result, CancellationToken cancellation)
    {
        var deltas = store.Prepare(result.States, result.Batch.LastPosition);
        var backoff = FirstBackoff;
        while (true)
        {
            try
            {
                databases.State.Write(transaction => Write(result, deltas, transaction));
                break;
            }
            catch (Exception e) when (e is not (OutOfMemoryException or LanesMovedException))
            {
                // A full disk, a database that is away: both pass. The journal keeps what arrives meanwhile.
                _fault = e.Message;
                LogCommitFailed(e, result.Batch.FirstPosition, result.Batch.LastPosition);
                DetectionMetrics.Faults.Add(1);
                Task.Delay(backoff, time, cancellation).GetAwaiter().GetResult();
                backoff = backoff * 2 < LongestBackoff ? backoff * 2 : LongestBackoff;
            }
        }

        _committed = result.Batch.LastPosition;
        if (!result.IsIdle || result.Batch.Ticks.Count > 0)
        {
            foreach (var part in _parts)
            {
                part.Committed(result.Batch);
            }
        }

        feed.Release(_committed);
        LogCommitted(result.Events, _committed, result.Batch.Findings.Count);
        if (!result.IsIdle)
        {
            Checkpoint();
        }
    }

    /// <summary>
    /// Moves the store's log into its file, often and little at a time, while nobody holds the store. Else whichever commit fills the log
    /// would move all of it, and everybody would wait.
    /// </summary>
    private void Checkpoint()
    {
        if (time.GetElapsedTime(_checkpointAt) < CheckpointEvery)
        {
            return;
        }

        try
        {
            databases.State.Checkpoint();
        }
        catch (SqliteException e)
        {
            // The log stays longer; the commit that fills it tries again and tells of the fault if it lasts.
            LogCheckpointFailed(e);
            DetectionMetrics.Faults.Add(1);
        }

        _checkpointAt = time.GetTimestamp();
    }

    private void Write(StepResult result, IReadOnlyList<ReadOnlyMemory<byte>> deltas, System.Data.Common.DbTransaction transaction)
    {
        if (!LaneStore.Move(_committed, result.Batch.LastPosition, result.Clock, transaction))
        {
            return;
        }

        if (result.IsIdle)
        {
            // The clock is kept as well: a replay judges silence by it.
            foreach (var part in _parts)
            {
                part.Write(result.Batch, transaction);
            }

            return;
        }

        store.Write(result.States, deltas, result.Batch.LastPosition, transaction);
        books.Write(result, transaction);
        var retractions = findings.Write(result.Raised, [.. result.Cleared, .. result.Retracted], transaction);
        var batch = retractions.Count == 0 ? result.Batch : result.Batch with { Retractions = retractions };
        foreach (var part in _parts)
        {
            part.Write(batch, transaction);
        }
    }

    private void Wait(TimeSpan backoff, CancellationToken cancellation)
    {
        try
        {
            Task.Delay(backoff, time, cancellation).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            // The loop sees the request itself.
        }
    }

    [LoggerMessage(3000, LogLevel.Information, "Detection starts after journal position {Position}.")]
    private partial void LogStarted(long position);

    [LoggerMessage(3001, LogLevel.Information, "Detection stopped; everything up to journal position {Position} is committed.")]
    private partial void LogStopped(long position);

    [LoggerMessage(3002, LogLevel.Debug, "Detection committed {Events} events up to position {Position} with {Findings} findings.")]
    private partial void LogCommitted(int events, long position, int findings);

    [LoggerMessage(3003, LogLevel.Warning, "Detection could not commit positions {First} to {Last}; the same is tried again.")]
    private partial void LogCommitFailed(Exception e, long first, long last);

    [LoggerMessage(3005, LogLevel.Warning, "Detection could not move the store's log into its file; it is tried again.")]
    private partial void LogCheckpointFailed(Exception e);

    [LoggerMessage(3004, LogLevel.Error, "Detection met a fault; it loads its state again and repeats the stretch.")]
    private partial void LogFault(Exception e);
}
