namespace Sekisho.Verification.Time;

/// <summary>
/// Lets many plays share one virtual clock. A play does what it does in real time and then waits for a moment; when all of them wait, and the gateway
/// has worked off everything, time moves on to the next moment that somebody waits for, in steps, each of them worked off. So nothing is ever missed
/// because a machine is slow. Any thread.
/// </summary>
/// <param name="clock">The clock; nobody else advances it.</param>
/// <param name="settle">Returns when all that was received so far is worked off.</param>
public sealed class Timetable(VirtualClock clock, Func<CancellationToken, Task> settle)
{
    /// <summary>Time moves on by so much at most: as often the gateway's clock ticks.</summary>
    public static readonly TimeSpan Step = TimeSpan.FromMinutes(1);

    private readonly Lock _turn = new(); // guards _active, _waiting and _quiet
    private readonly PriorityQueue<TaskCompletionSource, DateTimeOffset> _waiting = new();
    private TaskCompletionSource _quiet = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _active;

    /// <summary>The present moment.</summary>
    public DateTimeOffset Now => clock.GetUtcNow();

    /// <summary>Returns at that moment, with everything worked off that happened before. A moment that has passed means: when all that was sent is worked off.</summary>
    public Task UntilAsync(DateTimeOffset moment)
    {
        var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_turn)
        {
            _waiting.Enqueue(mine, moment);
            Leave();
        }

        return mine.Task;
    }

    /// <summary>Runs the plays together and returns when the last one is over. What a play throws is thrown when all are over.</summary>
    public async Task RunAsync(IReadOnlyList<Func<Task>> plays, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(plays);
        if (plays.Count == 0)
        {
            return;
        }

        _active = plays.Count;
        var running = plays.Select(p => Task.Run(() => PlayAsync(p), CancellationToken.None)).ToArray();
        while (true)
        {
            Task quiet;
            lock (_turn)
            {
                quiet = _quiet.Task;
            }

            await quiet.WaitAsync(cancellation).ConfigureAwait(false);
            await settle(cancellation).ConfigureAwait(false);
            if (!Next(out var moment))
            {
                break;
            }

            var ahead = moment - Now;
            if (ahead > TimeSpan.Zero)
            {
                clock.Advance(ahead < Step ? ahead : Step);
                continue;
            }

            Wake();
        }

        await Task.WhenAll(running).ConfigureAwait(false);
    }

    private async Task PlayAsync(Func<Task> play)
    {
        try
        {
            await play().ConfigureAwait(false);
        }
        finally
        {
            lock (_turn)
            {
                Leave();
            }
        }
    }

    private void Leave()
    {
        if (--_active == 0)
        {
            _quiet.SetResult();
        }
    }

    private bool Next(out DateTimeOffset moment)
    {
        lock (_turn)
        {
            return _waiting.TryPeek(out _, out moment);
        }
    }

    private void Wake()
    {
        List<TaskCompletionSource> due = [];
        lock (_turn)
        {
            _quiet = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            while (_waiting.TryPeek(out var one, out var moment) && moment <= Now)
            {
                _waiting.Dequeue();
                due.Add(one);
            }

            _active = due.Count;
        }

        due.ForEach(one => one.SetResult());
    }
}
