namespace Sekisho.Detection.Conditions.Group;

/// <summary>Parameters of <see cref="GroupCondition"/>.</summary>
/// <param name="SharePercent">From this share of those that were heard on, percent.</param>
/// <param name="Least">From so many devices on.</param>
/// <param name="SilentMs">A device is silent from so long on, and from twice its usual distance between messages.</param>
/// <param name="WithinMs">How far apart the last messages may lie, beside what the devices' own cadence brings, milliseconds.</param>
/// <param name="Habit">So many events at an hour make it usual; 0 for none.</param>
internal sealed record GroupParameters(int SharePercent, int Least, long SilentMs, long WithinMs, int Habit);
