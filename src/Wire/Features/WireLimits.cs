namespace Sekisho.Wire.Features;

/// <summary>What a reader of messages puts up with; beyond it a message is refused before room is made for it.</summary>
/// <param name="Body">Bytes of one interval after decompression.</param>
/// <param name="Devices">Devices of one interval.</param>
/// <param name="Flows">Flows of one interval.</param>
/// <param name="Intervals">Intervals of one batch.</param>
public sealed record WireLimits(int Body, int Devices, int Flows, int Intervals)
{
    /// <summary>8 MiB, 16,384 devices, 32,768 flows, 256 intervals: what sensor and gateway hold each other to. The largest tables of a sensor, full of strangers, stay below it.</summary>
    public static readonly WireLimits Default = new(8 * 1024 * 1024, 16_384, 32_768, 256);
}
