using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Sekisho.Domain.History;
using Sekisho.Response.Notification;
using Sekisho.Response.Soc.Receivers;

namespace Sekisho.Response.Soc.Events;

/// <summary>
/// Collects properties for one receiver: what is marked and not allowed is only named, what is inside another value as "outer.inner". A name that
/// is not known to be harmless is marked, so that what other stages add later does not leave unseen. One thread at a time.
/// </summary>
internal sealed class Privacy(IReadOnlyList<string> allowed)
{
    private const int LongestValue = 500;
    private const int MostValues = 40;

    // Numbers, times, spans, counts and stable names, in facts of findings and in details of records.
    private static readonly HashSet<string> Harmless = new(StringComparer.OrdinalIgnoreCase)
    {
        "age", "ahead", "allowed", "allowedDown", "allowedUp", "apart", "arrivalTime", "assurance", "at", "attempts", "back", "between", "billedDown", "billedUp", "bytes", "carrier", "cause", "changes",
        "closedAs", "contact", "correlationIds", "count", "day", "deviceTime", "distance", "effect", "event", "expectedHigh", "expectedLow", "failed", "failures", "finding", "first", "from", "gatewayDown",
        "hash", "holiday", "hours", "interval", "judge", "keyword", "kind", "known", "last", "late", "latest", "limit", "low", "high", "measured", "messages", "metric", "networks", "origin", "outcome", "pace", "parameter", "per", "percent",
        "period", "position", "rarer", "rate", "receiver", "records", "retracted", "revision", "seenDown", "seenUp", "sent", "series", "setAt", "shapes", "side", "silent", "since", "span", "stage", "state", "status",
        "stored", "templateId", "templateVersion", "to", "told", "undoAsked", "unexplained", "unit", "usual", "values", "version", "window", "within",
    };

    private static readonly Dictionary<string, string> Marked = new(StringComparer.OrdinalIgnoreCase)
    {
        ["source"] = PrivacyMarks.Addresses,
        ["sources"] = PrivacyMarks.Addresses,
        ["network"] = PrivacyMarks.Addresses,
        ["address"] = PrivacyMarks.Addresses,
        ["client"] = PrivacyMarks.Identifiers,
        ["new"] = PrivacyMarks.Identifiers,
        ["id"] = PrivacyMarks.Identifiers,
        ["messageIds"] = PrivacyMarks.Identifiers,
        ["supersedes"] = PrivacyMarks.Identifiers,
        ["target"] = PrivacyMarks.Identifiers,
        ["user"] = PrivacyMarks.Identifiers,
        ["userId"] = PrivacyMarks.Identifiers,
        ["assignee"] = PrivacyMarks.Operators,
        ["by"] = PrivacyMarks.Operators,
        ["sender"] = PrivacyMarks.Operators,
        ["signer"] = PrivacyMarks.Operators,
        ["error"] = PrivacyMarks.FreeText,
        ["note"] = PrivacyMarks.FreeText,
        ["reason"] = PrivacyMarks.FreeText,
        ["why"] = PrivacyMarks.FreeText,
        ["case"] = PrivacyMarks.Identifiers,
        ["place"] = PrivacyMarks.Names,
    };

    private readonly SortedDictionary<string, string> _kept = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _leftOut = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, string> Kept => _kept;

    public IReadOnlyList<string> LeftOut => [.. _leftOut];

    /// <summary>The mark of a property by its name; null when it is harmless.</summary>
    public static string? MarkOf(string name) => Harmless.Contains(name) ? null : Marked.GetValueOrDefault(name, PrivacyMarks.Details);

    /// <summary>The value when it may leave, else null and its name is noted. A value that is not there is not noted.</summary>
    public string? Pass(string name, string? value, string? mark)
    {
        if (string.IsNullOrEmpty(value))
        {
            return null;
        }

        // Whatever its name says, an address is an address.
        mark = IsAddress(value) ? PrivacyMarks.Addresses : mark;
        if (mark is null || allowed.Contains(mark))
        {
            return FindingSentence.Shortened(FindingSentence.OneLine(value), LongestValue);
        }

        _leftOut.Add(name);
        return null;
    }

    /// <summary>Passes a further property under its name.</summary>
    public string? Keep(string name, string? value, string? mark)
    {
        var passed = Pass(name, value, mark);
        if (passed is not null && _kept.Count < MostValues)
        {
            _kept[name] = passed;
        }

        return passed;
    }

    /// <summary>Passes what a record's details hold.</summary>
    /// <param name="record">The record.</param>
    /// <param name="except">Names that are shown elsewhere.</param>
    public void KeepDetails(HistoryRecord record, params ReadOnlySpan<string> except)
    {
        if (record.Details is null)
        {
            return;
        }

        using var document = JsonDocument.Parse(record.Details);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            KeepValue("details", document.RootElement, PrivacyMarks.Details);
            return;
        }

        foreach (var property in document.RootElement.EnumerateObject())
        {
            if (except.Contains(property.Name))
            {
                continue;
            }

            var value = property.Value;
            var mark = MarkOf(property.Name);

            // What a response works on is the device, or a word of ours.
            if (record.Kind == HistoryKinds.Response && property.Name == "target" && value.ValueKind == JsonValueKind.String && value.GetString() is "everyone" or "webhook" or "")
            {
                mark = null;
            }

            KeepValue(property.Name, value, mark);
        }
    }

    // What is built of further values is kept as JSON, without those that may not leave.
    private void KeepValue(string name, JsonElement value, string? mark)
    {
        if (IsBuilt(value))
        {
            Keep(name, Inside(name, value, mark)?.ToJsonString(), null);
        }
        else
        {
            Keep(name, TextOf(value), mark);
        }
    }

    /// <summary>
    /// What of a value may leave; null for nothing. What is inside another value needs the marks of all that it is inside of and its own, and
    /// <see cref="PrivacyMarks.Details"/>: the name around it may be a harmless one that means something else there.
    /// </summary>
    private JsonNode? Inside(string path, JsonElement value, string? mark)
    {
        if (!IsBuilt(value))
        {
            var text = Pass(path, TextOf(value), mark);
            return text is null || value.ValueKind == JsonValueKind.String ? text : JsonNode.Parse(value.GetRawText());
        }

        if (!allowed.Contains(PrivacyMarks.Details) || (mark is not null && !allowed.Contains(mark)))
        {
            _leftOut.Add(path);
            return null;
        }

        if (value.ValueKind == JsonValueKind.Array)
        {
            var items = value.EnumerateArray().Select(item => Inside(path, item, mark)).Where(item => item is not null).ToArray();
            return items.Length == 0 ? null : new JsonArray(items);
        }

        var members = new JsonObject();
        foreach (var member in value.EnumerateObject())
        {
            if (Inside($"{path}.{member.Name}", member.Value, MarkOf(member.Name)) is { } passed)
            {
                members[member.Name] = passed;
            }
        }

        return members.Count == 0 ? null : members;
    }

    private static bool IsBuilt(JsonElement value) => value.ValueKind == JsonValueKind.Object
        || (value.ValueKind == JsonValueKind.Array && value.EnumerateArray().Any(v => v.ValueKind is JsonValueKind.Object or JsonValueKind.Array));

    private static string? TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => null,
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Array => string.Join(", ", value.EnumerateArray().Select(v => v.ValueKind == JsonValueKind.String ? v.GetString() : v.GetRawText())),
        _ => value.GetRawText(),
    };

    private static bool IsAddress(string value) =>
        (value.Contains('.', StringComparison.Ordinal) || value.Contains(':', StringComparison.Ordinal))
        && value.Split(", ").Any(part => part.Count(c => c is '.' or ':') is >= 2 and <= 7 && (IPNetwork.TryParse(part, out _) || (IPAddress.TryParse(part, out var address) && (part.Contains(':', StringComparison.Ordinal) || address.ToString() == part))));
}
