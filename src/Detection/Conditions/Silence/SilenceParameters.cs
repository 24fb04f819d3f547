namespace Sekisho.Detection.Conditions.Silence;

/// <summary>Parameters of <see cref="SilenceCondition"/>.</summary>
/// <param name="DurationMs">Longest silence that is expected, milliseconds.</param>
internal sealed record SilenceParameters(long DurationMs);
