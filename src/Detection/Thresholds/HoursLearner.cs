namespace Sekisho.Detection.Thresholds;

/// <summary>
/// Learns how much of something (messages, bytes) each hour of the week brings. Expected is a mean of the hour of the week, drawn towards the
/// hour of the day and that towards all hours, the more the fewer weeks were seen; unusual is what a <see cref="TailLearner"/> finds unusual in
/// the ratio of the hour to what was expected of it. Constant memory. A value is the total of one full hour (hours without anything are values,
/// too); its time lies in that hour, in local time if hours should follow people's clocks.
/// <code>cell 0 hours seen   cells 1-168 how often the hour of the week was seen   cells 169-336 its mean (bits)   then the tail learner</code>
/// </summary>
/// <param name="target">False alarms per 30 days.</param>
/// <param name="resolution">Smallest amount that means anything, for example one message; an hour is never unusual for less than three more than expected.</param>
internal sealed class HoursLearner(double target, double resolution) : ILearner
{
    private const int Hours = 168;
    private const long Hour = 3_600_000;
    private const int Means = 1 + Hours;
    private const int Own = Means + Hours;

    /// <summary>Hours before ratios are learnt: without a day's profile they say nothing.</summary>
    private const int ProfileAfter = 24;

    /// <summary>Weeks that a mean goes back.</summary>
    private const int Memory = 6;

    private readonly TailLearner _ratio = new(new LearnerSettings(target, 0.1, HasLow: false, MostOfLargest: 2));

    public int Cells => Own + _ratio.Cells;

    public void Observe(Span<long> state, double value, long at, bool isClean)
    {
        if (!double.IsFinite(value) || value < 0)
        {
            return;
        }

        if (state[0] >= ProfileAfter)
        {
            _ratio.Observe(state[Own..], value / Scale(state, at), at, isClean);
        }

        if (!isClean)
        {
            return;
        }

        // An hour beyond the threshold moves the profile as far as the threshold would.
        var taken = Math.Min(value, At(state, default, at).High ?? double.PositiveInfinity);
        var slot = HourOfWeek(at);
        state[0]++;
        var seen = Math.Min(++state[1 + slot], Memory);
        var mean = BitConverter.Int64BitsToDouble(state[Means + slot]);
        state[Means + slot] = BitConverter.DoubleToInt64Bits(mean + ((taken - mean) / seen));
    }

    public bool HasGrown(ReadOnlySpan<long> state) => _ratio.HasGrown(state[Own..]);

    /// <summary>The threshold of the hour after the last one that was learnt; a prior is one of ratios.</summary>
    public Threshold Current(ReadOnlySpan<long> state, in Prior prior) => At(state, prior, TailLearner.LastOf(state[Own..]) + Hour);

    /// <summary>The threshold of the hour that <paramref name="at"/> lies in.</summary>
    public Threshold At(ReadOnlySpan<long> state, in Prior prior, long at)
    {
        if (state[0] < ProfileAfter)
        {
            return new Threshold(null, null) { Origin = "none", Target = target };
        }

        var ratio = _ratio.Current(state[Own..], prior);
        var scale = Scale(state, at);
        return ratio.High is { } high ? ratio with { High = Digits.Up(Math.Max(high * scale, scale + (3 * resolution))) } : ratio;
    }

    /// <summary>What the peers' states teach a newcomer: ratios to what is expected of an hour. The default when fewer than three have grown.</summary>
    public Prior PriorOf(int version, IReadOnlyList<ReadOnlyMemory<long>> peers) => _ratio.PriorOf(version, [.. peers.Select(p => p[Own..])]);

    // A little more: where nothing is expected, one message must not be infinitely much.
    private double Scale(ReadOnlySpan<long> state, long at) => Expected(state, at) + resolution;

    private static double Expected(ReadOnlySpan<long> state, long at)
    {
        var hour = HourOfWeek(at);
        var (all, allSeen, day, daySeen) = (0.0, 0L, 0.0, 0L);
        for (var slot = 0; slot < Hours; slot++)
        {
            var seen = Math.Min(state[1 + slot], Memory);
            var sum = seen * BitConverter.Int64BitsToDouble(state[Means + slot]);
            (all, allSeen) = (all + sum, allSeen + seen);
            if (slot % 24 == hour % 24)
            {
                (day, daySeen) = (day + sum, daySeen + seen);
            }
        }

        var ofAll = allSeen == 0 ? 0 : all / allSeen;
        var ofDay = (day + (2 * ofAll)) / (daySeen + 2);
        var own = Math.Min(state[1 + hour], Memory);
        return ((own * BitConverter.Int64BitsToDouble(state[Means + hour])) + (2 * ofDay)) / (own + 2);
    }

    // The epoch was a Thursday; with which day a week begins does not matter.
    private static int HourOfWeek(long at) => (int)((((at / Hour) % Hours) + Hours) % Hours);
}
