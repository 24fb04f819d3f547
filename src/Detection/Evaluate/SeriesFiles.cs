using System.Globalization;
using System.Text.Json;

namespace Sekisho.Detection.Evaluate;

/// <summary>Rows of one run of the SKAB testbed.</summary>
/// <param name="Name">File name.</param>
/// <param name="Times">Times, Unix milliseconds.</param>
/// <param name="Channels">Values of each sensor.</param>
/// <param name="IsAnomaly">Label of each row.</param>
internal sealed record Run(string Name, IReadOnlyList<long> Times, IReadOnlyList<IReadOnlyList<double>> Channels, IReadOnlyList<bool> IsAnomaly);

/// <summary>Reads recorded series as the public benchmarks store them.</summary>
internal static class SeriesFiles
{
    /// <summary>The Numenta Anomaly Benchmark: data/GROUP/FILE.csv (timestamp,value) and labels/combined_windows.json.</summary>
    public static IReadOnlyList<Series> Nab(string folder)
    {
        using var labels = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "labels", "combined_windows.json")));
        var data = Path.Combine(folder, "data");
        var result = new List<Series>();
        foreach (var file in Directory.EnumerateFiles(data, "*.csv", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var name = Path.GetRelativePath(data, file).Replace('\\', '/');
            var (times, values) = (new List<long>(), new List<double>());
            foreach (var cells in Rows(file, ','))
            {
                times.Add(Time(cells[0]));
                values.Add(Number(cells[1]));
            }

            (int First, int Last)[] windows = [.. labels.RootElement.GetProperty(name).EnumerateArray().Select(w => (times.IndexOf(Time(w[0].GetString()!)), times.IndexOf(Time(w[1].GetString()!))))];
            if (windows.Any(w => w.First < 0 || w.Last < w.First))
            {
                throw new InvalidDataException($"{name}: a window in combined_windows.json begins or ends at no row of the file.");
            }

            result.Add(new Series(name, times, values, windows));
        }

        return result;
    }

    /// <summary>SKAB: FILE.csv with datetime, sensors, anomaly, changepoint, separated by semicolons.</summary>
    public static IReadOnlyList<Run> Skab(string folder)
    {
        var result = new List<Run>();
        foreach (var file in Directory.EnumerateFiles(folder, "*.csv", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var rows = Rows(file, ';').ToList();
            var header = File.ReadLines(file).First().Split(';');
            var label = Array.IndexOf(header, "anomaly");
            if (label < 2)
            {
                continue;
            }

            var channels = Enumerable.Range(1, label - 1).Select(c => (IReadOnlyList<double>)[.. rows.Select(r => Number(r[c]))]).ToArray();
            result.Add(new Run(Path.GetRelativePath(folder, file).Replace('\\', '/'), [.. rows.Select(r => Time(r[0]))], channels, [.. rows.Select(r => Number(r[label]) > 0)]));
        }

        return result;
    }

    private static IEnumerable<string[]> Rows(string file, char separator) => File.ReadLines(file).Skip(1).Where(l => l.Length > 0).Select(l => l.Split(separator));

    private static double Number(string text) => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);

    private static long Time(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).ToUnixTimeMilliseconds();
}
