namespace Sekisho.Detection.Conditions.Stuck;

/// <summary>Parameters of <see cref="StuckCondition"/>.</summary>
/// <param name="Pointer">Where the number stands.</param>
/// <param name="Messages">So many messages with one value are too many.</param>
/// <param name="LastingMs">When they cover so much time, milliseconds.</param>
/// <param name="Changes">And the value was seen to change so often.</param>
/// <param name="Tolerance">Numbers no farther from the first than this are one value.</param>
internal sealed record StuckParameters(string Pointer, int Messages, long LastingMs, int Changes, double Tolerance);
