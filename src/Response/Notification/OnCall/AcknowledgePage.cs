using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;

namespace Sekisho.Response.Notification.OnCall;

/// <summary>The page behind the link of an on-call mail. It needs nothing from elsewhere, and every value is escaped. Pure.</summary>
internal static class AcknowledgePage
{
    private const string Style =
        """
        body { font: 16px/1.6 "Hiragino Sans", "Noto Sans CJK JP", "Yu Gothic", "Segoe UI", sans-serif; color: #111; max-width: 40rem; margin: 0 auto; padding: 1rem; }
        h1 { font-size: 1.3rem; } th { text-align: left; vertical-align: top; padding-right: 1rem; white-space: nowrap; } td { overflow-wrap: anywhere; }
        button { font: inherit; font-weight: 700; padding: .8rem 1.5rem; margin: 1rem 0; width: 100%; }
        """;

    private static readonly HtmlEncoder Encoder = HtmlEncoder.Create(UnicodeRanges.All);

    /// <summary>What the page may do: show itself in its own style and send its own form back.</summary>
    public static readonly string Policy =
        $"default-src 'none'; style-src 'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

    /// <summary>The page for a link that is good.</summary>
    /// <param name="subject">What it shows.</param>
    /// <param name="token">The link's.</param>
    /// <param name="isNew">Something else was shown when the button was pressed.</param>
    /// <param name="directory">Names of devices.</param>
    /// <param name="texts">Texts.</param>
    /// <param name="language">The reader's.</param>
    public static string Of(AcknowledgeSubject subject, string token, bool isNew, IDeviceDirectory directory, Texts texts, string language)
    {
        var finding = subject.Finding;
        var device = finding.DeviceId is { } id ? directory.Device(id) : null;
        var rows = new List<(string Label, string Value)>
        {
            (texts.Get("response.mail.label.what", language), FindingSentence.Of(finding, subject.Field, device, texts, language)),
            (texts.Get("response.mail.label.level", language), texts.Get("response.level." + finding.Level, language)),
            (texts.Get("response.mail.label.risk", language), texts.Get("response.risk." + finding.Risk, language)),
            (texts.Get("response.mail.label.time", language), FindingSentence.Time(finding.RaisedAt, subject.Field)),
            (texts.Get("response.mail.label.field", language), subject.Field is { } field ? $"{field.Name} ({field.FieldId})" : texts.Get("response.gateway", language)),
            (texts.Get("response.mail.label.finding", language), finding.Id),
        };
        if (subject.Open.Count > 1)
        {
            rows.Add((texts.Get("notification.link.others", language), (subject.Open.Count - 1).ToString(CultureInfo.InvariantCulture)));
        }

        if (subject.Field is { ContactPoint.Length: > 0 } asked)
        {
            rows.Add((texts.Get("response.mail.label.contact", language), asked.ContactPoint));
        }

        var says = subject is { State: AcknowledgeState.Acknowledged, Lease.Details.Acknowledged: { } by }
            ? texts.Get("notification.link.acknowledged-by", language, ("by", by.By), ("at", FindingSentence.Time(by.At, subject.Field)))
            : texts.Get("notification.link." + (isNew ? "changed" : subject.State.ToString().ToLowerInvariant()), language);
        var form = subject.State != AcknowledgeState.Open ? "" :
            $"<form method=\"post\"><input type=\"hidden\" name=\"token\" value=\"{E(token)}\"><input type=\"hidden\" name=\"shown\" value=\"{E(subject.Shown)}\"><button type=\"submit\">{E(texts.Get("notification.link.button", language))}</button></form>";
        var table = string.Concat(rows.Select(r => $"<tr><th>{E(r.Label)}</th><td>{E(FindingSentence.OneLine(r.Value))}</td></tr>"));
        return Page(language, texts, $"<p>{E(says)}</p><table>{table}</table>{form}");
    }

    /// <summary>The page for whatever is no good link.</summary>
    public static string Nothing(Texts texts, string language) => Page(language, texts, $"<p>{E(texts.Get("notification.link.nothing", language))}</p>");

    private static string Page(string language, Texts texts, string body)
    {
        var title = E(texts.Get("notification.link.title", language));
        return $"<!DOCTYPE html>\n<html lang=\"{language}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><meta name=\"referrer\" content=\"no-referrer\">" +
            $"<title>{title}</title><style>{Style}</style></head><body><h1>{title}</h1>{body}</body></html>\n";
    }

    private static string E(string text) => Encoder.Encode(text);
}
