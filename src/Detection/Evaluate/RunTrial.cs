using Sekisho.Detection.Thresholds;

namespace Sekisho.Detection.Evaluate;

/// <summary>Rows of all runs.</summary>
/// <param name="F1">F1 of rows.</param>
/// <param name="FalseAlarmShare">Share of the normal rows that were called anomalous.</param>
/// <param name="MissedShare">Share of the anomalous rows that were not.</param>
/// <param name="Runs">Runs.</param>
internal sealed record RunResult(double F1, double FalseAlarmShare, double MissedShare, int Runs);

/// <summary>
/// Labels rows of runs with several sensors, one detector a sensor: an alert of any sensor begins a stretch, and it lasts until no sensor has
/// been surprised by three orders of magnitude for <see cref="Calm"/> rows. Learns and detects in one pass from the first row on, where others
/// on this benchmark are fitted to the first 400 rows of each run.
/// </summary>
internal static class RunTrial
{
    /// <summary>Rows without surprise that end a stretch.</summary>
    public const int Calm = 30;

    private const double Surprising = 3;

    public static RunResult Score(IReadOnlyList<Run> runs)
    {
        var (hit, wrong, missed, calm) = (0, 0, 0, 0);
        foreach (var run in runs)
        {
            var called = Label(run);
            for (var i = 0; i < called.Count; i++)
            {
                hit += called[i] && run.IsAnomaly[i] ? 1 : 0;
                wrong += called[i] && !run.IsAnomaly[i] ? 1 : 0;
                missed += !called[i] && run.IsAnomaly[i] ? 1 : 0;
                calm += !called[i] && !run.IsAnomaly[i] ? 1 : 0;
            }
        }

        return new RunResult(2.0 * hit / Math.Max(1, (2 * hit) + wrong + missed), (double)wrong / Math.Max(1, wrong + calm), (double)missed / Math.Max(1, hit + missed), runs.Count);
    }

    /// <summary>What each row is called.</summary>
    public static IReadOnlyList<bool> Label(Run run)
    {
        var states = run.Channels.Select(_ => new long[SeriesDetector.Cells]).ToArray();
        var (result, isOn, quiet) = (new bool[run.Times.Count], false, 0);
        for (var i = 0; i < result.Length; i++)
        {
            var (isAlert, isSurprised) = (false, false);
            for (var c = 0; c < states.Length; c++)
            {
                var score = SeriesDetector.Observe(states[c], run.Channels[c][i], run.Times[i]);
                isAlert |= score.IsAlert;
                isSurprised |= score.Surprise >= Surprising;
            }

            quiet = isSurprised ? 0 : quiet + 1;
            isOn = isAlert || (isOn && quiet < Calm);
            result[i] = isOn;
        }

        return result;
    }
}
