using System.Net.Mail;
using Sekisho.Api.Problems;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Localization;
using Sekisho.Response.Notification.Hours;

namespace Sekisho.Response.Notification;

/// <summary>Recipients and webhook as an administrator sends them.</summary>
/// <param name="Recipients">At most 50.</param>
/// <param name="Webhook">Null for none.</param>
internal sealed record NotificationRequest(IReadOnlyList<RecipientRequest?>? Recipients, WebhookRequest? Webhook)
{
    /// <summary>When business is done; null for no such hours.</summary>
    public HoursRequest? BusinessHours { get; init; }

    /// <summary>When mails below the highest level wait and come as one afterwards; null for never.</summary>
    public QuietRequest? QuietHours { get; init; }

    /// <summary>So many minutes the same of the same device is told once, with a count; at most a day; absent or 0 for each time.</summary>
    public int? SameMinutes { get; init; }

    /// <summary>Who is called one after another; null for nobody.</summary>
    public OnCallRequest? OnCall { get; init; }

    public const int MostRecipients = 50;
    public const int LongestSame = 24 * 60;
    public const int LongestAddress = 254;
    public const int LongestUrl = 2000;

    /// <summary>Every fault; empty when all is well. Pure.</summary>
    public IReadOnlyList<Fault> Check(Texts texts, string language)
    {
        var faults = new List<Fault>();
        var seen = new HashSet<(string, string)>();
        var recipients = Recipients ?? [];
        if (Recipients is null)
        {
            faults.Add(new Fault("/recipients", texts.Get("response.fault.recipients", language)));
        }

        if (recipients.Count > MostRecipients)
        {
            faults.Add(new Fault("/recipients", texts.Get("response.fault.too-many-recipients", language, ("most", $"{MostRecipients}"))));
        }

        for (var i = 0; i < Math.Min(recipients.Count, MostRecipients); i++)
        {
            var (address, role) = (recipients[i]?.Address ?? "", recipients[i]?.Role ?? "");
            if (!IsAddress(address))
            {
                faults.Add(new Fault($"/recipients/{i}/address", texts.Get("response.fault.address", language)));
            }

            if (!RecipientRoles.All.Contains(role))
            {
                faults.Add(new Fault($"/recipients/{i}/role", texts.Get("response.fault.role", language, ("allowed", string.Join(", ", RecipientRoles.All)))));
            }

            var hours = recipients[i]?.Hours ?? RecipientHours.Always;
            if (!RecipientHours.All.Contains(hours))
            {
                faults.Add(new Fault($"/recipients/{i}/hours", texts.Get("response.fault.one-of", language, ("allowed", string.Join(", ", RecipientHours.All)))));
            }
            else if (hours != RecipientHours.Always && BusinessHours is null)
            {
                faults.Add(new Fault($"/recipients/{i}/hours", texts.Get("notification.fault.no-business-hours", language)));
            }

            if (!seen.Add((address.ToUpperInvariant(), role)))
            {
                faults.Add(new Fault($"/recipients/{i}", texts.Get("response.fault.twice", language)));
            }
        }

        if (Webhook is not null && !IsWebhook(Webhook.Url ?? ""))
        {
            faults.Add(new Fault("/webhook/url", texts.Get("response.fault.url", language)));
        }

        TimesOrFaults(texts, language, faults);
        return faults;
    }

    /// <summary>The times of a request without faults.</summary>
    public NotificationTimes Times(Texts texts) => TimesOrFaults(texts, "en", []);

    private NotificationTimes TimesOrFaults(Texts texts, string language, List<Fault> faults)
    {
        if (SameMinutes is < 0 or > LongestSame)
        {
            faults.Add(new Fault("/sameMinutes", texts.Get("notification.fault.same-minutes", language, ("most", $"{LongestSame}"))));
        }

        return new NotificationTimes(
            BusinessHours?.Read("/businessHours", mustEnd: false, texts, language, faults),
            QuietHours is null ? null : new HoursRequest(QuietHours.Periods, null).Read("/quietHours", mustEnd: true, texts, language, faults),
            SameMinutes ?? 0,
            OnCall?.Read(texts, language, faults));
    }

    /// <summary>A plain ASCII address (RFC 5321 dot-string local part): nothing in it can start another header, command or recipient.</summary>
    public static bool IsAddress(string text)
    {
        var at = text.LastIndexOf('@');
        return text.Length <= LongestAddress && at is > 0 and <= 64
            && text[..at].All(c => char.IsAsciiLetterOrDigit(c) || ".!#$%&'*+-/=?^_`{|}~".Contains(c, StringComparison.Ordinal))
            && text[(at + 1)..].All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-')
            && Uri.CheckHostName(text[(at + 1)..]) == UriHostNameType.Dns
            && MailAddress.TryCreate(text, out var parsed) && parsed.Address == text;
    }

    /// <summary>https, or http to this very machine; no credentials and no fragment in it.</summary>
    public static bool IsWebhook(string text) =>
        text.Length <= LongestUrl && !text.Any(char.IsControl)
        && Uri.TryCreate(text, UriKind.Absolute, out var url)
        && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback))
        && url.Host.Length > 0 && url.UserInfo.Length == 0 && url.Fragment.Length == 0;
}

/// <summary>One recipient.</summary>
/// <param name="Address">Plain address.</param>
/// <param name="Role">"administrator" or "person-in-charge".</param>
/// <param name="Hours">"always" (when absent), "business" or "outside-business": when mails below the highest level reach the reader.</param>
internal sealed record RecipientRequest(string? Address, string? Role, string? Hours = null);

/// <summary>Hours in which mails below the highest level wait.</summary>
/// <param name="Periods">1 to 50 stretches; at least an hour of the week is outside of them.</param>
internal sealed record QuietRequest(IReadOnlyList<PeriodRequest?>? Periods);

/// <summary>Who is called one after another until somebody acknowledges.</summary>
/// <param name="Persons">1 to 20 plain addresses, the first one first.</param>
/// <param name="Minutes">Until the next one is told, 1 to 240.</param>
/// <param name="Level">From this level on.</param>
internal sealed record OnCallRequest(IReadOnlyList<string?>? Persons, int? Minutes, string? Level)
{
    public const int MostPersons = 20;
    public const int MostMinutes = 240;

    /// <summary>The order; what is wrong with it goes into <paramref name="faults"/>. Pure.</summary>
    public OnCallOrder Read(Texts texts, string language, List<Fault> faults)
    {
        var persons = (Persons ?? []).Take(MostPersons).Select(p => p ?? "").ToList();
        if (Persons is not { Count: > 0 and <= MostPersons })
        {
            faults.Add(new Fault("/onCall/persons", texts.Get("notification.fault.persons", language, ("most", $"{MostPersons}"))));
        }

        for (var i = 0; i < persons.Count; i++)
        {
            if (!NotificationRequest.IsAddress(persons[i]))
            {
                faults.Add(new Fault($"/onCall/persons/{i}", texts.Get("response.fault.address", language)));
            }
            else if (persons.Take(i).Contains(persons[i], StringComparer.OrdinalIgnoreCase))
            {
                faults.Add(new Fault($"/onCall/persons/{i}", texts.Get("response.fault.twice", language)));
            }
        }

        if (Minutes is not (>= 1 and <= MostMinutes))
        {
            faults.Add(new Fault("/onCall/minutes", texts.Get("notification.fault.minutes", language, ("most", $"{MostMinutes}"))));
        }

        if (!Levels.All.Contains(Level ?? ""))
        {
            faults.Add(new Fault("/onCall/level", texts.Get("response.fault.one-of", language, ("allowed", string.Join(", ", Levels.All)))));
        }

        return new OnCallOrder(persons, Minutes ?? 0, Level ?? "");
    }
}

/// <summary>The webhook.</summary>
/// <param name="Url">https address; http only on loopback.</param>
/// <param name="NewSecret">True to replace the secret.</param>
internal sealed record WebhookRequest(string? Url, bool NewSecret = false);
