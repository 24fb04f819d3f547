namespace Sekisho.Response.Notification;

/// <summary>Whom a field (or the gateway itself) notifies. Stored encrypted, replaced whole.</summary>
internal sealed record NotificationSettings(IReadOnlyList<Recipient> Recipients, Webhook? Webhook)
{
    /// <summary>When; null for always and one by one.</summary>
    public NotificationTimes? Times { get; init; }
}

/// <summary>One reader of mails.</summary>
/// <param name="Address">Plain address, no display name.</param>
/// <param name="Role">One of <see cref="RecipientRoles"/>.</param>
/// <param name="Hours">One of <see cref="RecipientHours"/>: when mails below the highest level reach the reader.</param>
internal sealed record Recipient(string Address, string Role, string Hours = RecipientHours.Always);

/// <summary>Where signed findings are posted.</summary>
internal sealed record Webhook(string Url, string Secret);

/// <summary>Stable names of what a recipient is.</summary>
internal static class RecipientRoles
{
    /// <summary>Administers the field (管理者).</summary>
    public const string Administrator = "administrator";

    /// <summary>Is in charge on site (担当者).</summary>
    public const string PersonInCharge = "person-in-charge";

    public static readonly IReadOnlyList<string> All = [Administrator, PersonInCharge];
}
