namespace Sekisho.Detection.Thresholds;

/// <summary>What a learner is made for.</summary>
/// <param name="Target">False alarms per 30 days, both sides together, that its thresholds are set for.</param>
/// <param name="Resolution">Smallest difference that means anything, in the unit of the metric: more than 0.</param>
/// <param name="IsRatio">True when factors count rather than differences (volumes, over many orders): learnt in logarithms.</param>
/// <param name="HasLow">False when nothing is too low.</param>
/// <param name="MostOfLargest">
/// For metrics of few values, whose tails are steps that no curve fits: once grown, the upper threshold is at most this many times the largest
/// value learnt, whatever the tail says. 0 for none. The target then holds only as far as such a metric has no larger value in store.
/// </param>
/// <param name="RareFactor">
/// For ratios of which some subjects give too few values for a tail: after three days and three values their limits are the largest and the smallest
/// value learnt, this many times wider. 0 for none. No target is stated for such limits; the values that they rest on are.
/// </param>
internal sealed record LearnerSettings(double Target, double Resolution, bool IsRatio = false, bool HasLow = true, double MostOfLargest = 0, double RareFactor = 0);
