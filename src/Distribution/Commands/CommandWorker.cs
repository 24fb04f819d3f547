using System.Data.Common;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sekisho.Domain.Events;
using Sekisho.Storage;

namespace Sekisho.Distribution.Commands;

/// <summary>Ends commands whose time has run out, tells detection what it was not told, and lets go what was settled long ago. One round at a time.</summary>
internal sealed partial class CommandWorker(CommandStore store, CommandDesk desk, CommandPolls polls, IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<CommandWorker> log)
    : IHostedService, IDisposable
{
    private const int AtOnce = 200;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private readonly CancellationTokenSource _stop = new();
    private ITimer? _timer;
    private readonly SemaphoreSlim _turn = new(1);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // Devices that wait would hold up the stop for as long as they may wait.
        lifetime.ApplicationStopping.Register(polls.End);
        _timer = clock.CreateTimer(_ => _ = _turn.CurrentCount == 0 ? Task.CompletedTask : RoundAsync(), null, Interval, Interval);
        return RoundAsync();
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        if (_timer is not null)
        {
            await _timer.DisposeAsync().ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        _timer?.Dispose();
        _stop.Dispose();
    }

    /// <summary>Does what is due.</summary>
    internal async Task RoundAsync()
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!await store.HasWorkAsync(_stop.Token).ConfigureAwait(false))
            {
                return;
            }

            foreach (var ended in await store.ExpireAsync(AtOnce, _stop.Token).ConfigureAwait(false))
            {
                if (ended.IsDamaged)
                {
                    EndedUnread(ended.Id, ended.DeviceId);
                }

                desk.Tell(ended);
            }

            foreach (var held in await store.UntoldAsync(AtOnce, _stop.Token).ConfigureAwait(false))
            {
                await desk.TellAsync(held).ConfigureAwait(false);
            }

            await store.ForgetAsync(AtOnce, _stop.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is JournalUnavailableException or OperationCanceledException or ObjectDisposedException)
        {
            // The gateway stops, or the journal is full: the next round goes on.
        }
        catch (DbException e) when (Database.IsUnavailable(e))
        {
            StoreUnavailable(e);
        }
        catch (Exception e) when (e is DbException or StorageException or System.Text.Json.JsonException)
        {
            Failed(e);
        }
        finally
        {
            _turn.Release();
        }
    }

    [LoggerMessage(2040, LogLevel.Warning, "Commands to devices: the store is not available, the next round tries again")]
    private partial void StoreUnavailable(Exception fault);

    [LoggerMessage(2041, LogLevel.Error, "Commands to devices: a round failed and is tried again; until it succeeds commands do not lapse, and detection is not told of held ones")]
    private partial void Failed(Exception fault);

    [LoggerMessage(2042, LogLevel.Error, "What is stored of command {Command} to device {Device} cannot be read; its time has run out")]
    private partial void EndedUnread(string command, string device);
}
