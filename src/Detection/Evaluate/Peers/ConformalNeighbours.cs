namespace Sekisho.Detection.Evaluate.Peers;

/// <summary>
/// Conformal anomaly detection by k nearest neighbours (Burnaev and Ishimtsev 2016, arXiv:1608.04585, with the parameters of their entry to
/// NAB): 19 values in a row are a point, its strangeness is the sum of the squared distances to its 27 nearest neighbours in a training window,
/// the score the share of recent strangeness below it; after a score of at least 0.9965 it says 0.5 for a fifth of the training length.
/// Distances are measured in the inverse of the second moments of the training window, taken anew each half length.
/// </summary>
/// <param name="training">Rows of the training window, at least 60.</param>
internal sealed class ConformalNeighbours(int training) : IPeer
{
    private const int Width = 19;
    private const int Neighbours = 27;
    private const double Alarm = 0.9965;
    private readonly List<double> _recent = [];
    private readonly List<double[]> _training = [];
    private readonly Queue<double[]> _calibration = new();
    private readonly Queue<double> _strangeness = new();
    private List<double[]> _whitened = [];
    private double[][]? _whitening;
    private int _seen;
    private int _rest;

    public double Score(double value)
    {
        _seen++;
        _recent.Add(value);
        if (_recent.Count > Width)
        {
            _recent.RemoveAt(0);
        }

        if (_recent.Count < Width)
        {
            return 0;
        }

        var item = _recent.ToArray();
        if (_seen < training)
        {
            _training.Add(item);
            return 0;
        }

        return Judge(item);
    }

    private double Judge(double[] item)
    {
        var phase = _seen % training;
        if (phase == 0 || phase == training / 2)
        {
            _whitening = Whitening() ?? _whitening;
            _whitened = _training.ConvertAll(Whiten);
        }

        if (_strangeness.Count == 0)
        {
            _whitened.ForEach(v => _strangeness.Enqueue(Strangeness(v, 1)));
        }

        var strangeness = Strangeness(Whiten(item), 0);
        var result = (double)_strangeness.Count(s => s < strangeness) / _strangeness.Count;
        if (_seen >= 2 * training)
        {
            _training.RemoveAt(0);
            _training.Add(_calibration.Dequeue());
            _whitened.RemoveAt(0);
            _whitened.Add(Whiten(_training[^1]));
        }

        _strangeness.Dequeue();
        _calibration.Enqueue(item);
        _strangeness.Enqueue(strangeness);
        if (_rest > 0)
        {
            _rest--;
            return 0.5;
        }

        _rest = result >= Alarm ? training / 5 : 0;
        return result;
    }

    /// <summary>Sum over the nearest; <paramref name="itself"/> is 1 when the point is among them.</summary>
    private double Strangeness(double[] item, int itself)
    {
        var distances = _whitened.ConvertAll(v =>
        {
            var sum = 0.0;
            for (var i = 0; i < Width; i++)
            {
                sum += (v[i] - item[i]) * (v[i] - item[i]);
            }

            return sum;
        });
        distances.Sort();
        return distances.Take(Neighbours + itself).Sum();
    }

    private double[] Whiten(double[] item)
    {
        if (_whitening is null)
        {
            return item;
        }

        var result = new double[Width];
        for (var i = 0; i < Width; i++)
        {
            for (var j = 0; j <= i; j++)
            {
                result[i] += _whitening[i][j] * item[j];
            }
        }

        return result;
    }

    /// <summary>The inverse of the Cholesky factor of the second moments; null when they are singular.</summary>
    private double[][]? Whitening()
    {
        var factor = new double[Width][];
        for (var i = 0; i < Width; i++)
        {
            factor[i] = new double[Width];
            for (var j = 0; j <= i; j++)
            {
                var moment = _training.Sum(v => v[i] * v[j]);
                var rest = moment;
                for (var k = 0; k < j; k++)
                {
                    rest -= factor[i][k] * factor[j][k];
                }

                if (i != j)
                {
                    factor[i][j] = rest / factor[j][j];
                }
                else if (rest > 1e-12 * moment)
                {
                    factor[i][i] = Math.Sqrt(rest);
                }
                else
                {
                    return null;
                }
            }
        }

        return Inverse(factor);
    }

    private static double[][] Inverse(double[][] factor)
    {
        var inverse = new double[Width][];
        for (var i = 0; i < Width; i++)
        {
            inverse[i] = new double[Width];
            inverse[i][i] = 1 / factor[i][i];
            for (var j = 0; j < i; j++)
            {
                var sum = 0.0;
                for (var k = j; k < i; k++)
                {
                    sum += factor[i][k] * inverse[k][j];
                }

                inverse[i][j] = -sum / factor[i][i];
            }
        }

        return inverse;
    }
}
