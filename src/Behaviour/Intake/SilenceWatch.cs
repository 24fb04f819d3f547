using System.Data.Common;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Sekisho.Api;
using Sekisho.Behaviour.Sensors;
using Sekisho.Domain.History;
using Sekisho.Storage;

namespace Sekisho.Behaviour.Intake;

/// <summary>Raises the alarm of a sensor that has fallen silent. Time in which the gateway was down counts for nothing.</summary>
internal sealed partial class SilenceWatch(SensorBook book, SensorStore store, IHistory history, TimeProvider clock, ILogger<SilenceWatch> log) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var started = clock.GetUtcNow();
        using var timer = new PeriodicTimer(Every, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            foreach (var entry in book.All)
            {
                try
                {
                    await LookAsync(entry, started, stoppingToken).ConfigureAwait(false);
                }
                catch (DbException e) when (Database.IsUnavailable(e))
                {
                    // The next look tries again; the alarm is late, not lost.
                    LogUnavailable(entry.Sensor.Id, e);
                }
            }
        }
    }

    private async Task LookAsync(SensorEntry entry, DateTimeOffset started, CancellationToken cancellation)
    {
        if (Judged(entry.Sensor, started) is null)
        {
            return;
        }

        await entry.Turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var before = entry.Sensor;
            if (!entry.Gone && Judged(before, started) is { } after)
            {
                await store.WriteAsync(
                    async t =>
                    {
                        await store.PutAsync(after, t).ConfigureAwait(false);
                        AlarmRecords.Append(history, before, after, clock.GetUtcNow(), Correlation.New(), t);
                    },
                    cancellation).ConfigureAwait(false);
                entry.Sensor = after;
                LogSilent(after.Id);
            }
        }
        finally
        {
            entry.Turn.Release();
        }
    }

    private Sensor? Judged(Sensor sensor, DateTimeOffset started)
    {
        if (sensor.State != SensorStates.Active || sensor.Status is not { } status || sensor.LastSeen is not { } seen)
        {
            return null;
        }

        return Alarms.Silent(status, seen > started ? seen : started, clock.GetUtcNow()) is { } silent ? sensor with { Status = silent } : null;
    }

    [LoggerMessage(7012, LogLevel.Warning, "Sensor {SensorId} has fallen silent")]
    private partial void LogSilent(string sensorId);

    [LoggerMessage(7013, LogLevel.Error, "The alarm of sensor {SensorId} cannot be stored now")]
    private partial void LogUnavailable(string sensorId, Exception fault);
}
