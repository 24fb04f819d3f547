using Sekisho.Traffic.Capture;
using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Intervals;
using Sekisho.Wire.Features;

namespace Sekisho.Sensor.Live;

/// <summary>Reads live traffic until it is told to end. <see cref="Run"/> is one thread.</summary>
/// <param name="settings">How.</param>
/// <param name="clock">Time.</param>
internal sealed class LiveSensor(LiveSettings settings, TimeProvider clock)
{
    private const int Batch = 256;
    private const long NanosecondsPerTick = 100;

    // The kernel hands a block over some time after its frames came: so long an interval waits for the last of its own.
    private const long Grace = 250_000_000;

    /// <summary>Called once the interfaces are open: from then on no frame is missed.</summary>
    public required Action Opened { get; init; }

    /// <summary>Gets each interval, in order. Reading waits for it.</summary>
    public required Action<IntervalFeatures> Ended { get; init; }

    /// <summary>Gets what changed on an interface.</summary>
    public required Action<string, MirrorFault> Changed { get; init; }

    /// <summary>Reads. Throws <see cref="CaptureException"/> when the interfaces cannot be opened.</summary>
    public void Run(CancellationToken cancellation)
    {
        using var source = new LiveSource(settings.Capture, settings.Readers);
        using var observation = new Observation(settings.Observation);
        var report = new SelfReport(clock);
        var watch = new MirrorWatch(TimeSpan.FromSeconds(settings.QuietSeconds), Now());
        var headers = new PacketHeader[Batch];
        var looked = clock.GetTimestamp();
        Opened();
        while (!cancellation.IsCancellationRequested)
        {
            Take(headers.AsSpan(0, source.Read(headers)), observation, report, source);
            if (clock.GetElapsedTime(looked) < TimeSpan.FromMilliseconds(LiveSource.Wait))
            {
                continue;
            }

            looked = clock.GetTimestamp();
            var now = Now();
            if (observation.IsOver(now - Grace))
            {
                End(observation, report, source);
            }

            foreach (var (name, fault) in watch.Look(source.Interfaces, now))
            {
                Changed(name, fault);
            }
        }

        // What came until now still counts; a load without end does not keep the sensor from ending.
        var last = Now() + (NanosecondsPerTick * TimeSpan.TicksPerSecond);
        int read;
        do
        {
            read = source.Read(headers);
            Take(headers.AsSpan(0, read), observation, report, source);
        }
        while (read > 0 && Now() < last);

        // Opens an interval where the last one has just ended.
        _ = observation.IsOver(Now());
        End(observation, report, source);
    }

    private void Take(ReadOnlySpan<PacketHeader> packets, Observation observation, SelfReport report, LiveSource source)
    {
        while (!packets.IsEmpty)
        {
            packets = packets[observation.Add(packets)..];
            if (!packets.IsEmpty)
            {
                End(observation, report, source);
            }
        }
    }

    private void End(Observation observation, SelfReport report, LiveSource source) => Ended(observation.Flush(report.Take(source.Interfaces)));

    private long Now() => (clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * NanosecondsPerTick;
}
