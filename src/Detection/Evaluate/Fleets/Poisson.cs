namespace Sekisho.Detection.Evaluate.Fleets;

/// <summary>What a count of rare events says about their rate. Pure.</summary>
internal static class Poisson
{
    /// <summary>The exact one-sided upper bound of the mean (Garwood 1936): the mean at which so few or fewer come with the probability that is left.</summary>
    /// <param name="count">Events counted.</param>
    /// <param name="confidence">For example 0.95.</param>
    public static double UpperBound(long count, double confidence)
    {
        var (low, high) = ((double)count, count + (10 * Math.Sqrt(count + 1)) + 10);
        for (var i = 0; i < 200 && high - low > 1e-9 * high; i++)
        {
            var middle = (low + high) / 2;
            (low, high) = AtMost(count, middle) > 1 - confidence ? (middle, high) : (low, middle);
        }

        return high;
    }

    // Sum of the terms from the largest one down, each scaled by the one before: no factorials, no overflow.
    private static double AtMost(long count, double mean)
    {
        var log = -mean;
        for (var i = 1L; i <= count; i++)
        {
            log += Math.Log(mean / i);
        }

        var (sum, term) = (0.0, 1.0);
        for (var i = count; i >= 0 && term > 1e-18; i--)
        {
            sum += term;
            term *= i / mean;
        }

        return Math.Exp(log) * sum;
    }
}
