using System.Globalization;
using System.Text.Json;
using Sekisho.Detection.Evaluate.Uplinks;
using Sekisho.Domain.Localization;

namespace Sekisho.Detection.Evaluate;

/// <summary>What to evaluate.</summary>
/// <param name="DataFolder">Folder with any of nab, skab, lorawan in it.</param>
/// <param name="OutFolder">Folder for scores, thresholds and alerts as CSV; null for none.</param>
/// <param name="IsJson">True for one JSON object instead of tables.</param>
public sealed record TelemetryOptions(string DataFolder, string? OutFolder, bool IsJson);

/// <summary>
/// Runs the detectors of live telemetry over recorded series: one pass, no look-ahead, one setting for all. Public benchmarks are scored by their
/// own rules, beside peers run on the same files.
/// </summary>
public static class TelemetryEvaluation
{
    /// <summary>False alarms per device, metric and 30 days that the learners of uplinks are set for.</summary>
    private const double UplinkTarget = 0.2;

    private const int UplinkSeeds = 5;

    private static readonly JsonSerializerOptions Indented = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Evaluates and prints.</summary>
    /// <exception cref="IOException">The data folder has none of the sets, or one cannot be read.</exception>
    /// <param name="options">What to evaluate.</param>
    /// <param name="language">Language of the tables: "ja" or "en".</param>
    /// <param name="output">Takes the result.</param>
    /// <param name="progress">Takes a line per set and detector, as work goes on.</param>
    public static void Run(TelemetryOptions options, string language, TextWriter output, TextWriter progress)
    {
        string? Folder(string name) => Path.Combine(options.DataFolder, name) is var folder && Directory.Exists(folder) ? folder : null;
        var (nab, skab, lorawan) = (Folder("nab"), Folder("skab"), Folder("lorawan"));
        if (nab is null && skab is null && lorawan is null)
        {
            throw new DirectoryNotFoundException($"--data = '{options.DataFolder}': there is no folder nab, skab or lorawan in it.");
        }

        var entries = nab is null ? null : NabTrial.Run(SeriesFiles.Nab(nab), name => progress.WriteLine($"NAB: {name}"));
        var runs = skab is null ? null : SeriesFiles.Skab(skab);
        var uplinks = lorawan is null ? null : UplinkFile.Read(Path.Combine(lorawan, "uplinks.ndjson.gz"));
        progress.WriteLine("SKAB, LoRaWAN");
        var runResult = runs is null ? null : RunTrial.Score(runs);
        var uplinkResult = uplinks is null ? null : UplinkTrial.Run(uplinks, () => new LearnerWatch(UplinkTarget), UplinkSeeds);
        if (options.OutFolder is { } folder)
        {
            Write(folder, entries, runs, uplinks);
        }

        if (options.IsJson)
        {
            output.WriteLine(Json(entries, runResult, uplinkResult));
        }
        else
        {
            Print(output, new Texts([typeof(TelemetryEvaluation).Assembly]), language, entries, runResult, uplinkResult);
        }
    }

    private static void Write(string folder, IReadOnlyList<NabEntry>? entries, IReadOnlyList<Run>? runs, IReadOnlyList<Uplink>? uplinks)
    {
        foreach (var entry in entries ?? [])
        {
            var threshold = entry.Fixed?.Threshold ?? entry.Best.Threshold;
            foreach (var (series, scores) in entry.Scored.Select(s => (s.Series, s.Scores)))
            {
                var rows = series.Times.Select((at, i) => $"{Stamp(at)},{Number(series.Values[i])},{Number(scores[i])},{Number(threshold)},{(scores[i] >= threshold ? 1 : 0)}");
                Lines(Path.Combine(folder, "nab", entry.Name, series.Name), "timestamp,value,score,threshold,alert", rows);
            }
        }

        foreach (var run in runs ?? [])
        {
            var called = RunTrial.Label(run);
            Lines(Path.Combine(folder, "skab", run.Name), "timestamp,alert,label", run.Times.Select((at, i) => $"{Stamp(at)},{(called[i] ? 1 : 0)},{(run.IsAnomaly[i] ? 1 : 0)}"));
        }

        if (uplinks is not null)
        {
            var alerts = UplinkTrial.Play(uplinks, new LearnerWatch(UplinkTarget));
            Lines(Path.Combine(folder, "lorawan", "alerts.csv"), "timestamp,device,wrong,value,threshold", alerts.Select(a => $"{Stamp(a.At)},{a.Device},{a.Wrong},{Number(a.Value)},{Number(a.Limit)}"));
        }
    }

    private static void Lines(string file, string header, IEnumerable<string> rows)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllLines(file, rows.Prepend(header));
    }

    private static string Json(IReadOnlyList<NabEntry>? entries, RunResult? runs, UplinkResult? uplinks) => JsonSerializer.Serialize(
        new
        {
            nab = entries?.Select(e => new { e.Name, files = e.Scored.Count, best = e.Best, own = e.Fixed }),
            skab = runs,
            lorawan = uplinks is null ? null : new
            {
                uplinks.DeviceDays,
                uplinks.FalseAlerts,
                uplinks.SilencePerDay,
                faults = uplinks.Faults.Select(f => new { name = f.Key, f.Value.Injected, f.Value.Found, f.Value.InjectedHourly, f.Value.FoundHourly }),
                uplinks.Missed,
            },
        },
        Indented);

    private static void Print(TextWriter output, Texts texts, string language, IReadOnlyList<NabEntry>? entries, RunResult? runs, UplinkResult? uplinks)
    {
        string Text(string key, params ReadOnlySpan<(string, string)> values) => texts.Get("evaluate." + key, language, values);
        if (entries is not null)
        {
            output.WriteLine(Text("nab", ("files", Whole(entries[0].Scored.Count))));
            foreach (var (name, result) in entries.SelectMany(e => e.Fixed is null ? [(e.Name, e.Best)] : new[] { (e.Name, e.Best), ($"{e.Name} ({Text("own-threshold")})", e.Fixed) }))
            {
                output.WriteLine(Text("nab.row", ("name", name.PadRight(32)), ("score", Short(result.Normalised).PadLeft(6)), ("found", Whole(result.Found)), ("windows", Whole(result.Windows)), ("false", Whole(result.False)), ("threshold", result.Threshold.ToString("F4", CultureInfo.InvariantCulture))));
            }
        }

        if (runs is not null)
        {
            output.WriteLine(Text("skab", ("runs", Whole(runs.Runs)), ("f1", Short(runs.F1, 3)), ("wrong", Short(100 * runs.FalseAlarmShare)), ("missed", Short(100 * runs.MissedShare))));
        }

        if (uplinks is not null)
        {
            output.WriteLine(Text("lorawan", ("days", Short(uplinks.DeviceDays)), ("silence", Short(uplinks.SilencePerDay, 4))));
            output.WriteLine(Text("lorawan.false", ("counts", string.Join(", ", uplinks.FalseAlerts.Select(f => $"{f.Key} {f.Value}")))));
            foreach (var (name, count) in uplinks.Faults)
            {
                output.WriteLine(Text(
                    "lorawan.row",
                    ("name", name.PadRight(16)), ("found", Whole(count.Found)), ("injected", Whole(count.Injected)), ("foundHourly", Whole(count.FoundHourly)), ("injectedHourly", Whole(count.InjectedHourly))));
            }
        }
    }

    private static string Stamp(long at) => DateTimeOffset.FromUnixTimeMilliseconds(at).ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static string Whole(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Short(double value, int digits = 1) => value.ToString("F" + Whole(digits), CultureInfo.InvariantCulture);
}
