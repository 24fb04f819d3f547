namespace Sekisho.Benchmarks.Sensor;

/// <summary>How far the sensor's process goes with a file: each does what the one before it does, and more. Their differences say where the time goes.</summary>
internal enum Stage
{
    /// <summary>The process starts and makes the tables.</summary>
    Start,

    /// <summary>Reads the bytes of the file.</summary>
    Read,

    /// <summary>Parses the headers.</summary>
    Parse,

    /// <summary>Keeps flows and devices and takes their rows out at the end of each interval: what the C floor does, and the intervals.</summary>
    Observe,

    /// <summary>Encodes and compresses each interval for the gateway: all that the product does.</summary>
    Whole,
}
