namespace Sekisho.Detection.Evaluate.Peers;

/// <summary>Distance from the mean of the last 1,000 values in standard deviations, as the windowed Gaussian of NAB.</summary>
internal sealed class WindowedGaussian : IPeer
{
    private const int Length = 1000;
    private readonly Queue<double> _window = new();

    public double Score(double value)
    {
        var (mean, deviation) = Moments();
        _window.Enqueue(value);
        if (_window.Count > Length)
        {
            _window.Dequeue();
        }

        // The tail probability falls with this distance: the ranks, and with them the result, are the same, without underflow.
        var distance = Math.Abs(value - mean) / deviation;
        return distance / (1 + distance);
    }

    private (double Mean, double Deviation) Moments()
    {
        if (_window.Count == 0)
        {
            return (0, double.MaxValue);
        }

        var mean = _window.Average();
        var deviation = Math.Sqrt(_window.Average(v => (v - mean) * (v - mean)));
        return (mean, deviation == 0 ? 1e-6 : deviation);
    }
}
