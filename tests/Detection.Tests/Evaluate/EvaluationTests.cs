using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using Sekisho.Detection.Evaluate;
using Sekisho.Detection.Evaluate.Uplinks;
using Sekisho.Detection.Tests.Thresholds;

namespace Sekisho.Detection.Tests.Evaluate;

/// <summary>The whole command on recordings that are made here, in the formats of the public ones.</summary>
public sealed class EvaluationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sekisho-evaluate").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void All_sets_are_scored_and_every_row_is_written()
    {
        WriteNab();
        WriteSkab();
        WriteUplinks();
        var output = new StringWriter();
        TelemetryEvaluation.Run(new TelemetryOptions(_folder, Path.Combine(_folder, "out"), IsJson: true), "en", output, TextWriter.Null);
        var json = JsonDocument.Parse(output.ToString()).RootElement;
        var own = json.GetProperty("nab").EnumerateArray().First(e => e.GetProperty("name").GetString() == "sekisho");
        Assert.Equal(1, own.GetProperty("own").GetProperty("found").GetInt32());
        Assert.Equal(5, json.GetProperty("nab").GetArrayLength());
        Assert.InRange(json.GetProperty("skab").GetProperty("f1").GetDouble(), 0.3, 1);
        var rows = File.ReadAllLines(Path.Combine(_folder, "out", "nab", "sekisho", "made", "spike.csv"));
        Assert.Equal((2001, "timestamp,value,score,threshold,alert"), (rows.Length, rows[0]));
        Assert.Contains(rows[1500..1560], r => r.EndsWith(",1", StringComparison.Ordinal));
        Assert.All(rows[1..1400], r => Assert.Equal(5, r.Split(',').Length));
        Assert.True(File.Exists(Path.Combine(_folder, "out", "lorawan", "alerts.csv")));
        Assert.Equal(601, File.ReadAllLines(Path.Combine(_folder, "out", "skab", "1.csv")).Length);
    }

    [Fact]
    public void Tables_come_in_both_languages_and_missing_data_is_named()
    {
        WriteSkab();
        var output = new StringWriter();
        TelemetryEvaluation.Run(new TelemetryOptions(_folder, null, IsJson: false), "ja", output, TextWriter.Null);
        Assert.Contains("見逃し", output.ToString(), StringComparison.Ordinal);
        var e = Assert.Throws<DirectoryNotFoundException>(() => TelemetryEvaluation.Run(new TelemetryOptions(Path.Combine(_folder, "skab"), null, IsJson: false), "en", output, TextWriter.Null));
        Assert.Contains("--data", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Injected_faults_are_found_in_a_regular_fleet_and_the_recording_as_it_is_stays_quiet()
    {
        var result = UplinkTrial.Run(Fleet(), () => new LearnerWatch(0.2), seeds: 2);
        Assert.InRange(result.SilencePerDay, 0, 0.03);
        Assert.All(result.FalseAlerts, f => Assert.InRange(f.Value, 0, 1));
        Assert.Empty(result.Missed);
        Assert.All(Faults.All, name => Assert.Equal(10, result.Faults[name].Injected));
    }

    [Fact]
    public void Injection_depends_on_the_seed_only_and_leaves_other_devices_as_they_are()
    {
        var fleet = Fleet();
        var from = fleet[0].At + (7 * Draws.Day);
        foreach (var name in Faults.All)
        {
            var (one, faults) = Faults.Inject(fleet, name, from, 5);
            Assert.Equal(one, Faults.Inject(fleet, name, from, 5).Uplinks, (a, b) => a.At == b.At && a.Device == b.Device && a.Bytes == b.Bytes && a.Taken == b.Taken);
            Assert.NotEqual(faults, Faults.Inject(fleet, name, from, 6).Faults);
            Assert.All(faults, f => Assert.True(f.From >= from && f.To >= f.From));
            Assert.Equal(fleet.Where(u => u.At < from), one.Where(u => u.At < from));
        }
    }

    private static List<Uplink> Fleet()
    {
        var result = new List<Uplink>();
        for (var d = 0; d < 5; d++)
        {
            var draws = new Draws((ulong)(50 + d));
            for (var i = 0; i < 14 * 96; i++)
            {
                if (draws.Uniform() < 0.8)
                {
                    var at = Draws.Start + (i * 900_000L) + (long)(20_000 * draws.Uniform());
                    result.Add(new Uplink($"d{d}", "meter", at, at, 10 + (int)(3 * draws.Uniform()), [$"g{(draws.Uniform() < 0.1 ? 2 : 1)}"]));
                }
            }
        }

        return [.. result.OrderBy(u => u.At)];
    }

    private static string Stamp(long i) => DateTimeOffset.FromUnixTimeMilliseconds(i).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    private void WriteNab()
    {
        var draws = new Draws(1);
        Directory.CreateDirectory(Path.Combine(_folder, "nab", "data", "made"));
        Directory.CreateDirectory(Path.Combine(_folder, "nab", "labels"));
        File.WriteAllLines(Path.Combine(_folder, "nab", "data", "made", "spike.csv"), Enumerable.Range(0, 2000).Select(i => FormattableString.Invariant($"{Stamp(Draws.Start + (i * 300_000L))},{draws.Normal() + (i == 1550 ? 40 : 0)}")).Prepend("timestamp,value"));
        File.WriteAllText(
            Path.Combine(_folder, "nab", "labels", "combined_windows.json"),
            $$"""{"made/spike.csv":[["{{Stamp(Draws.Start + (1500 * 300_000L))}}.000000","{{Stamp(Draws.Start + (1600 * 300_000L))}}.000000"]]}""");
    }

    private void WriteSkab()
    {
        var draws = new Draws(2);
        Directory.CreateDirectory(Path.Combine(_folder, "skab"));
        File.WriteAllLines(
            Path.Combine(_folder, "skab", "1.csv"),
            Enumerable.Range(0, 600).Select(i => FormattableString.Invariant($"{Stamp(Draws.Start + (i * 1000L))};{draws.Normal() + (i >= 560 ? 60 + (5 * (i - 560)) : 0)};{draws.Normal()};{(i >= 560 ? 1.0 : 0.0)};0.0")).Prepend("datetime;A;B;anomaly;changepoint"));
    }

    private void WriteUplinks()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "lorawan"));
        using var file = new StreamWriter(new GZipStream(File.Create(Path.Combine(_folder, "lorawan", "uplinks.ndjson.gz")), CompressionLevel.Fastest));
        file.WriteLine("""{"deduplicationId":"x","deviceInfo":{},"margin":3}""");
        foreach (var u in Fleet())
        {
            file.WriteLine(JsonSerializer.Serialize(new
            {
                time = DateTimeOffset.FromUnixTimeMilliseconds(u.At),
                deviceInfo = new { devEui = u.Device, deviceProfileName = u.Kind },
                data = Convert.ToBase64String(new byte[u.Bytes]),
                rxInfo = u.Networks.Select(n => new { gatewayId = n }),
            }));
        }
    }
}
