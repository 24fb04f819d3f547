using Sekisho.Detection.Conditions;
using Sekisho.Detection.Conditions.Devices;

namespace Sekisho.Detection.Lanes;

/// <summary>
/// When a device's messages were taken, as opposed to when they arrived, and which gap a late one fills. The one place where a backlog is
/// recognised: by device time, sequence and cadence, as many stored readings as the gap has room for. All times are Unix milliseconds; 0 means
/// not yet. Part of a device's state; beside it, in cells of the device's facts:
/// <code>
/// cell 0   highest sequence of the binding epoch + 1; 0 none        cell 1   binding epoch of that sequence
/// cell 2   highest sequence before the last gap + 1; 0 none         cell 3   stored readings that the gap still has room for
/// cell 4   usual distance between live messages; 0 unknown          cell 5   stored readings that the gap had room for
/// cell 6, 7    sequence + 1 and device time of the last stored reading of the gap
/// cell 8, 9    a longer gap before it that is still being filled: from, to; 0 none      cell 10-14  of that gap what cells 2, 3, 5, 6, 7 are
/// cell 15  how far the last device time lay from its arrival        cell 16  how often in a row it was as far as before
/// </code>
/// </summary>
internal struct Timeline
{
    /// <summary>Cells that it needs in the device's facts.</summary>
    public const int Cells = DeviceFacts.OrderCells;

    /// <summary>How far a device's clock may be ahead of the gateway's.</summary>
    private const long Ahead = 120_000;

    private const long LeastLateness = 120_000;

    // A gap may be filled for as long as it lasted, and for an hour.
    private const long LeastFilling = 3_600_000;

    private const int Cadence = DeviceFacts.OrderCadence;
    private const int Highest = 0;
    private const int Epoch = 1;
    private const int BeforeGap = 2;
    private const int Room = 3;
    private const int Whole = 5;
    private const int StoredSequence = 6;
    private const int StoredTime = 7;
    private const int LongFrom = 8;
    private const int LongTo = 9;
    private const int Long = 10;
    private const int Offset = 15;
    private const int Steady = 16;
    private const int SteadyAfter = 3;

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
    /// device's last gap (or a longer one before, whose backlog comes in several portions), goes on from the sequence before that gap where it
    /// has one, in the order of its times, and the gap has room for one more at the device's cadence; otherwise its clock is not believed. A
    /// device time in the future is not believed either. A clock that is always as late is only wrong: its readings are live.
    /// </summary>
    /// <param name="message">What was sent.</param>
    /// <param name="cells">The device's cells for this; empty where nothing is kept, then sequence and cadence are not looked at.</param>
    public Placement Place(in Reading message, Span<long> cells)
    {
        var lateness = Math.Max(LeastLateness, 2 * message.Interval);
        if (!cells.IsEmpty && cells[Epoch] != message.Epoch)
        {
            // Counters may restart with a new binding.
            cells[Highest] = 0;
            cells[BeforeGap] = 0;
            cells[StoredSequence] = 0;
            cells[Long..Offset].Clear();
            (cells[LongFrom], cells[LongTo], cells[Epoch]) = (0, 0, message.Epoch);
        }

        if (message.Arrival - LastArrival > lateness)
        {
            Keep(cells, message.Arrival);
            GapFrom = LastEvent;
            GapTo = message.Arrival;
            Open(cells, message.Interval);
        }

        var (eventAt, backlog, isBelieved, gapFrom, gapTo) = (message.Arrival, false, true, GapFrom, GapTo);
        if (message.DeviceTime is { } told)
        {
            var isSteady = IsSteady(cells, message.Arrival, told, lateness);
            if (told > message.Arrival + Ahead)
            {
                isBelieved = false;
            }
            else if (message.Arrival - told <= lateness)
            {
                eventAt = told;
            }
            else if (isSteady)
            {
                // The clock is wrong, and nothing was stored.
                eventAt = message.Arrival;
            }
            else if (told > GapFrom && told <= GapTo && Takes(cells, BeforeGap, message.Sequence, told))
            {
                (eventAt, backlog) = (told, true);
            }
            else if (!cells.IsEmpty && told > cells[LongFrom] && told <= cells[LongTo] && IsOpen(cells, message.Arrival) && Takes(cells, Long, message.Sequence, told))
            {
                (eventAt, backlog, gapFrom, gapTo) = (told, true, cells[LongFrom], cells[LongTo]);
            }
            else
            {
                isBelieved = false;
            }
        }

        if (isBelieved)
        {
            Learn(cells, message, backlog);
        }

        LastArrival = message.Arrival;
        LastEvent = Math.Max(LastEvent, eventAt);
        return new Placement(eventAt, backlog, isBelieved, gapFrom, gapTo);
    }

    /// <summary>Follows how far device times lie from arrivals.</summary>
    /// <returns>True when that has been the same for some messages, each at the device's own pace: stored readings come together.</returns>
    private readonly bool IsSteady(Span<long> cells, long arrival, long told, long lateness)
    {
        if (cells.IsEmpty)
        {
            return false;
        }

        var isSame = LastArrival != 0 && arrival - LastArrival > lateness && Math.Abs(told - arrival - cells[Offset]) <= LeastLateness / 2;
        (cells[Offset], cells[Steady]) = (told - arrival, isSame ? Math.Min(cells[Steady] + 1, SteadyAfter) : 0);
        return cells[Steady] == SteadyAfter;
    }

    /// <summary>A pause while a backlog is delivered is a gap, too: the longer one stays open beside it. The usual distance between messages is none.</summary>
    private readonly void Keep(Span<long> cells, long arrival)
    {
        if (cells.IsEmpty || GapFrom == 0 || GapTo - GapFrom <= 3 * cells[Cadence] || (IsOpen(cells, arrival) && cells[LongTo] - cells[LongFrom] >= GapTo - GapFrom))
        {
            return;
        }

        (cells[LongFrom], cells[LongTo]) = (GapFrom, GapTo);
        (cells[Long], cells[Long + 1], cells[Long + 2], cells[Long + 3], cells[Long + 4]) = (cells[BeforeGap], cells[Room], cells[Whole], cells[StoredSequence], cells[StoredTime]);
    }

    private static bool IsOpen(ReadOnlySpan<long> cells, long arrival) =>
        cells[LongTo] != 0 && arrival - cells[LongTo] <= Math.Max(LeastFilling, cells[LongTo] - cells[LongFrom]);

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
        cells[Room] = cells[Whole] = cadence > 0 && GapFrom > 0 ? (2 * (GapTo - GapFrom) / cadence) + 8 : long.MaxValue;
        (cells[StoredSequence], cells[StoredTime]) = (0, 0);
    }

    /// <summary>True when a stored reading fits a gap, which has then room for one less.</summary>
    /// <param name="cells">The cells.</param>
    /// <param name="gap">Which gap: <see cref="BeforeGap"/> for the last, <see cref="Long"/> for the longer one before it.</param>
    /// <param name="sequence">Its sequence.</param>
    /// <param name="told">Its device time.</param>
    private static bool Takes(Span<long> cells, int gap, long sequence, long told)
    {
        if (cells.IsEmpty)
        {
            return true;
        }

        var (room, whole, storedSequence, storedTime) = gap == Long ? (Long + 1, Long + 2, Long + 3, Long + 4) : (Room, Whole, StoredSequence, StoredTime);
        if (cells[room] == 0 || (sequence != Signal.NoSequence && !GoesOn(cells, gap, whole, storedSequence, storedTime, sequence, told)))
        {
            return false;
        }

        cells[room] -= cells[room] == long.MaxValue ? 0 : 1;
        if (sequence is >= 0 and < long.MaxValue)
        {
            (cells[storedSequence], cells[storedTime]) = (sequence + 1, told);
        }

        return true;
    }

    // Not from before the gap, not further on than the gap has room for, not twice, and of two stored readings the later one has the higher sequence.
    private static bool GoesOn(ReadOnlySpan<long> cells, int before, int whole, int storedSequence, int storedTime, long sequence, long told)
    {
        if (cells[before] != 0 && (sequence < cells[before] || (cells[whole] != long.MaxValue && sequence - cells[before] > cells[whole] && sequence >= cells[Highest])))
        {
            return false;
        }

        var last = cells[storedSequence];
        return last == 0 || (sequence + 1 != last && (told == cells[storedTime] || sequence + 1 > last == told > cells[storedTime]));
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
/// <param name="GapFrom">Begin of the gap that a stored reading fills; of the device's last gap for others.</param>
/// <param name="GapTo">End of that gap.</param>
internal readonly record struct Placement(long EventAt, bool Backlog, bool IsBelieved, long GapFrom, long GapTo);
