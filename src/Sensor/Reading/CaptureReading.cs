using Sekisho.Traffic.Files;
using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Intervals;
using Sekisho.Wire.Features;

namespace Sekisho.Sensor.Reading;

/// <summary>Reads a capture file through to its end, or to where it is damaged.</summary>
/// <param name="file">The capture; owned from then on.</param>
/// <param name="settings">How traffic is observed.</param>
internal sealed class CaptureReading(CaptureFile file, ObservationSettings settings) : ITrafficFile
{
    private const int Batch = 256;
    private const int BatchesBetweenReports = 256;

    public string Format => file.Format;

    public bool IsCut => file.Truncated;

    public long Skipped => 0;

    public Exception? Damage { get; private set; }

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

    public void Dispose() => file.Dispose();

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
