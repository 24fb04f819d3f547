using Sekisho.Domain.Events;

namespace Sekisho.Distribution.Journal;

/// <summary>
/// Gives stored events back, recent ones from memory, older ones from disk. Any thread; the journal thread publishes, one reader follows.
/// </summary>
internal sealed class EventFeed(JournalStore store, JournalSettings settings) : IEventFeed, IDisposable
{
    private readonly AutoResetEvent _caughtUp = new(false);
    private readonly Lock _turn = new(); // guards everything below
    private readonly RecentEvents _recent = new((long)settings.RecentMiB << 20);
    private readonly RecentEvents _older = new(long.MaxValue);
    private TaskCompletionSource? _changed;
    private long _last;
    private long _messages;
    private long _released;
    private bool _followed;
    private bool _moves; // the reader has released something since a commit last waited in vain
    private bool _awaited;

    public long LastPosition
    {
        get
        {
            lock (_turn)
            {
                return _last;
            }
        }
    }

    /// <summary>Everything up to here is processed.</summary>
    public long Released
    {
        get
        {
            lock (_turn)
            {
                return _released;
            }
        }
    }

    public async ValueTask<IReadOnlyList<GatewayEvent>> ReadAsync(long afterPosition, int limit, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        while (true)
        {
            Task? changed = null;
            lock (_turn)
            {
                if (!_followed)
                {
                    // The reader starts behind what it has committed, so that much is processed.
                    _followed = true;
                    _released = Math.Max(_released, Math.Min(afterPosition, _last));
                }

                if ((_recent.From(afterPosition + 1, limit) ?? _older.From(afterPosition + 1, limit)) is { } events)
                {
                    return events;
                }

                if (afterPosition >= _last)
                {
                    changed = (_changed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
                }
            }

            if (changed is not null)
            {
                await changed.WaitAsync(cancellation).ConfigureAwait(false);
                continue;
            }

            var blocks = await store.ReadAsync(afterPosition + 1, limit, cancellation).ConfigureAwait(false);
            if (blocks.Count == 0)
            {
                throw new InvalidOperationException($"The journal ends at {LastPosition} but has no event after {afterPosition}. Restore journal and state from one backup.");
            }

            lock (_turn)
            {
                _older.Clear();
                for (var i = 0; i < blocks.Count && (i == 0 || blocks[i - 1][^1].Position + 1 == blocks[i][0].Position); i++)
                {
                    _older.Add(blocks[i], 0, 0);
                }

                // What was removed by a restore or by hand cannot be had: go on with the next that exists.
                afterPosition = Math.Max(afterPosition, blocks[0][0].Position - 1);
                return _older.From(afterPosition + 1, limit)!;
            }
        }
    }

    public void Release(long position)
    {
        lock (_turn)
        {
            _followed = true;
            _released = Math.Max(_released, Math.Min(position, _last));

            // Kept longer they would only die old, which is what costs a garbage collector most.
            _recent.Forget(_released);
            _older.Forget(_released);
            _moves = true;
            if (_awaited && !IsBehind)
            {
                _awaited = false;
                _caughtUp.Set();
            }
        }
    }

    /// <summary>
    /// Waits while the reader is far behind, up to a limit. A reader that stands still, because it is paused or at fault, is not waited for: what
    /// arrives is stored all the same. Only the journal thread.
    /// </summary>
    public void AwaitReader()
    {
        lock (_turn)
        {
            if (!_moves || !IsBehind || settings.BrakeMs == 0)
            {
                return;
            }

            _moves = false;
            _awaited = true;
        }

        var inTime = _caughtUp.WaitOne(settings.BrakeMs);
        lock (_turn)
        {
            _awaited = false;
            _moves |= inTime;
        }

        // Set in the moment between the end of the wait and the lock.
        _caughtUp.Reset();
    }

    public void Dispose() => _caughtUp.Dispose();

    /// <summary>The journal ends here; what was in memory may not fit any more.</summary>
    public void StartFrom(JournalEnd end)
    {
        lock (_turn)
        {
            _recent.Clear();
            _older.Clear();
            (_last, _messages) = (end.Position, end.Messages);
            Wake();
        }
    }

    /// <summary>These events are durable.</summary>
    public void Publish(GatewayEvent[] events, long bytes, long messagesBefore, long messages)
    {
        lock (_turn)
        {
            _recent.Add(events, bytes, messagesBefore);
            (_last, _messages) = (events[^1].Position, messagesBefore + messages);
            Wake();
        }
    }

    /// <summary>Messages ever stored, and those of them that are not processed.</summary>
    public async Task<(long Journaled, long Unprocessed)> CountAsync(CancellationToken cancellation)
    {
        long last;
        long messages;
        long released;
        lock (_turn)
        {
            (last, messages, released) = (_last, _messages, _released);
            if (released >= last)
            {
                return (messages, 0);
            }

            if (_recent.MessagesUpTo(released) is { } processed)
            {
                return (messages, messages - processed);
            }
        }

        return (messages, messages - await store.MessagesUpToAsync(released, last, messages, cancellation).ConfigureAwait(false));
    }

    private bool IsBehind => _released < _last && _recent.Bytes > (long)settings.BrakeMiB << 20;

    private void Wake()
    {
        _changed?.TrySetResult();
        _changed = null;
    }
}
