using Sekisho.Tests.Support;
using Sekisho.Traffic.Intervals;
using Sekisho.Traffic.Records;
using Sekisho.Wire.Features;
using static Sekisho.Traffic.Tests.Records.Bytes;

namespace Sekisho.Traffic.Tests.Intervals;

/// <summary>Whatever exporters tell: sums are right, memory is bounded, intervals can be sent.</summary>
public class RecordIntervalsBoundsTests
{
    private const long Begin = 1_700_000_000 * Second;

    private static readonly FlowRecord s_record = new()
    {
        Start = Begin,
        End = Begin,
        SourceMac = 1,
        DestinationMac = 2,
        Source = Address("10.0.0.1"),
        Destination = Address("10.0.0.2"),
        EtherType = 0x0800,
        Protocol = 6,
        SourcePort = 40000,
        DestinationPort = 502,
        Packets = 3,
        Bytes = 300,
        TcpFlags = 2,
    };

    [Fact]
    public void More_flows_than_allowed_are_counted_and_stay_in_what_devices_sent()
    {
        using var intervals = new RecordIntervals(new() { FlowsPerInterval = 10 });
        for (var i = 0; i < 100; i++)
        {
            Assert.True(intervals.Add(s_record with { SourcePort = 40000 + i }, Begin));
        }

        var interval = Assert.Single(All(intervals));
        Assert.Equal((10, 90, 10), (interval.Flows.Count, interval.State.FlowsOmitted, interval.State.FlowsLimit));
        Assert.Equal((300, 300L * 114), (interval.State.Packets, interval.State.Bytes));
        Assert.Equal((300, 300L * 114, 100, 100), interval.Devices[0] is { } d ? (d.Sent.Packets, d.Sent.Bytes, d.ConnectionsBegun, d.ConnectionsFailed) : default);
    }

    [Fact]
    public void More_devices_than_allowed_are_counted_and_stay_in_the_sums()
    {
        using var intervals = new RecordIntervals(new() { DevicesPerInterval = 10 });
        for (var i = 1; i <= 100; i++)
        {
            Assert.True(intervals.Add(s_record with { SourceMac = (ulong)i * 256, Source = Address($"10.0.1.{i}"), DestinationMac = 0xFFFF_FFFF_FFFF }, Begin));
        }

        var interval = Assert.Single(All(intervals));
        Assert.Equal((10, 90), (interval.Devices.Count, interval.State.DevicesEvicted));
        Assert.Equal((300, 300L * 114), (interval.State.Packets, interval.State.Bytes));
    }

    [Fact]
    public void A_scan_of_unused_addresses_hides_nobody()
    {
        using var intervals = new RecordIntervals(new() { DevicesPerInterval = 50, FlowsPerInterval = 100 });
        for (var i = 0; i < 60_000; i++)
        {
            Assert.True(intervals.Add(s_record with { SourceMac = 0, DestinationMac = 0, Destination = NetAddress.FromIPv4(0x0A01_0000 + (uint)i) }, Begin));
        }

        for (var i = 10; i < 50; i++)
        {
            Assert.True(intervals.Add(s_record with { SourceMac = 0, DestinationMac = 0, Source = Address($"10.0.0.{i}"), Destination = Address("198.51.100.7") }, Begin));
        }

        var interval = Assert.Single(All(intervals));
        Assert.Equal(41, interval.Devices.Count);
        Assert.InRange(interval.Devices[0].PeersLocal, 40_000, 80_000);
        Assert.Equal(60_000, interval.Devices[0].ConnectionsFailed);
        Assert.Equal((60_040 - 100, 60_000 - 50), (interval.State.FlowsOmitted, interval.State.DevicesEvicted));
    }

    [Fact]
    public void A_flood_of_strangers_stays_within_the_stated_memory()
    {
        using var intervals = new RecordIntervals(new() { OpenSeconds = 3600, FlowsPerInterval = 10_000, DevicesPerInterval = 4_000 });
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < 10_000; i++)
        {
            var record = s_record with
            {
                Start = Begin - (600 * Second),
                Packets = 1000,
                SourceMac = 0,
                DestinationMac = 0,
                Source = NetAddress.FromIPv4(0x0A00_0000 + (uint)(i % 9000)),
                Destination = NetAddress.FromIPv4(0x0A80_0000 + (uint)i),
            };
            Assert.True(intervals.Add(record, Begin));
        }

        var used = GC.GetTotalMemory(forceFullCollection: true) - before;
        TestContext.Current.TestOutputHelper?.WriteLine($"{used / 1048576.0:0.0} MiB for 100,000 flows and 40,000 devices");
        Assert.InRange(used, 1, (100_000 * 400) + (40_000 * 1024));
        var told = All(intervals);
        Assert.Equal((61, 100_000, 10_000_000), (told.Count, told.Sum(i => i.Flows.Count), told.Sum(i => i.State.Packets)));
        Assert.InRange(told.Sum(i => i.Devices.Count), 10_000, 40_000);

        // Who was told has left, so there is room again.
        Assert.True(intervals.Add(s_record with { Start = Begin + (10 * Second), End = Begin + (10 * Second) }, Begin + (10 * Second)));
        Assert.Single(Assert.Single(All(intervals)).Flows);
    }

    [Theory]
    [InlineData(long.MaxValue, long.MaxValue, 1)]
    [InlineData(1L << 62, 1L << 62, int.MaxValue)]
    [InlineData(long.MinValue, 5, 0)]
    [InlineData(1, long.MaxValue, -7)]
    public void Counts_without_sense_never_go_round(long packets, long bytes, int sampling)
    {
        using var intervals = new RecordIntervals(new());
        for (var i = 0; i < 100; i++)
        {
            Assert.True(intervals.Add(s_record with { Packets = packets, Bytes = bytes, ReversePackets = packets, ReverseBytes = bytes, Sampling = sampling, Start = Begin - (30 * Second) }, Begin));
        }

        foreach (var interval in All(intervals))
        {
            Assert.True(interval.State is { Packets: >= 0, Bytes: >= 0 });
            Assert.Equal(interval.Start, Read(interval).Start);
            Assert.All(interval.Flows, f => Assert.True(f.Up.Packets >= 0 && f.Up.Bytes >= 0));
        }
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 5)]
    [InlineData(5, 0)]
    [InlineData(4_291_747_200, 4_291_747_200)]
    [InlineData(0, 4_291_747_200)]
    [InlineData(9_223_372_036, 9_223_372_036)]
    [InlineData(-9_223_372_036, 9_223_372_036)]
    [InlineData(1_700_000_000, 1_699_999_000)]
    public void Times_without_sense_lose_nothing(long start, long end)
    {
        using var intervals = new RecordIntervals(new());
        Assert.True(intervals.Add(s_record with { Start = start * Second, End = end * Second }, Begin));

        var told = All(intervals);

        Assert.Equal((3, 342), (told.Sum(i => i.State.Packets), told.Sum(i => i.State.Bytes)));
        Assert.True(told.Count <= 8);
        foreach (var flow in told.SelectMany(i => i.Flows.Select(f => (Interval: i, Flow: f))))
        {
            Assert.True(flow.Flow.FirstSeen >= 0 && flow.Flow.FirstSeen <= flow.Flow.LastSeen);
            Assert.InRange(flow.Flow.LastSeen, flow.Interval.Start, flow.Interval.Start + flow.Interval.Length);
        }
    }

    [Fact]
    public void Sums_of_intervals_flows_and_devices_are_those_of_the_records()
    {
        var random = Fuzz.Source(41);
        using var intervals = new RecordIntervals(new() { OpenSeconds = 30 });
        var told = new List<IntervalFeatures>();
        var now = Begin;
        var (packets, bytes, sent) = (0L, 0L, new long[20]);
        for (var i = 0; i < Fuzz.Rounds(20_000); i++)
        {
            now += random.NextInt64(Second);

            // Who never sent is no device, so everybody sends once first.
            var (from, to) = (i < 20 ? i : random.Next(20), random.Next(20));
            var record = s_record with
            {
                Start = now - random.NextInt64(90 * Second),
                End = now - random.NextInt64(50 * Second) + (random.Next(50) == 0 ? 100 * Second : 0),
                SourceMac = (ulong)from + 1,
                DestinationMac = (ulong)to + 1,
                Source = Address($"10.0.0.{from + 1}"),
                Destination = Address($"10.0.0.{to + 1}"),
                Protocol = random.Next(3) switch { 0 => 6, 1 => 17, _ => 1 },
                SourcePort = random.Next(40000, 40010),
                Packets = random.Next(1, 1000),
                Bytes = random.Next(1, 1_000_000),
                ReversePackets = random.Next(2) == 0 ? null : random.Next(0, 100),
                ReverseBytes = 0,
            };
            var (up, down) = (record.Bytes + (14 * record.Packets), 14 * (record.ReversePackets ?? 0));
            packets += record.Packets + (record.ReversePackets ?? 0);
            bytes += up + down;
            sent[from] += up;
            sent[to] += down;
            while (!intervals.Add(record, now))
            {
                told.Add(intervals.Flush());
            }
        }

        told.AddRange(All(intervals));
        Assert.Equal((packets, bytes), (told.Sum(i => i.State.Packets), told.Sum(i => i.State.Bytes)));
        Assert.Equal((packets, bytes), (told.SelectMany(i => i.Flows).Sum(f => f.Up.Packets + f.Down.Packets), told.SelectMany(i => i.Flows).Sum(f => f.Up.Bytes + f.Down.Bytes)));
        Assert.Equal(sent, Enumerable.Range(1, 20).Select(mac => told.SelectMany(i => i.Devices).Where(d => d.Mac == (ulong)mac).Sum(d => d.Sent.Bytes)));
        Assert.Equal(bytes, told.SelectMany(i => i.Devices).Sum(d => d.Received.Bytes));
        Assert.All(told, i => Assert.Equal((i.State.Packets, i.Flows.Count), (Read(i).State.Packets, Read(i).Flows.Count)));
        Assert.Equal(Enumerable.Range(0, told.Count).Select(n => (long)n), told.Select(i => i.Sequence));
    }

    [Fact]
    public void Whatever_a_record_holds_its_intervals_can_be_sent()
    {
        var random = Fuzz.Source(42);
        using var intervals = new RecordIntervals(new() { IntervalLength = 1000, OpenSeconds = 5, FlowsPerInterval = 100, DevicesPerInterval = 20 });
        var now = Begin;
        var told = 0;
        for (var i = 0; i < Fuzz.Rounds(10_000); i++)
        {
            now = random.Next(500) == 0 ? random.NextInt64(long.MaxValue) : now + random.NextInt64(Second / 10);
            var record = new FlowRecord
            {
                Start = Odd(),
                End = Odd(),
                SourceMac = (ulong)random.NextInt64(1L << random.Next(1, 48)),
                DestinationMac = (ulong)random.NextInt64(1L << random.Next(1, 48)),
                Source = new((ulong)random.Next(3) * 0xFD00_0000_0000_0000 / 2, (ulong)Odd()),
                Destination = random.Next(3) == 0 ? default : NetAddress.FromIPv4((uint)random.NextInt64(1L << 32)),
                EtherType = random.Next(3) switch { 0 => 0x0800, 1 => 0x86DD, _ => random.Next(65536) },
                Protocol = random.Next(256),
                SourcePort = random.Next(65536),
                DestinationPort = random.Next(65536),
                Packets = Odd(),
                Bytes = Odd(),
                ReversePackets = random.Next(2) == 0 ? null : Odd(),
                ReverseBytes = random.Next(2) == 0 ? null : Odd(),
                TcpFlags = random.Next(256),
                ReverseTcpFlags = random.Next(256),
                Sampling = random.Next(3) - 1,
            };
            while (!intervals.Add(record, now))
            {
                told++;
                _ = Read(intervals.Flush());
            }
        }

        Assert.True(told > 100, $"{told}");

        long Odd() => random.Next(6) switch
        {
            0 => 0,
            1 => random.NextInt64(),
            2 => -random.NextInt64(),
            3 => Begin + random.NextInt64(100 * Second),
            _ => random.NextInt64(1L << random.Next(1, 63)),
        };
    }

    private static List<IntervalFeatures> All(RecordIntervals intervals)
    {
        var told = new List<IntervalFeatures>();
        while (intervals.HoldsAny)
        {
            told.Add(intervals.Flush());
        }

        told.RemoveAll(i => i.State.Packets == 0);
        return told;
    }

    private static IntervalFeatures Read(IntervalFeatures interval)
    {
        Assert.True(IntervalCodec.TryDecode(IntervalCodec.Encode(interval), WireLimits.Default, out var read, out var fault), fault);
        return read;
    }
}
