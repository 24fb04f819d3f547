using Sekisho.Domain.Devices;
using Sekisho.Response.Notification.Hours;

namespace Sekisho.Response.Notification;

/// <summary>When a field's people are told, and how often. Part of what is stored; documents from before it have none.</summary>
/// <param name="BusinessHours">Null for none.</param>
/// <param name="QuietHours">Null for none.</param>
/// <param name="SameMinutes">So long the same of the same device is told once; 0 for always.</param>
/// <param name="OnCall">Null for nobody.</param>
internal sealed record NotificationTimes(HoursOfWeek? BusinessHours, HoursOfWeek? QuietHours, int SameMinutes, OnCallOrder? OnCall);

/// <summary>Who is called, one after another, until somebody acknowledges.</summary>
/// <param name="Persons">Mail addresses in order.</param>
/// <param name="Minutes">Until the next one is told.</param>
/// <param name="Level">From this level on.</param>
internal sealed record OnCallOrder(IReadOnlyList<string> Persons, int Minutes, string Level);

/// <summary>Stable names of when a recipient reads mails below the highest level.</summary>
internal static class RecipientHours
{
    public const string Always = "always";
    public const string Business = "business";
    public const string OutsideBusiness = "outside-business";

    public static readonly IReadOnlyList<string> All = [Always, Business, OutsideBusiness];
}

/// <summary>Who gets a mail now, and who later.</summary>
/// <param name="Now">Addresses.</param>
/// <param name="Later">Addresses whose hours have not come.</param>
/// <param name="LaterAt">When they come; null when there is nobody to wait for.</param>
internal sealed record Audience(IReadOnlyList<string> Now, IReadOnlyList<string> Later, DateTimeOffset? LaterAt);

/// <summary>Tells by the clock who may be told. Pure.</summary>
internal sealed class ContactTimes
{
    private readonly WeekHours? _business;
    private readonly WeekHours? _quiet;

    /// <param name="times">What is stored; null for nothing.</param>
    /// <param name="field">Gives the zone; null for the gateway itself.</param>
    public ContactTimes(NotificationTimes? times, FieldProfile? field)
    {
        var zone = FindingSentence.ZoneOf(field);
        _business = times?.BusinessHours is { } business ? new WeekHours(business, zone) : null;
        _quiet = times?.QuietHours is { } quiet ? new WeekHours(quiet, zone) : null;
    }

    /// <summary>When the quiet hours end that are now; null outside of them.</summary>
    public DateTimeOffset? QuietUntil(DateTimeOffset now) => _quiet?.EndOf(now);

    /// <summary>Parts recipients into those who read now and those whose hours come later. Hours that never come keep nobody from reading.</summary>
    public Audience Split(IReadOnlyList<Recipient> recipients, DateTimeOffset now)
    {
        var (opens, closes) = (_business?.NextWithin(now), _business?.EndOf(now));
        DateTimeOffset? Waits(Recipient recipient) => recipient.Hours switch
        {
            RecipientHours.Business when opens > now => opens,
            RecipientHours.OutsideBusiness when closes > now => closes,
            _ => null,
        };
        var present = recipients.Where(r => Waits(r) is null).Select(r => r.Address).Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        var later = recipients.Select(r => r.Address).Except(present, StringComparer.OrdinalIgnoreCase).ToList();
        return new Audience(present, later, later.Count == 0 ? null : recipients.Min(Waits));
    }
}
