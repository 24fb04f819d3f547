using System.Diagnostics;
using Sekisho.EndToEnd.Tests;
using Sekisho.Traffic.Intervals;
using Sekisho.Traffic.Records;
using Sekisho.Wire.Features;

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

    [Fact]
    public void Intervals_of_a_log_have_the_packets_bytes_and_failed_connections_of_its_rows()
    {
        foreach (var file in Directory.GetFiles(s_folder, "*.conn.*"))
        {
            var records = Read(file).Records;
            using var intervals = new RecordIntervals(new() { OpenSeconds = 330, FlowsPerInterval = 100_000 });
            var (now, told) = (0L, new List<IntervalFeatures>());
            var begun = Stopwatch.GetTimestamp();
            foreach (var record in records)
            {
                now = Math.Max(now, record.End);
                while (!intervals.Add(record, now))
                {
                    Tell();
                }
            }

            while (intervals.HoldsAny)
            {
                Tell();
            }

            var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
            output.WriteLine($"{Path.GetFileName(file)}: {records.Count / seconds:0} records a second, {told.Count} intervals, {intervals.Empty} empty, {intervals.Shortened} shortened, {intervals.Late} late");
            var packets = records.Sum(r => Packets(r.Packets, r.Bytes) + Packets(r.ReversePackets!.Value, r.ReverseBytes!.Value));
            Assert.Equal((packets, records.Sum(r => r.Bytes + r.ReverseBytes) + (14 * packets)), (told.Sum(i => i.State.Packets), told.Sum(i => i.State.Bytes)));
            Assert.Equal(packets, told.SelectMany(i => i.Flows).Sum(f => f.Up.Packets + f.Down.Packets));
            Assert.Equal((0, 0L), (intervals.Ahead, told.Sum(i => i.State.FlowsOmitted)));

            // Those who began are local in these logs, with an address of 192.168.0.0/16.
            var failed = records.Count(r => r.ConnectionFailed is true && (r.TcpFlags & 2) != 0 && r.Packets > 0 && $"{r.Source}".StartsWith("192.168.", StringComparison.Ordinal));
            Assert.Equal(failed, told.SelectMany(i => i.Devices).Sum(d => d.ConnectionsFailed));

            void Tell()
            {
                if (intervals.Flush() is { State.Packets: > 0 } interval)
                {
                    told.Add(interval);
                }
            }
        }

        static long Packets(long packets, long bytes) => packets == 0 && bytes > 0 ? 1 : packets;
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
