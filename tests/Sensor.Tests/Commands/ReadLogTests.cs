using System.Text;
using System.Text.Json.Nodes;
using Sekisho.Sensor.Reading;
using Sekisho.Tests.Support;
using Sekisho.Traffic.Files;
using Sekisho.Traffic.Intervals;
using Sekisho.Traffic.Tests.Files;

namespace Sekisho.Sensor.Tests.Commands;

/// <summary><c>sensor --read</c> of conn logs of Zeek.</summary>
public sealed class ReadLogTests : IDisposable
{
    private const string Header = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n" +
        "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\n";

    private readonly string _folder = Directory.CreateTempSubdirectory("sekisho-log-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_log_is_told_as_a_capture_is_and_damaged_rows_are_counted()
    {
        var run = SensorProcess.Run("--read", Written("conn.log", Encoding.ASCII.GetBytes(Header + Row(1) + "no row at all\n" + Row(2))), "--json");

        var json = JsonNode.Parse(run.Output)!;
        Assert.Equal((0, "zeek", 16L), (run.Code, json["format"]!.GetValue<string>(), json["packets"]!.GetValue<long>()));
        Assert.Equal(2, json["flows"]!.GetValue<int>());
        Assert.Equal("""{"address":"192.168.1.1","port":53}""", new JsonObject { ["address"] = json["largestFlows"]![0]!["server"]!["address"]!.DeepClone(), ["port"] = json["largestFlows"]![0]!["server"]!["port"]!.DeepClone() }.ToJsonString());
        Assert.EndsWith("1 rows are damaged and were passed over.", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void A_compressed_log_is_read_and_one_that_was_cut_or_damaged_gives_its_rows_and_says_so()
    {
        var log = Encoding.ASCII.GetBytes(Header + string.Concat(Enumerable.Range(1, 5000).Select(Row)));
        var packed = Captures.Zip(log);
        Assert.Equal(("", 5000 * 8), Told(SensorProcess.Run("--read", Written("conn.log.gz", packed), "--json"), code: 0));

        var file = Written("cut.log.gz", packed[..(packed.Length / 2)]);
        var cut = Told(SensorProcess.Run("--read", file, "--json"), code: 0);
        Assert.StartsWith($"{file} ends inside a record; what stands before it was read.", cut.Errors, StringComparison.Ordinal);
        Assert.InRange(cut.Packets, 8, 4999 * 8);

        packed.AsSpan(packed.Length / 2, 1000).Fill(0xFF);
        file = Written("damaged.log.gz", packed);
        var damaged = Told(SensorProcess.Run("--read", file, "--json"), code: 1);
        Assert.StartsWith($"{file}: the compressed data is damaged", damaged.Errors, StringComparison.Ordinal);
        Assert.InRange(damaged.Packets, 8, 4999 * 8);
    }

    [Theory]
    [InlineData("#separator \\x09\n#path\tdns\n#fields\tts\tuid\tquery\n", "this is Zeek's log of \"dns\", not of connections")]
    [InlineData("#fields\tts\tuid\n", "this is no conn log of Zeek; it lacks the fields ")]
    public void Another_log_is_refused(string text, string expected)
    {
        var file = Written("other.log", Encoding.ASCII.GetBytes(text));

        var run = SensorProcess.Run("--read", file);

        Assert.Equal(1, run.Code);
        Assert.StartsWith($"{file}: {expected}", run.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void A_mutated_log_ends_with_sums_or_with_a_fault_that_has_a_text()
    {
        var random = Fuzz.Source(5104);
        var settings = new ObservationSettings { DeviceMemory = 1 };
        var seed = Encoding.ASCII.GetBytes(Header + string.Concat(Enumerable.Range(1, 40).Select(Row)));
        var (refused, damaged, read) = (0, 0, 0L);
        for (var round = Fuzz.Rounds(600); round > 0; round--)
        {
            var bytes = random.Next(2) == 0 ? (byte[])seed.Clone() : Captures.Zip(seed);
            bytes = random.Next(4) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
            for (var change = random.Next(8); change > 0 && bytes.Length > 0; change--)
            {
                bytes[random.Next(3) == 0 ? random.Next(Math.Min(bytes.Length, 300)) : random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            try
            {
                using var file = TrafficFile.Open(Written("mutated", bytes), settings);
                var totals = new TrafficTotals(mostFlows: 100);
                file.Run(totals.Add, _ => { }, TestContext.Current.CancellationToken);
                read += totals.Packets;
                damaged += file.Damage is null ? 0 : 1;
                Assert.NotNull(file.Damage is null ? "" : Sekisho.Sensor.Texts.FaultTexts.Of(file.Damage, "mutated", "en"));
                TotalsJson.Write(Stream.Null, totals, new TotalsJson.Source("-", file.Format, file.IsCut, []), top: 20);
            }
            catch (CaptureFileException)
            {
                refused++;
            }
        }

        Assert.True(read > 0 && damaged > 0 && refused > 0, $"{read} packets, {damaged} damaged, {refused} refused");
    }

    // Five packets there and three back.
    private static string Row(int number) =>
        $"15471272{number % 100:00}.987598\tC{number}\t192.168.1.{(number % 200) + 2}\t{40_000 + number}\t192.168.1.1\t53\tudp\tdns\t0.029483\t58\t146\tSF\t0\tDd\t5\t114\t3\t202\n";

    private static (string Errors, long Packets) Told(SensorRun run, int code)
    {
        Assert.Equal(code, run.Code);
        var json = JsonNode.Parse(run.Output)!;
        Assert.Equal(run.Errors, string.Join('\n', json["warnings"]!.AsArray().Select(w => w!.GetValue<string>())));
        return (run.Errors, json["packets"]!.GetValue<long>());
    }

    private string Written(string name, byte[] bytes)
    {
        var file = Path.Combine(_folder, name);
        File.WriteAllBytes(file, bytes);
        return file;
    }
}
