using Microsoft.Extensions.Hosting;
using Sekisho.Domain.Events;

namespace Sekisho.Distribution.Journal;

/// <summary>Puts the clock into the journal at a fixed interval. Any thread; at most one tick is under way.</summary>
internal sealed class TickSource(IEventJournal journal, TickSettings settings, TimeProvider clock) : IHostedService, IDisposable
{
    private ITimer? _timer;
    private int _busy; // 0 or 1, interlocked

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _timer = clock.CreateTimer(_ => _ = TickAsync(), null, settings.Interval, settings.Interval);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_timer is not null)
        {
            await _timer.DisposeAsync().ConfigureAwait(false);
        }
    }

    public void Dispose() => _timer?.Dispose();

    private async Task TickAsync()
    {
        if (Interlocked.Exchange(ref _busy, 1) != 0)
        {
            return;
        }

        try
        {
            await journal.AppendAsync([new TickEvent { ArrivedAt = clock.GetUtcNow(), CorrelationId = "" }], CancellationToken.None).ConfigureAwait(false);
        }
        catch (JournalUnavailableException)
        {
            // The journal has logged its fault; the next tick carries the time on.
        }
        finally
        {
            Volatile.Write(ref _busy, 0);
        }
    }
}
