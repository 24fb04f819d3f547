using System.Globalization;
using System.Text.Json;
using Sekisho.Detection.Conditions;

namespace Sekisho.Detection.ScriptRuns;

/// <summary>What a script said of one of its findings.</summary>
/// <param name="Verdict">Violation or calm.</param>
/// <param name="Measured">What it measured.</param>
/// <param name="Expected">The most it expected; null when it names none.</param>
/// <param name="Values">Values for the sentence, in the order of their names.</param>
internal sealed record ScriptVerdict(Verdict Verdict, double Measured, double? Expected, IReadOnlyList<(string Name, string Value)> Values);

/// <summary>Reads what scripts return. Pure.</summary>
internal static class ScriptResult
{
    private const int MostValues = 16;
    private const int LongestValue = 100;

    /// <summary>Reads the claims of one device: an object of findings, each true, false, or an object of measured, expected and values.</summary>
    /// <param name="claims">What was returned.</param>
    /// <param name="manifest">What the script may find.</param>
    /// <param name="verdicts">Receives a verdict for each finding, in the manifest's order; null where nothing was said.</param>
    /// <returns>What is wrong; null when nothing is.</returns>
    public static string? Read(JsonElement claims, ScriptManifest manifest, ScriptVerdict?[] verdicts)
    {
        Array.Clear(verdicts);
        if (IsNothing(claims))
        {
            return null;
        }

        if (claims.ValueKind != JsonValueKind.Object)
        {
            return "what is found is returned as a table: { [\"NAME\"] = true }";
        }

        foreach (var claim in claims.EnumerateObject())
        {
            var index = IndexOf(manifest, claim.Name);
            if (index < 0)
            {
                return $"'{Cut(claim.Name)}' is no finding of the manifest";
            }

            if (Verdict(claim.Value, out verdicts[index]) is { } fault)
            {
                return $"'{claim.Name}': {fault}";
            }
        }

        return null;
    }

    /// <summary>True for null, and for an empty table, which Lua does not tell from an empty list.</summary>
    public static bool IsNothing(JsonElement value) =>
        value.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined || (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0);

    /// <summary>Fills {NAME} with the values, once: a value is never read as a place itself.</summary>
    public static string Fill(string sentence, IReadOnlyList<(string Name, string Value)> values)
    {
        var filled = new System.Text.StringBuilder(sentence.Length + 32);
        for (var i = 0; i < sentence.Length; i++)
        {
            var end = sentence[i] == '{' ? sentence.IndexOf('}', i) : -1;
            var name = end > 0 ? sentence[(i + 1)..end] : null;
            if (name is not null && values.FirstOrDefault(v => v.Name == name) is { Name: not null } value)
            {
                filled.Append(value.Value);
                i = end;
            }
            else
            {
                filled.Append(sentence[i]);
            }
        }

        return filled.ToString();
    }

    private static int IndexOf(ScriptManifest manifest, string name)
    {
        for (var i = 0; i < manifest.Findings.Count; i++)
        {
            if (manifest.Findings[i].Name == name)
            {
                return i;
            }
        }

        return -1;
    }

    private static string? Verdict(JsonElement value, out ScriptVerdict? verdict)
    {
        verdict = null;
        switch (value.ValueKind)
        {
            case JsonValueKind.True:
                verdict = new ScriptVerdict(Conditions.Verdict.Violation, 1, null, []);
                return null;
            case JsonValueKind.False:
                verdict = new ScriptVerdict(Conditions.Verdict.Calm, 0, null, []);
                return null;
            case JsonValueKind.Object:
                break;
            default:
                return "say true, false, or a table with measured, expected and values";
        }

        double? measured = null, expected = null;
        var values = new List<(string, string)>();
        foreach (var part in value.EnumerateObject())
        {
            switch (part.Name)
            {
                case "measured" when part.Value.ValueKind == JsonValueKind.Number:
                    measured = part.Value.GetDouble();
                    break;
                case "expected" when part.Value.ValueKind == JsonValueKind.Number:
                    expected = part.Value.GetDouble();
                    break;
                case "values" when part.Value.ValueKind == JsonValueKind.Object && part.Value.EnumerateObject().Count() <= MostValues:
                    values.AddRange(part.Value.EnumerateObject().Select(v => (v.Name, Written(v.Value))));
                    break;
                case "values" when IsNothing(part.Value):
                    break;
                default:
                    return $"'{Cut(part.Name)}' is not taken: measured and expected are numbers, values is a table of at most {MostValues} names";
            }
        }

        verdict = new ScriptVerdict(Conditions.Verdict.Violation, measured ?? 1, expected, values);
        return null;
    }

    private static string Written(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => Cut(value.GetString()!),
        JsonValueKind.Number => value.GetDouble().ToString("0.###", CultureInfo.InvariantCulture),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => "",
    };

    private static string Cut(string text)
    {
        var cut = text.Length <= LongestValue ? text : text[..LongestValue];
        return cut.Any(char.IsControl) ? string.Concat(cut.Select(c => char.IsControl(c) ? ' ' : c)) : cut;
    }
}
