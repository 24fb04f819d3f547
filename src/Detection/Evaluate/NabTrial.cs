using Sekisho.Detection.Evaluate.Peers;
using Sekisho.Detection.Thresholds;

namespace Sekisho.Detection.Evaluate;

/// <summary>One detector on all series.</summary>
/// <param name="Name">Stable name.</param>
/// <param name="Best">Result with the threshold that the rule chooses, one for all series.</param>
/// <param name="Fixed">Result with the threshold that the detector has of itself; null for peers, which have none.</param>
/// <param name="Scored">Its scores.</param>
internal sealed record NabEntry(string Name, NabResult Best, NabResult? Fixed, IReadOnlyList<ScoredSeries> Scored);

/// <summary>Runs our detector and the peers over labelled series: each sees a series once, row by row, none is set for a series.</summary>
internal static class NabTrial
{
    public const string Own = "sekisho";

    /// <summary>All detectors on all series.</summary>
    /// <param name="all">The series.</param>
    /// <param name="begun">Told the name of each detector when its turn comes.</param>
    public static IReadOnlyList<NabEntry> Run(IReadOnlyList<Series> all, Action<string> begun)
    {
        NabEntry Enter(string name, Func<Series, Func<long, double, double>> detector, double? threshold = null)
        {
            begun(name);
            return Entry(name, all, detector, threshold);
        }

        return
        [
            Enter(Own, _ =>
            {
                var state = new long[SeriesDetector.Cells];
                return (at, value) => SeriesDetector.Observe(state, value, at).Score;
            }, SeriesDetector.Threshold),
            Enter("windowed-gaussian", Peer(_ => new WindowedGaussian())),
            Enter("random-cut-forest", Peer(_ => new RandomCutForest(width: 1))),
            Enter("random-cut-forest-4", Peer(_ => new RandomCutForest(width: 4))),
            Enter("knn-conformal", Peer(s => new ConformalNeighbours(NabScore.ProbationOf(s.Values.Count)))),
        ];
    }

    private static Func<Series, Func<long, double, double>> Peer(Func<Series, IPeer> make) => series =>
    {
        var peer = make(series);
        return (_, value) => peer.Score(value);
    };

    private static NabEntry Entry(string name, IReadOnlyList<Series> all, Func<Series, Func<long, double, double>> detector, double? threshold = null)
    {
        var scored = all.AsParallel().AsOrdered().Select(series =>
        {
            var score = detector(series);
            return new ScoredSeries(series, [.. series.Times.Zip(series.Values, score)]);
        }).ToList();
        return new NabEntry(name, NabScore.Best(scored), threshold is { } own ? NabScore.At(scored, own) : null, scored);
    }
}
