using Sekisho.Traffic.Intervals;
using Sekisho.Traffic.Records;
using Sekisho.Wire.Features;

namespace Sekisho.Sensor.Reading;

/// <summary>Reads a conn log of Zeek. Rows come in the order in which connections ended, and tell sums: packets and bytes are spread over the time of the connection.</summary>
/// <param name="stream">The log; owned from then on.</param>
/// <param name="settings">How traffic is observed.</param>
internal sealed class ZeekReading(Stream stream, ObservationSettings settings) : ITrafficFile
{
    private const int RowsBetweenReports = 4096;

    // Zeek tells a connection when it ended and was silent for its time-out, at most 5 minutes: so long an interval waits for those that ran through it.
    private const int OpenSeconds = 330;

    private const int FlowsPerInterval = 100_000;

    private readonly StreamReader _text = new(stream);

    public string Format => "zeek";

    public bool IsCut { get; private set; }

    public long Skipped { get; private set; }

    public Exception? Damage { get; private set; }

    public void Run(Action<IntervalFeatures> interval, Action<double> progress, CancellationToken cancellation)
    {
        using var intervals = new RecordIntervals(new RecordIntervalsSettings
        {
            IntervalLength = settings.IntervalLength,
            OpenSeconds = OpenSeconds,
            FlowsPerInterval = FlowsPerInterval,
            DeviceMemory = settings.DeviceMemory,
            LocalNetworks = settings.LocalNetworks,
            Seed = settings.Seed,
        });
        var reader = new ZeekConnReader(_text);
        var now = 0L;
        for (var rows = 1L; Next(reader) is { } record; rows++)
        {
            now = Math.Max(now, record.End);
            while (!intervals.Add(record, now))
            {
                Tell(intervals, interval);
            }

            if (rows % RowsBetweenReports == 0)
            {
                cancellation.ThrowIfCancellationRequested();
                progress(stream is FileStream { Length: > 0 } file ? (double)file.Position / file.Length : 0);
            }
        }

        while (intervals.HoldsAny)
        {
            Tell(intervals, interval);
        }

        Skipped = reader.Skipped;
        IsCut = reader.Truncated;
        progress(1);
    }

    public void Dispose() => _text.Dispose();

    private static void Tell(RecordIntervals intervals, Action<IntervalFeatures> to)
    {
        var told = intervals.Flush();
        if (told.State.Packets > 0)
        {
            to(told);
        }
    }

    private FlowRecord? Next(ZeekConnReader reader)
    {
        try
        {
            return reader.Read();
        }
        catch (Exception e) when (e is RecordFileException or InvalidDataException or IOException)
        {
            // What stands before was handed over; the caller tells both.
            Damage = e;
            return null;
        }
    }
}
