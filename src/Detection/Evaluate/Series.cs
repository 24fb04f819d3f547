namespace Sekisho.Detection.Evaluate;

/// <summary>A recorded series of one number.</summary>
/// <param name="Name">Name of the file below its folder.</param>
/// <param name="Times">Times, Unix milliseconds.</param>
/// <param name="Values">Values, as many.</param>
/// <param name="Windows">Where something is wrong, first and last row, in order; empty when nothing is or nobody knows.</param>
internal sealed record Series(string Name, IReadOnlyList<long> Times, IReadOnlyList<double> Values, IReadOnlyList<(int First, int Last)> Windows);

/// <summary>Scores of one series.</summary>
/// <param name="Series">The series.</param>
/// <param name="Scores">One score in [0, 1] for each row.</param>
internal sealed record ScoredSeries(Series Series, IReadOnlyList<double> Scores);
