using Sekisho.Response.Notification.Hours;

namespace Sekisho.Response.Notification;

/// <summary>Recipients and webhook in force.</summary>
/// <param name="Recipients">Addresses are masked for those who may not change them.</param>
/// <param name="Webhook">Null for none.</param>
internal sealed record NotificationView(IReadOnlyList<Recipient> Recipients, WebhookView? Webhook)
{
    /// <summary>When business is done, in the field's time zone; null for no such hours.</summary>
    public HoursOfWeek? BusinessHours { get; init; }

    /// <summary>When mails below the highest level wait; null for never.</summary>
    public QuietView? QuietHours { get; init; }

    /// <summary>So many minutes the same of the same device is told once; 0 for always.</summary>
    public int SameMinutes { get; init; }

    /// <summary>Who is called; null for nobody. Addresses are masked as those of recipients.</summary>
    public OnCallOrder? OnCall { get; init; }

    /// <param name="settings">What is stored; null for nothing.</param>
    /// <param name="masked">The reader may know that there are recipients, not who.</param>
    /// <param name="secret">A secret that was just made and is shown this once.</param>
    public static NotificationView Of(NotificationSettings? settings, bool masked, string? secret = null) => new(
        [.. (settings?.Recipients ?? []).Select(r => masked ? r with { Address = MaskAddress(r.Address) } : r)],
        settings?.Webhook is { } webhook ? new WebhookView(masked ? MaskUrl(webhook.Url) : webhook.Url, secret) : null)
    {
        BusinessHours = settings?.Times?.BusinessHours,
        QuietHours = settings?.Times?.QuietHours is { } quiet ? new QuietView(quiet.Periods) : null,
        SameMinutes = settings?.Times?.SameMinutes ?? 0,
        OnCall = settings?.Times?.OnCall is { } order ? order with { Persons = [.. order.Persons.Select(p => masked ? MaskAddress(p) : p)] } : null,
    };

    /// <summary>First letter and domain.</summary>
    public static string MaskAddress(string address) => address[..1] + "***" + address[address.LastIndexOf('@')..];

    // Paths of webhooks often are the secret that lets one post there.
    public static string MaskUrl(string url) => new Uri(url).GetLeftPart(UriPartial.Authority) + "/***";
}

/// <summary>Hours in which mails below the highest level wait.</summary>
/// <param name="Periods">The stretches.</param>
internal sealed record QuietView(IReadOnlyList<Period> Periods);

/// <summary>The webhook.</summary>
/// <param name="Url">Its address; only the host for those who may not change it.</param>
/// <param name="Secret">For checking signatures; present only in the answer to the change that made it.</param>
internal sealed record WebhookView(string Url, string? Secret);

/// <summary>What a test set going.</summary>
/// <param name="Leases">Identifiers of the responses to look at.</param>
internal sealed record NotificationTest(IReadOnlyList<string> Leases);
