using System.Globalization;
using System.Text.Json;
using Sekisho.Detection.Conditions;
using Sekisho.Domain.Detection;
using Sekisho.Scripting;

namespace Sekisho.Detection.ScriptRuns;

/// <summary>Reads a manifest from the JSON of the table that a script returns, and names everything that is wrong at once. Pure; one use.</summary>
internal sealed class ManifestReader
{
    private const int LongestText = 300;
    private const double LongestTime = 365 * 86_400;

    /// <summary>Names of the signals that a script may ask for.</summary>
    public static readonly IReadOnlyList<(string Name, SignalKind Kind)> Signals =
    [
        ("message", SignalKind.Message), ("repeat", SignalKind.Duplicate), ("refusal", SignalKind.Refusal), ("authentication", SignalKind.Authentication),
        ("device", SignalKind.Device), ("tick", SignalKind.Tick), ("sim", SignalKind.Sim), ("traffic", SignalKind.Traffic),
    ];

    private static readonly string[] Units = ["", "s", "bytes", "count"];

    private readonly List<ScriptWrong> _faults = [];

    private ManifestReader()
    {
    }

    /// <summary>Reads it.</summary>
    /// <param name="described">JSON list whose first element is the script's table.</param>
    /// <param name="faults">What is wrong; empty when nothing is.</param>
    /// <returns>The manifest; null when something is wrong.</returns>
    public static ScriptManifest? Read(ReadOnlyMemory<byte> described, out IReadOnlyList<ScriptWrong> faults)
    {
        var reader = new ManifestReader();
        faults = reader._faults;
        using var document = JsonDocument.Parse(described);
        var script = document.RootElement.GetArrayLength() > 0 ? document.RootElement[0] : default;
        if (script.ValueKind != JsonValueKind.Object || !script.TryGetProperty("manifest", out var manifest) || manifest.ValueKind != JsonValueKind.Object)
        {
            reader.Wrong("/manifest", "no-manifest");
            return null;
        }

        var read = reader.Manifest(script, manifest);
        return reader._faults.Count == 0 ? read : null;
    }

    private ScriptManifest Manifest(JsonElement script, JsonElement manifest)
    {
        Only(manifest, "/manifest", "kind", "title", "on", "state", "every", "findings");
        var kind = OneOf(manifest, "/manifest", "kind", ScriptKinds.All, ScriptKinds.Flow)!;
        var worker = kind == ScriptKinds.Worker;
        var function = worker ? "run" : "step";
        if (!script.TryGetProperty(function, out var step) || step.ValueKind != JsonValueKind.String || step.GetString() != "function")
        {
            Wrong("/" + function, "no-function", ("name", function));
        }

        var on = worker ? [] : On(manifest);
        return new ScriptManifest
        {
            Kind = kind,
            Title = Texts(manifest, "/manifest", "title"),
            On = on,
            StateBytes = worker ? ScriptManifest.WorkerState : (int)Number(manifest, "/manifest", "state", 16, ScriptManifest.MostState, 256),
            Every = worker || on.Contains(SignalKind.Tick) ? (long)(Number(manifest, "/manifest", "every", worker ? 10 : 60, LongestTime, worker ? 600 : 60) * 1000) : 0,
            Findings = Findings(manifest),
        };
    }

    private List<SignalKind> On(JsonElement manifest)
    {
        if (!manifest.TryGetProperty("on", out var on))
        {
            return [SignalKind.Message];
        }

        var kinds = new List<SignalKind>();
        foreach (var item in on.ValueKind == JsonValueKind.Array ? on.EnumerateArray().ToArray() : [])
        {
            var name = item.ValueKind == JsonValueKind.String ? item.GetString() : null;
            if (Signals.FirstOrDefault(s => s.Name == name) is { Name: not null } known && !kinds.Contains(known.Kind))
            {
                kinds.Add(known.Kind);
            }
            else
            {
                kinds.Clear();
                break;
            }
        }

        if (kinds.Count == 0)
        {
            Wrong("/manifest/on", "list-of", ("allowed", string.Join(", ", Signals.Select(s => s.Name))));
        }

        return kinds;
    }

    private List<ScriptFinding> Findings(JsonElement manifest)
    {
        var found = new List<ScriptFinding>();
        if (!manifest.TryGetProperty("findings", out var findings) || findings.ValueKind != JsonValueKind.Object || !findings.EnumerateObject().Any() || findings.EnumerateObject().Count() > ScriptManifest.MostFindings)
        {
            Wrong("/manifest/findings", "findings", ("most", ScriptManifest.MostFindings.ToString(CultureInfo.InvariantCulture)));
            return found;
        }

        foreach (var one in findings.EnumerateObject().OrderBy(f => f.Name, StringComparer.Ordinal))
        {
            var place = "/manifest/findings/" + one.Name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
            if (!ScriptName.IsGood(one.Name) || one.Value.ValueKind != JsonValueKind.Object)
            {
                Wrong(place, "name");
                continue;
            }

            Only(one.Value, place, "ja", "en", "risk", "threat", "level", "unit", "raiseAfter", "clearAfter", "repeatAfter", "lastsFor", "quietAfter");
            var quiet = Number(one.Value, place, "quietAfter", 0, LongestTime, 0);
            found.Add(new ScriptFinding
            {
                Name = one.Name,
                Sentence = Both(one.Value, place),
                Risk = OneOf(one.Value, place, "risk", Risks.All, null) ?? "",
                Threat = one.Value.TryGetProperty("threat", out _) ? OneOf(one.Value, place, "threat", Threats.All, null) : null,
                Level = OneOf(one.Value, place, "level", Levels.All, null) ?? "",
                Unit = OneOf(one.Value, place, "unit", Units, "") ?? "",
                Judgement = new Judgement(
                    (int)Number(one.Value, place, "raiseAfter", 1, 1000, 1),
                    (int)Number(one.Value, place, "clearAfter", 1, 1000, 1),
                    (long)(Number(one.Value, place, "repeatAfter", 0, LongestTime, 0) * 1000),
                    (long)(Number(one.Value, place, "lastsFor", 0, LongestTime, 0) * 1000)),
                QuietAfter = quiet == 0 ? long.MaxValue : (long)(quiet * 1000),
            });
        }

        return found;
    }

    private void Only(JsonElement table, string place, params ReadOnlySpan<string> known)
    {
        foreach (var property in table.EnumerateObject())
        {
            if (!known.Contains(property.Name))
            {
                Wrong(place + "/" + property.Name, "unknown", ("allowed", string.Join(", ", known.ToArray())));
            }
        }
    }

    private Bilingual Texts(JsonElement table, string place, string name)
    {
        if (table.TryGetProperty(name, out var texts) && texts.ValueKind == JsonValueKind.Object)
        {
            Only(texts, $"{place}/{name}", "ja", "en");
            return Both(texts, $"{place}/{name}");
        }

        Wrong($"{place}/{name}", "text", ("most", "300"));
        return new Bilingual("", "");
    }

    private Bilingual Both(JsonElement table, string place) => new(Text(table, place, "ja"), Text(table, place, "en"));

    private string Text(JsonElement table, string place, string name)
    {
        if (table.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 and <= LongestText } text && !text.Any(char.IsControl))
        {
            return text;
        }

        Wrong($"{place}/{name}", "text", ("most", LongestText.ToString(CultureInfo.InvariantCulture)));
        return "";
    }

    private string? OneOf(JsonElement table, string place, string name, IReadOnlyList<string> allowed, string? standard)
    {
        if (!table.TryGetProperty(name, out var value) && standard is not null)
        {
            return standard;
        }

        if (value.ValueKind == JsonValueKind.String && allowed.Contains(value.GetString()!))
        {
            return value.GetString();
        }

        Wrong($"{place}/{name}", "one-of", ("allowed", string.Join(", ", allowed.Where(a => a.Length > 0))));
        return standard;
    }

    private double Number(JsonElement table, string place, string name, double least, double most, double standard)
    {
        if (!table.TryGetProperty(name, out var value))
        {
            return standard;
        }

        if (value.ValueKind == JsonValueKind.Number && value.GetDouble() is var number && number >= least && number <= most)
        {
            return number;
        }

        Wrong($"{place}/{name}", "number", ("least", least.ToString(CultureInfo.InvariantCulture)), ("most", most.ToString(CultureInfo.InvariantCulture)));
        return standard;
    }

    private void Wrong(string place, string key, params (string, string)[] values) => _faults.Add(new ScriptWrong(place, key, values));
}
