namespace Sekisho.Detection.Conditions.Frequency;

/// <summary>Parameters of <see cref="FrequencyCondition"/>.</summary>
/// <param name="Messages">Most messages in a window.</param>
/// <param name="WindowMs">The window, milliseconds.</param>
/// <param name="SlackPercent">How much shorter than the window an interval may be, because clocks and networks jitter.</param>
internal sealed record FrequencyParameters(int Messages, long WindowMs, int SlackPercent)
{
    /// <summary>The window less the slack, milliseconds, at least 1.</summary>
    public long EffectiveMs { get; } = Math.Max(1, WindowMs - (WindowMs * SlackPercent / 100));

    /// <summary>How many stored readings a gap may bring, percent of what it has room for at this frequency.</summary>
    public int StoredPercent { get; init; } = 100;

    /// <summary>So many more, whatever the gap.</summary>
    public int StoredExtra { get; init; }
}
