using System.Globalization;

namespace Sekisho.Data.Tests.Captures;

/// <summary>What a recording adds up to.</summary>
internal sealed class RecordingTotals
{
    public long Packets { get; set; }

    public long Bytes { get; set; }

    /// <summary>Who sent, by MAC, and how much.</summary>
    public Dictionary<ulong, (long Packets, long Bytes)> Sent { get; } = [];

    public HashSet<(string Layer, string First, string Second)> Conversations { get; } = [];

    public void AddDevice(ulong mac, long bytes)
    {
        if ((mac & (1UL << 40)) == 0)
        {
            var sum = Sent.GetValueOrDefault(mac);
            Sent[mac] = (sum.Packets + 1, sum.Bytes + bytes);
        }
    }

    public void Add(string layer, string one, string other) =>
        Conversations.Add(string.CompareOrdinal(one, other) < 0 ? (layer, one, other) : (layer, other, one));

    /// <summary>As one line: "2 devices, Ethernet 1, …".</summary>
    public override string ToString() =>
        $"{Packets} packets, {Bytes} bytes, {Sent.Count} devices, {string.Join(", ", Conversations.GroupBy(c => c.Layer).Select(g => $"{g.Key} {g.Count()}"))}";
}

/// <summary>Recordings and what tshark counts in them.</summary>
internal static class TsharkTotals
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

    /// <summary>What tshark counts in a recording, compressed or not.</summary>
    public static RecordingTotals Of(string path)
    {
        var plain = path;
        if (path.EndsWith(".xz", StringComparison.Ordinal))
        {
            plain = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
            File.Copy(path, plain + ".xz");
            _ = Tshark.Run("xz", "--decompress", plain + ".xz").Count();
        }

        try
        {
            var totals = new RecordingTotals();
            foreach (var line in Tshark.Run("tshark", "-n", "-r", plain, "-T", "fields", "-e", "eth.src", "-e", "frame.len"))
            {
                var values = line.Split('\t');
                var bytes = long.Parse(values[1], CultureInfo.InvariantCulture);
                totals.Packets++;
                totals.Bytes += bytes;
                totals.AddDevice(Convert.ToUInt64(values[0].Replace(":", "", StringComparison.Ordinal), 16), bytes);
            }

            AddConversations(plain, totals);
            return totals;
        }
        finally
        {
            if (plain != path)
            {
                File.Delete(plain);
            }
        }
    }

    // Tables with a title such as "IPv4 Conversations" and a line for each conversation.
    private static void AddConversations(string path, RecordingTotals totals)
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
}
