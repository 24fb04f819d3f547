using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Operations;

namespace Sekisho.Distribution.Forwarding;

/// <summary>Runs a forwarder for each field that has something to forward. Any thread.</summary>
internal sealed partial class Forwarder(ForwardingPorts ports, IDeviceDirectory directory, ILogger<Forwarder> log) : IStage, IHostedService, IDisposable
{
    private const int SettledPerSlice = 2_000;
    private static readonly TimeSpan Cleaning = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<string, Lazy<Running>> _fields = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();
    private volatile bool _paused;
    private volatile bool _started;
    private Task _cleaning = Task.CompletedTask;

    public string Name => "forwarding";

    public StageStatus Status
    {
        get
        {
            long waiting = 0;
            var lag = TimeSpan.Zero;
            foreach (var running in _fields.Values)
            {
                waiting += running.Value.Forwarder.WaitingMessages;
                lag = running.Value.Forwarder.Lag is var l && l > lag ? l : lag;
            }

            return new StageStatus(_started, _paused, waiting, lag, _started ? null : "Forwarding has not started.");
        }
    }

    public void Pause() => _paused = true;

    public void Resume()
    {
        _paused = false;
        foreach (var running in _fields.Values)
        {
            running.Value.Forwarder.Wake();
        }
    }

    /// <summary>The connector of a field; null before there is one.</summary>
    public ConnectorView? View(string fieldId) => _fields.TryGetValue(fieldId, out var running) ? running.Value.Forwarder.View : null;

    /// <summary>More waits for a field. Never throws, never blocks.</summary>
    public void Queued(string fieldId, long messages, long bytes) => Of(fieldId)?.Add(messages, bytes);

    /// <summary>The field's destination, or what waits for it, was changed by a person.</summary>
    public void Changed(string fieldId) => Of(fieldId)?.Wake();

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await ports.Destinations.LoadAsync(cancellationToken).ConfigureAwait(false);
        _started = true;
        ports.Quarantines.Released = (field, messages, bytes) => Queued(field, messages, bytes);
        var queued = await ports.Outbox.QueuedAsync(cancellationToken).ConfigureAwait(false);
        foreach (var fieldId in directory.Fields.Select(f => f.FieldId).Where(f => ports.Destinations.Of(f) is not null).Union(queued.Keys))
        {
            var (messages, bytes) = await ports.Outbox.SizeAsync(fieldId, cancellationToken).ConfigureAwait(false);
            Queued(fieldId, messages, bytes);
        }

        _cleaning = CleanAsync(_stop.Token);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _started = false;
        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll([_cleaning, .. _fields.Values.Select(f => f.Value.Loop)]).ConfigureAwait(false);
    }

    public void Dispose()
    {
        foreach (var running in _fields.Values)
        {
            running.Value.Forwarder.Dispose();
        }

        _stop.Dispose();
    }

    private FieldForwarder? Of(string fieldId) => _started
        ? _fields.GetOrAdd(fieldId, id => new Lazy<Running>(() =>
        {
            var forwarder = new FieldForwarder(id, ports, () => _paused, log);
            return new Running(forwarder, Task.Run(() => forwarder.RunAsync(_stop.Token)));
        })).Value.Forwarder
        : null;

    private async Task CleanAsync(CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                await Task.Delay(Cleaning, ports.Clock, cancellation).ConfigureAwait(false);
                try
                {
                    var before = ports.Clock.GetUtcNow().AddDays(-ports.Settings.KeepSettledDays);
                    while (await ports.Outbox.RemoveSettledAsync(before, SettledPerSlice, cancellation).ConfigureAwait(false) == SettledPerSlice)
                    {
                    }
                }
                catch (System.Data.Common.DbException e)
                {
                    // Old entries stay a little longer; the next round tries again.
                    CleaningFailed(log, e);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopping.
        }
    }

    private sealed record Running(FieldForwarder Forwarder, Task Loop);

    [LoggerMessage(2023, LogLevel.Warning, "Settled entries of the outbox could not be removed")]
    private static partial void CleaningFailed(ILogger logger, Exception e);
}
