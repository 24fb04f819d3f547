using Sekisho.Detection.Evaluate;

namespace Sekisho.Detection.Tests.Thresholds;

/// <summary>Seeded values of known distributions.</summary>
internal sealed class Draws(ulong seed)
{
    public const long Start = 1_767_225_600_000;
    public const long Day = 86_400_000;
    private readonly Chance _chance = new(seed);

    public double Uniform() => _chance.Next();

    public double Exponential() => -Math.Log(1 - _chance.Next());

    public double Normal() => Math.Sqrt(2 * Exponential()) * Math.Cos(2 * Math.PI * Uniform());

    public int Poisson(double mean)
    {
        var (limit, product, count) = (Math.Exp(-mean), Uniform(), 0);
        for (; product > limit; count++)
        {
            product *= Uniform();
        }

        return count;
    }

    /// <summary>Value number <paramref name="i"/> of a benign metric.</summary>
    public double Benign(string kind, int i, int perDay) => kind switch
    {
        "normal" => 100 + (10 * Normal()),
        "interval" => 300 * Exponential(),
        "volume" => Math.Exp(8 + Normal()),
        "uniform" => 100 * Uniform(),
        "lost frames" => 900 * (1 + Math.Floor(Exponential() / 0.7)),
        "constant" => 37,
        "attempts" => Poisson(0.5),
        "daily" => 50 + (20 * Math.Sin(2 * Math.PI * i / perDay)) + (3 * Normal()),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    /// <summary>Upper end of the one-sided 95 % interval of a Poisson mean of which <paramref name="count"/> were seen.</summary>
    public static double UpperBound(int count)
    {
        // Wilson and Hilferty's approximation of the chi-squared quantile, within a percent.
        var degrees = 2.0 * (count + 1);
        return degrees / 2 * Math.Pow(1 - (2 / (9 * degrees)) + (1.6449 * Math.Sqrt(2 / (9 * degrees))), 3);
    }
}
