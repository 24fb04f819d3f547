namespace Sekisho.Detection.Thresholds;

/// <summary>
/// Learns the usual band of a metric from its two tails (<see cref="Tail"/>), for a stated number of false alarms given how often the metric is
/// measured. Thresholds are set once a day, and while young each time the number of values has grown by half.
///
/// Against poisoning: values that were found unusual or late do not enter; what lies beyond the thresholds enters as the threshold itself; a
/// grown model widens by at most <see cref="DailyShare"/> of its band a day and by <see cref="MostShare"/> in all from where it stood when it
/// had grown (narrowing is free). When the values want more than that, or most of them lie outside, <see cref="Threshold.HasMoved"/> says so
/// until a person accepts what is seen now (<see cref="Accept"/>). The past counts half after <see cref="HalfLife"/>. A subject that is seldom heard
/// grows with few values where <see cref="LearnerSettings.RareFactor"/> says so (docs/decisions/0017).
/// <code>
/// cell 0  clean values       cell 1  time of the first   cell 2  time of the last   cell 3  time the thresholds were set
/// cell 4  low   cell 5  high (bits, rounded)   cell 6  low   cell 7  high when grown (bits, rounded)
/// cell 8  flags: 1 set, 2 grown, 4 wants more than it may   cell 9  values when set
/// cell 10 level   cell 11 spread (bits)   cell 12 share outside (bits)   cell 13 time of the last fading
/// cell 14… upper tail, lower tail (negated)
/// </code>
/// </summary>
internal sealed class TailLearner(LearnerSettings settings) : ILearner
{
    /// <summary>Values before it says anything.</summary>
    public const int Enough = 32;

    /// <summary>Milliseconds after which own history alone decides.</summary>
    public const long GrownAfter = 2 * Day;

    /// <summary>Values after which own history alone decides.</summary>
    public const int GrownValues = 100;

    /// <summary>Milliseconds after which the few values of a subject that is seldom heard are enough (<see cref="LearnerSettings.RareFactor"/>).</summary>
    public const long RareAfter = 3 * Day;

    /// <summary>How many they must be.</summary>
    public const int RareValues = 3;

    /// <summary>Share of the band by which a side may widen in a day.</summary>
    public const double DailyShare = 0.05;

    /// <summary>Share of the band by which a side may widen in all.</summary>
    public const double MostShare = 0.5;

    /// <summary>Milliseconds after which what was learnt counts half.</summary>
    public const long HalfLife = 28 * Day;

    private const long Day = 86_400_000;

    private const long IsSet = 1;
    private const long Grown = 2;
    private const long Wants = 4;
    private const int Upper = 14;
    private const int Lower = Upper + Tail.Cells;

    public int Cells => Lower + Tail.Cells;

    /// <summary>True when own history alone decides.</summary>
    public static bool IsGrown(ReadOnlySpan<long> state) => (state[8] & Grown) != 0;

    /// <summary>Event time of the last value that was learnt, Unix milliseconds; 0 when there is none.</summary>
    public static long LastOf(ReadOnlySpan<long> state) => state[2];

    /// <summary>A person says that what is seen now is usual: it is learnt anew from here.</summary>
    public static void Accept(Span<long> state) => state.Clear();

    public void Observe(Span<long> state, double value, long at, bool isClean)
    {
        if (!double.IsFinite(value))
        {
            return;
        }

        var x = Inner(value);
        if (IsGrown(state))
        {
            var outside = x > Get(state, 5) || (settings.HasLow && x < Get(state, 4));
            Set(state, 12, Get(state, 12) + (((outside ? 1 : 0) - Get(state, 12)) / 64));
            x = Math.Clamp(x, Get(state, 4), Get(state, 5));
        }

        if (isClean)
        {
            Learn(state, x, at);
        }
    }

    public bool HasGrown(ReadOnlySpan<long> state) => IsGrown(state);

    public Threshold Current(ReadOnlySpan<long> state, in Prior prior)
    {
        var isPeer = !IsGrown(state) && prior.Numbers.Length >= 2;
        var isOwn = (state[8] & IsSet) != 0;
        double? low = isOwn && settings.HasLow ? Outer(Get(state, 4)) : null;
        double? high = isOwn ? Outer(Get(state, 5)) : null;
        if (isPeer)
        {
            // Young: what either its own values or its peers know as usual is usual.
            var (peerLow, peerHigh) = (prior.Numbers.Span[0], prior.Numbers.Span[^1]);
            low = double.IsNaN(peerLow) || !settings.HasLow ? low : Math.Min(low ?? peerLow, peerLow);
            high = double.IsNaN(peerHigh) ? high : Math.Max(high ?? peerHigh, peerHigh);
        }

        return new Threshold(low, high)
        {
            Origin = isPeer ? "peer" : isOwn ? "learnt" : "none",
            PriorVersion = isPeer ? prior.Version : 0,
            Target = isOwn && !isPeer && state[9] < Enough ? 0 : settings.Target,
            Values = state[0],
            Since = state[1],
            Until = state[2],
            SetAt = state[3],
            HasMoved = (state[8] & Wants) != 0 || Get(state, 12) > 0.5,
        };
    }

    /// <summary>
    /// What the peers' states teach a newcomer: the upper quartile of their upper thresholds and the lower quartile of the lower ones, so that a
    /// few odd or poisoned peers decide nothing. The default when fewer than three have grown.
    /// </summary>
    public Prior PriorOf(int version, IReadOnlyList<ReadOnlyMemory<long>> peers)
    {
        var grown = peers.Where(p => IsGrown(p.Span)).Select(p => Current(p.Span, default)).ToArray();
        if (grown.Length < 3)
        {
            return default;
        }

        var highs = grown.Select(t => t.High!.Value).Order().ToArray();
        var lows = grown.Select(t => t.Low ?? double.MinValue).Order().ToArray();
        var rank = (int)Math.Ceiling(0.75 * grown.Length) - 1;
        return new Prior(version, new[] { lows[grown.Length - 1 - rank], highs[rank] });
    }

    private void Learn(Span<long> state, double x, long at)
    {
        if (state[0]++ == 0)
        {
            (state[1], state[13]) = (at, at);
            Set(state, 10, x);
        }

        state[2] = Math.Max(state[2], at);
        var weight = Math.Max(1.0 / 256, 1.0 / state[0]);
        Set(state, 10, Get(state, 10) + ((x - Get(state, 10)) * weight));
        Set(state, 11, Get(state, 11) + ((Math.Abs(x - Get(state, 10)) - Get(state, 11)) * weight));
        var upper = new Tail(state.Slice(Upper, Tail.Cells));
        var lower = new Tail(state.Slice(Lower, Tail.Cells));
        upper.Observe(x);
        lower.Observe(-x);
        if (state[2] - state[13] >= HalfLife)
        {
            upper.Halve();
            lower.Halve();
            state[13] = state[2];
        }

        if ((state[0] >= Enough || IsOldEnough(state)) && (state[2] - state[3] >= Day || (!IsGrown(state) && (state[0] >= state[9] * 3 / 2 || IsOldEnough(state)))))
        {
            Renew(state, upper, lower);
        }
    }

    private void Renew(Span<long> state, Tail upper, Tail lower)
    {
        // Less than an hour says little of how often the metric is measured.
        var days = Math.Max((state[2] - state[1]) / (double)Day, 1.0 / 24);
        var chance = Math.Min(0.1, settings.Target / 30 * days / state[0] / (settings.HasLow ? 2 : 1));
        // A tail of equal values has no scale of its own: with half, the threshold lies about five differences that mean something beyond them.
        var resolution = settings.IsRatio
            ? Math.Max(0.05, 0.1 * Get(state, 11))
            : Math.Max(Math.Max(settings.Resolution / 2, 0.01 * Math.Abs(Get(state, 10))), 0.1 * Get(state, 11));
        var (high, low) = (upper.Level(chance, resolution), -lower.Level(chance, resolution));
        var isGrown = IsOldEnough(state);
        if (state[0] < Enough)
        {
            var width = Math.Log(settings.RareFactor);
            (high, low) = (upper.Largest + width, -lower.Largest - width);
        }

        if (isGrown && settings.MostOfLargest > 0)
        {
            high = Math.Min(high, Math.Max(settings.MostOfLargest * upper.Largest, upper.Largest + settings.Resolution));
        }

        state[8] &= ~Wants;
        if (IsGrown(state))
        {
            Restrain(state, ref low, ref high, resolution);
        }
        else if (isGrown)
        {
            state[8] |= Grown;
            Set(state, 6, Digits.Down(low));
            Set(state, 7, Digits.Up(high));
        }

        Set(state, 4, Digits.Down(low));
        Set(state, 5, Digits.Up(high));
        state[8] |= IsSet;
        (state[3], state[9]) = (state[2], state[0]);
    }

    private bool IsOldEnough(ReadOnlySpan<long> state)
    {
        var age = state[2] - state[1];
        return (age >= GrownAfter && state[0] >= GrownValues) || (settings.RareFactor > 0 && age >= RareAfter && state[0] >= RareValues);
    }

    private static void Restrain(Span<long> state, ref double low, ref double high, double resolution)
    {
        var (grownLow, grownHigh) = (Get(state, 6), Get(state, 7));
        var band = Math.Max(grownHigh - grownLow, resolution);
        var (most, least) = (grownHigh + (MostShare * band), grownLow - (MostShare * band));
        if (high > most || low < least)
        {
            state[8] |= Wants;
        }

        high = Math.Min(high, Math.Min(most, Get(state, 5) + (DailyShare * band)));
        low = Math.Max(low, Math.Max(least, Get(state, 4) - (DailyShare * band)));
    }

    private double Inner(double value) => settings.IsRatio ? Math.Log(Math.Max(value, 0) + settings.Resolution) : value;

    private double Outer(double inner) => settings.IsRatio ? Math.Max(0, Digits.Up(Math.Exp(inner)) - settings.Resolution) : inner;

    private static double Get(ReadOnlySpan<long> state, int cell) => BitConverter.Int64BitsToDouble(state[cell]);

    private static void Set(Span<long> state, int cell, double value) => state[cell] = BitConverter.DoubleToInt64Bits(value);
}
