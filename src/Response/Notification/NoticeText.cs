using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;
using Sekisho.Response.Leases;

namespace Sekisho.Response.Notification;

/// <summary>What a notice says in a language: texts response.notice.NAME.subject and .text, and its lines. Pure.</summary>
internal static class NoticeText
{
    public static string Subject(LeaseNotice notice, Texts texts, string language) => Fill($"response.notice.{notice.Name}.subject", notice.Values, notice.Texts, texts, language);

    public static string Text(LeaseNotice notice, Texts texts, string language) => Fill($"response.notice.{notice.Name}.text", notice.Values, notice.Texts, texts, language);

    /// <summary>Its lines, each with its time in the field's zone.</summary>
    public static IEnumerable<(string Time, string Text)> Lines(LeaseNotice notice, FieldProfile? field, Texts texts, string language) =>
        notice.Lines.Select(l => (FindingSentence.Time(l.At, field), FindingSentence.OneLine(Fill(l.Key, l.Values, l.Texts, texts, language))));

    /// <summary>Text and lines as one text.</summary>
    public static string All(LeaseNotice notice, FieldProfile? field, Texts texts, string language, string between) =>
        string.Join(between, [Text(notice, texts, language), .. Lines(notice, field, texts, language).Select(l => $"{l.Time}: {l.Text}")]);

    private static string Fill(string key, IReadOnlyDictionary<string, string> values, IReadOnlyDictionary<string, string> named, Texts texts, string language) =>
        texts.Get(key, language, [.. values.Select(v => (v.Key, v.Value)), .. named.Select(n => (n.Key, texts.Get(n.Value, language)))]);
}
