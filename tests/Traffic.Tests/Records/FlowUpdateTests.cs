using Sekisho.Tests.Support;
using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Records;
using static Sekisho.Traffic.Tests.Records.Bytes;

namespace Sekisho.Traffic.Tests.Records;

public class FlowUpdateTests
{
    private static readonly FlowRecord s_record = new()
    {
        Start = 5 * Second,
        End = 25 * Second,
        Source = Address("10.0.0.1"),
        Destination = Address("10.0.0.2"),
        SourceMac = 1,
        DestinationMac = 2,
        EtherType = 0x0800,
        Protocol = 6,
        SourcePort = 40000,
        DestinationPort = 502,
        Packets = 10,
        Bytes = 1001,
        ReversePackets = 2,
        ReverseBytes = 300,
        TcpFlags = 0x1B,
        ReverseTcpFlags = 0x12,
    };

    [Fact]
    public void A_record_is_spread_over_its_intervals_and_begins_and_ends_once()
    {
        var updates = FlowUpdate.Of(s_record, 10 * Second).ToList();
        var up = updates.Where(u => u.Header.SourcePort == 40000).ToList();
        var down = updates.Where(u => u.Header.SourcePort == 502).ToList();

        Assert.Equal([(5L, 4L), (10, 3), (20, 3)], up.Select(u => (u.Header.Timestamp / Second, u.Packets)));
        Assert.Equal(1001 + 140, up.Sum(u => u.Bytes));
        Assert.Equal([0x1A, 0x18, 0x19], up.Select(u => (int)u.Header.TcpFlags));
        Assert.Equal([(5L, 1L, 2), (10, 1, 0)], down.Select(u => (u.Header.Timestamp / Second, u.Packets, u.Header.TcpFlags & 2)));
        Assert.All(down, u => Assert.Equal((2UL, 1UL, "10.0.0.2", 164), (u.Header.SourceMac, u.Header.DestinationMac, u.Header.Source.ToString(), u.Header.WireLength)));
        Assert.All(updates, u => Assert.Equal((HeaderParser.NoVlan, PacketMarks.HasPorts, 4), (u.Header.Vlan, u.Header.Marks, u.Header.IpVersion)));
    }

    [Fact]
    public void Sampling_multiplies_and_a_group_address_is_marked()
    {
        var update = Assert.Single(FlowUpdate.Of(s_record with { End = 5 * Second, ReversePackets = null, ReverseBytes = null, Sampling = 100, DestinationMac = 0x01005E000001 }, 10 * Second));

        Assert.Equal((1000L, (1001 * 100) + 14_000L), (update.Packets, update.Bytes));
        Assert.Equal(PacketMarks.HasPorts | PacketMarks.Multicast, update.Header.Marks);
    }

    [Fact]
    public void Sums_are_kept_whatever_the_record_and_updates_are_bounded()
    {
        var random = Fuzz.Source(5);
        for (var round = 0; round < Fuzz.Rounds(2_000); round++)
        {
            var start = random.NextInt64(1L << 60);
            var record = s_record with
            {
                Start = start,
                End = start + (random.Next(20) == 0 ? 1L << 61 : random.NextInt64(300 * Second)),
                Packets = random.NextInt64(1L << random.Next(1, 40)),
                Bytes = random.NextInt64(1L << random.Next(1, 45)),
                ReversePackets = random.Next(50),
                ReverseBytes = random.Next(50_000),
            };

            var updates = FlowUpdate.Of(record, 10 * Second).ToList();

            Assert.True(updates.Count <= 20_000);
            Assert.Equal(record.Packets == 0 && record.Bytes > 0 ? 1 : record.Packets, updates.Where(u => u.Header.SourcePort == 40000).Sum(u => u.Packets));
            Assert.Equal(record.ReversePackets == 0 && record.ReverseBytes > 0 ? 1 : record.ReversePackets, updates.Where(u => u.IsReverse).Sum(u => u.Packets));
            Assert.Equal(record.Bytes, updates.Where(u => u.Header.SourcePort == 40000).Sum(u => u.Bytes - (14 * u.Packets)));
            Assert.All(updates, u => Assert.True(u.Header.Timestamp >= record.Start && u.Last <= record.End && u.Header.Timestamp <= u.Last));
            Assert.True(record.Packets == 0 || updates[0].Header.Timestamp == record.Start);
        }
    }
}
