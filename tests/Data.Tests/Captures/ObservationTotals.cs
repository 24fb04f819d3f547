using Sekisho.Traffic.Files;
using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Intervals;
using Sekisho.Wire.Features;

namespace Sekisho.Data.Tests.Captures;

/// <summary>Whole recordings through the tables of the sensor, against plain dictionaries that are filled packet by packet.</summary>
public class ObservationTotals(ITestOutputHelper output)
{
    public static TheoryData<string> Recordings => CaptureTotals.Recordings;

    [Theory]
    [MemberData(nameof(Recordings))]
    public void Devices_flows_packets_and_bytes_over_all_intervals_are_those_of_the_packets(string recording)
    {
        var (reckoned, observed) = (new Sums(), new Sums());
        var ports = new Dictionary<(NetAddress, NetAddress, byte, uint), (int, int)>();
        var intervals = 0;
        using var observation = new Observation(new ObservationSettings());
        using var capture = CaptureFile.Open(Path.Combine(Tshark.Data, recording));
        var batch = new PacketHeader[32];
        for (var read = capture.Read(batch); read > 0; read = capture.Read(batch))
        {
            foreach (var header in batch.AsSpan(0, read))
            {
                Reckon(reckoned, ports, header);
            }

            for (var rest = batch.AsSpan(0, read); rest.Length > 0;)
            {
                rest = rest[observation.Add(rest)..];
                if (rest.Length > 0)
                {
                    Take(observation.Flush());
                }
            }
        }

        Take(observation.Flush());
        output.WriteLine($"{intervals} intervals; {observed.Packets} packets, {observed.Bytes} bytes, {observed.Sent.Count} MACs, {observed.Flows.Count} flows, {observed.Services.Count} services: {string.Join(", ", observed.Services.Order())}");
        Assert.Equal((capture.Packets, capture.Bytes), (observed.Packets, observed.Bytes));
        Assert.Equal((reckoned.Packets, reckoned.Bytes), (observed.Packets, observed.Bytes));
        Equal(reckoned.Sent, observed.Sent);
        Equal(reckoned.Flows, observed.Flows);

        // Who never spoke is no device, so what was sent to it is not told.
        Equal(reckoned.Received.Where(r => reckoned.Sent.ContainsKey(r.Key)).ToDictionary(), observed.Received.Where(r => r.Value.Packets > 0).ToDictionary());
        Equal(reckoned.Broadcasts, observed.Broadcasts.Where(r => r.Value.Packets > 0).ToDictionary());

        void Take(IntervalFeatures interval)
        {
            Assert.Equal(intervals++, interval.Sequence);
            Assert.Equal((0, 0, 0), (interval.State.FlowsEvicted, interval.State.FlowsOmitted, interval.State.DevicesEvicted));
            observed.Packets += interval.State.Packets;
            observed.Bytes += interval.State.Bytes;
            foreach (var device in interval.Devices)
            {
                Sums.Add(observed.Sent, device.Mac, device.Sent.Packets, device.Sent.Bytes);
                Sums.Add(observed.Received, device.Mac, device.Received.Packets, device.Received.Bytes);
                Sums.Add(observed.Broadcasts, device.Mac, device.Broadcasts + device.Multicasts, 0);
            }

            foreach (var flow in interval.Flows)
            {
                // A host of IPv6 asks from :: before it has an address, so one end alone may have none.
                var end = !flow.Client.IsNone || !flow.Server.IsNone
                    ? (Client: $"{flow.Client}", Server: $"{flow.Server}")
                    : (Client: $"{flow.ClientMac:x}", Server: $"{flow.ServerMac:x}");
                var key = flow.Protocol is 1 or 2 or 58
                    ? Sums.Key(flow.EtherType, flow.Protocol, end.Client, end.Server, $"{flow.ClientPort}.{flow.ServerPort}")
                    : Sums.Key(flow.EtherType, flow.Protocol, $"{end.Client}:{flow.ClientPort}", $"{end.Server}:{flow.ServerPort}", "");
                Sums.Add(observed.Flows, key, flow.Up.Packets + flow.Down.Packets, flow.Up.Bytes + flow.Down.Bytes);
                observed.Services.Add(flow.Service);
            }
        }
    }

    private static void Reckon(Sums sums, Dictionary<(NetAddress, NetAddress, byte, uint), (int, int)> ports, PacketHeader header)
    {
        sums.Packets++;
        sums.Bytes += header.WireLength;
        Sums.Add(sums.Sent, header.SourceMac, 1, header.WireLength);
        if ((header.DestinationMac >> 40 & 1) == 0)
        {
            Sums.Add(sums.Received, header.DestinationMac, 1, header.WireLength);
        }
        else
        {
            Sums.Add(sums.Broadcasts, header.SourceMac, 1, 0);
        }

        if (header.IpVersion == 0)
        {
            Sums.Add(sums.Flows, Sums.Key(header.EtherType, 0, $"{header.SourceMac:x}:0", $"{header.DestinationMac:x}:0", ""), 1, header.WireLength);
            return;
        }

        int source = header.SourcePort, target = header.DestinationPort;
        if ((header.Marks & PacketMarks.Fragment) != 0)
        {
            var datagram = (header.Source, header.Destination, header.Protocol, header.Identification);
            if ((header.Marks & PacketMarks.LaterFragment) == 0)
            {
                ports[datagram] = (source, target);
            }
            else
            {
                (source, target) = ports.GetValueOrDefault(datagram);
            }
        }

        var key = header.Protocol is 1 or 2 or 58
            ? Sums.Key(header.EtherType, header.Protocol, $"{header.Source}", $"{header.Destination}", $"{(header.Protocol, source) switch { (1, 0) => 8, (1, 14) => 13, (58, 129) => 128, _ => source }}.{target}")
            : Sums.Key(header.EtherType, header.Protocol, $"{header.Source}:{source}", $"{header.Destination}:{target}", "");
        Sums.Add(sums.Flows, key, 1, header.WireLength);
    }

    private static void Equal<TKey>(Dictionary<TKey, (long Packets, long Bytes)> expected, Dictionary<TKey, (long Packets, long Bytes)> actual)
        where TKey : notnull
    {
        Assert.Empty(expected.Keys.Except(actual.Keys));
        Assert.Empty(actual.Keys.Except(expected.Keys));
        Assert.Empty(expected.Where(e => actual[e.Key] != e.Value).Select(e => $"{e.Key}: {e.Value} came, {actual[e.Key]} told"));
    }

    private sealed class Sums
    {
        public long Packets { get; set; }

        public long Bytes { get; set; }

        public Dictionary<ulong, (long Packets, long Bytes)> Sent { get; } = [];

        public Dictionary<ulong, (long Packets, long Bytes)> Received { get; } = [];

        public Dictionary<ulong, (long Packets, long Bytes)> Broadcasts { get; } = [];

        public Dictionary<string, (long Packets, long Bytes)> Flows { get; } = [];

        public HashSet<string> Services { get; } = [];

        public static string Key(int etherType, int protocol, string one, string other, string rest) =>
            string.CompareOrdinal(one, other) < 0 ? $"{etherType:x}/{protocol} {one} {other} {rest}" : $"{etherType:x}/{protocol} {other} {one} {rest}";

        public static void Add<TKey>(Dictionary<TKey, (long Packets, long Bytes)> sums, TKey key, long packets, long bytes)
            where TKey : notnull
        {
            var (before, size) = sums.GetValueOrDefault(key);
            sums[key] = (before + packets, size + bytes);
        }
    }
}
