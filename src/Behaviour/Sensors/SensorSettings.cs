using System.ComponentModel.DataAnnotations;

namespace Sekisho.Behaviour.Sensors;

/// <summary>Settings of section "Behaviour:Sensors".</summary>
public sealed class SensorSettings
{
    /// <summary>Sensors of one field at most.</summary>
    [Range(1, 10_000)]
    public int MostPerField { get; set; } = 100;

    /// <summary>How long a code to enrol is good for.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "30.00:00:00")]
    public TimeSpan CodeLife { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Days that a sensor's certificate is valid; the sensor renews it by itself when a third is left.</summary>
    [Range(2, 825)]
    public int CertificateDays { get; set; } = 90;

    /// <summary>How long intervals are kept.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "31.00:00:00")]
    public TimeSpan KeepIntervals { get; set; } = TimeSpan.FromDays(1);

    /// <summary>Intervals kept of one sensor at most, newest first.</summary>
    [Range(10, 1_000_000)]
    public int MostIntervals { get; set; } = 8_640;

    /// <summary>Devices remembered of one sensor at most; those that were not seen for longest go first.</summary>
    [Range(10, 1_000_000)]
    public int MostDevices { get; set; } = 4_096;

    /// <summary>Bytes of one upload at most.</summary>
    [Range(10_000, 8 * 1024 * 1024)]
    public int LargestUpload { get; set; } = 4 * 1024 * 1024;

    /// <summary>Uploads of one sensor per minute, and as many at once.</summary>
    [Range(6, 10_000)]
    public int UploadsPerMinute { get; set; } = 60;

    /// <summary>Failed attempts to enrol from one address (IPv6: one /64 network) per minute, and as many at once.</summary>
    [Range(1, 10_000)]
    public int FailuresPerSourcePerMinute { get; set; } = 10;
}
