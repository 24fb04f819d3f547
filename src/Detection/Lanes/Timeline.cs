using Sekisho.Detection.Conditions;

namespace Sekisho.Detection.Lanes;

/// <summary>
/// When a device's messages were taken, as opposed to when they arrived, and which gap a late one fills. The one place where a backlog is
/// recognised: by device time, sequence and cadence, as many stored readings as the gap has room for. All times are Unix milliseconds; 0 means
/// not yet. Part of a device's state.
/// </summary>
internal struct Timeline
{
    /// <summary>How far a device's clock may be ahead of the gateway's.</summary>
    private const long Ahead = 120_000;

    private const long LeastLateness = 120_000;

    // Cells of the device's facts that belong to the timeline (DeviceFacts.Order).
    private const int Highest = 0;
    private const int Epoch = 1;
    private const int BeforeGap = 2;
    private const int Room = 3;
    private const int Cadence = 4;

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
    /// device's last gap, goes on from the sequence before that gap where it has one, and the gap has room for one more at the device's
    /// cadence; otherwise its clock is not believed. A device time in the future is not believed either.
    /// </summary>
    /// <param name="message">What was sent.</param>
    /// <param name="cells">The device's cells for this; empty where nothing is kept, then sequence and cadence are not looked at.</param>
    public Placement Place(in Reading message, Span<long> cells)
    {
        var lateness = Math.Max(LeastLateness, 2 * message.Interval);
        if (!cells.IsEmpty && cells[Epoch] != message.Epoch)
        {
            // Counters may restart with a new binding.
            (cells[Highest], cells[BeforeGap], cells[Epoch]) = (0, 0, message.Epoch);
        }

        if (message.Arrival - LastArrival > lateness)
        {
            GapFrom = LastEvent;
            GapTo = message.Arrival;
            Open(cells, message.Interval);
        }

        var (eventAt, backlog, isBelieved) = (message.Arrival, false, true);
        if (message.DeviceTime is { } told)
        {
            if (told > message.Arrival + Ahead)
            {
                isBelieved = false;
            }
            else if (message.Arrival - told <= lateness)
            {
                eventAt = told;
            }
            else if (told > GapFrom && told <= GapTo && Takes(cells, message.Sequence))
            {
                (eventAt, backlog) = (told, true);
            }
            else
            {
                isBelieved = false;
            }
        }

        Learn(cells, message, backlog);
        LastArrival = message.Arrival;
        LastEvent = Math.Max(LastEvent, eventAt);
        return new Placement(eventAt, backlog, isBelieved);
    }

    // The bucket of the backlog: filled by a gap, emptied by stored readings. Twice what the cadence gives and some, because a device that
    // wakes up sends more often.
    private readonly void Open(Span<long> cells, long interval)
    {
        if (cells.IsEmpty)
        {
            return;
        }

        var cadence = interval > 0 ? interval : cells[Cadence];
        cells[BeforeGap] = cells[Highest];
        cells[Room] = cadence > 0 && GapFrom > 0 ? (2 * (GapTo - GapFrom) / cadence) + 8 : long.MaxValue;
    }

    private static bool Takes(Span<long> cells, long sequence)
    {
        if (cells.IsEmpty)
        {
            return true;
        }

        if (cells[Room] == 0 || (cells[BeforeGap] != 0 && sequence != Signal.NoSequence && sequence < cells[BeforeGap]))
        {
            return false;
        }

        cells[Room] -= cells[Room] == long.MaxValue ? 0 : 1;
        return true;
    }

    private readonly void Learn(Span<long> cells, in Reading message, bool backlog)
    {
        if (cells.IsEmpty)
        {
            return;
        }

        if (message.Sequence is >= 0 and < long.MaxValue)
        {
            cells[Highest] = Math.Max(cells[Highest], message.Sequence + 1);
        }

        // The mean distance of live messages, an eighth of each new one; a gap counts as four at most.
        if (!backlog && LastArrival != 0)
        {
            var distance = Math.Max(1, message.Arrival - LastArrival);
            cells[Cadence] = cells[Cadence] == 0 ? distance : Math.Max(1, cells[Cadence] + ((Math.Min(distance, 4 * cells[Cadence]) - cells[Cadence]) / 8));
        }
    }
}

/// <summary>What the timeline looks at in a message. Times and the declared interval (0 for none) in milliseconds.</summary>
internal readonly record struct Reading(long Arrival, long? DeviceTime, long Interval, long Sequence, int Epoch);

/// <summary>Where a message belongs.</summary>
/// <param name="EventAt">Event time.</param>
/// <param name="Backlog">A stored reading delivered late.</param>
/// <param name="IsBelieved">False when it told a device time that cannot be.</param>
internal readonly record struct Placement(long EventAt, bool Backlog, bool IsBelieved);
