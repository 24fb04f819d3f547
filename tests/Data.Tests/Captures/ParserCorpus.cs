using System.Text;
using Sekisho.Traffic.Files;
using Sekisho.Traffic.Headers;

namespace Sekisho.Data.Tests.Captures;

/// <summary>Every capture of the corpus through our parser and through tshark.</summary>
public class ParserCorpus(ITestOutputHelper output)
{
    /// <summary>Where tshark and the sensor differ by right. Each line covers the named fields of one file in so many packets, no more and no fewer.</summary>
    private static readonly Exemption[] Exemptions =
    [
        new("ipv6-mobility-dst-opts.pcap", ["has ports"], 1, "An option is longer than the header it is in; tshark stops, we do not read options and find UDP where the header's length says."),
        new("llc.pcap", ["source MAC", "destination MAC"], 1333, "tshark turns the bits of all FDDI addresses; those of this file stand in the order of Ethernet (AA-00-04, DECnet)."),
        new("nflog-http.pcap", ["source MAC"], 5, "tshark has no field for the address in the log's attribute."),
        new("trunc_ip6-trunc.pcap", ["source", "hops"], 1, "Cut inside the header; tshark shows what stands before the cut, we take no half header."),
        new("trunc_ipv4-internally-truncated-header.pcap", ["destination"], 1, "Cut inside the options; tshark has no destination then, though it was captured."),
        new("trunc_mpls-6in6-6in6-4in6-trunc.pcap", ["source", "destination", "protocol"], 1, "The innermost length is shorter than its header; we say what the header around it says."),
        new("tunnels_mpls-6in6-6in6-4in6-invalid-version-4.pcap", ["source", "destination", "protocol"], 1, "The innermost version is neither 4 nor 6; we say what the header around it says."),
        new("trunc_mpls-6in6-broken.pcap.gz", ["source"], 11, "A length shorter than its header; tshark shows the addresses before it notices, we believe none of it."),
        new("trunc_mpls-6in6-broken.pcap.gz", ["destination"], 9, "As above."),
        new("trunc_mpls-6in6-broken.pcap.gz", ["hops", "protocol"], 4, "As above."),
        new("tunnels_geneve-truncated.pcapng", ["source MAC", "destination MAC", "source", "destination", "tunnel source", "tunnel destination", "hops", "has ports"], 1, "Cut inside the inner Ethernet header; we say what the headers around it say."),
    ];

    [Fact]
    public void Lengths_devices_addresses_VLANs_protocols_and_ports_of_every_packet_are_those_that_tshark_reads()
    {
        var files = Files();
        var merged = Path.GetTempFileName();
        try
        {
            // One file with an interface for each, so that tshark starts once.
            _ = Tshark.Run("mergecap", ["-I", "none", "-a", "-w", merged, .. files]).Count();
            using var rows = Tshark.Rows(merged).GetEnumerator();
            var found = new Dictionary<(string File, string Field), List<string>>();
            long packets = 0;
            foreach (var file in files)
            {
                using var capture = CaptureFile.Open(file);
                var batch = new PacketHeader[32];
                for (var read = capture.Read(batch); read > 0; read = capture.Read(batch))
                {
                    foreach (var header in batch[..read])
                    {
                        Assert.True(rows.MoveNext(), $"tshark has no packet {packets}");
                        packets++;
                        foreach (var difference in rows.Current.Differences(header))
                        {
                            var key = (Path.GetFileName(file), string.Join(' ', difference.Split(' ')[..^1]));
                            if (!found.TryGetValue(key, out var list))
                            {
                                found.Add(key, list = []);
                            }

                            list.Add($"packet {packets} : {difference} in {rows.Current.Protocols}, {header.Marks}");
                        }
                    }
                }
            }

            Assert.False(rows.MoveNext(), "tshark has more packets");
            output.WriteLine($"{packets} packets of {files.Count} files");
            var text = new StringBuilder();
            text.AppendJoin('\n', Exemptions.SelectMany(e => e.Fields.Where(f => !found.ContainsKey((e.File, f))).Select(f => $"{e.File}, {f}: no packet differs any more")));
            foreach (var ((file, field), list) in found)
            {
                var exemption = Exemptions.SingleOrDefault(e => e.File == file && e.Fields.Contains(field));
                if (exemption?.Packets != list.Count)
                {
                    text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{file}, {field}: {list.Count} packets differ, {exemption?.Packets ?? 0} by right; the first: {list[0]}\n");
                }
            }

            Assert.True(text.Length == 0, text.ToString());
        }
        finally
        {
            File.Delete(merged);
        }
    }

    internal static IReadOnlyList<string> Files() =>
        [.. Directory.EnumerateFiles(Path.Combine(Tshark.Data, "parser-corpus")).Where(f => f.Contains(".pcap", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    private sealed record Exemption(string File, string[] Fields, int Packets, string Reason);
}
