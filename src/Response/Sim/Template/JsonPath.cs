using System.Globalization;
using System.Text.Json;

namespace Sekisho.Response.Sim.Template;

/// <summary>The part of JSONPath (RFC 9535) that names one place: $, .name, ['name'], [number]. Immutable; any thread.</summary>
internal sealed class JsonPath
{
    public const int Longest = 200;

    private readonly List<object> _steps; // string for a member, int for an element

    private JsonPath(List<object> steps) => _steps = steps;

    /// <summary>Reads a path; null when it is none.</summary>
    public static JsonPath? Parse(string? text)
    {
        if (text is null || text.Length is 0 or > Longest || text[0] != '$')
        {
            return null;
        }

        var steps = new List<object>();
        for (var at = 1; at < text.Length;)
        {
            if (Step(text, ref at) is not { } step)
            {
                return null;
            }

            steps.Add(step);
        }

        return new JsonPath(steps);
    }

    /// <summary>What stands there; null when nothing does.</summary>
    public JsonElement? Find(JsonElement root)
    {
        foreach (var step in _steps)
        {
            if (step is string name)
            {
                if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty(name, out root))
                {
                    return null;
                }
            }
            else if (root.ValueKind == JsonValueKind.Array && (int)step < root.GetArrayLength())
            {
                root = root[(int)step];
            }
            else
            {
                return null;
            }
        }

        return root.ValueKind is JsonValueKind.Null ? null : root;
    }

    /// <summary>The single value that stands there, as text; null for none.</summary>
    public string? Text(JsonElement root) => Find(root) switch
    {
        { ValueKind: JsonValueKind.String } value => value.GetString(),
        { ValueKind: JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False } value => value.GetRawText(),
        _ => null,
    };

    private static object? Step(string text, ref int at)
    {
        var from = at;
        if (text[at] == '.')
        {
            for (at++; at < text.Length && (char.IsLetterOrDigit(text[at]) || text[at] is '_' or '-'); at++)
            {
            }

            return at > from + 1 ? text[(from + 1)..at] : null;
        }

        var end = text[at] == '[' ? text.IndexOf(']', at) : -1;
        if (end < 0)
        {
            return null;
        }

        at = end + 1;
        var inner = text[(from + 1)..end];
        if (inner.Length > 2 && inner[0] == '\'' && inner[^1] == '\'')
        {
            return inner[1..^1].Contains('\'', StringComparison.Ordinal) || inner.Contains('\\', StringComparison.Ordinal) ? null : inner[1..^1];
        }

        return int.TryParse(inner, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < 10_000 ? index : null;
    }
}
