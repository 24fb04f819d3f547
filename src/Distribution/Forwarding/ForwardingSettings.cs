using System.ComponentModel.DataAnnotations;

namespace Sekisho.Distribution.Forwarding;

/// <summary>Settings "Distribution:Forwarding".</summary>
public sealed class ForwardingSettings
{
    /// <summary>Wait after the first failed attempt; it doubles with each further one.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:10:00", ErrorMessage = "00:00:00.010 to 00:10:00 are allowed.")]
    public TimeSpan RetryFirst { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest wait between attempts.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "01:00:00", ErrorMessage = "00:00:00.010 to 01:00:00 are allowed.")]
    public TimeSpan RetryMost { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Failed attempts in a row after which a destination counts as disconnected.</summary>
    [Range(1, 100, ErrorMessage = "1 to 100 (attempts) are allowed.")]
    public int FailuresToDisconnect { get; set; } = 3;

    /// <summary>Days that settled entries of the outbox are listed; dead letters stay until they are replayed.</summary>
    [Range(1, 3650, ErrorMessage = "1 to 3650 (days) are allowed.")]
    public int KeepSettledDays { get; set; } = 7;
}
