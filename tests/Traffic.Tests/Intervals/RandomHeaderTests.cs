using System.Runtime.InteropServices;
using Sekisho.Tests.Support;
using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Intervals;
using Sekisho.Wire.Features;
using static Sekisho.Traffic.Tests.Intervals.Watch;

namespace Sekisho.Traffic.Tests.Intervals;

/// <summary>Headers that no parser would make: the tables put up with all of them.</summary>
public class RandomHeaderTests
{
    private static readonly long[] Times = [long.MinValue, long.MinValue + 1, long.MaxValue, long.MaxValue - 1, 0, 1, -1, -10 * Second, Start, Start - (61 * Second), Start + (365 * 86_400 * Second)];
    private static readonly ushort[] Ports = [0, 1, 53, 67, 68, 80, 443, 502, 546, 547, 1883, 5683, 5684, 32_767, 32_768, 47_808, 56_830, 65_535];
    private static readonly byte[] Protocols = [0, 1, 2, 6, 6, 6, 17, 17, 50, 58, 70, 81, 132, 255];
    private static readonly byte[] Versions = [0, 4, 4, 6];
    private static readonly byte[] HopLimits = [0, 1, 63, 64, 255];
    private static readonly ushort[] EtherTypes = [0, 0x42, 0x0800, 0x0806, 0x86DD, 0x88CC, 0xFFFF];

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(0, 8)]
    public void Whatever_headers_come_nothing_is_thrown_and_nothing_is_told_that_did_not_come_in(int flowMemory, int deviceMemory)
    {
        var seed = Fuzz.Source(740 + flowMemory + (2 * deviceMemory)).Next();
        for (var round = 0; round < Fuzz.Rounds(15); round++)
        {
            try
            {
                Run(new Random(seed + round), flowMemory, deviceMemory, extremes: true);
            }
            catch (Exception e) when (e is not Xunit.Sdk.IAssertionException)
            {
                Assert.Fail($"Seed {seed + round}: {e}");
            }
        }
    }

    [Fact]
    public void In_tables_that_are_large_enough_all_of_them_are_told()
    {
        var seed = Fuzz.Source(750).Next();
        for (var round = 0; round < Fuzz.Rounds(15); round++)
        {
            var (told, came) = Run(new Random(seed + round), 8, 8, extremes: false);
            Assert.True(told == came, $"Seed {seed + round}: {told} packets told in flows, {came} with a readable header came in");
        }
    }

    // Packets told in flows, and packets with a readable header that came in.
    private static (long Told, long Came) Run(Random random, int flowMemory, int deviceMemory, bool extremes)
    {
        using var observation = new Observation(new ObservationSettings
        {
            FlowMemory = flowMemory,
            DeviceMemory = deviceMemory,
            IntervalLength = random.Next(3) switch { 0 => 1, 1 => 10_000, _ => int.MaxValue },
            DeviceSeconds = random.Next(100),
            Seed = (ulong)random.NextInt64(),
        });
        var (addresses, macs) = Pools(random);
        var batch = new PacketHeader[200];
        long sent = 0, told = 0, inFlows = 0, bytes = 0, toldBytes = 0, known = 0, sequence = 0;
        var time = Start;
        for (var turn = 0; turn < 30; turn++)
        {
            var packets = batch.AsSpan(0, random.Next(1, batch.Length));
            foreach (ref var header in packets)
            {
                time = random.Next(20) == 0 ? extremes ? Times[random.Next(Times.Length)] : Start + random.NextInt64(1000 * Second) : random.Next(3) == 0 ? time : unchecked(time + random.NextInt64(-Second, Second));
                Fill(ref header, random, addresses, macs);
                header.Timestamp = random.Next(50) == 0 && extremes ? random.NextInt64(long.MinValue, long.MaxValue) : time;
                bytes += header.WireLength;
                known += header.IpVersion == 0 && (header.SourceMac | header.DestinationMac | header.EtherType) == 0 ? 0 : 1;
            }

            sent += packets.Length;
            for (var rest = packets; rest.Length > 0;)
            {
                rest = rest[observation.Add(rest)..];
                if (rest.Length > 0 || random.Next(4) == 0)
                {
                    Tell();
                }
            }
        }

        if (observation.IsOpen)
        {
            Tell();
        }

        Assert.Equal((sent, bytes), (told, toldBytes));
        return (inFlows, known);

        void Tell()
        {
            var interval = observation.Flush();
            told += interval.State.Packets;
            toldBytes += interval.State.Bytes;
            Assert.Equal(sequence++, interval.Sequence);
            Assert.InRange(interval.State.FlowsHeld, 0, interval.State.FlowsLimit);
            Assert.InRange(interval.State.DevicesHeld, 0, interval.State.DevicesLimit);
            long packets = 0;
            foreach (var flow in interval.Flows)
            {
                packets += flow.Up.Packets + flow.Down.Packets;
                Assert.True((flow.Client.IsNone || addresses.Contains(flow.Client)) && (flow.Server.IsNone || addresses.Contains(flow.Server)), $"{flow}");
                Assert.True(macs.Contains(flow.ClientMac) && macs.Contains(flow.ServerMac), $"{flow}");
            }

            inFlows += packets;
            Assert.InRange(packets, 0, interval.State.Packets);
            foreach (var device in interval.Devices)
            {
                Assert.InRange(device.Addresses.Count, 0, 8);
                Assert.True(macs.Contains(device.Mac), $"{device}");
                Assert.All(device.Addresses, a => Assert.Contains(a, addresses));
                Assert.InRange(device.Sent.Packets, 0, interval.State.Packets);
            }
        }
    }

    private static void Fill(ref PacketHeader header, Random random, NetAddress[] addresses, ulong[] macs)
    {
        // Every byte at random, then most fields from few values, so that packets meet in flows.
        random.NextBytes(MemoryMarshal.AsBytes(new Span<PacketHeader>(ref header)));
        header.Source = Pick(addresses);
        header.Destination = Pick(addresses);
        header.TunnelSource = Pick(addresses);
        header.TunnelDestination = Pick(addresses);
        header.SourceMac = Pick(macs);
        header.DestinationMac = Pick(macs);
        header.WireLength = random.Next(8) == 0 ? random.Next() : random.Next(2000);
        header.PayloadLength = random.Next(3) == 0 ? 0 : random.Next(header.WireLength);
        header.Marks = (PacketMarks)(random.Next(1024) & random.Next(1024) & random.Next(1024));
        header.EtherType = Pick(EtherTypes);
        header.SourcePort = Pick(Ports);
        header.DestinationPort = Pick(Ports);
        header.Protocol = Pick(Protocols);
        header.IpVersion = Pick(Versions);
        header.HopLimit = Pick(HopLimits);
        header.Identification = (uint)random.Next(4);
        header.Sequence = random.Next(2) == 0 ? (uint)random.Next(1000) : header.Sequence;

        T Pick<T>(T[] values) => values[random.Next(values.Length)];
    }

    private static (NetAddress[] Addresses, ulong[] Macs) Pools(Random random)
    {
        var addresses = new List<NetAddress> { default, Host.At("0.0.0.0"), Host.At("255.255.255.255"), Host.At("224.0.0.1"), Host.At("ff02::1"), Host.At("fe80::1"), Host.At("169.254.0.1"), Host.At("8.8.8.8") };
        var macs = new List<ulong> { 0, Host.BroadcastMac, 0x0100_5E00_0001 };
        for (var i = random.Next(1, 80); i > 0; i--)
        {
            addresses.Add(random.Next(2) == 0 ? NetAddress.FromIPv4((uint)random.NextInt64(1L << 32)) : Host.Of(random.Next(256)).Address);
            macs.Add(random.Next(2) == 0 ? (ulong)random.NextInt64(1L << 48) : Host.Of(random.Next(64)).Mac);
        }

        return ([.. addresses], [.. macs]);
    }
}
