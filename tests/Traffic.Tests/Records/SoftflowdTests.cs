using Sekisho.Traffic.Intervals;
using Sekisho.Traffic.Records;
using Sekisho.Traffic.Tests.Capture;
using Sekisho.Wire.Features;

namespace Sekisho.Traffic.Tests.Records;

/// <summary>softflowd reads a capture and exports it to the listener as a real exporter does.</summary>
public sealed class SoftflowdTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sekisho-softflowd-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("-v", "5")]
    [InlineData("-v", "9")]
    [InlineData("-v", "9", "-T", "ether")]
    [InlineData("-v", "10")]
    [InlineData("-v", "10", "-b")]
    [InlineData("-v", "10", "-A", "sec")]
    [InlineData("-v", "10", "-A", "milli")]
    [InlineData("-v", "10", "-P", "tcp")]
    [InlineData("-v", "5", "-P", "tcp")]
    public async Task Packets_bytes_ports_and_durations_are_those_of_the_capture(params string[] options)
    {
        var frames = Capture();
        if (!options.Contains("5"))
        {
            frames.AddRange(Enumerable.Range(0, 4).Select(i => (i + 0.7, TestFrames.Udp6(40001, 5683, new byte[30]))));
        }

        var records = await Softflowd.ExportAsync(_folder, Plant.Pcap(frames.OrderBy(f => f.Time)), frames.Count, options);

        var both = options.Contains("-b");
        Assert.Equal(frames.Count, records.Sum(r => r.Packets + (r.ReversePackets ?? 0)));
        Assert.Equal(frames.Sum(f => f.Frame.Length - 14L), records.Sum(r => r.Bytes + (r.ReverseBytes ?? 0)));
        Assert.All(records, r => Assert.Equal("127.0.0.1", r.Exporter.ToString()));

        var up = Assert.Single(records, r => r.Protocol == 6 && r.DestinationPort == 1883);
        Assert.Equal(("192.0.2.1", "192.0.2.2", 40000, 20L), (up.Source.ToString(), up.Destination.ToString(), up.SourcePort, up.Packets));
        Assert.Equal(both ? 10L : null, up.ReversePackets);
        Assert.InRange((up.End - up.Start) / 1e9, both || options.Contains("sec") ? 18 : 18.9, 20.1);

        var asked = Assert.Single(records, r => r.Protocol == 1 && r.SourcePort == 8);
        Assert.Equal((8, 0, 3L), (asked.SourcePort, asked.DestinationPort, asked.Packets));

        if (options.Contains("ether"))
        {
            Assert.Equal((TestFrames.ClientMac, TestFrames.ServerMac), (up.SourceMac, up.DestinationMac));
        }

        if (!options.Contains("5"))
        {
            var six = Assert.Single(records, r => r.EtherType == 0x86DD && r.DestinationPort == 5683);
            Assert.Equal(("2001:db8::1", 17, 4L), (six.Source.ToString(), six.Protocol, six.Packets));
        }
    }

    /// <summary>An exporter counts from layer 3 on and 14 bytes are added for each packet, so frames without tags are the same to the byte.</summary>
    [Theory]
    [InlineData("-v", "9", "-T", "ether")]
    [InlineData("-v", "10", "-T", "ether")]
    [InlineData("-v", "10", "-b", "-T", "ether")]
    public async Task Devices_by_MAC_have_the_packets_bytes_and_connections_that_the_sensor_sees_in_the_same_capture(params string[] options)
    {
        var frames = Plant.Frames();
        var pcap = Plant.Pcap(frames);

        var told = Intervals(await Softflowd.ExportAsync(_folder, pcap, frames.Count, options));

        var seen = Plant.Observed(pcap);
        Assert.Equal(frames.Sum(f => (long)f.Frame.Length), seen.Sum(i => i.State.Bytes));
        Assert.Equal((seen.Sum(i => i.State.Packets), seen.Sum(i => i.State.Bytes)), (told.Sum(i => i.State.Packets), told.Sum(i => i.State.Bytes)));
        Assert.Equal(Devices(seen), Devices(told));

        // Of an echo and its answer in one record softflowd does not tell who asked.
        Assert.Equal(Flows(seen).Where(f => f.Item5 != "icmp" || !options.Contains("-b")), Flows(told).Where(f => f.Item5 != "icmp" || !options.Contains("-b")));
    }

    /// <summary>Then an address is a device, so one with IPv4 and IPv6 is two.</summary>
    [Theory]
    [InlineData("-v", "9")]
    [InlineData("-v", "10")]
    [InlineData("-v", "10", "-b")]
    public async Task Devices_by_address_have_the_bytes_that_the_sensor_sees_of_their_MACs(params string[] options)
    {
        var frames = Plant.Frames();
        var pcap = Plant.Pcap(frames);

        var told = Intervals(await Softflowd.ExportAsync(_folder, pcap, frames.Count, options));

        // The gateway is no device by address, as only what lies beyond it speaks.
        Assert.Equal(
            Plant.Observed(pcap).SelectMany(i => i.Devices).Where(d => (d.Mac & 0xFF) != 254).GroupBy(d => (int)(d.Mac & 0xFF)).OrderBy(g => g.Key).Select(g => (g.Key, g.Sum(d => d.Sent.Bytes), g.Sum(d => d.Received.Bytes))),
            told.SelectMany(i => i.Devices).GroupBy(d => (int)(d.BehindRouter.Low & 0xFF)).OrderBy(g => g.Key).Select(g => (g.Key, g.Sum(d => d.Sent.Bytes), g.Sum(d => d.Received.Bytes))));
    }

    [Fact]
    public async Task Tags_and_ARP_are_seen_by_the_sensor_only_and_padding_by_softflowd_too()
    {
        var (plain, frames) = (Plant.Frames(), Plant.WithLayer2());
        var pcap = Plant.Pcap(frames);

        var told = Intervals(await Softflowd.ExportAsync(_folder, pcap, plain.Count, "-v", "10", "-T", "ether"));

        var seen = Plant.Observed(pcap);
        var tags = frames.Count(f => f.Frame[12] == 0x81) * 4L;
        var arp = frames.Where(f => f.Frame[12] == 0x08 && f.Frame[13] == 0x06).ToList();
        var padding = frames.Sum(f => (long)f.Frame.Length) - plain.Sum(f => (long)f.Frame.Length) - tags - arp.Sum(f => (long)f.Frame.Length);
        Assert.True(tags > 100 && padding > 50 && arp.Count == 5, $"{tags} {padding}");
        Assert.Equal(seen.Sum(i => i.State.Bytes) - tags - arp.Sum(f => (long)f.Frame.Length), told.Sum(i => i.State.Bytes));
        Assert.Equal(seen.Sum(i => i.State.Packets) - arp.Count, told.Sum(i => i.State.Packets));
    }

    private static List<IntervalFeatures> Intervals(IReadOnlyList<FlowRecord> records)
    {
        using var intervals = new RecordIntervals(new());
        var now = records.Max(r => r.End);
        Assert.All(records, r => Assert.True(intervals.Add(r, now)));
        var told = new List<IntervalFeatures>();
        while (intervals.HoldsAny)
        {
            told.Add(intervals.Flush());
        }

        Assert.Equal((0, 0), (intervals.Late, intervals.Ahead));
        return told;
    }

    private static IEnumerable<(ulong, long, long, long, long, long, long, long)> Devices(List<IntervalFeatures> intervals) =>
        intervals.SelectMany(i => i.Devices).GroupBy(d => d.Mac).OrderBy(g => g.Key).Select(g => (
            g.Key, g.Sum(d => d.Sent.Packets), g.Sum(d => d.Sent.Bytes), g.Sum(d => d.Received.Packets), g.Sum(d => d.Received.Bytes), g.Sum(d => d.Multicasts), g.Sum(d => d.ConnectionsBegun), g.Sum(d => d.ConnectionsFailed)));

    private static IEnumerable<(string, int, string, int, string, long, long)> Flows(List<IntervalFeatures> intervals) =>
        intervals.SelectMany(i => i.Flows).GroupBy(f => ($"{f.Client}", f.ClientPort, $"{f.Server}", f.ServerPort, f.Service)).Select(g => (
            g.Key.Item1, g.Key.ClientPort, g.Key.Item3, g.Key.ServerPort, g.Key.Service, g.Sum(f => f.Up.Bytes), g.Sum(f => f.Down.Bytes))).Order();

    /// <summary>Twenty seconds of MQTT, ping, and CoAP over IPv6 (which NetFlow v5 cannot tell, so it is left out there).</summary>
    private static List<(double Time, byte[] Frame)> Capture()
    {
        var frames = new List<(double, byte[])>();
        for (var i = 0; i < 20; i++)
        {
            frames.Add((i, TestFrames.Tcp4(40000, 1883, 12, new byte[50 + i])));
            if (i % 2 == 0)
            {
                frames.Add((i + 0.1, Swapped(TestFrames.Tcp4(1883, 40000, 12, new byte[10]))));
            }
        }

        for (var i = 0; i < 3; i++)
        {
            frames.Add((i + 0.5, TestFrames.Ethernet(0x0800, TestFrames.IPv4(1, [8, 0, 0, 0, 0, 1, 0, (byte)i, .. new byte[40]]))));
            frames.Add((i + 0.51, Swapped(TestFrames.Ethernet(0x0800, TestFrames.IPv4(1, [0, 0, 0, 0, 0, 1, 0, (byte)i, .. new byte[40]])))));
        }

        return frames;
    }

    private static byte[] Swapped(byte[] frame) => [.. frame[6..12], .. frame[0..6], .. frame[12..26], .. frame[30..34], .. frame[26..30], .. frame[34..]];
}
