using System.Globalization;
using System.Net;
using System.Text;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;
using Sekisho.Response.Leases;
using Sekisho.Response.Notification;

namespace Sekisho.Response.Actions.Mail;

/// <summary>Subject and both bodies of a mail: the field's language first, the other one below.</summary>
internal sealed record MailContent(string Subject, string Text, string Html);

/// <summary>Writes mails. Names no unique ID and no payload. Any thread.</summary>
internal sealed class MailText(Texts texts, IDeviceDirectory directory)
{
    /// <summary>One finding.</summary>
    public MailContent Of(Lease lease, Finding finding)
    {
        var field = FieldOf(lease);
        var device = finding.DeviceId is { } id ? directory.Device(id) : null;
        return Write(field, language =>
        {
            var name = FindingSentence.DeviceName(finding, device, texts, language);
            var subject = texts.Get("response.mail.subject", language, ("level", Level(finding.Level, language)), ("risk", Risk(finding.Risk, language)), ("device", name));
            var lines = new List<(string, string)>
            {
                (texts.Get("response.mail.label.what", language), FindingSentence.Of(finding, field, device, texts, language)),
                (texts.Get("response.mail.label.level", language), Level(finding.Level, language)),
                (texts.Get("response.mail.label.risk", language), Risk(finding.Risk, language)),
                (texts.Get("response.mail.label.device", language), name),
                (texts.Get("response.mail.label.time", language), FindingSentence.Time(finding.RaisedAt, field)),
            };
            if (finding.DeviceTime is { } deviceTime)
            {
                lines.Add((texts.Get("response.mail.label.device-time", language), FindingSentence.Time(deviceTime, field)));
            }

            lines.Add((texts.Get("notification.label.evidence", language), FindingBasis.Of(finding, texts, language)));
            lines.AddRange(Origin(field, language));
            lines.Add((texts.Get("response.mail.label.finding", language), finding.Id));
            lines.Add((texts.Get("response.mail.label.correlation", language), finding.CorrelationId));
            return (subject, texts.Get("response.mail.intro", language), lines);
        });
    }

    /// <summary>One finding that was taken back.</summary>
    public MailContent Retracted(Lease lease, Finding finding, string reason)
    {
        var field = FieldOf(lease);
        var device = finding.DeviceId is { } id ? directory.Device(id) : null;
        return Write(field, language =>
        {
            var name = FindingSentence.DeviceName(finding, device, texts, language);
            var lines = new List<(string, string)>
            {
                (texts.Get("response.mail.label.why-retracted", language), texts.Get("finding.retracted." + reason, language)),
                (texts.Get("response.mail.label.what", language), FindingSentence.Of(finding, field, device, texts, language)),
                (texts.Get("response.mail.label.device", language), name),
                (texts.Get("response.mail.label.time", language), FindingSentence.Time(finding.RaisedAt, field)),
                (texts.Get("response.mail.label.retracted-at", language), FindingSentence.Time(lease.CreatedAt, field)),
            };
            lines.AddRange(Origin(field, language));
            lines.Add((texts.Get("response.mail.label.finding", language), finding.Id));
            lines.Add((texts.Get("response.mail.label.correlation", language), lease.CorrelationId));
            return (texts.Get("response.mail.retracted-subject", language, ("device", name)), texts.Get("response.mail.retracted-intro", language), lines);
        });
    }

    /// <summary>Something about responses themselves.</summary>
    public MailContent Notice(Lease lease, LeaseNotice notice)
    {
        var field = FieldOf(lease);
        return Write(field, language => (
            NoticeText.Subject(notice, texts, language),
            NoticeText.Text(notice, texts, language),
            [
                .. NoticeText.Lines(notice, field, texts, language),
                (texts.Get("response.mail.label.time", language), FindingSentence.Time(lease.CreatedAt, field)),
                .. Origin(field, language),
                (texts.Get("response.mail.label.correlation", language), lease.CorrelationId),
            ]));
    }

    /// <summary>A test.</summary>
    public MailContent Test(Lease lease)
    {
        var field = FieldOf(lease);
        return Write(field, language => (
            texts.Get("response.mail.test-subject", language),
            texts.Get("response.test.sentence", language),
            [
                (texts.Get("response.mail.label.time", language), FindingSentence.Time(lease.CreatedAt, field)),
                .. Origin(field, language),
                (texts.Get("response.mail.label.correlation", language), lease.CorrelationId),
            ]));
    }

    /// <summary>Both bodies, the field's language first.</summary>
    public static MailContent Write(FieldProfile? field, Func<string, (string Subject, string Intro, List<(string Label, string Value)> Lines)> section)
    {
        var first = field?.Language == "en" ? "en" : "ja";
        string[] languages = [first, first == "en" ? "ja" : "en"];
        var (text, html) = (new StringBuilder(), new StringBuilder("<!DOCTYPE html><html><head><meta charset=\"utf-8\"></head><body>"));
        var subject = "";
        foreach (var language in languages)
        {
            var (title, intro, lines) = section(language);
            subject = subject.Length == 0 ? FindingSentence.OneLine(title) : subject;
            text.Append(text.Length == 0 ? "" : "\r\n----------------------------------------\r\n\r\n").Append(intro).Append("\r\n\r\n");
            html.Append(CultureInfo.InvariantCulture, $"<section lang=\"{language}\"><p>{WebUtility.HtmlEncode(intro)}</p><table>");
            foreach (var (label, value) in lines)
            {
                var line = FindingSentence.OneLine(value);
                text.Append(label).Append(": ").Append(line).Append("\r\n");
                html.Append(CultureInfo.InvariantCulture, $"<tr><th style=\"text-align:left;vertical-align:top;white-space:nowrap;padding-right:12px\">{WebUtility.HtmlEncode(label)}</th><td>{WebUtility.HtmlEncode(line)}</td></tr>");
            }

            html.Append("</table></section><hr>");
        }

        return new MailContent(subject, text.ToString(), html.Append("</body></html>").ToString());
    }

    /// <summary>Field and its contact point: in every mail.</summary>
    public IEnumerable<(string, string)> Origin(FieldProfile? field, string language)
    {
        yield return (texts.Get("response.mail.label.field", language), field is null ? texts.Get("response.gateway", language) : $"{field.Name} ({field.FieldId})");
        if (field is { ContactPoint.Length: > 0 })
        {
            yield return (texts.Get("response.mail.label.contact", language), field.ContactPoint);
        }
    }

    public string Level(string level, string language) => texts.Get("response.level." + level, language);

    public string Risk(string risk, string language) => texts.Get("response.risk." + risk, language);

    public FieldProfile? FieldOf(Lease lease) => lease.FieldId is { } id ? directory.Field(id) : null;
}
