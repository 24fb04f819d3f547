namespace Sekisho.Sensor.Reading;

/// <summary>Packets and bytes.</summary>
/// <param name="Packets">Frames.</param>
/// <param name="Bytes">Bytes on the wire.</param>
internal readonly record struct Volume(long Packets, long Bytes)
{
    public static Volume operator +(Volume left, Volume right) => new(left.Packets + right.Packets, left.Bytes + right.Bytes);
}
