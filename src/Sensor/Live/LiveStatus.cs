using Sekisho.Wire.Features;

namespace Sekisho.Sensor.Live;

/// <summary>What a person sees of a running sensor. Any thread; replaced whole.</summary>
/// <param name="Interval">The newest interval.</param>
/// <param name="Observed">Bytes seen on the wire since the start.</param>
/// <param name="Uplink">Bytes sent to the gateway since the start; null without a gateway.</param>
/// <param name="Trouble">What is wrong, in the person's language.</param>
internal sealed record LiveStatus(IntervalFeatures Interval, long Observed, long? Uplink, IReadOnlyList<string> Trouble)
{
    /// <summary>Share of the observed bytes that the uplink needs; null before there is one.</summary>
    public double? UplinkShare => Uplink is { } bytes && Observed > 0 ? (double)bytes / Observed : null;
}
