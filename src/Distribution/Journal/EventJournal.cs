using System.Data.Common;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sekisho.Domain.Events;
using Sekisho.Domain.Operations;
using Sekisho.Storage;

namespace Sekisho.Distribution.Journal;

/// <summary>
/// Takes events in from any thread. One thread of its own gathers what waits, stores it as one block with one sync, and only then completes the
/// calls: while a commit syncs, the next one gathers.
/// </summary>
internal sealed partial class EventJournal(JournalStore store, EventFeed feed, JournalSettings settings, TimeProvider clock, ILogger<EventJournal> log)
    : IEventJournal, IStage, IHostedService, IDisposable
{
    private const long MaxBlockBytes = 4L << 20;
    private static readonly TimeSpan RetryAfterFault = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RetryAfterOverload = TimeSpan.FromSeconds(1);


    /// <summary>Calls in one commit from which on the next one gathers first.</summary>
    private const int CrowdedFrom = 8;

    private readonly Lock _turn = new(); // guards _waiting, _waitingEvents, _waitingBytes, _wakeAt, _open, _paused
    private readonly Queue<Append> _waiting = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly BlockWriter _writer = new();
    private readonly JournalSpace _space = new(store, settings);
    private int _waitingEvents;
    private long _waitingBytes;
    private int _wakeAt = 1; // calls waiting at which the journal thread is woken
    private bool _open;
    private bool _paused;
    private volatile string? _fault;
    private Thread? _thread;

    // Only the journal thread, once it runs.
    private readonly List<Append> _batch = [];
    private JournalEnd _end;
    private bool _endInDoubt;

    public string Name => "journal";

    public StageStatus Status
    {
        get
        {
            lock (_turn)
            {
                var lag = _waiting.TryPeek(out var oldest) ? clock.GetElapsedTime(oldest.Since) : TimeSpan.Zero;
                return new StageStatus(_open && _fault is null, _paused, _waitingEvents, lag, _fault);
            }
        }
    }

    /// <summary>True while so much waits that more should not be read in.</summary>
    public bool Congested
    {
        get
        {
            lock (_turn)
            {
                return _waitingEvents > settings.MaxWaiting / 4 * 3 || _waitingBytes > ((long)settings.MaxWaitingMiB << 20) / 4 * 3;
            }
        }
    }

    public ValueTask<long> AppendAsync(IReadOnlyList<GatewayEvent> events, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfZero(events.Count);
        long bytes = 0;
        for (var i = 0; i < events.Count; i++)
        {
            bytes += events[i] is MessageEvent m ? m.Payload.Length + m.Transient.Length : 0;
        }

        Append append;
        ValueTask<long> task;
        bool wake;
        lock (_turn)
        {
            if (Refusal(events.Count, bytes) is { } refusal)
            {
                return ValueTask.FromException<long>(refusal);
            }

            append = Append.Rent(events, bytes, clock.GetTimestamp());
            task = append.Task;
            _waiting.Enqueue(append);
            _waitingEvents += events.Count;
            _waitingBytes += bytes;
            wake = _waiting.Count == _wakeAt;
        }

        if (wake)
        {
            _wake.Set();
        }

        return cancellation.CanBeCanceled ? new ValueTask<long>(task.AsTask().WaitAsync(cancellation)) : task;
    }

    public void Pause()
    {
        lock (_turn)
        {
            _paused = true;
        }
    }

    public void Resume()
    {
        lock (_turn)
        {
            _paused = false;
        }
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _end = await store.EndAsync(cancellationToken).ConfigureAwait(false);
        feed.StartFrom(_end);
        _space.StartFrom(_end);
        lock (_turn)
        {
            _open = true;
        }

        _thread = new Thread(Run) { IsBackground = true, Name = "journal" };
        _thread.Start();
        Opened(log, _end.Position);
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        lock (_turn)
        {
            _open = false;
        }

        _wake.Set();
        return Task.Run(() => _thread?.Join(), CancellationToken.None);
    }

    public void Dispose() => _wake.Dispose();

    private JournalUnavailableException? Refusal(int events, long bytes)
    {
        if (!_open)
        {
            return new JournalUnavailableException("The gateway is stopping or has not started.", RetryAfterFault);
        }

        if (_paused)
        {
            return new JournalUnavailableException("A maintainer has paused the journal.", RetryAfterFault);
        }

        // One call is always taken when nothing waits, however large it is.
        return _waiting.Count > 0 && (_waitingEvents + events > settings.MaxWaiting || _waitingBytes + bytes > (long)settings.MaxWaitingMiB << 20)
            ? new JournalUnavailableException("More is waiting for the journal than it can take.", RetryAfterOverload)
            : null;
    }

    private void Run()
    {
        while (true)
        {
            _wake.WaitOne();
            while (Gather())
            {
                Store();
                _space.Tidy();
                feed.AwaitReader();
                if (_batch.Count >= CrowdedFrom)
                {
                    AwaitCrowd();
                }
            }

            lock (_turn)
            {
                if (!_open && _waiting.Count == 0)
                {
                    return;
                }
            }
        }
    }

    // Many senders wait for each commit: a moment to gather them costs each less than a commit of its own would cost all. The moment ends when
    // as many wait as are known to be sending: those just answered, and those who came meanwhile.
    private void AwaitCrowd()
    {
        lock (_turn)
        {
            var crowd = _batch.Count + _waiting.Count;
            if (!_open)
            {
                return;
            }

            // A call that came during the commit has set it already.
            _wake.Reset();
            _wakeAt = crowd;
        }

        _wake.WaitOne(settings.GatherMs);
        lock (_turn)
        {
            _wakeAt = 1;
        }
    }

    private bool Gather()
    {
        _batch.Clear();
        long bytes = 0;
        lock (_turn)
        {
            while (_waiting.TryPeek(out var next) && (_batch.Count == 0 || bytes + next.Bytes <= MaxBlockBytes))
            {
                bytes += next.Bytes;
                _batch.Add(_waiting.Dequeue());
                _waitingEvents -= next.Events.Count;
                _waitingBytes -= next.Bytes;
            }
        }

        return _batch.Count > 0;
    }

    private void Store()
    {
        var begun = clock.GetTimestamp();
        long first;
        try
        {
            if (_endInDoubt)
            {
                FindEnd();
            }

            if (_space.Shortage(feed.Released, _end.Position) is { } shortage)
            {
                Fail(shortage, null);
                return;
            }

            first = _end.Position + 1;
            var events = Number(out var messages);
            BlockFormat.Encode(events, _writer);
            var block = new NewBlock(
                first, events[^1].Position, messages, _end.Messages, events[^1].ArrivedAt.ToUnixTimeMilliseconds(), store.Protect(first, _writer.Written));
            _space.Commit(block, feed.Released);
            feed.Publish(events, _writer.Written.Length, _end.Messages, messages);
            _end = new JournalEnd(block.Last, _end.Messages + messages, block.At, 0);
            if (_fault is not null)
            {
                _fault = null;
                Recovered(log);
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // Whatever the disk or the database did: nobody is told that something was stored, and the next batch tries again.
            _endInDoubt = true;
            Fail(Explain(e), e);
            return;
        }

        DistributionMetrics.Committed(clock.GetElapsedTime(begun), _batch.Count);
        AppendAnswers.Stored(_batch, first);
    }

    // After a failed commit nobody knows whether the block is on disk: what is there counts. Events that nobody was told about are then sent again
    // by their devices and recognised as repeats.
    private void FindEnd()
    {
        var end = store.End();
        if (end.Position != _end.Position)
        {
            feed.StartFrom(end);
        }

        _end = end;
        _space.StartFrom(end);
        _endInDoubt = false;
    }

    private GatewayEvent[] Number(out long messages)
    {
        messages = 0;
        var count = 0;
        foreach (var append in _batch)
        {
            count += append.Events.Count;
        }

        var events = new GatewayEvent[count];
        var at = _end.At;
        var next = 0;
        foreach (var append in _batch)
        {
            for (var i = 0; i < append.Events.Count; i++)
            {
                // Arrival never runs backwards along positions, whatever the threads or the clock did.
                at = Math.Max(at, append.Events[i].ArrivedAt.ToUnixTimeMilliseconds());
                events[next] = append.Events[i] with { Position = _end.Position + 1 + next, ArrivedAt = DateTimeOffset.FromUnixTimeMilliseconds(at) };
                messages += events[next] is MessageEvent ? 1 : 0;
                next++;
            }
        }

        return events;
    }

    private void Fail(string fault, Exception? e)
    {
        if (_fault != fault)
        {
            _fault = fault;
            Broken(log, fault, e);
        }

        DistributionMetrics.JournalFailures.Add(1);
        AppendAnswers.Failed(_batch, new JournalUnavailableException(fault, RetryAfterFault, e));
    }

    private static string Explain(Exception e) => e switch
    {
        Microsoft.Data.Sqlite.SqliteException { SqliteErrorCode: 13 } => "The journal's disk is full. Make room; the gateway goes on by itself.",
        Microsoft.Data.Sqlite.SqliteException { SqliteErrorCode: 8 } => "The journal's folder is read-only. Make it writable for the gateway.",
        Microsoft.Data.Sqlite.SqliteException { SqliteErrorCode: 10 or 14 } => "The journal's disk fails. Check the disk and the folder's permissions.",
        DbException => "The journal's database cannot take events. Check the database.",
        StorageException => e.Message,
        _ => "The journal cannot take events; the log says why.",
    };

    [LoggerMessage(2000, LogLevel.Information, "Journal open, newest position {Position}")]
    private static partial void Opened(ILogger logger, long position);

    [LoggerMessage(2001, LogLevel.Error, "Nothing is accepted: {Fault}")]
    private static partial void Broken(ILogger logger, string fault, Exception? e);

    [LoggerMessage(2002, LogLevel.Information, "The journal accepts events again")]
    private static partial void Recovered(ILogger logger);
}
