using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;

namespace Sekisho.Devices.Fields;

/// <summary>What a maintainer asks for with a new field.</summary>
/// <param name="FieldId">Lower-case letters, digits, hyphens; 2 to 40.</param>
/// <param name="Name">1 to 100 characters.</param>
/// <param name="Kind">Kind of service, as fieldId but 1 to 40.</param>
/// <param name="TimeZone">IANA name; Asia/Tokyo when absent.</param>
/// <param name="ContactPoint">At most 200 characters; empty when absent.</param>
/// <param name="Language">"ja" (when absent) or "en".</param>
internal sealed record NewField(string? FieldId, string? Name, string? Kind, string? TimeZone, string? ContactPoint, string? Language);

/// <summary>What an administrator may change; all of it is replaced.</summary>
internal sealed record FieldChange(string? Name, string? TimeZone, string? ContactPoint, string? Language);

/// <summary>Rules for fields. Pure.</summary>
internal static class FieldRules
{
    public const string DefaultTimeZone = "Asia/Tokyo";
    public const string DefaultLanguage = "ja";

    public static (FieldProfile Field, IReadOnlyList<BrokenRule> Broken) Judge(NewField asked)
    {
        var field = new FieldProfile
        {
            FieldId = asked.FieldId ?? "",
            Name = asked.Name?.Trim() ?? "",
            Kind = asked.Kind ?? "",
            TimeZone = asked.TimeZone ?? DefaultTimeZone,
            ContactPoint = asked.ContactPoint?.Trim() ?? "",
            Language = asked.Language ?? DefaultLanguage,
        };
        var broken = Common(field);
        if (!Rules.Slug(field.FieldId, 2, 40))
        {
            broken.Insert(0, new BrokenRule("/fieldId", "field-id"));
        }

        if (!Rules.Slug(field.Kind, 1, 40))
        {
            broken.Add(new BrokenRule("/kind", "kind"));
        }

        return (field, broken);
    }

    public static (FieldProfile Field, IReadOnlyList<BrokenRule> Broken) Judge(FieldProfile present, FieldChange asked)
    {
        var field = present with
        {
            Name = asked.Name?.Trim() ?? "",
            TimeZone = asked.TimeZone ?? "",
            ContactPoint = asked.ContactPoint?.Trim() ?? "",
            Language = asked.Language ?? "",
        };
        return (field, Common(field));
    }

    private static List<BrokenRule> Common(FieldProfile field)
    {
        var broken = new List<BrokenRule>();
        if (!Rules.Printable(field.Name, 1, 100))
        {
            broken.Add(new BrokenRule("/name", "name"));
        }

        // Windows names would resolve too, but everybody else expects IANA's.
        if (field.TimeZone.Length > 64 || !TimeZoneInfo.TryFindSystemTimeZoneById(field.TimeZone, out var zone) || !zone.HasIanaId)
        {
            broken.Add(new BrokenRule("/timeZone", "time-zone"));
        }

        if (!Rules.Printable(field.ContactPoint, 0, 200))
        {
            broken.Add(new BrokenRule("/contactPoint", "contact-point"));
        }

        if (!Texts.Languages.Contains(field.Language))
        {
            broken.Add(new BrokenRule("/language", "language"));
        }

        return broken;
    }
}
