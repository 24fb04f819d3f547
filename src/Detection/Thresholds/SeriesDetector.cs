namespace Sekisho.Detection.Thresholds;

/// <summary>A way of looking at a series; each learns its own tails.</summary>
internal enum SeriesView : byte
{
    /// <summary>The value itself.</summary>
    Value,

    /// <summary>The value against the level of the last few.</summary>
    Step,

    /// <summary>The mean of a window against the long level.</summary>
    Level,

    /// <summary>How much neighbouring values differ: noise, bursts, and values that are stuck.</summary>
    Unrest,

    /// <summary>The value against what this half hour of the day brought so far.</summary>
    Daily,
}

/// <summary>What a value is judged to be.</summary>
/// <param name="Score">In [0, 1], rises with the surprise; lowered while an earlier alert still stands for the same thing.</param>
/// <param name="IsAlert">True when the score reaches <see cref="SeriesDetector.Threshold"/>.</param>
/// <param name="Surprise">Decimal orders of magnitude by which values like this are rare, under what was learnt before it.</param>
/// <param name="View">The view that was surprised most.</param>
internal readonly record struct SeriesScore(double Score, bool IsAlert, double Surprise, SeriesView View);

/// <summary>
/// Judges a series of numbers in one pass, without looking ahead and without a setting for the series: before each value is learnt, five views
/// of it are compared with the tails of what each view saw before (<see cref="TwoTails"/>; level, unrest and daily view by maxima of blocks,
/// because their neighbouring values depend on each other). The rarest view counts, the second rarest adds <see cref="SecondShare"/> of its
/// surprise. Scales follow the series: nothing smaller than a tenth of its usual spread matters. After an alert the same thing is not told again
/// until it has become a hundred times rarer or <see cref="Rest"/> values have worn it off. Constant memory; one lane at a time.
/// <code>
/// cell 0  values            cell 1  short level    cell 2  long level    cell 3  value before     cell 4  spread
/// cell 5  mean step         cell 6  surprise that stands    cell 7  what it loses per value    cell 8  daily residual, smoothed
/// cell 9  time of the first value    cells 10-33 last values    then count and mean per half hour of the day, then the tails of each view
/// </code>
/// </summary>
internal static class SeriesDetector
{
    /// <summary>Length of the state.</summary>
    public const int Cells = Tails + (Views * TwoTails.Cells);

    /// <summary>Score from which on it is an alert: that of <see cref="AlertSurprise"/>.</summary>
    public const double Threshold = 0.5;

    /// <summary>Surprise that is an alert, in orders of magnitude: on values that depend on nothing it gives two or three alerts in a month of values every five minutes.</summary>
    public const double AlertSurprise = 4.25;

    /// <summary>Share of its surprise that the second rarest view adds.</summary>
    public const double SecondShare = 0.3;

    /// <summary>Values after which an alert has worn off.</summary>
    public const int Rest = 200;

    private const int Views = 5;
    private const int Window = 24;
    private const int Slots = 48;
    private const int Ring = 10;
    private const int Profile = Ring + Window;
    private const int Tails = Profile + (2 * Slots);
    private const long Day = 86_400_000;

    /// <summary>Values, or blocks, before a view is judged.</summary>
    private const int EnoughValues = 50;
    private const int EnoughBlocks = 8;

    /// <summary>Values, or blocks, after which the past begins to fade.</summary>
    private const int FadeAfter = 8192;

    private const double ShortWeight = 0.3;
    private const double LongWeight = 0.005;
    private const double DailyWeight = 0.15;
    private const double ResolutionShare = 0.1;
    private const double Escalation = 2;
    private const double Lowered = 0.3;
    private const double MostSurprise = 30;

    /// <summary>Judges the next value, then learns it. A value that is no number is ignored.</summary>
    /// <param name="state">The series' state, all zero at first.</param>
    /// <param name="value">The value.</param>
    /// <param name="at">Its time, Unix milliseconds.</param>
    public static SeriesScore Observe(Span<long> state, double value, long at)
    {
        if (!double.IsFinite(value))
        {
            return default;
        }

        var seen = state[0]++;
        if (seen == 0)
        {
            state[9] = at;
            Set(state, 1, value);
            Set(state, 2, value);
            Set(state, 3, value);
        }

        var looks = Judge(state, value, at, seen);
        Learn(state, value, at, seen);
        return Tell(state, Math.Min(looks.Most + (SecondShare * looks.Second), MostSurprise), looks.View);
    }

    private static Looks Judge(Span<long> state, double value, long at, long seen)
    {
        var resolution = (ResolutionShare * Get(state, 4)) + (1e-9 * Math.Abs(value)) + 1e-12;
        Set(state, Ring + (int)(seen % Window), value);
        Set(state, 5, Get(state, 5) + ((Math.Abs(value - Get(state, 3)) - Get(state, 5)) * 2 / (Window + 1)));
        var looks = default(Looks);
        looks.Look(state, SeriesView.Value, value, resolution);
        looks.Look(state, SeriesView.Step, value - Get(state, 1), resolution);
        if (seen >= Window)
        {
            looks.Look(state, SeriesView.Level, MeanOfWindow(state) - Get(state, 2), resolution);
            looks.Look(state, SeriesView.Unrest, Math.Log(Get(state, 5) + resolution), ResolutionShare);
        }

        var slot = Slot(at);
        if (state[slot] > 0 && at - state[9] > Day)
        {
            Set(state, 8, Get(state, 8) + ((value - Get(state, slot + 1) - Get(state, 8)) * DailyWeight));
            if (seen >= Window)
            {
                looks.Look(state, SeriesView.Daily, Get(state, 8), resolution);
            }
        }

        return looks;
    }

    private static void Learn(Span<long> state, double value, long at, long seen)
    {
        var weight = Math.Max(LongWeight, 1.0 / (seen + 1));
        var level = Get(state, 2);
        Set(state, 1, Get(state, 1) + ((value - Get(state, 1)) * ShortWeight));
        Set(state, 2, level + ((value - level) * weight));
        Set(state, 3, value);
        Set(state, 4, Get(state, 4) + ((Math.Abs(value - level) - Get(state, 4)) * weight));
        var slot = Slot(at);
        var mean = Get(state, slot + 1);
        Set(state, slot + 1, mean + ((value - mean) * Math.Max(0.02, 1.0 / ++state[slot])));
    }

    /// <summary>An alert stands for what follows it until it has worn off or is outdone.</summary>
    private static SeriesScore Tell(Span<long> state, double surprise, SeriesView view)
    {
        var standing = Math.Max(0, Get(state, 6) - Get(state, 7));
        Set(state, 6, standing);
        var told = standing > 0 && surprise <= standing + Escalation ? Lowered * surprise : surprise;
        if (surprise >= AlertSurprise && surprise > standing)
        {
            Set(state, 6, surprise);
            Set(state, 7, surprise / Rest);
        }

        return new SeriesScore(told / (told + AlertSurprise), told >= AlertSurprise, surprise, view);
    }

    private static double MeanOfWindow(ReadOnlySpan<long> state)
    {
        var sum = 0.0;
        for (var i = 0; i < Window; i++)
        {
            sum += Get(state, Ring + i);
        }

        return sum / Window;
    }

    private static int Slot(long at) => Profile + (2 * (int)(((at % Day) + Day) % Day / (Day / Slots)));

    private static double Get(ReadOnlySpan<long> state, int cell) => BitConverter.Int64BitsToDouble(state[cell]);

    private static void Set(Span<long> state, int cell, double value) => state[cell] = BitConverter.DoubleToInt64Bits(value);

    /// <summary>The two most surprised views so far.</summary>
    private struct Looks
    {
        public double Most { get; private set; }

        public double Second { get; private set; }

        public SeriesView View { get; private set; }

        /// <summary>Judges by one view, then lets it learn.</summary>
        public void Look(Span<long> state, SeriesView view, double value, double resolution)
        {
            var isPoint = view <= SeriesView.Step;
            var tails = new TwoTails(state.Slice(Tails + ((int)view * TwoTails.Cells), TwoTails.Cells), isPoint ? 1 : Window);
            if (tails.Blocks >= (isPoint ? EnoughValues : EnoughBlocks))
            {
                Take(view, -Math.Log10(Math.Max(tails.Chance(value, resolution), 1e-300)));
            }

            tails.Observe(value);
            tails.Fade(FadeAfter);
        }

        private void Take(SeriesView view, double surprise)
        {
            if (surprise > Most)
            {
                (Second, Most, View) = (Most, surprise, view);
            }
            else if (surprise > Second)
            {
                Second = surprise;
            }
        }
    }
}
