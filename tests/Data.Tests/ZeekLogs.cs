using Sekisho.EndToEnd.Tests;
using Sekisho.Traffic.Records;

namespace Sekisho.Data.Tests;

/// <summary>The conn logs of IoT-23, labelled logs of Zeek and comma-separated copies of them.</summary>
public class ZeekLogs(ITestOutputHelper output)
{
    private static readonly string s_folder = Path.Combine(Site.Root, "..", "shared", "data", "iot23-flows");

    [Fact]
    public void Every_row_of_every_log_is_read()
    {
        var files = Directory.GetFiles(s_folder, "*.conn.*");
        Assert.Equal(7, files.Length);
        foreach (var file in files)
        {
            var rows = File.ReadLines(file).Count(line => line.Length > 0 && line[0] != '#') - (file.EndsWith(".csv", StringComparison.Ordinal) ? 1 : 0);

            var (records, labels, skipped) = Read(file);

            output.WriteLine($"{Path.GetFileName(file)}: {records.Count} records, {records.Sum(r => r.Packets + r.ReversePackets)} packets, {string.Join(", ", labels.GroupBy(l => l).Select(g => $"{g.Key} {g.Count()}"))}");
            Assert.Equal((rows, 0), (records.Count, skipped));
            Assert.All(labels, label => Assert.True(label.Equals("benign", StringComparison.OrdinalIgnoreCase) || label.Equals("malicious", StringComparison.OrdinalIgnoreCase), label));
            Assert.All(records, r => Assert.True(r.Start > 1_500_000_000_000_000_000 && r.End >= r.Start && r.Protocol is 1 or 6 or 17, r.ToString()));
        }
    }

    [Fact]
    public void The_labelled_log_and_its_copy_tell_the_same()
    {
        var log = Read(Path.Combine(s_folder, "CTU-IoT-Malware-Capture-42-1.conn.log.labeled"));
        var copy = Read(Path.Combine(s_folder, "CTU-Malware-Capture-42-1.conn.csv"));

        Assert.Equal(log.Records, copy.Records);
        Assert.Equal(log.Labels, copy.Labels);
    }

    private static (List<FlowRecord> Records, List<string> Labels, long Skipped) Read(string file)
    {
        using var text = new StreamReader(file);
        var reader = new ZeekConnReader(text);
        var (records, labels) = (new List<FlowRecord>(), new List<string>());
        while (reader.Read() is { } record)
        {
            records.Add(record);
            labels.Add(reader.Labels.Label);
        }

        return (records, labels, reader.Skipped);
    }
}
