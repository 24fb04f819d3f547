namespace Sekisho.Detection.Conditions.Identity;

/// <summary>What a number is to the series so far.</summary>
internal enum SeriesStep : byte
{
    /// <summary>One unit may send it.</summary>
    On,

    /// <summary>The last number with another device time: sent again by a unit that stamps when it sends, or the number of a second unit.</summary>
    Again,

    /// <summary>It goes on with the other series.</summary>
    Other,
}

/// <summary>
/// Follows up to two series of sequence numbers within one binding epoch. One unit has one series: the order of its numbers is the order of its
/// device times, whichever line a message took and however long it waited. A lower number that does not fit begins a second series; a counter that
/// begins anew does so, too, and stays there. Only who goes back and forth has two.
/// <code>
/// cell 0, 1  last number of the running series + 1 (0 none), its arrival   cell 2, 3  the same of the other
/// cell 4     device time of the running series' last; 0 none               cell 5     next of the readings kept
/// then per reading kept: number + 1, device time
/// </code>
/// </summary>
internal static class TwoSeries
{
    public const int Cells = Header + (Kept * Width);

    private const int Header = 6;
    private const int Kept = 8;
    private const int Width = 2;

    // More messages than this are not lost in between: some devices number at random.
    private const long MostStep = 16;

    /// <summary>The last numbers of both series as text, the running one first.</summary>
    public static string TextOf(ReadOnlySpan<long> state) => Facts.Whole(state[0] - 1) + (state[2] == 0 ? "" : ", " + Facts.Whole(state[2] - 1));

    /// <summary>Takes one number.</summary>
    /// <param name="state">The cells.</param>
    /// <param name="sequence">The number, at least 0.</param>
    /// <param name="told">Device time; 0 for none.</param>
    /// <param name="at">Arrival.</param>
    /// <param name="withinMs">For how long the other series is waited for.</param>
    public static SeriesStep Goes(Span<long> state, long sequence, long told, long at, long withinMs)
    {
        var (number, running) = (sequence + 1, state[0]);
        var other = at - state[3] <= withinMs ? state[2] : 0;
        var isFitting = number < running && told != 0 && Fits(state, number, told);
        Keep(state, number, told);
        if (number == running)
        {
            var isAgain = told != state[4];
            (state[1], state[4]) = (at, told);
            return isAgain ? SeriesStep.Again : SeriesStep.On;
        }

        if (isFitting)
        {
            // Overtaken, or stored for a while.
            return SeriesStep.On;
        }

        var isOther = other != 0 && number > other && number - other <= MostStep && (number < running || other > running);
        if (running != 0 && (number < running || isOther))
        {
            (state[2], state[3]) = (running, state[1]);
        }

        (state[0], state[1], state[4]) = (number, at, told);
        return isOther ? SeriesStep.Other : SeriesStep.On;
    }

    private static bool Fits(ReadOnlySpan<long> state, long number, long told)
    {
        for (var slot = Header; slot < Cells; slot += Width)
        {
            var (kept, time) = (state[slot], state[slot + 1]);
            if (kept != 0 && time != 0 && ((kept < number && time > told) || (kept > number && time < told)))
            {
                return false;
            }
        }

        return true;
    }

    private static void Keep(Span<long> state, long number, long told)
    {
        var slot = Header + ((int)state[5] * Width);
        (state[slot], state[slot + 1]) = (number, told);
        state[5] = (state[5] + 1) % Kept;
    }
}
