using System.Globalization;

namespace Sekisho.Detection.Thresholds;

/// <summary>
/// The plainest learner: the least and the greatest clean value so far, with half of what lies between them on either side. It keeps quiet
/// until it has seen enough values, and never forgets.
/// <code>
/// cell 0  clean values so far
/// cell 1  event time of the first
/// cell 2  least, as the bits of a double rounded to three digits
/// cell 3  greatest, the same
/// cell 4  event time when either changed last
/// </code>
/// </summary>
internal sealed class RangeLearner(double target) : ILearner
{
    /// <summary>Values before it says anything.</summary>
    public const int Enough = 30;

    public int Cells => 5;

    public void Observe(Span<long> state, double value, long at, bool isClean)
    {
        if (!isClean || !double.IsFinite(value))
        {
            return;
        }

        var rounded = Round(value);
        var (least, greatest) = (BitConverter.Int64BitsToDouble(state[2]), BitConverter.Int64BitsToDouble(state[3]));
        if (state[0] == 0)
        {
            (state[1], least, greatest, state[4]) = (at, rounded, rounded, at);
        }
        else if (rounded < least || rounded > greatest)
        {
            (least, greatest, state[4]) = (Math.Min(least, rounded), Math.Max(greatest, rounded), at);
        }

        (state[2], state[3]) = (BitConverter.DoubleToInt64Bits(least), BitConverter.DoubleToInt64Bits(greatest));
        state[0]++;
    }

    public Threshold Current(ReadOnlySpan<long> state, in Prior prior)
    {
        if (state[0] < Enough)
        {
            return prior.Numbers.Length >= 2
                ? new Threshold(prior.Numbers.Span[0], prior.Numbers.Span[^1]) { Origin = "peer", Target = target, PriorVersion = prior.Version }
                : new Threshold(null, null) { Origin = "none", Target = target };
        }

        var (least, greatest) = (BitConverter.Int64BitsToDouble(state[2]), BitConverter.Int64BitsToDouble(state[3]));
        var room = (greatest - least) / 2;
        return new Threshold(Round(least - room), Round(greatest + room)) { Origin = "learnt", Values = state[0], Since = state[1], SetAt = state[4], Target = target };
    }

    // Three significant digits, the same on every machine.
    private static double Round(double value)
    {
        Span<char> text = stackalloc char[32];
        value.TryFormat(text, out var length, "E2", CultureInfo.InvariantCulture);
        return double.Parse(text[..length], CultureInfo.InvariantCulture);
    }
}
