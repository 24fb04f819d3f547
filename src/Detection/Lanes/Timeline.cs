namespace Sekisho.Detection.Lanes;

/// <summary>
/// When a device's messages were taken, as opposed to when they arrived, and which gap a late one fills. All times are Unix milliseconds;
/// 0 means not yet. Part of a device's state.
/// </summary>
internal struct Timeline
{
    /// <summary>How far a device's clock may be ahead of the gateway's.</summary>
    private const long Ahead = 120_000;

    private const long LeastLateness = 120_000;

    /// <summary>Arrival of the last message.</summary>
    public long LastArrival;

    /// <summary>Latest event time so far.</summary>
    public long LastEvent;

    /// <summary>Event time of the last message before the last gap.</summary>
    public long GapFrom;

    /// <summary>Arrival of the message that ended it.</summary>
    public long GapTo;

    /// <summary>
    /// Places one message. Late by more than two minutes or twice the declared interval, it is a stored reading if it was taken in the
    /// device's last gap; otherwise its clock is not believed. A device time in the future is not believed either.
    /// </summary>
    /// <returns>Event time, and whether it is a stored reading delivered late.</returns>
    public (long EventAt, bool Backlog) Place(long arrival, long? deviceTime, long interval)
    {
        var lateness = Math.Max(LeastLateness, 2 * interval);
        if (arrival - LastArrival > lateness)
        {
            GapFrom = LastEvent;
            GapTo = arrival;
        }

        var (eventAt, backlog) = (arrival, false);
        if (deviceTime is { } told && told <= arrival + Ahead)
        {
            if (arrival - told <= lateness)
            {
                eventAt = told;
            }
            else if (told > GapFrom && told <= GapTo)
            {
                (eventAt, backlog) = (told, true);
            }
        }

        LastArrival = arrival;
        LastEvent = Math.Max(LastEvent, eventAt);
        return (eventAt, backlog);
    }
}
