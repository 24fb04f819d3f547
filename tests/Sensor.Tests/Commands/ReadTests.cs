using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Sekisho.Sensor.Reading;
using Sekisho.Tests.Support;
using Sekisho.Traffic.Files;
using Sekisho.Traffic.Headers;
using Sekisho.Traffic.Intervals;
using Sekisho.Traffic.Records;
using Sekisho.Traffic.Tests.Files;
using Spectre.Console;

namespace Sekisho.Sensor.Tests.Commands;

/// <summary><c>sensor --read</c> as a process: what it prints, what it says is wrong, how it ends.</summary>
public sealed class ReadTests : IDisposable
{
    // A connection to an MQTT server over two intervals, a question to a name server, and who asks for an address.
    private static readonly (uint, byte[])[] s_frames =
    [
        (0, Packets.Tcp(1, 2, 50_000, 1883, Packets.Syn)),
        (0, Packets.Tcp(2, 1, 1883, 50_000, Packets.SynAck)),
        (1, Packets.Tcp(1, 2, 50_000, 1883, Packets.Push, payload: 100)),
        (1, Packets.Udp(1, 3, 40_000, 53, payload: 30)),
        (2, Packets.Udp(3, 1, 53, 40_000, payload: 60)),
        (3, Packets.Arp(3, 9)),
        (25, Packets.Tcp(2, 1, 1883, 50_000, Packets.Push, payload: 200)),
    ];

    private static readonly byte[] s_capture = Packets.Pcap(s_frames);

    // Captures.Pcap(2), packed by xz.
    private static readonly byte[] s_packed = Convert.FromBase64String(
        "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4ACLAD5dAGow0ch9i/gJm62US4rzSIc23MjTOc0sbCh1YVGhJJgnpDFp7Xp7D5cR7AX9RLE7qG4veAyUCd3fVvTtn6AAAAAAAbD7/H5jZm8AAVqMAQAAALrF6qKxxGf7AgAAAAAEWVo=");

    private readonly string _folder = Directory.CreateTempSubdirectory("sekisho-read-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_capture_is_told_as_one_JSON_object()
    {
        var file = Written("good.pcap", s_capture);

        var run = SensorProcess.Run("--read", file, "--json");

        Assert.Equal((0, ""), (run.Code, run.Errors));
        var json = JsonNode.Parse(run.Output)!;
        Assert.Equal((file, "pcap", false), (Text(json["file"]), Text(json["format"]), json["fileTruncated"]!.GetValue<bool>()));
        Assert.Equal((7L, (long)s_frames.Sum(f => f.Item2.Length)), (Number(json["packets"]), Number(json["bytes"])));
        Assert.Equal((0, 0, 0, 0), (Number(json["malformed"]), Number(json["truncated"]), Number(json["unknown"]), Number(json["evicted"])));
        Assert.Equal(("1970-01-01T00:16:40+00:00", "1970-01-01T00:17:05+00:00"), (Text(json["first"]), Text(json["last"])));

        var devices = json["devices"]!.AsArray();
        Assert.Equal([Packets.Mac(1), Packets.Mac(2), Packets.Mac(3)], devices.Select(d => Text(d!["mac"])));
        var one = devices[0]!;
        Assert.Equal(["10.0.0.1"], one["addresses"]!.AsArray().Select(Text));
        Assert.Equal((3, 54 + 154 + 72, 3, 54 + 254 + 102), (Number(one["sentPackets"]), Number(one["sentBytes"]), Number(one["receivedPackets"]), Number(one["receivedBytes"])));
        Assert.Equal((6, 690, 2, 1, 0), (Number(one["packets"]), Number(one["bytes"]), Number(one["peers"]), Number(one["connectionsBegun"]), Number(one["connectionsFailed"])));
        Assert.Equal((1, 1, 1), (Number(devices[2]!["broadcasts"]), Number(devices[2]!["arp"]), Number(devices[2]!["peers"])));

        Assert.Equal((3, 2), (Number(json["flows"]), Number(json["conversations"])));
        Assert.Equal("""{"ethernet":3,"ipv4":2,"ipv6":0,"tcp":1,"udp":1}""", json["conversationsByLayer"]!.ToJsonString());
        Assert.Equal("""{"arp":{"packets":1,"bytes":42},"dns":{"packets":2,"bytes":174},"mqtt":{"packets":4,"bytes":516}}""", json["protocols"]!.ToJsonString());
        var flow = json["largestFlows"]![0]!;
        Assert.Equal("""{"mac":"02:00:00:00:01:01","address":"10.0.0.1","port":50000}""", flow["client"]!.ToJsonString());
        Assert.Equal("""{"mac":"02:00:00:00:01:02","address":"10.0.0.2","port":1883}""", flow["server"]!.ToJsonString());
        Assert.Equal(("mqtt", 2, 208, 2, 308), (Text(flow["protocol"]), Number(flow["upPackets"]), Number(flow["upBytes"]), Number(flow["downPackets"]), Number(flow["downBytes"])));
        Assert.Single(JsonNode.Parse(SensorProcess.Run("--read", file, "--json", "--top", "1").Output)!["largestFlows"]!.AsArray());
    }

    [Fact]
    public void A_file_that_was_cut_gives_its_packets_and_a_warning()
    {
        var file = Written("cut.pcap", s_capture[..^5]);

        var run = SensorProcess.Run("--read", file, "--json");

        var json = JsonNode.Parse(run.Output)!;
        Assert.Equal(0, run.Code);
        Assert.Equal((6, 1, true), (Number(json["packets"]), Number(json["truncated"]), json["fileTruncated"]!.GetValue<bool>()));
        Assert.Equal($"{file} ends inside a record; what stands before it was read. The recording was cut off, or the file was copied in part.", run.Errors);
        Assert.Equal([run.Errors], json["warnings"]!.AsArray().Select(Text));
    }

    [Fact]
    public void A_damaged_file_gives_what_stands_before_the_damage_and_fails()
    {
        var bytes = (byte[])s_capture.Clone();
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(24 + (2 * (16 + 54)) + 8), 0x7FFF_FFFF);
        var file = Written("damaged.pcap", bytes);

        var run = SensorProcess.Run("--read", file, "--json");

        Assert.Equal((1, 2), (run.Code, Number(JsonNode.Parse(run.Output)!["packets"])));
        Assert.StartsWith($"{file}: the capture is damaged (", run.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("picture.pcap", "GIF89a picture", "this is no capture; it begins like 4749463839612070")]
    [InlineData("nothing.pcap", "", "the file is empty")]
    [InlineData("none.pcap", null, "there is no such file")]
    public void What_is_no_capture_is_refused_with_what_is_expected(string name, string? content, string expected)
    {
        var file = content is null ? Path.Combine(_folder, name) : Written(name, System.Text.Encoding.ASCII.GetBytes(content));

        var run = SensorProcess.Run("--read", file, "--json");

        Assert.Equal((1, ""), (run.Code, run.Output));
        Assert.StartsWith($"{file}: {expected}", run.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', run.Errors);
    }

    [Fact]
    public void A_folder_is_no_capture()
    {
        var run = SensorProcess.Run("--read", _folder);

        Assert.Equal((1, ""), (run.Code, run.Output));
        Assert.StartsWith(_folder + ":", run.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', run.Errors);
    }

    [Theory]
    [InlineData("en", "There is no packet in it.")]
    [InlineData("ja", "パケットがありません。")]
    public void A_capture_without_packets_says_so(string language, string expected)
    {
        var file = Written("header.pcap", Packets.Pcap());

        var run = SensorProcess.Run("--read", file, "--language", language);

        Assert.Equal((0, ""), (run.Code, run.Errors));
        Assert.Contains(expected, run.Output, StringComparison.Ordinal);
        Assert.Equal(0, Number(JsonNode.Parse(SensorProcess.Run("--read", file, "--json").Output)!["packets"]));
    }

    [Fact]
    public void Standard_input_is_read_and_refused_where_it_is_compressed()
    {
        var plain = SensorProcess.RunWith(s_capture, "--read", "-", "--json");
        Assert.Equal((0, 7), (plain.Code, Number(JsonNode.Parse(plain.Output)!["packets"])));

        var packed = SensorProcess.RunWith(Captures.Zip(s_capture), "--read", "-", "--json");
        Assert.Equal((1, ""), (packed.Code, packed.Output));
        Assert.Contains("Decompress", packed.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_in_gzip_and_xz_are_read()
    {
        var zipped = SensorProcess.Run("--read", Written("good.pcap.gz", Captures.Zip(s_capture)), "--json");
        Assert.Equal((0, "pcap.gz", 7), (zipped.Code, Text(JsonNode.Parse(zipped.Output)!["format"]), Number(JsonNode.Parse(zipped.Output)!["packets"])));

        var packed = SensorProcess.Run("--read", Written("good.pcap.xz", s_packed), "--json");
        Assert.Equal((0, "pcap.xz", 2), (packed.Code, Text(JsonNode.Parse(packed.Output)!["format"]), Number(JsonNode.Parse(packed.Output)!["packets"])));
    }

    [Theory]
    [InlineData("en", "Devices (bytes / packets)", "3 devices, 3 flows", "280 B / 3")]
    [InlineData("ja", "デバイス(バイト / パケット)", "デバイス3台、フロー3本", "280 B / 3")]
    public void Tables_are_printed_in_the_language_that_was_asked_for(string language, params string[] expected)
    {
        var run = SensorProcess.Run("--read", Written("good.pcap", s_capture), "--language", language);

        Assert.Equal((0, ""), (run.Code, run.Errors));
        Assert.All(expected, text => Assert.Contains(text, run.Output, StringComparison.Ordinal));
        Assert.Contains("10.0.0.1:50000", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Flows_are_exported_as_comma_separated_values()
    {
        var run = SensorProcess.Run("--read", Written("good.pcap", s_capture), "--export", "csv");

        Assert.Equal((0, ""), (run.Code, run.Errors));
        var lines = run.Output.Split('\n');
        Assert.Equal(FlowCsv.Header, lines[0]);
        var columns = FlowCsv.Header.Split(',');
        var rows = lines[1..].Select(line => columns.Zip(line.Split(',')).ToDictionary(c => c.First, c => c.Second)).ToList();
        Assert.Equal(3, rows.Count);
        var mqtt = Assert.Single(rows, r => r["service"] == "mqtt");
        Assert.Equal(
            ("10.0.0.1", "50000", "10.0.0.2", "1883", "2", "180", "2", "280", "1970-01-01T00:16:40.000000Z", "1970-01-01T00:17:05.000000Z"),
            (mqtt["source"], mqtt["source_port"], mqtt["destination"], mqtt["destination_port"], mqtt["packets"], mqtt["bytes"], mqtt["reverse_packets"], mqtt["reverse_bytes"], mqtt["start"], mqtt["end"]));

        // Records count from layer 3 on.
        Assert.Equal(s_frames.Sum(f => f.Item2.Length - 14), rows.Sum(r => int.Parse(r["bytes"], CultureInfo.InvariantCulture) + int.Parse(r["reverse_bytes"], CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void Flows_are_exported_to_a_collector_and_one_that_does_not_listen_is_told()
    {
        using var collector = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 30_000 };
        collector.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var file = Written("good.pcap", s_capture);

        var run = SensorProcess.Run("--read", file, "--export", "ipfix", "--collector", collector.LocalEndPoint!.ToString()!);

        Assert.Equal((0, ""), (run.Code, run.Errors));
        Assert.StartsWith("3 flow records in ", run.Output, StringComparison.Ordinal);
        var message = new byte[65_536];
        Assert.True(collector.Receive(message) > 16);
        Assert.Equal(10, BinaryPrimitives.ReadUInt16BigEndian(message));

        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var refused = SensorProcess.Run("--read", file, "--export", "ipfix", "--tcp", "--collector", closed.LocalEndPoint!.ToString()!);
        Assert.Equal((1, $"{closed.LocalEndPoint}: nobody listens there. Start the collector, or correct address and port."), (refused.Code, refused.Errors));
    }

    [Theory]
    [InlineData("--read FILE | --interface NAME")]
    [InlineData("--read FILE | --interface NAME", "--read", "a", "--interface", "b")]
    [InlineData("--export ipfix --collector HOST:PORT", "--read", "a", "--export", "ipfix")]
    [InlineData("--export ipfix --collector HOST:PORT", "--read", "a", "--collector", "localhost:2055")]
    [InlineData("--collector: HOST:PORT", "--read", "a", "--export", "ipfix", "--collector", "localhost")]
    [InlineData("--collector: HOST:PORT", "--read", "a", "--export", "ipfix", "--collector", "localhost:0")]
    [InlineData("'csv'", "--read", "a", "--export", "xml")]
    [InlineData("'ja'", "--read", "a", "--language", "fr")]
    [InlineData("--top: 0–1000000", "--read", "a", "--top", "-1")]
    [InlineData("--interval: 1–3600", "--read", "a", "--interval", "0")]
    [InlineData("--readers: 1–16", "--interface", "a", "--readers", "17")]
    [InlineData("--ring: 1–64", "--interface", "a", "--ring", "-5")]
    [InlineData("--ring", "--interface", "a", "--ring", "many")]
    [InlineData("--flow-memory: 1–65536", "--read", "a", "--flow-memory", "0")]
    [InlineData("--device-memory: 1–13", "--read", "a", "--device-memory", "65")]
    [InlineData("--local 300.0.0.0/8: 203.0.113.0/24, 2001:db8::/32 …", "--read", "a", "--local", "300.0.0.0/8")]
    [InlineData("--gateway: https://HOST:PORT", "--interface", "a", "--gateway", "http://gateway")]
    [InlineData("--unknown", "--read", "a", "--unknown")]
    [InlineData("--export", "--read", "a", "--export")]
    [InlineData("--read", "--read")]
    [InlineData("--ca", "enrol", "--gateway", "https://gateway")]
    public void Wrong_use_ends_with_2_and_says_what_is_expected(string expected, params string[] arguments)
    {
        var run = SensorProcess.Run(arguments);

        Assert.Equal(2, run.Code);
        Assert.Contains(expected, run.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Errors + run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_mutated_capture_ends_with_sums_that_agree_or_with_a_fault_that_has_a_text()
    {
        var random = Fuzz.Source(5103);
        var settings = new ObservationSettings { FlowMemory = 1, DeviceMemory = 1, FlowsPerInterval = int.MaxValue };
        byte[][] seeds =
        [
            s_capture, Captures.Pcap(20, isBig: true, isNano: true),
            [.. Captures.Section(false), .. Captures.Interface(false, LinkType.Ethernet, Captures.Option(false, 9, [9])), .. Enumerable.Range(1, 9).SelectMany(i => Captures.Enhanced(false, 0, (ulong)i << 40))],
        ];
        var (refused, damaged, read) = (0, 0, 0L);
        for (var round = Fuzz.Rounds(1500); round > 0; round--)
        {
            var bytes = (byte[])seeds[random.Next(seeds.Length)].Clone();
            for (var change = random.Next(1, 12); change > 0; change--)
            {
                bytes[random.Next(4) == 0 ? random.Next(Math.Min(bytes.Length, 64)) : random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            try
            {
                using var file = CaptureFile.Open(new MemoryStream(bytes));
                var totals = new TrafficTotals(mostFlows: 10);
                var reading = new CaptureReading(file, settings);
                reading.Run(totals.Add, _ => { }, TestContext.Current.CancellationToken);
                damaged += reading.Damage is null ? 0 : 1;
                read += totals.Packets;
                Assert.Equal((file.Packets, file.Bytes), (totals.Packets, totals.Bytes));
                var source = new TotalsJson.Source("-", file.Format, file.Truncated, []);
                TotalsJson.Write(Stream.Null, totals, source, top: 20);
                TotalsTables.Write(AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(TextWriter.Null) }), totals, source, top: 20, "en");
            }
            catch (CaptureFileException)
            {
                refused++;
            }
        }

        Assert.True(read > 0 && damaged > 0 && refused > 0, $"{read} packets, {damaged} damaged, {refused} refused");
    }

    private static long Number(JsonNode? node) => node!.GetValue<long>();

    private static string Text(JsonNode? node) => node!.GetValue<string>();

    private string Written(string name, byte[] bytes)
    {
        var file = Path.Combine(_folder, name);
        File.WriteAllBytes(file, bytes);
        return file;
    }
}
