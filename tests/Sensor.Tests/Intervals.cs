using Sekisho.Wire.Features;

namespace Sekisho.Sensor.Tests;

/// <summary>Small intervals.</summary>
internal static class Intervals
{
    public static IntervalFeatures Of(long start, int devices = 1) => new(
        0,
        start,
        10_000,
        [.. Enumerable.Range(1, devices).Select(i => new DeviceFeatures
        {
            Mac = 0x0080_9200_0000UL + (ulong)i,
            Addresses = [NetAddress.FromIPv4(0xC000_0200u + (uint)i)],
            FirstSeen = start,
            LastSeen = start + 9_000,
            Sent = new Tally { Packets = 1, Bytes = 100 + (i * 7919 % 1000), Sizes = [0, 1, 0, 0, 0, 0, 0, 0], Gaps = new uint[8] },
            Received = Tally.None,
        })],
        [],
        new SensorState { Packets = devices, Bytes = 100 * devices });

    public static IntervalFeatures Read(byte[] message) =>
        IntervalCodec.TryDecode(message, WireLimits.Default, out var interval, out var fault) ? interval : throw new InvalidOperationException(fault);
}
