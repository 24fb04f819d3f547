using Microsoft.Extensions.Hosting;
using Sekisho.Distribution.Flow;
using Sekisho.Distribution.Limits;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Events;

namespace Sekisho.Distribution.Facts;

/// <summary>
/// Once a minute puts into the journal what each device's traffic was, for the devices that had any. What the journal cannot take is told with
/// the next minute. Any thread; at most one report is under way.
/// </summary>
internal sealed class TrafficReports(IEventJournal journal, TrafficCounters traffic, WireCounting wire, IDeviceDirectory devices, FlowCatalog flows, TimeProvider clock)
    : IHostedService, IDisposable
{
    private const int Together = 500;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    private ITimer? _timer;
    private DateTimeOffset _from;
    private int _busy; // 0 or 1, interlocked

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _from = clock.GetUtcNow();
        _timer = clock.CreateTimer(_ => _ = ReportAsync(), null, Interval, Interval);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_timer is not null)
        {
            await _timer.DisposeAsync().ConfigureAwait(false);
        }

        await ReportAsync().ConfigureAwait(false);
    }

    public void Dispose() => _timer?.Dispose();

    /// <summary>Reports what was counted since the last report.</summary>
    internal async Task ReportAsync()
    {
        if (Interlocked.Exchange(ref _busy, 1) != 0)
        {
            return;
        }

        try
        {
            var (from, now) = (_from, clock.GetUtcNow());
            _from = now;
            wire.Flush();
            foreach (var some in traffic.Unreported().Chunk(Together))
            {
                await ReportAsync(some, from, now).ConfigureAwait(false);
            }
        }
        finally
        {
            Volatile.Write(ref _busy, 0);
        }
    }

    private async Task ReportAsync(TrafficSince[] some, DateTimeOffset from, DateTimeOffset to)
    {
        var events = new List<TrafficFactEvent>();
        foreach (var one in some)
        {
            // A field without statistics, or a device that is gone: its counts are let go.
            if (devices.Device(one.DeviceId)?.FieldId is { } fieldId && flows.Of(fieldId).Statistics)
            {
                events.Add(Event(one, fieldId, from, to));
            }
        }

        try
        {
            if (events.Count > 0)
            {
                await journal.AppendAsync(events, CancellationToken.None).ConfigureAwait(false);
            }

            foreach (var one in some)
            {
                traffic.Reported(one);
            }
        }
        catch (JournalUnavailableException)
        {
            // Not reported: the counts stay and come with the next minute.
        }
    }

    private static TrafficFactEvent Event(in TrafficSince one, string fieldId, DateTimeOffset from, DateTimeOffset to) => new()
    {
        ArrivedAt = to,
        CorrelationId = "",
        FieldId = fieldId,
        DeviceId = one.DeviceId,
        From = from,
        To = to,
        AcceptedBytes = one.AcceptedBytes,
        RepeatedBytes = one.RepeatedBytes,
        FailedBytes = one.RefusedBytes,
        Requests = (int)Math.Min(int.MaxValue, one.Requests),
        Retries = (int)Math.Min(int.MaxValue, one.RepeatedMessages),
        Handshakes = (int)Math.Min(int.MaxValue, one.Handshakes),
        WireUp = one.HasWire ? one.WireUp : null,
        WireDown = one.HasWire ? one.WireDown : null,
    };
}
