using System.ComponentModel.DataAnnotations;

namespace Sekisho.Detection.Lanes;

/// <summary>How the lanes run.</summary>
internal sealed class LaneSettings
{
    /// <summary>Most events of one stretch.</summary>
    [Range(1, 65_536, ErrorMessage = "1 to 65536 are allowed.")]
    public int StretchEvents { get; set; } = 8192;

    /// <summary>Under load, how long to gather events before the next stretch, so that a commit carries more of them. Milliseconds.</summary>
    [Range(0, 500, ErrorMessage = "0 to 500 are allowed.")]
    public int GatherMs { get; set; } = 400;

    /// <summary>A stretch of this many events counts as load.</summary>
    [Range(1, 65_536, ErrorMessage = "1 to 65536 are allowed.")]
    public int LoadEvents { get; set; } = 16;

    /// <summary>States that a commit writes whole into the table of subjects, at least; changes of others wait in deltas.</summary>
    [Range(1, 65_536, ErrorMessage = "1 to 65536 are allowed.")]
    public int SettleSubjects { get; set; } = 32;

    /// <summary>About so many commits' deltas are kept at most: with more subjects waiting, a commit settles this fraction of them.</summary>
    [Range(1, 10_000, ErrorMessage = "1 to 10000 are allowed.")]
    public int SettleCommits { get; set; } = 64;

    /// <summary>Senders followed one by one at a time; further ones are counted together.</summary>
    [Range(64, 1_000_000, ErrorMessage = "64 to 1000000 are allowed.")]
    public int Sources { get; set; } = 32_768;

    /// <summary>How often the position is stored while nothing happens but ticks.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00", ErrorMessage = "00:00:01 to 01:00:00 are allowed.")]
    public TimeSpan IdleCommit { get; set; } = TimeSpan.FromMinutes(1);
}
