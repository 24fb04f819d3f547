using System.Collections.Concurrent;
using Sekisho.Distribution.Limits;

namespace Sekisho.Distribution.Commands;

/// <summary>
/// Devices that wait for commands. Of two requests of one device the newer one waits and the older one is answered at once, because a connection that broke looks alive for
/// a while. Any thread.
/// </summary>
internal sealed class CommandPolls(CommandSettings settings, TimeProvider clock)
{
    private readonly ConcurrentDictionary<string, Poll> _devices = new(StringComparer.Ordinal);
    private readonly long _start = clock.GetTimestamp();
    private int _waiting;
    private volatile bool _ended;

    /// <summary>Counts a request of the device.</summary>
    /// <returns>How long it has to wait; zero when it may go on.</returns>
    public TimeSpan Enter(string deviceId)
    {
        var poll = Of(deviceId);
        lock (poll)
        {
            var wait = poll.Bucket.Wait(1, settings.RequestsPerMinute / 60.0, settings.RequestsPerMinute, clock.GetElapsedTime(_start).TotalSeconds);
            if (wait > 0)
            {
                return TimeSpan.FromSeconds(wait);
            }

            poll.Bucket.Take(1);
            return TimeSpan.Zero;
        }
    }

    /// <summary>Begins to wait; the device's former request ends its wait.</summary>
    /// <returns>Null when too many devices wait already; else to be disposed.</returns>
    public Turn? Begin(string deviceId)
    {
        if (Interlocked.Increment(ref _waiting) > settings.Waiting)
        {
            Interlocked.Decrement(ref _waiting);
            return null;
        }

        var poll = Of(deviceId);
        var turn = new Turn(this, poll);
        lock (poll)
        {
            poll.Present?.End();
            poll.Present = turn;
            if (_ended)
            {
                turn.End();
            }
        }

        return turn;
    }

    /// <summary>There may be something for the device.</summary>
    public void Wake(string deviceId)
    {
        if (_devices.TryGetValue(deviceId, out var poll))
        {
            lock (poll)
            {
                poll.Present?.Wake();
            }
        }
    }

    /// <summary>A request of the device waits.</summary>
    public bool IsWaiting(string deviceId) => _devices.TryGetValue(deviceId, out var poll) && poll.Present is not null;

    /// <summary>When the device fetched last, since the gateway started.</summary>
    public DateTimeOffset? LastFetch(string deviceId) => _devices.TryGetValue(deviceId, out var poll) ? poll.LastFetch : null;

    /// <summary>The device fetched; what it was given may be given again after a while.</summary>
    public void Fetched(string deviceId, bool something)
    {
        var poll = Of(deviceId);
        lock (poll)
        {
            poll.LastFetch = clock.GetUtcNow();
            poll.LastGiven = something ? poll.LastFetch : poll.LastGiven;
        }
    }

    /// <summary>What was given before may be given again.</summary>
    public bool MayRepeat(string deviceId)
    {
        var poll = Of(deviceId);
        lock (poll)
        {
            return poll.LastGiven is not { } last || clock.GetUtcNow() - last >= settings.RepeatAfter;
        }
    }

    /// <summary>Answers all that wait, and lets nobody wait any more: the gateway stops.</summary>
    public void End()
    {
        _ended = true;
        foreach (var poll in _devices.Values)
        {
            lock (poll)
            {
                poll.Present?.End();
            }
        }
    }

    /// <summary>The device is gone.</summary>
    public void Forget(string deviceId) => _devices.TryRemove(deviceId, out _);

    private Poll Of(string deviceId) => _devices.GetOrAdd(deviceId, static _ => new Poll());

    /// <summary>Locked by itself; the lock guards all of it.</summary>
    internal sealed class Poll
    {
        public TokenBucket Bucket;
        public Turn? Present;
        public DateTimeOffset? LastFetch;
        public DateTimeOffset? LastGiven;
    }

    /// <summary>One request that waits.</summary>
    internal sealed class Turn(CommandPolls polls, Poll poll) : IDisposable
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Another request of the device waits now.</summary>
        public Task Ended => _ended.Task;

        /// <summary>Completes at the next wake. Take it before looking, so that none is overlooked.</summary>
        public Task Next => Volatile.Read(ref _woken).Task;

        public void End() => _ended.TrySetResult();

        public void Wake() => Interlocked.Exchange(ref _woken, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();

        public void Dispose()
        {
            Interlocked.Decrement(ref polls._waiting);
            lock (poll)
            {
                poll.Present = ReferenceEquals(poll.Present, this) ? null : poll.Present;
            }
        }
    }
}
