using System.Globalization;
using System.Text.Json;

namespace Sekisho.Response.Actions.Ticket;

/// <summary>A JSON pointer (RFC 6901): "/data/0/id". Immutable; any thread.</summary>
internal sealed class JsonPointer
{
    public const int Longest = 200;

    private readonly IReadOnlyList<string> _steps;

    private JsonPointer(IReadOnlyList<string> steps) => _steps = steps;

    /// <summary>Reads a pointer to something inside of a document; null when it is none.</summary>
    public static JsonPointer? Parse(string? text)
    {
        if (text is null || text.Length is 0 or > Longest || text[0] != '/')
        {
            return null;
        }

        var steps = text[1..].Split('/');
        return steps.Any(IsBroken) ? null : new JsonPointer([.. steps.Select(s => s.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))]);
    }

    /// <summary>The text or number that stands there; null for anything else.</summary>
    public string? Text(JsonElement root)
    {
        foreach (var step in _steps)
        {
            if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty(step, out var member))
            {
                root = member;
            }
            else if (root.ValueKind == JsonValueKind.Array && IsIndex(step, out var index) && index < root.GetArrayLength())
            {
                root = root[index];
            }
            else
            {
                return null;
            }
        }

        return root.ValueKind switch
        {
            JsonValueKind.String => Whole(root),
            JsonValueKind.Number => root.GetRawText(),
            _ => null,
        };
    }

    private static bool IsBroken(string step)
    {
        for (var at = step.IndexOf('~', StringComparison.Ordinal); at >= 0; at = step.IndexOf('~', at + 1))
        {
            if (at + 1 >= step.Length || step[at + 1] is not ('0' or '1'))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsIndex(string step, out int index) =>
        int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out index) && (step.Length == 1 || step[0] != '0');

    // Half a surrogate pair cannot be taken as a text.
    private static string? Whole(JsonElement text)
    {
        try
        {
            return text.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
