using System.Text.Json;
using Sekisho.Api.Problems;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Localization;

namespace Sekisho.Response.Notification.Webhooks;

/// <summary>A named webhook as an administrator sends it.</summary>
internal sealed record HookRequest
{
    /// <summary>1 to 100 characters.</summary>
    public string? Name { get; init; }

    /// <summary>https address; http only on loopback.</summary>
    public string? Url { get; init; }

    /// <summary>"ja" or "en".</summary>
    public string? Language { get; init; }

    /// <summary>What it is told of; null for everything.</summary>
    public HookFilterRequest? Include { get; init; }

    /// <summary>What it is not told of.</summary>
    public HookFilterRequest? Exclude { get; init; }

    /// <summary>A JSON object with places in its texts, as JSON or as a text that holds it; null for the gateway's own body.</summary>
    public JsonElement? Template { get; init; }

    /// <summary>Further header fields; a value that is null is kept.</summary>
    public IReadOnlyDictionary<string, string?>? Headers { get; init; }

    /// <summary>True to replace the secret.</summary>
    public bool NewSecret { get; init; }

    /// <summary>All that is wrong, and what it comes to when nothing is. Pure but for the secret.</summary>
    public (Hook? Hook, IReadOnlyList<Fault> Faults) Read(string id, string? fieldId, Hook? before, Texts texts, string language)
    {
        var faults = new List<Fault>();
        void Wrong(string place, string key, string value = "") => faults.Add(new Fault(place, texts.Get(key, language, ("value", value))));

        if (Name is not { Length: > 0 and <= Hook.LongestName } || FindingSentence.OneLine(Name) != Name || string.IsNullOrWhiteSpace(Name))
        {
            Wrong("/name", "webhook.fault.name", $"{Hook.LongestName}");
        }

        if (!NotificationRequest.IsWebhook(Url ?? ""))
        {
            Wrong("/url", "response.fault.url");
        }

        if (!Texts.Languages.Contains(Language ?? ""))
        {
            Wrong("/language", "webhook.fault.one-of", string.Join(", ", Texts.Languages));
        }

        var include = ReadFilter(Include, "/include", Wrong);
        var exclude = ReadFilter(Exclude, "/exclude", Wrong);
        var template = TextOf(Template);
        foreach (var (key, value) in template is null ? [] : BodyTemplate.Check(template, BodyValues.Places))
        {
            Wrong("/template", key, value);
        }

        var headers = HeaderFields.Read(Headers, before is null ? null : (before.Url, before.Headers), Url ?? "", (name, key, value) => Wrong("/headers/" + name, key, value));
        return faults.Count > 0 ? (null, faults) : (new Hook
        {
            Id = id,
            FieldId = fieldId,
            Name = Name!,
            Url = Url!,
            Secret = before is null || NewSecret ? Hook.NewSecret() : before.Secret,
            Language = Language!,
            Include = include,
            Exclude = exclude,
            Template = template,
            Headers = headers,
        }, []);
    }

    /// <summary>A template as text; null for none.</summary>
    public static string? TextOf(JsonElement? template) => template switch
    {
        null or { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined } => null,
        { ValueKind: JsonValueKind.String } text => IsWhole(text) ? text.GetString() : "",
        { } json => json.GetRawText(),
    };

    // Half a surrogate pair cannot be taken as a text.
    private static bool IsWhole(JsonElement text)
    {
        try
        {
            return text.GetString() is not null;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static HookFilter ReadFilter(HookFilterRequest? filter, string place, Action<string, string, string> wrong)
    {
        var (levels, risks) = (filter?.Levels ?? [], filter?.Risks ?? []);
        if (levels.Any(l => l is null || !Levels.All.Contains(l)))
        {
            wrong(place + "/levels", "webhook.fault.one-of", string.Join(", ", Levels.All));
        }

        if (risks.Any(r => r is null || !Risks.All.Contains(r)))
        {
            wrong(place + "/risks", "webhook.fault.one-of", string.Join(", ", Risks.All));
        }

        return new HookFilter([.. levels.OfType<string>().Distinct()], [.. risks.OfType<string>().Distinct()]);
    }
}

/// <summary>Levels and risks.</summary>
/// <param name="Levels">Null or empty: all where it includes, none where it excludes.</param>
/// <param name="Risks">The same for risks.</param>
internal sealed record HookFilterRequest(IReadOnlyList<string?>? Levels, IReadOnlyList<string?>? Risks);
