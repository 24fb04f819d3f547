namespace Sekisho.Detection.Conditions.Size;

/// <summary>Parameters of <see cref="SizeCondition"/>.</summary>
/// <param name="Bytes">From this size on a message is too large.</param>
internal sealed record SizeParameters(long Bytes);
