using Sekisho.Traffic.Intervals;
using Sekisho.Traffic.Records;
using Sekisho.Wire.Features;

namespace Sekisho.Sensor.Live;

/// <summary>How records of a site's exporters are taken in.</summary>
/// <param name="Listener">Where and from whom.</param>
/// <param name="Intervals">Tables and length of an interval.</param>
/// <param name="QuietSeconds">Seconds without a record after which that is an alarm.</param>
internal sealed record RecordSettings(FlowListenerSettings Listener, RecordIntervalsSettings Intervals, int QuietSeconds);

/// <summary>Takes NetFlow and IPFIX in until it is told to end. <see cref="Run"/> is one thread; records come on others.</summary>
/// <param name="settings">How.</param>
/// <param name="clock">Time.</param>
internal sealed class RecordSensor(RecordSettings settings, TimeProvider clock)
{
    private const long NanosecondsPerTick = 100;
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly Lock _turn = new(); // guards the intervals and what belongs to them
    private readonly SelfReport _report = new(clock);
    private long _last;
    private bool _quiet;

    /// <summary>Called once the port is open.</summary>
    public required Action Opened { get; init; }

    /// <summary>Gets each interval, in order. Taking in waits for it.</summary>
    public required Action<IntervalFeatures> Ended { get; init; }

    /// <summary>Gets whether records come: <see cref="MirrorFault.Quiet"/> or <see cref="MirrorFault.None"/>.</summary>
    public required Action<string, MirrorFault> Changed { get; init; }

    /// <summary>Takes in. Throws <see cref="System.Net.Sockets.SocketException"/> when the port cannot be opened.</summary>
    public void Run(CancellationToken cancellation)
    {
        using var intervals = new RecordIntervals(settings.Intervals);
        using var listener = new FlowListener(settings.Listener, records => Take(records, intervals), clock);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _last = Now();
        Opened();
        var listening = listener.RunAsync(ended.Token);
        while (!listening.IsCompleted && !cancellation.WaitHandle.WaitOne(LookEvery))
        {
            Look(intervals);
        }

        ended.Cancel();
        listening.GetAwaiter().GetResult();
        lock (_turn)
        {
            while (intervals.HoldsAny)
            {
                End(intervals);
            }
        }
    }

    private void Take(IReadOnlyList<FlowRecord> records, RecordIntervals intervals)
    {
        lock (_turn)
        {
            _last = Now();
            foreach (var record in records)
            {
                while (!intervals.Add(record, _last))
                {
                    End(intervals);
                }
            }
        }
    }

    private void Look(RecordIntervals intervals)
    {
        lock (_turn)
        {
            var now = Now();
            while (intervals.IsOver(now))
            {
                End(intervals);
            }

            var quiet = now - _last > settings.QuietSeconds * TimeSpan.TicksPerSecond * NanosecondsPerTick;
            if (quiet != _quiet)
            {
                _quiet = quiet;
                Changed(FormattableString.Invariant($"{settings.Listener.Address}:{settings.Listener.Port}"), quiet ? MirrorFault.Quiet : MirrorFault.None);
            }
        }
    }

    private void End(RecordIntervals intervals) => Ended(intervals.Flush(_report.Take([])));

    private long Now() => (clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * NanosecondsPerTick;
}
