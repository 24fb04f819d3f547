using System.Diagnostics;
using System.Globalization;
using System.Net;
using Sekisho.Traffic.Records;
using Sekisho.Traffic.Tests.Capture;
using Sekisho.Verification.Processes;
using static Sekisho.Traffic.Tests.Records.Bytes;

namespace Sekisho.Traffic.Tests.Records;

/// <summary>A real collector takes our export; nfdump then says what it understood.</summary>
public sealed class NfcapdTests : IDisposable
{
    private const long Begin = 1_700_000_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("sekisho-nfcapd-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Flows_packets_bytes_and_times_are_understood()
    {
        var records = Enumerable.Range(0, 200).Select(i => new FlowRecord
        {
            Start = (Begin + i) * Second,
            End = ((Begin + i + 5) * Second) + 250_000_000,
            SourceMac = TestFrames.ClientMac,
            DestinationMac = TestFrames.ServerMac,
            Source = i % 2 == 0 ? Address("192.0.2.1") : Address("2001:db8::1"),
            Destination = i % 2 == 0 ? Address("192.0.2.2") : Address("2001:db8::2"),
            EtherType = i % 2 == 0 ? 0x0800 : 0x86DD,
            Protocol = i % 5 == 0 ? i % 2 == 0 ? 1 : 58 : 6,
            SourcePort = i % 5 == 0 ? i % 2 == 0 ? 8 : 128 : 40000 + i,
            DestinationPort = i % 5 == 0 ? 0 : 1883,
            Packets = 10 + i,
            Bytes = 1000 + i,
            ReversePackets = 5,
            ReverseBytes = 5_000_000_000 + i,
            TcpFlags = i % 5 == 0 ? 0 : 0x1B,
            ReverseTcpFlags = i % 5 == 0 ? 0 : 0x13,
            Vlan = 7,
        }).ToList();

        var rows = await CollectedAsync(records, expectedFlows: 400);

        Assert.Equal(400, rows.Count);
        Assert.Equal(records.Sum(r => r.Packets + r.ReversePackets), rows.Sum(row => Number(row, "ipkt")));
        Assert.Equal(records.Sum(r => r.Bytes + r.ReverseBytes), rows.Sum(row => Number(row, "ibyt")));
        var first = Assert.Single(rows, row => row["sp"] == "40002");
        Assert.Equal(
            ("192.0.2.1", "192.0.2.2", "1883", "TCP", "12", "1002"),
            (first["sa"], first["da"], first["dp"], first["pr"], first["ipkt"], first["ibyt"]));
        Assert.Equal((Time(Begin + 2), Time(Begin + 7)), (first["ts"], first["te"]));
        Assert.Equal("5.250", first["td"]);
        Assert.Equal(("...AP.SF", "02:00:00:00:00:01"), (first["flg"], first["ismc"]));
        Assert.Equal(("5", "5000000002"), Assert.Single(rows, row => row["dp"] == "40002") is { } back ? (back["ipkt"], back["ibyt"]) : default);
        Assert.Equal("2001:db8::1", Assert.Single(rows, row => row["sp"] == "40001")["sa"]);
        Assert.Equal(80, rows.Count(row => row["pr"] is "ICMP" or "ICMP6"));
        Assert.All(rows.Where(row => row["pr"] == "ICMP"), row => Assert.Equal("2048", row["dp"]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_capture_that_the_sensor_exports_arrives_with_its_flows_packets_and_bytes(bool bothDirections)
    {
        var frames = Plant.WithLayer2();
        var told = Plant.Observed(Plant.Pcap(frames));
        var records = told.SelectMany(FlowRecord.Of).ToList();
        var directions = told.SelectMany(i => i.Flows).Sum(f => bothDirections ? 1 : (f.Up.Packets > 0 ? 1 : 0) + (f.Down.Packets > 0 ? 1 : 0));

        var rows = await CollectedAsync(records, directions, bothDirections);

        Assert.Equal(frames.Count, rows.Sum(row => Number(row, "ipkt") + Number(row, "opkt")));
        Assert.Equal(frames.Sum(f => f.Frame.Length - 14L), rows.Sum(row => Number(row, "ibyt") + Number(row, "obyt")));
        var mqtt = rows.Where(row => row["sp"] == "40000" && row["dp"] == "1883").ToList();
        Assert.Equal(told.Count(i => i.Flows.Any(f => f.ClientPort == 40000)), mqtt.Count);
        Assert.Equal(frames.Where(f => f.Frame[12] != 0x81 ? Is(f.Frame, 14) : Is(f.Frame, 18)).Sum(f => f.Frame.Length - 14L), mqtt.Sum(row => Number(row, "ibyt")));

        // Each record tells of its own ten seconds.
        Assert.All(mqtt.Zip(mqtt.Skip(1)), pair => Assert.True(string.CompareOrdinal(pair.First["te"], pair.Second["ts"]) <= 0, $"{pair.First["te"]} {pair.Second["ts"]}"));

        static bool Is(byte[] frame, int ip) => frame.AsSpan(ip + 9, 1)[0] == 6 && frame.AsSpan(ip + 20, 4).SequenceEqual((byte[])[.. Two(40000), .. Two(1883)]);
    }

    [Fact]
    public async Task A_record_of_both_directions_is_understood_too()
    {
        var record = new FlowRecord
        {
            Start = Begin * Second,
            End = (Begin + 5) * Second,
            Source = Address("192.0.2.1"),
            Destination = Address("192.0.2.2"),
            EtherType = 0x0800,
            Protocol = 6,
            SourcePort = 40000,
            DestinationPort = 1883,
            Packets = 10,
            Bytes = 1000,
            ReversePackets = 7,
            ReverseBytes = 7000,
            TcpFlags = 0x1B,
        };

        var row = Assert.Single(await CollectedAsync([record], expectedFlows: 1, bothDirections: true));

        Assert.Equal(("10", "1000", "7", "7000", "...AP.SF"), (row["ipkt"], row["ibyt"], row["opkt"], row["obyt"], row["flg"]));
    }

    private static string Time(long seconds) => DateTimeOffset.FromUnixTimeSeconds(seconds).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    private static long Number(Dictionary<string, string> row, string column) => long.Parse(row[column], CultureInfo.InvariantCulture);

    private async Task<List<Dictionary<string, string>>> CollectedAsync(IReadOnlyList<FlowRecord> records, int expectedFlows, bool bothDirections = false)
    {
        var port = FreePort.Next();
        var start = new ProcessStartInfo("nfcapd", ["-b", "127.0.0.1", "-p", port.ToString(CultureInfo.InvariantCulture), "-w", _folder, "-t", "3600"]) { RedirectStandardError = true, RedirectStandardOutput = true };
        using var collector = Process.Start(start)!;
        var errors = collector.StandardError.ReadToEndAsync();
        var output = collector.StandardOutput.ReadToEndAsync();
        try
        {
            Assert.True(SpinWait.SpinUntil(() => IsBound(port), TimeSpan.FromSeconds(20)), "nfcapd does not listen.");
            using var exporter = await IpfixExporter.ConnectAsync(new(IPAddress.Loopback, port), overTcp: false, new() { BothDirections = bothDirections }, TimeProvider.System, CancellationToken.None);
            await exporter.SendAsync(records, CancellationToken.None);

            // Datagrams of a loopback socket are in the collector's queue when they are sent; when the queue is empty they are read.
            Assert.True(SpinWait.SpinUntil(() => Queued(port) == 0, TimeSpan.FromSeconds(20)), "nfcapd does not read.");
        }
        finally
        {
            NetworkLab.Tool("bash", "-c", string.Create(CultureInfo.InvariantCulture, $"kill -TERM {collector.Id}"));
            await collector.WaitForExitAsync();
        }

        var rows = Rows();
        Assert.True(rows.Count == expectedFlows, $"{rows.Count}\n{await errors}\n{await output}");
        return rows;
    }

    private List<Dictionary<string, string>> Rows()
    {
        var file = Assert.Single(Directory.GetFiles(_folder, "nfcapd.2*"));
        using var nfdump = Process.Start(new ProcessStartInfo("nfdump", ["-r", file, "-o", "csv"]) { RedirectStandardOutput = true, Environment = { ["TZ"] = "UTC" } })!;
        var text = nfdump.StandardOutput.ReadToEnd();
        nfdump.WaitForExit();
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var names = lines[0].Split(',');
        return [.. lines.Skip(1).TakeWhile(line => line.StartsWith("20", StringComparison.Ordinal)).Select(line => line.Split(',').Zip(names).ToDictionary(p => p.Second.Trim(), p => p.First.Trim()))];
    }

    private static bool IsBound(int port) => Row(port) is not null;

    private static long Queued(int port) => Row(port) is { } row ? long.Parse(row.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4].Split(':')[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture) : 0;

    private static string? Row(int port) => File.ReadLines("/proc/net/udp").FirstOrDefault(line => line.Contains(string.Create(CultureInfo.InvariantCulture, $":{port:X4} 00000000"), StringComparison.Ordinal));
}
