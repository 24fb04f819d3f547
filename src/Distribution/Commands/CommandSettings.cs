using System.ComponentModel.DataAnnotations;

namespace Sekisho.Distribution.Commands;

/// <summary>Settings "Distribution:Commands": how many commands go to devices, and how long they are kept.</summary>
public sealed class CommandSettings
{
    /// <summary>Commands to one device within a minute; more are refused with 429. The gateway's own orders do not count.</summary>
    [Range(1, 6000, ErrorMessage = "Give 1 to 6000.")]
    public int PerDeviceMinute { get; set; } = 30;

    /// <summary>Commands of one sender within a minute, over all devices; more are refused with 429.</summary>
    [Range(1, 60_000, ErrorMessage = "Give 1 to 60000.")]
    public int PerSenderMinute { get; set; } = 120;

    /// <summary>Commands to one device that are not settled yet; more are refused with 429.</summary>
    [Range(1, 1000, ErrorMessage = "Give 1 to 1000.")]
    public int Open { get; set; } = 100;

    /// <summary>Requests for commands that one device may make within a minute, answers counted.</summary>
    [Range(1, 6000, ErrorMessage = "Give 1 to 6000.")]
    public int RequestsPerMinute { get; set; } = 120;

    /// <summary>Devices that may wait for commands at the same time; further ones are told to come again.</summary>
    [Range(1, 1_000_000, ErrorMessage = "Give 1 to 1000000.")]
    public int Waiting { get; set; } = 10_000;

    /// <summary>After this time a waiting device is given again what it has fetched and not answered.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00", ErrorMessage = "Give 00:00:01 to 01:00:00.")]
    public TimeSpan RepeatAfter { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long after its validity a command that the device has fetched may still be answered.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00", ErrorMessage = "Give 00:00:00 to 1.00:00:00.")]
    public TimeSpan AnswerWithin { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long settled commands are kept; the history keeps what became of them for longer.</summary>
    [Range(typeof(TimeSpan), "1.00:00:00", "3650.00:00:00", ErrorMessage = "Give 1.00:00:00 to 3650.00:00:00.")]
    public TimeSpan Kept { get; set; } = TimeSpan.FromDays(90);
}
