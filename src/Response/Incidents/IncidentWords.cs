using System.Globalization;
using Sekisho.Domain.Detection;
using Sekisho.Domain.Devices;
using Sekisho.Domain.Localization;
using Sekisho.Response.Leases;
using Sekisho.Response.Notification;

namespace Sekisho.Response.Incidents;

/// <summary>What an incident says to people, in one language. Any thread.</summary>
internal sealed class IncidentWords(Texts texts, IDeviceDirectory directory, string language, FieldProfile? field)
{
    public string Language => language;

    public Texts Texts => texts;

    public string Get(string key, params ReadOnlySpan<(string, string)> values) => texts.Get(key, language, values);

    /// <summary>A stable name in words: the text PREFIX.NAME, or the name where there is none.</summary>
    public string Name(string prefix, string name) => texts.Name(prefix, name, language);

    public string Condition(IncidentCondition condition) => condition.Key == "*" ? Get("incident.further-conditions") : Name("condition", condition.Condition);

    public string Action(string action) => Name("response.action", action);

    /// <summary>Who did something: an account, or a part of the gateway.</summary>
    public string Actor(string actor) => Name("incident.actor", actor);

    public string Level(string level) => Name("response.level", level);

    public string Time(DateTimeOffset at) => FindingSentence.Time(at, field);

    public string Device(string id) => directory.Device(id) is { Name: { Length: > 0 } name } ? $"{FindingSentence.OneLine(name)} ({id})" : id;

    /// <summary>What it is about: the gravest condition, and how many devices.</summary>
    public string Title(Incident incident, long devices, string? oneDevice)
    {
        var conditions = incident.Details.Conditions;
        var lead = conditions.MaxBy(c => Levels.Rank(c.Level));
        var what = lead is null ? "" : Condition(lead);
        var more = conditions.Select(c => c.Key).Distinct(StringComparer.Ordinal).Count() - 1;
        var subject = devices switch
        {
            0 => Get("incident.title.none"),
            1 => Device(oneDevice!),
            _ => Get("incident.title.devices", ("devices", Whole(devices))),
        };
        return more > 0 ? Get("incident.title.more", ("subject", subject), ("what", what), ("more", Whole(more))) : Get("incident.title.one", ("subject", subject), ("what", what));
    }

    /// <summary>A line of the timeline.</summary>
    public string Line(IncidentEntry entry)
    {
        var values = entry.Values.Select(v => (v.Key, Value(v.Key, v.Value))).ToList();
        return FindingSentence.OneLine(Get("incident.entry." + entry.Kind, [.. values]));
    }

    /// <summary>A response that is in force.</summary>
    public string Lease(Lease lease) => Get(
        "incident.holds", ("action", Action(lease.Action)), ("response", lease.Id), ("since", Time(lease.StartedAt ?? lease.CreatedAt)),
        ("state", lease.UndoAskedAt is null ? Get("incident.lease." + lease.State) : Get("incident.lease.undo-asked")));

    /// <summary>What keeps a device from its normal state; null for nothing.</summary>
    public string? Standing(DeviceStanding standing)
    {
        if (standing.IsNormal)
        {
            return null;
        }

        var held = standing.HeldBy.Count > 0 ? string.Join(" ", standing.HeldBy.Take(5).Select(Lease)) : Get("incident.holds-nothing");
        return Get("incident.standing", ("device", Device(standing.DeviceId)), ("state", Name("incident.device", standing.State ?? "")), ("held", held));
    }

    public static string Whole(long number) => number.ToString("#,0", CultureInfo.InvariantCulture);

    private string Value(string name, string value) => name switch
    {
        "level" or "before" => Level(value),
        "device" => value.Length == 0 ? Get("incident.no-device") : Device(value),
        "condition" => Name("condition", value),
        "state" => Name("incident.device", value),
        "step" => Name("incident.step", value),
        "as" => Name("incident.as", value),
        "reason" => Name("finding.retracted", value),
        "due" => DateTimeOffset.TryParse(value, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var at) ? Time(at) : value,
        _ => value,
    };
}
