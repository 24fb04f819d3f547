using System.Globalization;
using System.Text.Json;
using Sekisho.Api.Settings;
using Sekisho.Detection.Evaluate.Uplinks;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Localization;

namespace Sekisho.Detection.Evaluate.Fleets;

/// <summary>What to evaluate.</summary>
/// <param name="Folder">Folder with NAME/template.yaml and NAME/fleet.json; null for the shipped ones.</param>
/// <param name="DataFolder">Folder with recorded data (lorawan); null to simulate only.</param>
/// <param name="DocumentFolder">Folder for the two documents; null to print.</param>
/// <param name="Only">Only this template; null for all.</param>
/// <param name="IsJson">True for JSON.</param>
public sealed record TemplateEvaluationOptions(string? Folder, string? DataFolder, string? DocumentFolder, string? Only, bool IsJson);

/// <summary>Counts the false alarms of templates per device and month, on simulated and on recorded harmless operation apart.</summary>
public static class TemplateEvaluation
{
    private const ulong Seed = 20260401;
    private static readonly JsonSerializerOptions Indented = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    // Templates for sensors that send little, as the recorded ones do.
    private static readonly string[] Recorded = ["agriculture", "building-control", "smart-meter"];

    /// <summary>Evaluates and prints, or writes the documents.</summary>
    /// <exception cref="SettingsException">A template has faults.</exception>
    /// <exception cref="IOException">A folder or a file is missing.</exception>
    public static void Run(TemplateEvaluationOptions options, string language, TextWriter output)
    {
        var folder = options.Folder ?? new TemplateSettings().FolderInForce;
        var catalog = TemplateCatalog.Load(folder, new TemplateReader(DetectionFeature.Kinds));
        var uplinks = options.DataFolder is { } data ? UplinkFile.Read(Path.Combine(data, "lorawan", "uplinks.ndjson.gz")) : null;
        var results = new List<FalseAlarms>();
        foreach (var template in catalog.All.Where(t => options.Only is null || t.Id == options.Only))
        {
            if (Path.Combine(folder, template.Id, "fleet.json") is var file && File.Exists(file))
            {
                results.Add(TemplateTrial.Simulated(template, FleetFile.Read(file), Seed));
            }

            if (uplinks is not null && Recorded.Contains(template.Id))
            {
                results.Add(TemplateTrial.Recorded(template, uplinks));
            }
        }

        var texts = new Texts([typeof(TemplateEvaluation).Assembly]);
        if (options.DocumentFolder is { } documents)
        {
            File.WriteAllText(Path.Combine(documents, "template-false-alarms.md"), Document(results, catalog, texts, "en"));
            File.WriteAllText(Path.Combine(documents, "template-false-alarms.ja.md"), Document(results, catalog, texts, "ja"));
        }

        if (options.IsJson)
        {
            output.WriteLine(JsonSerializer.Serialize(results, Indented));
        }
        else
        {
            output.WriteLine(Table(results, catalog, texts, language));
        }
    }

    private static string Document(IReadOnlyList<FalseAlarms> results, TemplateCatalog catalog, Texts texts, string language) =>
        $"# {texts.Get("evaluate.templates.title", language)}\n\n{texts.Get("evaluate.templates.about", language, Figures())}\n\n{Table(results, catalog, texts, language)}\n\n{texts.Get("evaluate.templates.troubles", language, Figures())}\n";

    private static string Table(IReadOnlyList<FalseAlarms> results, TemplateCatalog catalog, Texts texts, string language)
    {
        var lines = new List<string>();
        foreach (var data in results.GroupBy(r => r.Data))
        {
            lines.Add($"## {texts.Get("evaluate.templates." + data.Key, language)}\n");
            lines.Add(texts.Get("evaluate.templates.head", language));
            lines.Add("|---|---|---|---|---|---|---|---|");
            lines.AddRange(data.Select(r => string.Join(" | ",
                $"| {catalog.Find(r.Template)!.Title.In(language)} `{r.Template}` {r.Version}",
                Whole(r.Devices), Short(r.DeviceMonths, 1), Whole(r.Alarms), Short(r.PerMonth, 3), Short(r.UpperBound, 3), Whole(r.Notes),
                r.Conditions.Count == 0 ? "– |" : string.Join(", ", r.Conditions.OrderByDescending(c => c.Value).Select(c => $"{c.Key} {c.Value}")) + " |")));
            lines.Add("");
        }

        return string.Join('\n', lines).TrimEnd();
    }

    private static (string, string)[] Figures() =>
    [
        ("days", Whole(TemplateTrial.Days)), ("learn", Whole(TemplateTrial.LearnDays)), ("outages", Short(Troubles.Outages, 0)), ("median", Short(Troubles.OutageMedianMinutes, 0)),
        ("longest", Short(Troubles.LongestOutage / 60, 0)), ("twice", Short(Troubles.Twice * 100, 0)), ("reboots", Short(Troubles.Reboots, 1)), ("steps", Short(Troubles.ClockSteps, 1)),
        ("addresses", Short(Troubles.Addresses, 0)), ("carriers", Short(Troubles.Carriers, 1)), ("cuts", Short(Troubles.PowerCuts, 1)), ("stops", Short(Troubles.GatewayStops, 0)),
        ("retries", Short(Troubles.Retries * 100, 0)), ("broken", Short(Troubles.Broken, 2)), ("mistyped", Short(Troubles.Mistyped, 0)),
    ];

    private static string Whole(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Short(double value, int digits) => value.ToString("F" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
