using System.ComponentModel.DataAnnotations;

namespace Sekisho.Distribution.Journal;

/// <summary>Settings "Distribution:Journal".</summary>
public sealed class JournalSettings
{
    /// <summary>MiB of blocks on disk from which on nothing more is accepted until detection has caught up.</summary>
    [Range(1, 1024 * 1024, ErrorMessage = "1 to 1048576 (MiB) are allowed.")]
    public int MaxMiB { get; set; } = 4096;

    /// <summary>MiB that stay free on the journal's disk (embedded database only), so that the stages behind can still work off what is stored.</summary>
    [Range(0, 1024 * 1024, ErrorMessage = "0 to 1048576 (MiB) are allowed.")]
    public int MinFreeMiB { get; set; } = 256;

    /// <summary>MiB of recent events that are kept in memory for detection.</summary>
    [Range(1, 4096, ErrorMessage = "1 to 4096 (MiB) are allowed.")]
    public int RecentMiB { get; set; } = 64;

    /// <summary>MiB of events that detection has not processed from which on a commit waits for it, so that what is answered is also soon judged.</summary>
    [Range(1, 4096, ErrorMessage = "1 to 4096 (MiB) are allowed.")]
    public int BrakeMiB { get; set; } = 16;

    /// <summary>Most milliseconds that one commit waits for detection; 0 for none.</summary>
    [Range(0, 10_000, ErrorMessage = "0 to 10000 (milliseconds) are allowed.")]
    public int BrakeMs { get; set; } = 1000;

    /// <summary>Events that may wait for the next commit; more are refused as overload.</summary>
    [Range(100, 1_000_000, ErrorMessage = "100 to 1000000 (events) are allowed.")]
    public int MaxWaiting { get; set; } = 20_000;

    /// <summary>MiB of payload that may wait for the next commit; more is refused as overload.</summary>
    [Range(2, 4096, ErrorMessage = "2 to 4096 (MiB) are allowed.")]
    public int MaxWaitingMiB { get; set; } = 64;

    /// <summary>Most milliseconds to gather calls before the next commit while many senders wait; 0 for none.</summary>
    [Range(0, 50, ErrorMessage = "0 to 50 (milliseconds) are allowed.")]
    public int GatherMs { get; set; } = 5;
}

/// <summary>Settings "Distribution:Ticks".</summary>
public sealed class TickSettings
{
    /// <summary>How often the clock becomes an event that conditions are judged on.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:01:00", ErrorMessage = "00:00:00.100 to 00:01:00 are allowed.")]
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(1);
}
