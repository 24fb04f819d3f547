namespace Sekisho.Detection.Conditions.Timestamps;

/// <summary>Parameters of <see cref="TimestampCondition"/>.</summary>
/// <param name="AheadMs">How far a device's clock may be ahead of the gateway's, milliseconds.</param>
/// <param name="BackMs">How far a device time may lie before the latest one, because requests overtake each other, milliseconds.</param>
/// <param name="Repeats">So many readings in a row with one device time are too many.</param>
/// <param name="ResolutionMs">Readings with one device time that arrive within this are one moment of a coarse clock, milliseconds.</param>
/// <param name="Drift">From so many seconds a day on a clock drifts.</param>
/// <param name="Steps">So many steps of the clock within a day are too many; one is a correction.</param>
/// <param name="Unexplained">So many late readings in a row that fill no gap and are no slow clock are too many; 0 for any.</param>
internal sealed record TimestampParameters(long AheadMs, long BackMs, int Repeats, long ResolutionMs, double Drift, int Steps, int Unexplained);
