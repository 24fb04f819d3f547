namespace Sekisho.Detection.Conditions.SimVolume;

/// <summary>Parameters of <see cref="SimVolumeCondition"/>.</summary>
/// <param name="Hours">Hours that are summed up.</param>
/// <param name="Percent">So much more than was seen needs no explanation.</param>
/// <param name="Floor">And so many bytes from the device in the period.</param>
/// <param name="Inbound">So many bytes to the device in the period: what strangers on the Internet send to every address.</param>
internal sealed record SimVolumeParameters(int Hours, int Percent, long Floor, long Inbound)
{
    public static SimVolumeParameters Of(ConditionInput input) => new(
        (int)((input.Milliseconds("period") + HourLedger.Hour - 1) / HourLedger.Hour),
        input.Whole("percent"),
        (long)input.Number("floor"),
        (long)input.Number("inbound"));
}
