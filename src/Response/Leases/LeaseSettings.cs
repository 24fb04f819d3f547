using System.ComponentModel.DataAnnotations;

namespace Sekisho.Response.Leases;

/// <summary>Settings "Response:Leases": how responses are tried, and how long restrictions last.</summary>
public sealed class LeaseSettings
{
    /// <summary>Responses of one action that run at the same time.</summary>
    [Range(1, 64, ErrorMessage = "Give 1 to 64.")]
    public int Parallel { get; set; } = 4;

    /// <summary>Tries before a response counts as failed.</summary>
    [Range(1, 100, ErrorMessage = "Give 1 to 100.")]
    public int MostTries { get; set; } = 12;

    /// <summary>Pause after the first failed try; it doubles with each further one.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00", ErrorMessage = "Give 00:00:01 to 01:00:00.")]
    public TimeSpan FirstRetry { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Pause at most.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00", ErrorMessage = "Give 00:00:01 to 1.00:00:00.")]
    public TimeSpan LongestRetry { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>Time that one try may take.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00", ErrorMessage = "Give 00:00:01 to 00:10:00.")]
    public TimeSpan TryTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a response waits for people to agree; then it is not done, and they are told.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "30.00:00:00", ErrorMessage = "Give 00:01:00 to 30.00:00:00.")]
    public TimeSpan ApprovalLasts { get; set; } = TimeSpan.FromDays(1);

    /// <summary>How often people are reminded of a lock-out that only they can release.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "30.00:00:00", ErrorMessage = "Give 00:01:00 to 30.00:00:00.")]
    public TimeSpan ReviewAfter { get; set; } = TimeSpan.FromDays(1);

    /// <summary>How long a restriction holds before it undoes itself. Lock-outs for theft or takeover hold until a person releases them.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "365.00:00:00", ErrorMessage = "Give 00:01:00 to 365.00:00:00.")]
    public TimeSpan RestrictionLasts { get; set; } = TimeSpan.FromDays(1);
}
