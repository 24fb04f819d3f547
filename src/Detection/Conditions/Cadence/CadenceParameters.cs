namespace Sekisho.Detection.Conditions.Cadence;

/// <summary>Parameters of <see cref="CadenceCondition"/>.</summary>
/// <param name="IntervalMs">Readings are expected at least this often, milliseconds; 0 to go by what is usual for the device.</param>
/// <param name="SlackPercent">How much later one may come, because clocks and networks jitter.</param>
/// <param name="Factor">Without an interval: so many times the usual distance is too rare.</param>
/// <param name="Rarer">So many distances in a row that are too long make a falling cadence.</param>
/// <param name="StopMs">From so long on after that, nothing at all means that it has stopped, milliseconds.</param>
/// <param name="Habit">So many falls at an hour make a habit; 0 for none.</param>
internal sealed record CadenceParameters(long IntervalMs, int SlackPercent, double Factor, int Rarer, long StopMs, int Habit);
