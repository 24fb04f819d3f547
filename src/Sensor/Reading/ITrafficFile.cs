using Sekisho.Wire.Features;

namespace Sekisho.Sensor.Reading;

/// <summary>A file of packets or of flow records. One thread at a time.</summary>
internal interface ITrafficFile : IDisposable
{
    /// <summary>"pcap", "pcapng.gz", "zeek" …</summary>
    string Format { get; }

    /// <summary>Whether it ends inside a record. Known after <see cref="Run"/>.</summary>
    bool IsCut { get; }

    /// <summary>Rows that could not be read and were passed over.</summary>
    long Skipped { get; }

    /// <summary>Why reading ended before the end of the file; null when it did not.</summary>
    Exception? Damage { get; }

    /// <summary>Reads all of it, once.</summary>
    /// <param name="interval">Gets each interval in which something was seen.</param>
    /// <param name="progress">Gets the share that is read, now and then; 0 for a pipe.</param>
    /// <param name="cancellation">Ends it.</param>
    void Run(Action<IntervalFeatures> interval, Action<double> progress, CancellationToken cancellation);
}
