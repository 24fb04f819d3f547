namespace Sekisho.Detection.Lanes;

/// <summary>
/// What the lanes know of time, from events alone. Events without a tick between them for longer than <see cref="LongestPause"/> mean that
/// the gateway was down: nobody could be heard. Unix milliseconds. Immutable.
/// </summary>
/// <param name="SeenAt">Arrival time of the latest event; 0 before the first.</param>
/// <param name="TickAt">Arrival time of the latest tick.</param>
/// <param name="Downtime">How long the gateway was down in all.</param>
internal readonly record struct LaneClock(long SeenAt, long TickAt, long Downtime)
{
    /// <summary>Ticks come at least once a minute by their setting's range; with the time a busy journal may take on top.</summary>
    public const long LongestPause = 75_000;

    public LaneClock Observe(long at) => at <= SeenAt
        ? this
        : this with { SeenAt = at, Downtime = SeenAt != 0 && at - SeenAt > LongestPause ? Downtime + (at - SeenAt) : Downtime };

    public LaneClock Tick(long at) => this with { TickAt = Math.Max(at, TickAt) };
}
