using Sekisho.Traffic.Files;
using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Intervals;
using Sekisho.Wire.Features;

namespace Sekisho.Sensor.Reading;

/// <summary>Reads a capture file through to its end, or to where it is damaged.</summary>
/// <param name="file">The capture; stays open.</param>
/// <param name="settings">How traffic is observed.</param>
internal sealed class CaptureReading(CaptureFile file, ObservationSettings settings)
{
    private const int Batch = 256;
    private const int BatchesBetweenReports = 256;

    /// <summary>Why reading ended before the end of the file; null when it did not.</summary>
    public CaptureFileException? Damage { get; private set; }

    /// <summary>Reads all of it.</summary>
    /// <param name="interval">Gets each interval that has packets.</param>
    /// <param name="progress">Gets the share that is read, now and then; 0 for a pipe.</param>
    /// <param name="cancellation">Ends it.</param>
    public void Run(Action<IntervalFeatures> interval, Action<double> progress, CancellationToken cancellation)
    {
        using var observation = new Observation(settings);
        var headers = new PacketHeader[Batch];
        var open = false;
        for (var batches = 1; ; batches++)
        {
            var read = Read(headers);
            if (read == 0)
            {
                break;
            }

            open = true;
            for (var packets = headers.AsSpan(0, read); ;)
            {
                packets = packets[observation.Add(packets)..];
                if (packets.IsEmpty)
                {
                    break;
                }

                interval(observation.Flush());
            }

            if (batches % BatchesBetweenReports == 0)
            {
                cancellation.ThrowIfCancellationRequested();
                progress(file.Length == 0 ? 0 : (double)file.Position / file.Length);
            }
        }

        if (open)
        {
            interval(observation.Flush());
        }

        progress(1);
    }

    private int Read(PacketHeader[] headers)
    {
        try
        {
            return file.Read(headers);
        }
        catch (CaptureFileException e)
        {
            // What stands before the damage was handed over; the caller tells both.
            Damage = e;
            return 0;
        }
    }
}
