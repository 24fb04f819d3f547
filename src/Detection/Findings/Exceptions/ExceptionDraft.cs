using System.Globalization;
using Sekisho.Api.Problems;
using Sekisho.Detection.Templates;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Events;
using Sekisho.Domain.Localization;

namespace Sekisho.Detection.Findings.Exceptions;

/// <summary>An exception as a person writes it. What is null does not narrow it.</summary>
/// <param name="Kind">One of <see cref="ExceptionKinds"/>.</param>
/// <param name="Condition">Key of the condition.</param>
/// <param name="Scope">Scope of the conditions.</param>
/// <param name="Subject">The one device, user, sender …</param>
/// <param name="Group">"kind:NAME", "parent:DEVICE", "user:USER" or "place:NAME".</param>
/// <param name="Value">The claim it allows, as evidence names it.</param>
/// <param name="Until">When it ends.</param>
/// <param name="Reason">Why, 1 to 500 characters in one line.</param>
/// <param name="Days">For a preview: how many days back, 1 to 365.</param>
/// <param name="Revision">For a change: the revision that was read.</param>
internal sealed record ExceptionDraft(
    string? Kind, string? Condition, string? Scope, string? Subject, string? Group, string? Value, DateTimeOffset? Until, string? Reason, int? Days = null, int? Revision = null)
{
    /// <summary>The event that puts it in force.</summary>
    public ExceptionChangedEvent Change(string? fieldId, string id, string by, DateTimeOffset now, string correlationId) => new()
    {
        ArrivedAt = now,
        CorrelationId = correlationId,
        FieldId = fieldId,
        ExceptionId = id,
        InForce = true,
        Kind = Kind!,
        Scope = Scope,
        ConditionKey = Condition,
        Subject = Subject,
        Group = Group,
        Value = Value,
        Until = Until?.ToUniversalTime(),
        By = by,
        Reason = Reason,
    };
}

/// <summary>
/// What an exception must say. It must be narrower than "everything", a mute ends within 90 days and an accepted risk within 366: what nobody looks at
/// again must not stay quiet for ever. Only what was learnt as normal may last. Pure.
/// </summary>
internal static class ExceptionRules
{
    public const int LongestReason = 500;

    private const int LongestText = 256;
    private const int MuteDays = 90;
    private const int AcceptDays = 366;
    private static readonly string[] Groups = ["kind:", "parent:", "user:", "place:"];

    /// <summary>All faults of a draft.</summary>
    /// <param name="draft">The draft.</param>
    /// <param name="inForce">The template that the conditions come from; null while there is none.</param>
    /// <param name="saving">True to insist on a reason.</param>
    /// <param name="now">The present.</param>
    /// <param name="texts">The texts.</param>
    /// <param name="language">Language of the faults.</param>
    public static IReadOnlyList<Fault> Faults(ExceptionDraft draft, Template? inForce, bool saving, DateTimeOffset now, Texts texts, string language)
    {
        var faults = new List<Fault>();
        void Add(string place, string key, params (string, string)[] values) => faults.Add(new Fault(place, texts.Get("detection.fault." + key, language, values)));
        if (draft.Kind is null || !ExceptionKinds.All.Contains(draft.Kind))
        {
            Add("/kind", "one-of", ("allowed", string.Join(", ", ExceptionKinds.All)));
        }

        if (draft.Scope is not null && !Scopes.All.Contains(draft.Scope))
        {
            Add("/scope", "one-of", ("allowed", string.Join(", ", Scopes.All)));
        }

        if (draft.Condition is not null && inForce?.Conditions.Any(c => c.Key == draft.Condition) != true)
        {
            Add("/condition", "one-of", ("allowed", string.Join(", ", inForce?.Conditions.Select(c => c.Key) ?? [])));
        }

        if (draft.Condition is null && draft.Subject is null && draft.Group is null && draft.Value is null)
        {
            Add("/condition", "exception-all");
        }

        foreach (var (place, text) in ((string, string?)[])[("/subject", draft.Subject), ("/group", draft.Group), ("/value", draft.Value)])
        {
            if (text is not null && !IsLine(text, LongestText))
            {
                Add(place, "line", ("most", LongestText.ToString(CultureInfo.InvariantCulture)));
            }
        }

        if (draft.Group is { } group && !Groups.Any(g => group.StartsWith(g, StringComparison.Ordinal) && group.Length > g.Length))
        {
            Add("/group", "group");
        }

        if (saving && (draft.Reason is null || !IsLine(draft.Reason, LongestReason)))
        {
            Add("/reason", "line", ("most", LongestReason.ToString(CultureInfo.InvariantCulture)));
        }

        if (draft.Days is < 1 or > 365)
        {
            Add("/days", "whole", ("least", "1"), ("most", "365"));
        }

        var most = draft.Kind switch
        {
            ExceptionKinds.Mute => MuteDays,
            ExceptionKinds.Accept => AcceptDays,
            _ => 0,
        };
        if (draft.Until is { } until ? until <= now || (most > 0 && until > now.AddDays(most)) : saving && most > 0)
        {
            Add("/until", most > 0 ? "until-within" : "until", ("days", most.ToString(CultureInfo.InvariantCulture)));
        }

        return faults;
    }

    /// <summary>True for 1 to so many characters in one line.</summary>
    public static bool IsLine(string text, int longest) => text.Trim().Length > 0 && text.Length <= longest && !text.Any(char.IsControl);
}
