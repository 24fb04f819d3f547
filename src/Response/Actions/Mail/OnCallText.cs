using System.Globalization;
using System.Net;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Localization;
using Sekisho.Response.Leases;
using Sekisho.Response.Notification.OnCall;

namespace Sekisho.Response.Actions.Mail;

/// <summary>Writes mails to people on call: what happened as to everybody else, and how to acknowledge. Any thread.</summary>
internal sealed class OnCallText(Texts texts, MailText mails, AcknowledgeLinks links)
{
    public MailContent Of(Lease lease, Finding finding) => mails.Of(lease, finding);

    public MailContent Retracted(Lease lease, Finding finding) => mails.Retracted(lease, finding, lease.Details.Retracted!);

    /// <summary>Puts the way to acknowledge above a mail: the person's own link, or the API where the gateway has no public address.</summary>
    public MailContent WithLink(MailContent content, Lease lease, string person, int round)
    {
        var first = mails.FieldOf(lease)?.Language == "en" ? "en" : "ja";
        string[] languages = [first, first == "en" ? "ja" : "en"];
        var link = links.Of(lease, person);
        var route = lease.FieldId is { } field ? $"POST /api/v1/fields/{field}/detections/handle" : "POST /ops/v1/detections/handle";
        (string, string)[] values = [("route", route), ("finding", lease.FindingId ?? ""), ("round", round.ToString(CultureInfo.InvariantCulture))];
        var how = languages.Select(l => texts.Get(link is null ? "notification.call.by-api" : "notification.call.by-link", l, values)).ToList();
        var subject = texts.Get("notification.call.subject", first, ("subject", content.Subject));
        return new MailContent(
            subject,
            $"{string.Join("\r\n", how)}\r\n{(link is null ? "" : link + "\r\n")}\r\n{content.Text}",
            content.Html.Replace(
                "<body>",
                $"<body>{string.Concat(how.Select(h => $"<p>{WebUtility.HtmlEncode(h)}</p>"))}{(link is null ? "" : $"<p><a href=\"{WebUtility.HtmlEncode(link)}\">{WebUtility.HtmlEncode(texts.Get("notification.link.button", first))}</a></p>")}",
                StringComparison.Ordinal));
    }
}
