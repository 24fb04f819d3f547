using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sekisho.Domain.Operations;
using Sekisho.Response.Soc.Receivers;

namespace Sekisho.Response.Soc.Sending;

/// <summary>
/// Keeps a sender for each enabled receiver. Each has its own task, so that one that is away or slow holds no other back. A receiver that cannot be
/// reached is shown with the receiver and does not make the gateway unready. Any thread.
/// </summary>
internal sealed partial class SocStage(SocPorts ports, ILogger<SocStage> log) : IHostedService, IStage, IDisposable
{
    /// <summary>Receivers are read again at least so often; another node may have changed one.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(15);

    private readonly Lock _turn = new(); // guards _senders
    private readonly Dictionary<string, Running> _senders = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();
    private TaskCompletionSource _changed = NewSignal();
    private Task _loop = Task.CompletedTask;
    private volatile bool _paused;
    private volatile string? _fault;

    public string Name => "soc";

    public StageStatus Status
    {
        get
        {
            var (now, states) = (ports.Clock.GetUtcNow(), Senders().Select(s => s.State).ToList());
            var behind = states.Where(s => s.OldestWaiting is not null).ToList();
            var lag = behind.Count == 0 ? TimeSpan.Zero : now - behind.Min(s => s.OldestWaiting!.Value);
            return new StageStatus(_fault is null, _paused, behind.Count, lag > TimeSpan.Zero ? lag : TimeSpan.Zero, _fault);
        }
    }

    public void Pause() => Hold(paused: true);

    public void Resume() => Hold(paused: false);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        SocMetrics.Connected = () => Senders().Count(s => s.State.Connected);
        _loop = Task.Run(LoopAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync();
        await _loop;
    }

    /// <summary>The sender of a receiver; null when it is off or not begun yet.</summary>
    public SocSender? Of(string receiverId)
    {
        lock (_turn)
        {
            return _senders.GetValueOrDefault(receiverId)?.Sender;
        }
    }

    /// <summary>Receivers were changed.</summary>
    public void Wake() => Interlocked.Exchange(ref _changed, NewSignal()).TrySetResult();

    public void Dispose() => _stop.Dispose();

    private async Task LoopAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var changed = Volatile.Read(ref _changed).Task;
            try
            {
                await ApplyAsync(await ports.Store.ListAsync(null, _stop.Token));
                _fault = null;
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // The store does not answer: the senders go on with what they know, and the receivers are read again after the pause.
                _fault = $"The receivers of events cannot be read ({e.GetType().Name}).";
                StoreFailed(e);
            }

            using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            await Task.WhenAny(changed, Task.Delay(LongestWait, ports.Clock, over.Token));
            await over.CancelAsync();
        }

        await ApplyAsync([]);
    }

    private async Task ApplyAsync(IReadOnlyList<SocReceiver> receivers)
    {
        var wanted = receivers.Where(r => r.Enabled).ToDictionary(r => r.Id, StringComparer.Ordinal);
        List<Running> ending;
        lock (_turn)
        {
            ending = [.. _senders.Values.Where(s => !wanted.TryGetValue(s.Sender.Receiver.Id, out var now) || !Same(now, s.Sender.Receiver))];
            ending.ForEach(s => _senders.Remove(s.Sender.Receiver.Id));
        }

        // All at once: each says good-bye to its receiver, which may take its time.
        await Task.WhenAll(ending.Select(s => s.DisposeAsync().AsTask()));

        lock (_turn)
        {
            foreach (var receiver in wanted.Values.Where(r => !_senders.ContainsKey(r.Id)))
            {
                _senders[receiver.Id] = new Running(new SocSender(receiver, ports, log) { Paused = _paused });
            }
        }
    }

    private void Hold(bool paused)
    {
        _paused = paused;
        foreach (var sender in Senders())
        {
            sender.Paused = paused;
        }

        Held(paused);
    }

    private List<SocSender> Senders()
    {
        lock (_turn)
        {
            return [.. _senders.Values.Select(s => s.Sender)];
        }
    }

    // Records compare lists by reference.
    private static bool Same(SocReceiver a, SocReceiver b) => System.Text.Json.JsonSerializer.Serialize(a) == System.Text.Json.JsonSerializer.Serialize(b);

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Running : IAsyncDisposable
    {
        private readonly CancellationTokenSource _end = new();
        private readonly Task _task;

        public Running(SocSender sender)
        {
            Sender = sender;
            _task = Task.Run(() => sender.RunAsync(_end.Token), CancellationToken.None);
        }

        public SocSender Sender { get; }

        public async ValueTask DisposeAsync()
        {
            await _end.CancelAsync();
            await _task;
            _end.Dispose();
        }
    }

    [LoggerMessage(4043, LogLevel.Error, "The receivers of events cannot be read")]
    private partial void StoreFailed(Exception fault);

    [LoggerMessage(4044, LogLevel.Information, "Sending of events to receivers held: {Paused}")]
    private partial void Held(bool paused);
}
