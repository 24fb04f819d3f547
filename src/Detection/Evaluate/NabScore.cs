namespace Sekisho.Detection.Evaluate;

/// <summary>Result of the rule.</summary>
/// <param name="Threshold">The one threshold for all series.</param>
/// <param name="Normalised">100 for a perfect detector, 0 for one that says nothing.</param>
/// <param name="Found">Windows with a detection.</param>
/// <param name="Windows">Windows in all.</param>
/// <param name="False">Detections outside of windows.</param>
internal sealed record NabResult(double Threshold, double Normalised, int Found, int Windows, int False);

/// <summary>
/// The scoring rule of the Numenta Anomaly Benchmark, standard profile (Lavin and Ahmad 2015, "Evaluating Real-time Anomaly Detection
/// Algorithms", and the sweeper of NAB 1.1): the first 15 % of a series (of 5,000 rows at most) are not scored; each window counts its best
/// detection, more the earlier it is, by a sigmoid; a window without one costs 1; each detection outside costs up to 0.11, less shortly after a
/// window. One threshold for all series: the one that scores best. Normalised between a detector that says nothing and a perfect one.
/// </summary>
internal static class NabScore
{
    private const double TruePositive = 1.0;
    private const double FalseNegative = 1.0;
    private const double FalsePositive = 0.11;
    private const double Probation = 0.15;

    /// <summary>Above every score: nothing is detected.</summary>
    private const double Nothing = 1.1;

    /// <summary>Rows that are not scored.</summary>
    public static int ProbationOf(int rows) => (int)Math.Min(Math.Floor(Probation * rows), Probation * 5000);

    /// <summary>The best result over all thresholds.</summary>
    public static NabResult Best(IReadOnlyList<ScoredSeries> all)
    {
        var tally = new Tally(all);
        var best = tally.Result(Nothing);
        foreach (var threshold in tally.Thresholds)
        {
            tally.LowerTo(threshold);
            var result = tally.Result(threshold);
            best = result.Normalised > best.Normalised ? result : best;
        }

        return best;
    }

    /// <summary>The result at one threshold.</summary>
    public static NabResult At(IReadOnlyList<ScoredSeries> all, double threshold)
    {
        var tally = new Tally(all);
        tally.LowerTo(threshold);
        return tally.Result(threshold);
    }

    private static double Sigmoid(double position) => position >= 3 ? -1 : (2 / (1 + Math.Exp(5 * position))) - 1;

    /// <summary>A scored row: what its detection is worth, and the number of its window, -1 outside.</summary>
    private readonly record struct Row(double Score, double Worth, int Window);

    /// <summary>What has been detected while the threshold falls.</summary>
    private sealed class Tally
    {
        private readonly List<Row> _rows = [];
        private readonly double[] _best;
        private int _next;
        private double _sum;
        private int _found;
        private int _false;

        public Tally(IReadOnlyList<ScoredSeries> all)
        {
            var windows = 0;
            foreach (var scored in all)
            {
                windows = Place(scored, windows);
            }

            _rows.Sort((a, b) => b.Score.CompareTo(a.Score));
            _best = new double[windows];
            Array.Fill(_best, -FalseNegative);
            _sum = -FalseNegative * windows;
        }

        public IEnumerable<double> Thresholds => _rows.Select(r => r.Score).Distinct();

        public NabResult Result(double threshold)
        {
            var (none, perfect) = (-FalseNegative * _best.Length, TruePositive * _best.Length);
            return new NabResult(threshold, 100 * (_sum - none) / (perfect - none), _found, _best.Length, _false);
        }

        public void LowerTo(double threshold)
        {
            for (; _next < _rows.Count && _rows[_next].Score >= threshold; _next++)
            {
                var (_, worth, window) = _rows[_next];
                if (window < 0)
                {
                    _false++;
                    _sum += worth;
                }
                else if (worth > _best[window])
                {
                    _found += _best[window] == -FalseNegative ? 1 : 0;
                    _sum += worth - _best[window];
                    _best[window] = worth;
                }
            }
        }

        /// <summary>Adds the rows of a series; windows of all series are numbered through, those without a scored row not.</summary>
        private int Place(ScoredSeries scored, int window)
        {
            var rows = scored.Series.Values.Count;
            var windows = scored.Series.Windows.Where(w => w.Last >= ProbationOf(rows)).ToArray();
            for (var i = ProbationOf(rows); i < rows; i++)
            {
                var inside = Array.FindIndex(windows, w => i >= w.First && i <= w.Last);
                if (inside >= 0)
                {
                    var (first, last) = windows[inside];
                    _rows.Add(new Row(scored.Scores[i], TruePositive * Sigmoid(-(last - i + 1.0) / (last - first + 1)) / Sigmoid(-1), window + inside));
                    continue;
                }

                var before = scored.Series.Windows.Where(w => w.Last < i).ToArray();
                var past = before.Length == 0 ? 3 : (double)(i - before[^1].Last) / Math.Max(1, before[^1].Last - before[^1].First);
                _rows.Add(new Row(scored.Scores[i], FalsePositive * Sigmoid(past), -1));
            }

            return window + windows.Length;
        }
    }
}
