using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Intervals;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Tests.Intervals;

/// <summary>Whatever is on the wire, the gateway takes the interval that tells of it.</summary>
public class UploadBoundsTests(ITestOutputHelper output)
{
    [Fact]
    public void The_largest_tables_full_of_strangers_make_an_interval_that_the_gateway_takes()
    {
        // As large as the program lets them be.
        using var observation = new Observation(new ObservationSettings { FlowMemory = 64, DeviceMemory = 13 });
        var random = new Random(7);
        var batch = new PacketHeader[256];
        for (var i = 0; i < 400; i++)
        {
            foreach (ref var header in batch.AsSpan())
            {
                header = new PacketHeader
                {
                    Timestamp = 1_700_000_000_000_000_000 + random.Next(9_000_000),
                    SourceMac = (ulong)random.NextInt64(0, 1L << 47) & ~(1UL << 40),
                    DestinationMac = (ulong)random.NextInt64(0, 1L << 47) & ~(1UL << 40),
                    Source = new NetAddress((ulong)random.NextInt64(long.MinValue, long.MaxValue), (ulong)random.NextInt64(long.MinValue, long.MaxValue)),
                    Destination = new NetAddress((ulong)random.NextInt64(long.MinValue, long.MaxValue), (ulong)random.NextInt64(long.MinValue, long.MaxValue)),
                    SourcePort = (ushort)random.Next(65_536),
                    DestinationPort = (ushort)random.Next(65_536),
                    EtherType = 0x86DD,
                    IpVersion = 6,
                    Protocol = 17,
                    HopLimit = 64,
                    WireLength = random.Next(60, 1515),
                    Marks = PacketMarks.HasPorts,
                    Vlan = 0xFFFF,
                    InnerVlan = 0xFFFF,
                };
            }

            Assert.Equal(batch.Length, observation.Add(batch));
        }

        var interval = observation.Flush();
        var message = IntervalCodec.Encode(interval);

        output.WriteLine($"{interval.Devices.Count} devices, {interval.Flows.Count} flows, {interval.State.FlowsOmitted} flows left out, {message.Length} bytes");
        Assert.Equal(WireLimits.Default.Flows, interval.Flows.Count);
        Assert.True(interval.State.FlowsOmitted > 0);
        Assert.True(IntervalCodec.TryDecode(message, WireLimits.Default, out var read, out var fault), fault);
        Assert.Equal(interval.Devices.Count, read.Devices.Count);
        // Behaviour:Sensors:LargestUpload.
        Assert.True(IntervalBatch.Encode([message]).Length < 4 * 1024 * 1024);
    }
}
