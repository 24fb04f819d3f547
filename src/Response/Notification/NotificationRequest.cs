using System.Net.Mail;
using Sekisho.Api.Problems;
using Sekisho.Domain.Localization;

namespace Sekisho.Response.Notification;

/// <summary>Recipients and webhook as an administrator sends them.</summary>
/// <param name="Recipients">At most 50.</param>
/// <param name="Webhook">Null for none.</param>
internal sealed record NotificationRequest(IReadOnlyList<RecipientRequest?>? Recipients, WebhookRequest? Webhook)
{
    public const int MostRecipients = 50;
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

            if (!seen.Add((address.ToUpperInvariant(), role)))
            {
                faults.Add(new Fault($"/recipients/{i}", texts.Get("response.fault.twice", language)));
            }
        }

        if (Webhook is not null && !IsWebhook(Webhook.Url ?? ""))
        {
            faults.Add(new Fault("/webhook/url", texts.Get("response.fault.url", language)));
        }

        return faults;
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
internal sealed record RecipientRequest(string? Address, string? Role);

/// <summary>The webhook.</summary>
/// <param name="Url">https address; http only on loopback.</param>
/// <param name="NewSecret">True to replace the secret.</param>
internal sealed record WebhookRequest(string? Url, bool NewSecret = false);
