using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sekisho.Domain.Operations;
using Sekisho.Response.Actions;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Queue;

/// <summary>
/// Works the queue off. Each action has a pump and places of its own, so that a slow or failing one never holds another back; within an
/// action the targets take turns, each in order, and a target whose try failed gives its place away. The queue itself is the table: it is
/// bounded by the store, nothing is ever dropped from it. Any thread.
/// </summary>
internal sealed partial class ResponseWorker(LeaseRunner runner, LeaseStore leases, QueueSignal signal, LeaseSettings settings, TimeProvider clock, ILogger<ResponseWorker> log)
    : IHostedService, IStage, IDisposable
{
    /// <summary>Leases of one target in a row before others get a turn.</summary>
    private const int Turn = 16;

    /// <summary>The table is looked at at least so often, once for all actions: another node may have put something in, or the clock was set.</summary>
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    // Targets whose last try failed: they get the places that others leave.
    private readonly ConcurrentDictionary<(string Action, string Field, string Target), bool> _failing = new();

    private readonly CancellationTokenSource _stopTaking = new();
    private readonly CancellationTokenSource _abort = new();
    private Task[] _pumps = [];
    private volatile bool _paused;
    private volatile string? _fault;
    private volatile LeaseBacklog _backlog = new(0, null);

    public string Name => "response";

    public StageStatus Status
    {
        get
        {
            var (backlog, fault) = (_backlog, _fault);
            var lag = backlog.Oldest is { } oldest ? clock.GetUtcNow() - oldest : TimeSpan.Zero;
            return new StageStatus(fault is null, _paused, backlog.Waiting, lag > TimeSpan.Zero ? lag : TimeSpan.Zero, fault);
        }
    }

    public void Pause()
    {
        _paused = true;
        Held();
    }

    public void Resume()
    {
        _paused = false;
        Released();
        signal.Wake();
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await leases.FreeClaimsAsync(LeaseRunner.Node, cancellationToken);
        await leases.ClockSetBackAsync(settings, cancellationToken);
        _backlog = await leases.BacklogAsync(cancellationToken);
        ResponseMetrics.Waiting = () => _backlog.Waiting;
        _pumps = [.. runner.Actions.Select(a => Task.Run(() => PumpAsync(a, untilIdle: false), CancellationToken.None)), Task.Run(WatchAsync, CancellationToken.None)];
    }

    /// <summary>Takes nothing new, lets what runs finish as long as the host waits, then breaks it off; it is tried again after the next start.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopTaking.CancelAsync();
        var all = Task.WhenAll(_pumps);
        await Task.WhenAny(all, Task.Delay(Timeout.InfiniteTimeSpan, clock, cancellationToken));
        await _abort.CancelAsync();
        await all;
    }

    /// <summary>Does everything that is due now, and returns when nothing is left to do at this time.</summary>
    public async Task DrainAsync() => await Task.WhenAll(runner.Actions.Select(a => PumpAsync(a, untilIdle: true)));

    public void Dispose()
    {
        _stopTaking.Dispose();
        _abort.Dispose();
    }

    /// <summary>Knows how much waits, and wakes the pumps for what fell due without their knowing.</summary>
    private async Task WatchAsync()
    {
        while (!_stopTaking.IsCancellationRequested)
        {
            var wake = signal.Next;
            await WaitAsync([], wake, BetweenLooks);
            try
            {
                await leases.ClockSetBackAsync(settings, _stopTaking.Token);
                _backlog = await leases.BacklogAsync(_stopTaking.Token);
                _fault = null;
                if (!wake.IsCompleted && _backlog.Oldest is not null)
                {
                    signal.Wake();
                }
            }
            catch (OperationCanceledException) when (_stopTaking.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // As with the pumps: shown, and looked at again.
                _fault = Unreadable(e);
                StoreFailed(e, "*");
            }
        }
    }

    private async Task PumpAsync(IResponseAction action, bool untilIdle)
    {
        var running = new Dictionary<(string Field, string Target), Task>();
        while (!_stopTaking.IsCancellationRequested)
        {
            var wake = signal.Next;
            var wait = LongestWait;
            try
            {
                var ended = running.Where(r => r.Value.IsCompleted).ToList();
                foreach (var (target, task) in ended)
                {
                    running.Remove(target);
                    await task;
                }

                var started = _paused ? 0 : await StartAsync(action, running);
                if (started + ended.Count > 0 || untilIdle)
                {
                    _backlog = await leases.BacklogAsync(_stopTaking.Token);
                }

                _fault = null;
                if (untilIdle && running.Count == 0)
                {
                    return;
                }

                if (started == 0 && await leases.NextTimeAsync(action.Name, clock.GetUtcNow(), _stopTaking.Token) is { } next)
                {
                    wait = Shorter(next - clock.GetUtcNow(), LongestWait);
                }
            }
            catch (OperationCanceledException) when (_stopTaking.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e) when (e is not OperationCanceledException && !untilIdle)
            {
                // The store does not answer: shown as the stage's fault, tried again after the pause; the queue is durable and loses nothing.
                _fault = Unreadable(e);
                StoreFailed(e, action.Name);
                wait = BetweenLooks;
            }

            await WaitAsync(running.Values, wake, wait);
        }

        await Task.WhenAll(running.Values.Select(Ended));
    }

    private async Task<int> StartAsync(IResponseAction action, Dictionary<(string, string), Task> running)
    {
        var free = settings.Parallel - running.Count;
        if (free <= 0)
        {
            return 0;
        }

        var failing = _failing.Keys.Where(k => k.Action == action.Name).ToList();
        var targets = await leases.TargetsDueAsync(action.Name, clock.GetUtcNow(), free + running.Count + failing.Count, _stopTaking.Token);
        var started = targets.Where(t => !running.ContainsKey(t)).OrderBy(t => _failing.ContainsKey((action.Name, t.Field, t.Target))).Take(free).ToList();
        foreach (var rested in failing.Where(k => !targets.Contains((k.Field, k.Target)) && !running.ContainsKey((k.Field, k.Target))))
        {
            _failing.TryRemove(rested, out _);
        }

        foreach (var target in started)
        {
            running[target] = Task.Run(() => TakeTurnAsync(action.Name, target.Field, target.Target), CancellationToken.None);
        }

        return started.Count;
    }

    private async Task TakeTurnAsync(string action, string field, string target)
    {
        for (var i = 0; i < Turn && !_paused && !_stopTaking.IsCancellationRequested; i++)
        {
            if (await leases.NextDueAsync(action, field, target, clock.GetUtcNow(), _abort.Token) is not { } lease)
            {
                return;
            }

            if (!await runner.TryAsync(lease, _abort.Token))
            {
                _failing[(action, field, target)] = true;
                return;
            }

            _failing.TryRemove((action, field, target), out _);
        }
    }

    private async Task WaitAsync(IEnumerable<Task> running, Task wake, TimeSpan wait)
    {
        using var done = CancellationTokenSource.CreateLinkedTokenSource(_stopTaking.Token);
        await Task.WhenAny([.. running, wake, Task.Delay(wait, clock, done.Token)]);
        await done.CancelAsync();
    }

    private async Task Ended(Task turn)
    {
        try
        {
            await turn;
        }
        catch (Exception e) when (e is OperationCanceledException || _stopTaking.IsCancellationRequested)
        {
            // Broken off by the stop: the claim is freed and the lease tried again at the next start.
            BrokenOff(e.GetType().Name);
        }
    }

    private static string Unreadable(Exception e) => $"The response queue cannot be read or written ({e.GetType().Name}).";

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a <= TimeSpan.Zero ? TimeSpan.FromMilliseconds(1) : a < b ? a : b;

    [LoggerMessage(4010, LogLevel.Information, "Responses are held; they wait in the queue")]
    private partial void Held();

    [LoggerMessage(4011, LogLevel.Information, "Responses go on")]
    private partial void Released();

    [LoggerMessage(4012, LogLevel.Error, "The queue of {Action} cannot be worked off now")]
    private partial void StoreFailed(Exception fault, string action);

    [LoggerMessage(4013, LogLevel.Information, "A response was broken off by the stop ({Kind}); it is tried again after the start")]
    private partial void BrokenOff(string kind);
}
