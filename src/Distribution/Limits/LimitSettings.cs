using System.ComponentModel.DataAnnotations;

namespace Sekisho.Distribution.Limits;

/// <summary>Settings "Distribution:Limits". The rates per device hold for fields that set none of their own.</summary>
public sealed class LimitSettings
{
    /// <summary>Messages per second of all devices together.</summary>
    [Range(1, 10_000_000, ErrorMessage = "1 to 10000000 (messages per second) are allowed.")]
    public int MessagesPerSecond { get; set; } = 50_000;

    /// <summary>Requests of devices that may be under way at once.</summary>
    [Range(1, 1_000_000, ErrorMessage = "1 to 1000000 (requests) are allowed.")]
    public int Requests { get; set; } = 4_000;

    /// <summary>Requests of one device that may be under way at once.</summary>
    [Range(1, 100_000, ErrorMessage = "1 to 100000 (requests) are allowed.")]
    public int RequestsPerDevice { get; set; } = 64;

    /// <summary>Messages per second of one device.</summary>
    [Range(0.01, 1_000_000, ErrorMessage = "0.01 to 1000000 (messages per second) are allowed.")]
    public double DeviceMessagesPerSecond { get; set; } = 50;

    /// <summary>Messages that one device may send at once after a pause.</summary>
    [Range(1, 1_000_000, ErrorMessage = "1 to 1000000 (messages) are allowed.")]
    public int DeviceBurst { get; set; } = 500;

    /// <summary>Stored messages per second that one device may deliver late, on top.</summary>
    [Range(0.01, 1_000_000, ErrorMessage = "0.01 to 1000000 (messages per second) are allowed.")]
    public double DeviceBacklogPerSecond { get; set; } = 200;

    /// <summary>Stored messages that one device may deliver at once after an outage.</summary>
    [Range(1, 10_000_000, ErrorMessage = "1 to 10000000 (messages) are allowed.")]
    public int DeviceBacklogBurst { get; set; } = 20_000;

    /// <summary>Age of the device time from which on a message counts as delivered late.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00", ErrorMessage = "00:00:01 to 1.00:00:00 are allowed.")]
    public TimeSpan BacklogAge { get; set; } = TimeSpan.FromMinutes(2);
}

/// <summary>Rates per device of one field.</summary>
/// <param name="MessagesPerSecond">Messages per second.</param>
/// <param name="Burst">Messages at once.</param>
/// <param name="BacklogPerSecond">Messages per second that are delivered late.</param>
/// <param name="BacklogBurst">Late messages at once.</param>
internal sealed record DeviceLimits(double MessagesPerSecond, int Burst, double BacklogPerSecond, int BacklogBurst);
