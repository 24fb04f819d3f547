using System.Globalization;
using Sekisho.Traffic.Files;
using Sekisho.Traffic.Headers;

namespace Sekisho.Data.Tests.Captures;

/// <summary>Whole recordings: what the headers of all packets add up to, against tshark's own sums.</summary>
public class CaptureTotals(ITestOutputHelper output)
{
    public static TheoryData<string> Recordings =>
    [
        "smart-home-week/blink-cam-01.pcap",
        "smart-home-week/lockly-hub-01.pcap",
        "smart-home-week/schlage-lock-01.pcap",
        "iot23-pcap/3-1-test.pcap",
        "iot23-pcap/4-1-2018-09-14-13-40-25-Philips-Hue-Bridge.pcap",
        "iot23-pcap/4-1-2018-10-25-14-06-32-192.168.1.132.pcap.xz",
        "iot23-pcap/42-1-2019-01-10-14-34-38-192.168.1.197.pcap",
    ];

    [Theory]
    [MemberData(nameof(Recordings))]
    public void Packets_bytes_devices_and_conversations_of_a_recording_are_those_that_tshark_counts(string recording)
    {
        var path = Path.Combine(Tshark.Data, recording);
        var ours = Read(path);
        var plain = path;
        if (path.EndsWith(".xz", StringComparison.Ordinal))
        {
            plain = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
            File.Copy(path, plain + ".xz");
            _ = Tshark.Run("xz", "--decompress", plain + ".xz").Count();
        }

        try
        {
            var theirs = new Totals();
            foreach (var line in Tshark.Run("tshark", "-n", "-r", plain, "-T", "fields", "-e", "eth.src", "-e", "frame.len"))
            {
                var values = line.Split('\t');
                theirs.Packets++;
                theirs.Bytes += long.Parse(values[1], CultureInfo.InvariantCulture);
                theirs.AddDevice(Convert.ToUInt64(values[0].Replace(":", "", StringComparison.Ordinal), 16));
            }

            AddConversations(plain, theirs);
            output.WriteLine($"{ours.Packets} packets, {ours.Bytes} bytes, {ours.Devices.Count} devices, {string.Join(", ", ours.Conversations.GroupBy(c => c.Layer).Select(g => $"{g.Key} {g.Count()}"))}");
            Assert.Equal(theirs.Packets, ours.Packets);
            Assert.Equal(theirs.Bytes, ours.Bytes);
            Assert.Equal(theirs.Devices.Order(), ours.Devices.Order());
            Assert.Equal(theirs.Conversations.Order(), ours.Conversations.Order());
        }
        finally
        {
            if (plain != path)
            {
                File.Delete(plain);
            }
        }
    }

    private static Totals Read(string path)
    {
        var totals = new Totals();
        using var capture = CaptureFile.Open(path);
        var batch = new PacketHeader[32];
        for (var read = capture.Read(batch); read > 0; read = capture.Read(batch))
        {
            foreach (var header in batch[..read])
            {
                totals.AddDevice(header.SourceMac);
                totals.Add("Ethernet", Mac(header.SourceMac), Mac(header.DestinationMac));
                if (header.IpVersion == 0)
                {
                    continue;
                }

                totals.Add(header.IpVersion == 4 ? "IPv4" : "IPv6", header.Source.ToString(), header.Destination.ToString());
                if (header.Protocol is 6 or 17 && header.Marks.HasFlag(PacketMarks.HasPorts))
                {
                    totals.Add(header.Protocol == 6 ? "TCP" : "UDP", $"{header.Source}:{header.SourcePort}", $"{header.Destination}:{header.DestinationPort}");
                }
            }
        }

        Assert.False(capture.Truncated);
        totals.Packets = capture.Packets;
        totals.Bytes = capture.Bytes;
        return totals;
    }

    // Tables with a title such as "IPv4 Conversations" and a line for each conversation.
    private static void AddConversations(string path, Totals totals)
    {
        var layer = "";
        foreach (var line in Tshark.Run("tshark", "-n", "-r", path, "-q", "-z", "conv,eth", "-z", "conv,ip", "-z", "conv,ipv6", "-z", "conv,tcp", "-z", "conv,udp"))
        {
            if (line.EndsWith(" Conversations", StringComparison.Ordinal))
            {
                layer = line.Split(' ')[0];
            }

            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 3 && words[1] == "<->")
            {
                totals.Add(layer, words[0], words[2]);
            }
        }
    }

    private static string Mac(ulong mac) => string.Join(':', mac.ToString("x12", CultureInfo.InvariantCulture).Chunk(2).Select(c => new string(c)));

    private sealed class Totals
    {
        public long Packets { get; set; }

        public long Bytes { get; set; }

        public HashSet<ulong> Devices { get; } = [];

        public HashSet<(string Layer, string First, string Second)> Conversations { get; } = [];

        public void AddDevice(ulong mac)
        {
            if ((mac & (1UL << 40)) == 0)
            {
                Devices.Add(mac);
            }
        }

        public void Add(string layer, string one, string other) =>
            Conversations.Add(string.CompareOrdinal(one, other) < 0 ? (layer, one, other) : (layer, other, one));
    }
}
